"""What the pages of corrections say: fields, states, what is wrong beside a field, why something cannot be done."""

from __future__ import annotations

from linkserver.public.link import DATE_WORDS
from linkserver.public.me.words import NIK_WORDS, PHONE_WORDS
from linkserver.public.pages import StatePage
from linkserver.words import N_
from notifier.core.own_corrections import Field, RefusedWhy, RequestState

FIELDS: dict[Field, str] = {
    Field.NAME: N_("Nama"),
    Field.BIRTH_DATE: N_("Tanggal lahir"),
    Field.NIK: N_("NIK"),
    Field.PHONE: N_("Nomor ponsel"),
}
TITLES: dict[Field, str] = {
    Field.NAME: N_("Perbaiki nama"),
    Field.BIRTH_DATE: N_("Perbaiki tanggal lahir"),
    Field.NIK: N_("Perbaiki NIK"),
    Field.PHONE: N_("Ganti nomor ponsel"),
}
HINTS: dict[Field, str] = {
    Field.NAME: N_("Tulis seperti di KTP atau kartu keluarga. Gelar tidak perlu."),
    Field.BIRTH_DATE: N_("Seperti di KTP, kartu keluarga, atau akta lahir. Contoh: 17 8 1984"),
    Field.NIK: N_("16 angka seperti di KTP atau kartu keluarga."),
    Field.PHONE: N_("Nomor baru Anda. Kami mengirim kode ke sana. Contoh: 0812-3456-7890"),
}
AFTER: dict[Field, str] = {
    Field.NAME: N_("Salah ketik kecil kami perbaiki saat ini juga. Nama lain diperiksa petugas, paling lama 2 hari."),
    Field.BIRTH_DATE: N_("Petugas memeriksanya, paling lama 2 hari. Tanggal lahir membuka sertifikat Anda."),
    Field.NIK: N_(
        "Satu angka yang jelas salah kami perbaiki saat ini juga. Yang lain diperiksa petugas, paling lama 2 hari."
    ),
    Field.PHONE: N_("Setelah kode dari nomor baru Anda isi, tautan di nomor lama mati. Nomor lama kami beri tahu."),
}
STATES: dict[RequestState, str] = {
    RequestState.UNPROVEN: N_("Menunggu Anda datang dengan kartu"),
    RequestState.NUMBER: N_("Menunggu kode dari nomor baru"),
    RequestState.REVIEW: N_("Diperiksa petugas"),
    RequestState.EVIDENCE: N_("Kami perlu foto kartu Anda"),
    RequestState.DONE: N_("Sudah diperbaiki"),
    RequestState.REFUSED: N_("Tidak disetujui"),
    RequestState.WITHDRAWN: N_("Anda batalkan"),
    RequestState.EXPIRED: N_("Berakhir karena terlalu lama"),
}
#: why, and what to do now; said of every refusal of its kind alike
WHYS: dict[RefusedWhy, str] = {
    RefusedWhy.NO_MATCH: N_("Kartu yang ditunjukkan berbunyi lain. Periksa lagi, lalu minta sekali lagi."),
    RefusedWhy.UNREADABLE: N_("Foto kartunya tidak terbaca. Minta sekali lagi dan kirim foto yang terang."),
    RefusedWhy.NOT_PROVED: N_("Datanya tidak dapat kami pastikan dari sini. Bawa KTP ke fasilitas tempat vaksin."),
    RefusedWhy.OTHER_PERSON: N_("Ini menjadi data orang lain. Bawa KTP ke fasilitas tempat vaksin."),
}
PROBLEMS: dict[str, str] = {
    **DATE_WORDS,
    **PHONE_WORDS,
    **NIK_WORDS,
    "nik-placeholder": N_("Tulis NIK yang sebenarnya, 16 angka seperti di KTP"),
    "name required": N_("Tulis nama seperti di KTP"),
    "name too-long": N_("Nama ini terlalu panjang. Tulis seperti di KTP"),
    "name-letters": N_("Tulis nama dengan huruf, tanpa angka"),
    "nothing-changed": N_("Ini sama dengan yang tercatat. Tulis yang benar, atau kembali"),
    "before-birth": N_("Vaksinnya diberikan sebelum tanggal ini. Periksa tahunnya"),
    "in-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
    "reference": N_("Tulis nomor acuan dari halaman permintaan Anda, 10 huruf dan angka"),
    "picture-empty": N_("Pilih foto kartunya dulu"),
    "picture-large": N_("Foto kartu ini terlalu besar. Pilih yang lebih kecil dari 8 MB"),
    "picture-format": N_("Kirim foto kartunya sebagai JPG, PNG, atau WebP"),
    "picture-pdf": N_("Kirim foto kartu, bukan berkas PDF"),
    "picture-second-file": N_("Di dalam berkas ini ada berkas lain. Foto kartunya lagi dengan kamera"),
    "picture-pixels": N_("Foto kartu ini terlalu besar. Foto ulang dengan ukuran biasa"),
    "picture-damaged": N_("Foto kartu ini tidak dapat dibaca. Foto ulang kartunya"),
    "picture-busy": N_("Foto belum dapat diperiksa. Coba lagi sebentar"),
}
OTHER_PROBLEM = N_("Periksa lagi isian ini")

