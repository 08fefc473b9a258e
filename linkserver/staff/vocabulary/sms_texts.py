"""What is wrong with an SMS text that somebody wrote."""

from __future__ import annotations

from linkserver.words import N_

#: what is wrong with an SMS text of the programme's own (messages.own_text); %(what)s is what broke the rule
SMS_FAULTS: dict[str, str] = {
    "empty": N_("Tulis isi SMS-nya."),
    "length": N_("Terlalu panjang. Paling banyak %(what)s huruf."),
    "gsm7": N_("Huruf ini membuat SMS jauh lebih mahal. Ganti dengan huruf biasa: %(what)s"),
    "placeholder": N_("Tidak ada isian bernama ((%(what)s)). Pakai yang ada di daftar saja."),
    "brackets": N_("Ada tanda (( atau )) yang tidak berpasangan."),
    "sender": N_("Sebut pengirimnya satu kali dengan ((pengirim)), supaya penerima tahu siapa yang menulis."),
    "link-once": N_("Tautan harus ada tepat satu kali: ((tautan))"),
    "link-space": N_("Beri spasi sebelum dan sesudah ((tautan)). Tanpa spasi, ponsel salah membaca tautannya."),
    "no-link": N_("SMS jenis ini tidak membawa tautan. Hapus ((tautan))."),
    "digits": N_("Jangan tulis nomor ponsel, NIK, atau tanggal lahir: %(what)s"),
    "address": N_("Jangan tulis alamat lain. Hanya ((tautan)) yang boleh dibuka penerima: %(what)s"),
    "click": N_("Jangan menyuruh “klik”: begitulah bunyi SMS penipuan. Tulis misalnya “Buka”. Ditemukan: %(what)s"),
    "urgent": N_("Jangan mendesak: begitulah bunyi SMS penipuan. Ditemukan: %(what)s"),
    "segments": N_("Jadi %(what)s segmen SMS. Paling banyak 2; singkat lagi."),
}
