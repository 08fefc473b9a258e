"""What the pages say for our codes: causes, what mends them, steps of a case, and what is wrong in a field."""

from __future__ import annotations

from linkserver.public.link import DATE_WORDS
from linkserver.public.pages import StatePage
from linkserver.words import N_
from notifier.core.states import CaseOutcome, CaseParty, CloseReason, StepKind

PHONE_WORDS = {
    "phone-missing": N_("Tulis nomor ponsel Anda, misalnya 0812-3456-7890"),
    "phone-unreadable": N_("Tulis nomor ponsel dengan angka, misalnya 0812-3456-7890"),
    "phone-undialable": N_("Nomor ini tidak lengkap atau kelebihan angka. Periksa setiap angkanya"),
    "phone-country": N_("Tulis nomor ponsel Indonesia, misalnya 0812-3456-7890"),
    "phone-not-mobile": N_("Nomor ini bukan nomor ponsel, jadi tidak dapat menerima SMS. Tulis nomor ponsel"),
}
_NIK_WORDS = {
    "nik-digits": N_("NIK hanya berisi angka. Tulis 16 angka seperti di KTP"),
    "nik-length": N_("NIK terdiri dari 16 angka. Periksa apakah ada angka yang kurang atau lebih"),
}
#: beside the fields of the report, and of "who is it about"
FIELD_WORDS = {
    **DATE_WORDS,
    **_NIK_WORDS,
    "date-missing": N_("Isi tanggal lahir penerima vaksin"),
    "given_date-missing": N_("Isi tanggal vaksinnya, atau tanggal yang paling mungkin"),
    "proof-missing": N_("Isi tanggal lahir, atau NIK-nya"),
    "person-missing": N_("Pilih untuk siapa sertifikatnya"),
    "name-missing": N_("Tulis nama penerima vaksin seperti di KTP atau kartu keluarga"),
    "place-missing": N_("Tulis nama tempat vaksinnya, misalnya Puskesmas Menteng"),
    "too-long": N_("Tulisan ini terlalu panjang. Ringkaslah"),
    "date-before-birth": N_("Tanggal vaksin ini sebelum tanggal lahirnya. Periksa kedua tahunnya"),
    "date-too-old": N_("Dosis ini sudah lebih dari 5 tahun. Tanyakan langsung ke fasilitas tempat vaksin"),
    "dose_number-unreadable": N_("Tulis dosis ke berapa dengan angka, misalnya 1"),
    "picture-large": N_("Foto ini terlalu besar. Pilih foto yang lebih kecil dari 8 MB"),
    "picture-format": N_("Kirim foto sebagai JPG, PNG, atau WebP"),
    "picture-pdf": N_("Kirim foto kartunya, bukan PDF"),
    "picture-pixels": N_("Foto ini terlalu besar. Foto ulang dengan ukuran biasa"),
    "picture-damaged": N_("Foto ini tidak dapat dibaca. Foto ulang kartunya, atau lapor tanpa foto"),
    "picture-busy": N_("Foto belum dapat diperiksa. Coba lagi sebentar, atau lapor tanpa foto"),
}

