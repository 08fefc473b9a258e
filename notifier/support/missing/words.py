"""What is said of a cause, of who acts, and of what mends it: keys of the catalogue, for the pages and the chat."""

from __future__ import annotations

from notifier.catalogue import N_
from notifier.core.causes import Cause, Fix, WhoActs

#: (what it is, what happens next)
CAUSE_WORDS: dict[Cause, tuple[str, str]] = {
    Cause.SCHEDULED: (
        N_("SMS sudah dijadwalkan"),
        N_("SMS dengan tautan sertifikat dikirim %(when)s ke nomor %(number)s."),
    ),
    Cause.QUIET_HOURS: (
        N_("SMS menunggu pagi"),
        N_("Malam hari kami tidak mengirim SMS. SMS ini dikirim %(when)s ke nomor %(number)s."),
    ),
    Cause.ON_ITS_WAY: (
        N_("SMS sedang dalam perjalanan"),
        N_("SMS diserahkan ke operator %(when)s. Jika ponsel mati atau tanpa sinyal, SMS sampai setelah menyala."),
    ),
    Cause.DELIVERED: (
        N_("SMS sudah sampai di ponsel"),
        N_("SMS sampai di nomor %(number)s, %(when)s. Cari pesan dari %(sender)s. Terhapus? Minta tautan baru."),
    ),
    Cause.OPENED: (
        N_("Sertifikat sudah pernah dibuka"),
        N_("SMS sampai di nomor %(number)s dan tautannya sudah dibuka. Tautannya hilang? Minta yang baru."),
    ),
    Cause.NUMBER_FAILED: (
        N_("SMS tidak sampai"),
        N_("SMS ke nomor %(number)s gagal, %(when)s. Pastikan ponselnya menyala, lalu minta tautan baru."),
    ),
    Cause.NUMBER_BAD: (
        N_("Nomor yang tercatat tidak dapat menerima SMS"),
        N_("Mintalah fasilitas tempat vaksin memperbaiki nomornya. Setelah itu SMS dikirim sendiri."),
    ),
    Cause.NUMBER_DIFFERS: (
        N_("SMS dikirim ke nomor lain"),
        N_("SMS terakhir pergi ke nomor yang lama. Yang tercatat sekarang %(number)s. Minta tautan baru ke sini."),
    ),
    Cause.OPTED_OUT: (
        N_("SMS ke nomor ini dihentikan"),
        N_("Nomor %(number)s pernah meminta berhenti menerima SMS. Izinkan lagi, maka tautannya dikirim."),
    ),
    Cause.NOT_ME: (
        N_("SMS dijeda: disebut bukan untuk nomor ini"),
        N_("Penerima SMS di nomor %(number)s memberi tahu bahwa SMS itu bukan untuknya."),
    ),
    Cause.LOCKED: (
        N_("Sertifikat ini terkunci"),
        N_("Data yang salah sudah diisi 5 kali. Petugas membuka kuncinya setelah memeriksa KTP atau kartu keluarga."),
    ),
    Cause.WITHDRAWN: (
        N_("Catatan dosis ini ditarik"),
        N_("Fasilitas menarik catatannya, %(when)s. Jika vaksinnya memang diterima, mintalah fasilitas mencatat lagi."),
    ),
    Cause.CORRECTED: (
        N_("Data diperbaiki, SMS baru sudah sampai"),
        N_("Tautan lama tidak berlaku lagi. SMS baru sampai di nomor %(number)s, %(when)s. Hilang? Minta yang baru."),
    ),
    Cause.HELD: (
        N_("SMS ditahan untuk diperiksa"),
        N_("Petugas kami memeriksa SMS ini sejak %(when)s, lalu mengirimnya. Tidak perlu melapor lagi."),
    ),
    Cause.PROVIDER_TROUBLE: (
        N_("Pengiriman SMS sedang terganggu"),
        N_("SMS ini aman dan dikirim begitu gangguannya selesai. Tidak perlu meminta lagi."),
    ),
    Cause.UNKNOWN_OUTCOME: (
        N_("Belum pasti apakah SMS sampai"),
        N_("Kami sedang memastikannya pada penyedia SMS. Tidak ingin menunggu? Minta tautan baru."),
    ),
    Cause.HISTORICAL: (
        N_("Untuk catatan lama tidak dikirim SMS"),
        N_("Sertifikatnya sudah ada. Mintalah tautannya ke nomor %(number)s."),
    ),
    Cause.LATE: (
        N_("SMS belum terkirim"),
        N_("SMS ini tidak terkirim pada waktunya. Petugas kami sudah melihatnya di daftar mereka."),
    ),
}
WHO_WORDS = {
    WhoActs.NOBODY: N_("Anda tidak perlu melakukan apa pun."),
    WhoActs.YOU: N_("Giliran Anda."),
    WhoActs.FACILITY: N_("Giliran fasilitas tempat vaksin."),
    WhoActs.OPERATORS: N_("Giliran petugas kami."),
}
FIX_WORDS = {
    Fix.NEW_LINK: N_("Kirim tautan baru ke %(number)s"),
    Fix.ALLOW_SMS: N_("Izinkan SMS dan kirim tautan"),
    Fix.NUMBER_IS_MINE: N_("Nomor ini milik saya, kirim tautan"),
}
