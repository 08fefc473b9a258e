"""What the door says beside its fields, and its pages of a state."""

from __future__ import annotations

from dataclasses import replace

from linkserver.public import pages
from linkserver.public.pages import StatePage
from linkserver.words import N_

PHONE_WORDS = {
    "phone-missing": N_("Tulis nomor ponsel Anda, misalnya 0812-3456-7890"),
    "phone-unreadable": N_("Tulis nomor ponsel dengan angka, misalnya 0812-3456-7890"),
    "phone-undialable": N_("Nomor ini tidak lengkap atau kelebihan angka. Periksa setiap angkanya"),
    "phone-country": N_("Tulis nomor ponsel Indonesia, misalnya 0812-3456-7890"),
    "phone-not-mobile": N_("Nomor ini bukan nomor ponsel, jadi tidak dapat menerima SMS. Tulis nomor ponsel"),
}

NIK_WORDS = {
    "nik-missing": N_("Tulis NIK, 16 angka seperti di KTP atau kartu keluarga"),
    "nik-digits": N_("NIK hanya berisi angka. Tulis 16 angka seperti di KTP"),
    "nik-length": N_("NIK terdiri dari 16 angka. Periksa apakah ada angka yang kurang atau lebih"),
}

#: what stands on the page after something was done
DONE = {
    "signed-out": N_("Anda sudah keluar. Sertifikat yang terbuka di sini juga sudah ditutup."),
    "language": N_("Bahasa SMS sudah disimpan."),
    "stopped": N_("SMS ke nomor ini dihentikan. Kode yang Anda minta sendiri tetap dikirim."),
    "started": N_("Nomor ini menerima SMS lagi."),
    "not-mine": N_("Kami catat: orang itu tidak memakai nomor ini. Petugas akan memeriksanya."),
    "mine": N_("Pemberitahuan itu dibatalkan. Orang itu ada lagi di akun ini."),
}

ASKED_OFTEN = StatePage(
    429,
    N_("Terlalu banyak kode diminta"),
    N_("Untuk nomor ini, dari jaringan ini, atau di seluruh layanan sudah terlalu banyak kode diminta."),
    N_("Sertifikat dan tautan di SMS Anda tetap dapat dibuka seperti biasa."),
    (
        N_("Sudah menerima SMS? Pakai kode yang terakhir selama masih berlaku, yaitu 5 menit."),
        N_("Belum ada SMS? Coba lagi nanti, paling lambat besok."),
    ),
)
NAME_LOCKED = StatePage(
    423,
    N_("Akun ini terkunci"),
    N_("Nama atau data lain yang salah sudah diisi 5 kali."),
    N_("Demi keamanan, data pada nomor ini tidak dapat dibuka sekarang. Sertifikatnya tetap sah."),
    (
        N_("Petugas fasilitas tempat vaksin atau petugas bantuan dapat membuka kuncinya setelah memeriksa identitas."),
        N_("Siapkan KTP atau kartu keluarga penerima vaksin, lalu hubungi kami di bawah ini."),
    ),
    calm=False,
)
LOCKED = replace(
    pages.LOCKED,
    what=N_("Tanggal lahir, NIK, atau nama yang salah sudah diisi 5 kali."),
    now=pages.LOCKED.now[:3],
    button=None,
)