STEP_WORDS: dict[StepKind, str] = {
    StepKind.REPORTED: N_("Laporan kami terima"),
    StepKind.CONFIRMED: N_("Nomor Anda dipastikan"),
    StepKind.TO_FACILITY: N_("Diteruskan ke fasilitas tempat vaksin"),
    StepKind.TO_OPERATORS: N_("Diperiksa petugas kami"),
    StepKind.REMINDED: N_("Fasilitas kami ingatkan"),
    StepKind.OVERDUE: N_("Jawabannya terlambat. Petugas kami mengambil alih"),
    StepKind.ENTERED: N_("Fasilitas menjawab: dosisnya sudah dicatat"),
    StepKind.ARRIVED: N_("Dosisnya sudah tercatat. SMS dengan tautan sertifikat dikirim ke nomor Anda"),
    StepKind.WORD: N_("Anda menambah keterangan"),
    StepKind.REPLY: N_("Petugas kami menjawab"),
    StepKind.WITHDRAWN: N_("Laporan Anda batalkan"),
    StepKind.CLOSED: N_("Laporan selesai diperiksa"),
}
#: what comes next, by whoever has it
NEXT_WORDS = {
    CaseParty.FACILITY: N_("Fasilitas tempat vaksin mencari catatan dosisnya. Kami mengingatkan mereka."),
    CaseParty.OPERATORS: N_("Petugas kami memeriksanya bersama fasilitas tempat vaksin."),
    CaseParty.REPORTER: N_("Kami menunggu keterangan dari Anda. Tulis di bawah ini."),
}
#: how it ended, by the reason; by the outcome where there is none
END_WORDS: dict[str, str] = {
    CloseReason.NO_RECORD: N_(
        "Fasilitas tidak menemukan catatan dosis ini. Datanglah ke sana dengan kartu vaksin dan KTP."
    ),
    CloseReason.NO_DETAILS: N_("Keterangannya belum cukup untuk mencari. Lapor lagi jika Anda tahu lebih banyak."),
    CloseReason.SENT_ELSEWHERE: N_("Sertifikatnya sudah ada. Tanyakan ke fasilitas, atau cari SMS kami."),
    CloseReason.NOT_GIVEN: N_("Menurut fasilitas, dosis ini tidak diberikan. Tidak benar? Hubungi kami di bawah ini."),
    CloseReason.ABUSE: N_("Laporan ini ditutup. Hubungi kami di bawah ini jika ada yang keliru."),
    CaseOutcome.ARRIVED: N_("Dosisnya sudah tercatat. Buka tautan di SMS kami yang terbaru."),
    CaseOutcome.WITHDRAWN: N_("Laporan ini Anda batalkan. Anda dapat melapor lagi kapan saja."),
    CaseOutcome.MERGED: N_("Laporan ini digabung dengan laporan Anda yang lain. Lihat SMS kami yang terbaru."),
}

ASKED_OFTEN = StatePage(
    429,
    N_("Terlalu banyak kode diminta"),
    N_("Untuk nomor ini, dari jaringan ini, atau di seluruh layanan sudah terlalu banyak kode diminta."),
    N_("Sertifikat dan tautan di SMS Anda tetap dapat dibuka seperti biasa."),
    (
        N_("Sudah menerima SMS? Pakai kode yang terakhir selama masih berlaku, yaitu 5 menit."),
        N_("Belum? Coba lagi nanti. Jika tertulis di atas, tunggu selama itu; jika tidak, coba lagi besok."),
    ),
)
REPORTED_OFTEN = StatePage(
    429,
    N_("Terlalu banyak laporan hari ini"),
    N_("Dari nomor atau jaringan ini sudah terlalu banyak laporan yang masuk."),
    N_("Laporan yang sudah Anda kirim tetap kami kerjakan."),
    (N_("Lihat laporan Anda lewat tautan di SMS kami."), N_("Masih ada dosis lain? Laporkan besok.")),
)
TRACKER_EXPIRED = StatePage(
    410,
    N_("Laporan ini sudah lama selesai"),
    N_("Laporan yang selesai dapat dilihat selama 90 hari."),
    N_("Sertifikat Anda tidak terpengaruh."),
    (N_("Sertifikatnya belum ada? Buka halaman “Sertifikat belum keluar” dan lapor lagi."),),
)
LOCKED = StatePage(
    423,
    N_("Sertifikat ini terkunci"),
    N_("Data yang salah sudah diisi 5 kali."),
    N_("Demi keamanan, sekarang tidak ada yang dapat membukanya. Sertifikatnya tetap sah."),
    (
        N_("Petugas fasilitas tempat vaksin atau petugas bantuan dapat membuka kuncinya setelah memeriksa identitas."),
        N_("Siapkan KTP atau kartu keluarga penerima vaksin, lalu hubungi kami di bawah ini."),
    ),
    calm=False,
)
