"""What to say beside a field that breaks a rule."""

from __future__ import annotations

from linkserver.words import N_
from notifier.core.errors import BadInput

#: (field, rule) or the rule alone; asked in this order
RULES: dict[str, str] = {
    "person.nik nik-digits": N_("NIK hanya berisi angka"),
    "person.nik nik-length": N_("NIK terdiri dari 16 angka. Hitung lagi, atau kosongkan bila belum ada"),
    "person.nik nik-placeholder": N_("Kosongkan bila belum punya NIK"),
    "person.name required": N_("Tulis nama seperti di kartu"),
    "person.birth_date required": N_("Tulis tanggal lahir: ini yang membuka sertifikat"),
    "dose.product required": N_("Tulis nama vaksinnya"),
    "dose.number required": N_("Tulis dosis keberapa, misalnya 1"),
    "person.phone required": N_("Tulis nomor ponsel, atau pilih “Tidak punya nomor”"),
    "person.phone both": N_("Hapus nomornya, atau jangan pilih “Tidak punya nomor”"),
    "phone-unreadable": N_("Tulis nomor ponsel, misalnya 0812-3456-7890"),
    "phone-undialable": N_("Tidak ada telepon dengan nomor ini. Periksa setiap angkanya bersama orangnya"),
    "phone-country": N_(
        "Nomor ini dari negara yang tidak kami layani. Minta nomor lain, atau pilih “Tidak punya nomor”"
    ),
    "phone-not-mobile": N_("Ini bukan nomor ponsel, jadi tidak dapat menerima SMS. Minta nomor lain"),
    "to unknown-colleague": N_("Tidak ada petugas meja layanan dengan nama pengguna ini"),
    "to own-name": N_("Ini Anda sendiri. Kosongkan untuk mengembalikannya ke antrean"),
    "note required": N_("Tulis apa yang dikatakan"),
    "note sent-before": N_("Formulir ini sudah dikirim. Mulai yang baru"),
    "text required": N_("Tulis jawabannya"),
    "tells-number": N_("Hapus NIK, nomor, dan tanggal. Hanya nomor bantuan kita sendiri yang boleh"),
    "tells-name": N_("Hapus nama atau tempat lahir orang itu"),
    "foreign-address": N_("Hapus alamat yang bukan milik kita"),
    "other same-case": N_("Ini kasus yang sama. Tulis acuan kasus yang lain"),
    "other unknown-case": N_("Tidak ada kasus dengan acuan ini"),
    "one-key": N_("Isi nomor terdaftar atau seluruh NIK, salah satu saja"),
    "third-fact": N_("Isi 4 angka terakhir NIK, atau tempat dan tanggal vaksin"),
    "dose-required": N_("Dengan NIK, tempat dan tanggal vaksin wajib diisi"),
    "nik-end-digits": N_("Tulis 4 angka"),
    "nik nik-digits": N_("NIK terdiri dari 16 angka"),
    "text-name": N_("Pakai huruf kecil, angka, dan tanda hubung"),
    "name text-name": N_("Pakai huruf kecil, angka, dan tanda hubung"),
    "day-missing": N_("Tulis tanggalnya, misalnya 15"),
    "month-missing": N_("Tulis bulannya, misalnya 3 atau Maret"),
    "year-missing": N_("Tulis tahunnya, misalnya 1984"),
    "day-unreadable": N_("Tulis tanggal dari 1 sampai 31"),
    "month-unreadable": N_("Tulis bulan dari 1 sampai 12, atau namanya"),
    "year-digits": N_("Tulis tahun dengan 4 angka, misalnya 1984"),
    "date-impossible": N_("Bulan itu tidak punya tanggal ini"),
    "date-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
    "in-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
    "date-too-early": N_("Itu terlalu lama yang lalu. Periksa tahunnya"),
    "too-early": N_("Itu terlalu lama yang lalu. Periksa tahunnya"),
    "before-birth": N_("Tanggal suntikan lebih awal daripada tanggal lahir. Periksa keduanya"),
    "number": N_("Tulis angka saja, misalnya 1"),
    "dose-range": N_("Tulis angka dari 1 sampai 99"),
    "series-range": N_("Jumlah dosis tidak boleh kurang dari dosis keberapa"),
    "delay-range": N_("Tulis 0 sampai 48 jam"),
    "delay-missing": N_("Tulis berapa jam, dari 0 sampai 48"),
    "choice": N_("Pilih salah satu"),
    "recorded-before": N_("Formulir ini sudah dicatat dengan isi lain. Yang pertama tetap berlaku"),
    "too-long": N_("Terlalu panjang. Singkat sedikit"),
    "bad-character": N_("Ada huruf yang tidak dapat disimpan. Ketik ulang"),
    "reason required": N_("Tulis alasannya, cukup beberapa kata"),
    "at moment": N_("Pilih tanggal dan jamnya"),
    "in-past": N_("Waktu itu sudah lewat. Pilih waktu yang akan datang"),
    "too-late": N_("Pilih waktu dalam 60 hari ke depan"),
    "q required": N_("Tulis nama, nomor ponsel, NIK, nomor acuan, atau nomor sertifikat"),
    "no-words": N_("Tulis satu kata dari namanya, paling sedikit dua huruf"),
    "unknown-facility": N_("Tidak ada fasilitas dengan kode atau nama ini. Tulis satu kata dari namanya saja"),
    "row none-chosen": N_("Centang paling sedikit satu baris"),
    "asked required": N_("Centang ini bila orangnya sendiri yang meminta"),
    "kind required": N_("Pilih perihal teleponnya"),
    "note too-long": N_("Singkat catatannya, paling banyak 300 huruf"),
    "long-number": N_("Hapus NIK, nomor ponsel, dan tanggal dari catatan ini"),
    "event_id conflict": N_("Kode kejadian ini sudah dipakai untuk isi yang lain. Tulis kode yang baru"),
    "personal-data": N_("Kode ini memuat NIK atau nomor ponsel. Ganti dengan kode lain"),
    "unknown-field": N_("Tidak ada isian bernama ini. Hapus"),
    "json": N_("Ini bukan JSON yang utuh"),
    "encoding": N_("Tulisannya bukan UTF-8"),
    "duplicate-key": N_("Satu isian tertulis dua kali. Hapus salah satunya"),
    "too-large": N_("Terlalu panjang"),
    "unexpected": N_("Sudah dicoba berkali-kali dan selalu gagal; beri tahu pengelola sistem"),
    "unknown-actor": N_(
        "Tidak ada petugas atau kunci dengan nama itu, atau ada lebih dari satu. Tulis nama penggunanya"
    ),
    "unknown-subject": N_("Tidak ditemukan. Tulis nomor acuan, awalan kunci, atau nama pengguna"),
    "day": N_("Pilih tanggalnya"),
    "before-since": N_("Tanggal akhir lebih awal daripada tanggal awal"),
    "cursor": N_("Alamat halamannya rusak. Mulai lagi dari yang terbaru"),
    "scopes required": N_("Pilih paling sedikit satu hak"),
    "name required": N_("Tulis nama sistem yang memakai kunci ini"),
    "expiry": N_("Pilih tanggal yang akan datang, paling lama sepuluh tahun lagi"),
    "overlap": N_("Pilih 0 sampai 90 hari"),
    "required": N_("Bagian ini harus diisi"),
    "nik-to-search": N_("Tulis NIK untuk mencari, atau isi sendiri nama dan nomornya di bawah"),
    "delay_hours range": N_("Tulis 0 sampai 48 jam, misalnya 2 atau 0,5"),
    "quiet_hours range": N_("Tulis misalnya 20:00-08:00, atau off bila SMS boleh dikirim kapan saja"),
    "person_daily_cap range": N_("Tulis angka dari 1 sampai 1000, misalnya 3"),
    "reminders range": N_("Tulis on atau off"),
    "hold_after_hours range": N_("Tulis jumlah jam dari 1 sampai 8760, misalnya 72"),
    "nik-birth-date": N_("Tanggal lahir di dalam NIK berbeda dengan yang ditulis. Periksa keduanya di kartu"),
    "username": N_("Pakai 3 sampai 100 huruf kecil, angka, titik, tanda hubung, atau alamat surel"),
    "username-taken": N_("Nama pengguna ini sudah dipakai. Pilih yang lain"),
    "facility_id required": N_("Peran ini terikat pada fasilitas. Tulis kodenya"),
    "facility facility-unknown": N_("Tulis kode fasilitas, atau namanya yang lengkap seperti tercatat"),
    "why required": N_("Pilih mengapa laporan ini ditutup"),
    "facility-unknown": N_("Fasilitas ini belum dikenal. Periksa kodenya; bila memang baru, tulis juga namanya"),
    "password-short": N_("Pakai paling sedikit 12 huruf; satu kalimat boleh"),
    "password-long": N_("Pakai paling banyak 200 huruf"),
    "password-common": N_("Banyak orang memakai kata sandi ini. Pilih yang lain"),
    "password-username": N_("Jangan pakai nama pengguna di dalam kata sandi"),
    "password-same": N_("Pilih kata sandi yang lain dari sebelumnya"),
    "password-differs": N_("Kedua kata sandi berbeda. Ketik lagi keduanya"),
    "password-wrong": N_("Ini bukan kata sandi yang Anda pakai untuk masuk. Ketik lagi"),
    "code code-wrong": N_("Kode ini tidak cocok atau sudah dipakai. Ketik kode yang tampil sekarang di aplikasi"),
    "recovery_code code-wrong": N_("Kode pemulihan ini tidak cocok atau sudah dipakai. Pakai kode yang lain"),
    "checked choice": N_("Pilih bagaimana orangnya diperiksa"),
    "checked_words required": N_("Tulis bagaimana diperiksa, cukup beberapa kata"),
    "why choice": N_("Pilih apa yang diberitahukan kepada orangnya"),
    "card_nik nik-length": N_("NIK di kartu terdiri dari 16 angka. Hitung lagi"),
    "card_nik nik-digits": N_("NIK hanya berisi angka"),
    "card-differs": N_("NIK di kartu berbeda dengan yang tercatat. Periksa lagi angka demi angka"),
    "name-letters": N_("Nama hanya berisi huruf"),
    "nothing-changed": N_("Semuanya sama dengan yang tercatat. Ubah dulu yang salah"),
    "number-same": N_(
        "Nomor ini sama dengan yang tercatat. Untuk mengirim lagi ke nomor yang sama, pakai “Kirim ulang”"
    ),
    "erased-person": N_("Data orang ini dihapus atas permintaannya. Hubungi petugas pusat sebelum mencatatnya lagi"),
    "person-differs": N_(
        "Dari nama, tanggal lahir, NIK hanya satu dapat diganti: dua berarti orang lain. Tarik dosis ini, catat lagi"
    ),
    # filters of bulk resends
    "span required": N_("Pilih hari yang dilihat setiap kali jalan"),
    "unopened-range": N_("Tulis jumlah hari dari 1 sampai 365"),
    "only-unopened": N_("Kosongkan: hanya SMS yang sampai dapat belum dibuka"),
    "before-first": N_("Hari terakhir lebih awal daripada hari pertama. Tukar keduanya"),
    "date": N_("Pilih tanggalnya, misalnya 23 November 2026"),
    "code": N_("Tulis kode penyedia SMS, misalnya 30003"),
    "both": N_("Pilih salah satu saja"),
    "never-sent": N_("Yang tidak dikirim tidak punya tanggal kirim. Pakai tanggal dosis diterima"),
    "no-fixed-days": N_("Jadwal menghitung harinya sendiri. Kosongkan tanggal ini"),
    "time": N_("Tulis jamnya, misalnya 09:00"),
    "most-range": N_("Tulis angka dari 1 sampai 9"),
}

OTHER_RULE = N_("Periksa lagi bagian ini")


def rule_words(field: str, rule: str) -> str:
    """What to say beside a field that breaks a rule."""
    return RULES.get(f"{field} {rule}") or RULES.get(rule) or OTHER_RULE


def problems_of(bad: BadInput) -> dict[str, str]:
    """What to say beside each field that breaks a rule."""
    return {one.field: rule_words(one.field, one.rule) for one in bad.problems}


def has_words(field: str, rule: str) -> bool:
    """Whether we have own words for a broken rule."""
    return f"{field} {rule}" in RULES or rule in RULES