REFUSALS: dict[str, str] = {
    "open-already": N_("Untuk isian ini sudah ada permintaan yang belum selesai. Lihat di bawah."),
    "too-many-open": N_("Dua permintaan sedang berjalan. Tunggu sampai salah satunya selesai, atau batalkan."),
    "too-many": N_("Dalam sebulan paling banyak empat permintaan. Untuk yang mendesak, bawa KTP ke fasilitas."),
    "changed-meanwhile": N_("Datanya baru saja berubah. Lihat lagi, lalu coba sekali lagi."),
    "no-dose": N_("Belum ada dosis yang tercatat, jadi belum ada yang dapat diperbaiki."),
    "unreadable": N_("Data Anda sedang tidak dapat dibuka. Hubungi kami di bawah ini."),
    "already-decided": N_("Permintaan ini sudah selesai."),
    "not-asked": N_("Foto tidak diperlukan untuk permintaan ini."),
}

NUMBER_CHANGED = StatePage(
    200,
    N_("Nomor Anda sudah diganti"),
    N_("Mulai sekarang SMS sertifikat dikirim ke nomor yang baru."),
    N_("Tautan yang ada di nomor lama sudah mati. Nomor lama kami beri tahu, dan dapat keberatan selama 48 jam."),
    (
        N_("Tunggu SMS dari kami di nomor yang baru, lalu buka tautan di dalamnya."),
        N_("Untuk melihat akun lagi, masuk dengan nomor yang baru."),
    ),
)
OBJECTED = StatePage(
    200,
    N_("Keberatan Anda kami terima"),
    N_("SMS ke nomor yang baru dihentikan, dan tautan di sana sudah mati."),
    N_("Sertifikatnya tetap sah. Petugas memeriksa siapa pemilik data ini."),
    (N_("Data ini milik Anda? Bawa KTP ke fasilitas tempat vaksin, atau hubungi kami di bawah ini."),),
)
OBJECTION_OVER = StatePage(
    410,
    N_("Waktunya sudah lewat"),
    N_("Keberatan lewat SMS hanya dapat disampaikan selama 48 jam."),
    N_("Sertifikatnya tetap sah."),
    (N_("Data ini milik Anda? Bawa KTP ke fasilitas tempat vaksin, atau hubungi kami di bawah ini."),),
)
NUMBER_UNKNOWN = StatePage(
    404,
    N_("Permintaan ini tidak menunggu kode"),
    N_("Nomor acuan dan nomor barunya tidak cocok, belum diperiksa petugas, atau sudah selesai."),
    N_("Tidak ada yang berubah."),
    (
        N_("Periksa nomor acuannya, dan nomor ponsel yang Anda tulis waktu meminta."),
        N_("Nomor lama hilang? Datang dulu dengan KTP ke fasilitas tempat vaksin, dan sebutkan nomor acuannya."),
    ),
)
TOO_LARGE = StatePage(
    413,
    N_("Foto kartunya terlalu besar"),
    N_("Paling besar 8 MB dapat dikirim."),
    N_("Tidak ada yang disimpan. Permintaan Anda tetap berjalan."),
    (N_("Kembali, lalu pilih foto yang lebih kecil dari 8 MB."),),
)
EVIDENCE_SENT = N_("Fotonya kami terima. Petugas memeriksanya, lalu fotonya dihapus.")
WITHDRAWN = N_("Permintaannya sudah dibatalkan.")
ASKED = N_("Permintaan Anda kami terima. Petugas memeriksanya, paling lama 2 hari, dan kami beri tahu lewat SMS.")
DONE = {"asked": ASKED, "sent": EVIDENCE_SENT, "withdrawn": WITHDRAWN}


def problem_words(field: str, rule: str) -> str:
    """What to say beside a field that breaks a rule; `field` as an event or a form calls it."""
    name = field.removeprefix("person.")
    return PROBLEMS.get(f"{name} {rule}") or PROBLEMS.get(rule) or OTHER_PROBLEM
