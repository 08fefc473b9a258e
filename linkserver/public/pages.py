"""A page for each state and error: what happened, what it means for you, what to do now; whom to ask stands below."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Response, make_response, render_template

from linkserver.words import N_
from notifier.certificates.opening import LinkState, Look
from notifier.core.states import Reason


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a state's page; `name` is the route below the link that it leads to."""

    name: str
    words: str
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class StatePage:
    """The texts are keys of the catalogue."""

    status: int
    title: str
    what: str
    meaning: str
    now: tuple[str, ...]
    calm: bool = True  #: the certificate itself is not affected
    button: Button | None = None


_ASK = N_("Hubungi kami di bawah ini. Sebutkan nama fasilitas tempat vaksin, jangan sebutkan kode apa pun.")

EXPIRED = StatePage(
    410,
    N_("Tautan ini sudah tidak berlaku"),
    N_("Setiap tautan di SMS hanya berlaku untuk waktu terbatas, dan waktunya sudah habis."),
    N_("Sertifikat Anda tidak terpengaruh. Hanya tautannya yang berakhir."),
    (N_("Nomornya sudah berganti? Mintalah fasilitas tempat vaksin memperbaruinya."), _ASK),
    button=Button("renew", N_("Kirim tautan baru ke nomor yang terdaftar"), is_main=True),
)
_EXPIRED_WHILE_OPEN = replace(
    EXPIRED, now=(N_("Ketuk lagi tautan di SMS, lalu minta tautan baru di sana."), _ASK), button=None
)
RENEWED = StatePage(
    200,
    N_("Permintaan Anda kami terima"),
    N_("Jika nomornya masih benar, SMS dengan tautan baru sampai dalam beberapa menit di nomor yang terdaftar."),
    N_("Sertifikat Anda tidak terpengaruh."),
    (
        N_("Tunggu SMS dari kami, lalu buka tautan di dalamnya. Tidak perlu meminta lagi."),
        N_("Tidak ada SMS? Mungkin nomornya sudah berganti, atau SMS ke nomor itu dihentikan. Hubungi kami."),
    ),
)
REPLACED = StatePage(
    410,
    N_("Sertifikat ini sudah diganti"),
    N_("Data vaksinasi diperbaiki, lalu sertifikat yang baru dibuat."),
    N_("Tautan dan sertifikat yang lama tidak dapat dipakai lagi. Vaksinasi Anda tetap tercatat."),
    (N_("Buka tautan di SMS kami yang terbaru."), N_("Tidak ada SMS yang baru? Hubungi kami di bawah ini.")),
    calm=False,
)
WITHDRAWN = StatePage(
    410,
    N_("Sertifikat ini sudah ditarik"),
    N_("Fasilitas kesehatan menarik catatan vaksinasi ini, misalnya karena salah catat."),
    N_("Sertifikat ini tidak dapat dipakai lagi, juga yang sudah dicetak."),
    (
        N_("Jika Anda memang menerima vaksin ini, mintalah fasilitas tempat vaksin memperbaiki catatannya."),
        N_("Setelah diperbaiki, SMS baru dikirim ke nomor yang terdaftar."),
    ),
    calm=False,
)
REVOKED = StatePage(
    410,
    N_("Tautan ini sudah dimatikan"),
    N_("Tautan ini dimatikan agar sertifikat tidak dibuka oleh orang lain."),
    N_("Sertifikat Anda tidak terpengaruh. Hanya tautannya yang berakhir."),
    (N_("Buka tautan di SMS kami yang terbaru."), N_("Tidak ada SMS yang baru? Hubungi kami di bawah ini.")),
)
LOCKED = StatePage(
    423,
    N_("Sertifikat ini terkunci"),
    N_("Tanggal lahir yang salah sudah diisi 5 kali."),
    N_(
        "Demi keamanan, sekarang tidak ada yang dapat membukanya, juga dengan tanggal yang benar. "
        "Sertifikatnya tetap sah."
    ),
    (
        N_("Kami memberi tahu nomor yang terdaftar lewat SMS, kecuali SMS ke nomor itu dihentikan."),
        N_("Petugas fasilitas tempat vaksin atau petugas bantuan dapat membuka kuncinya setelah memeriksa identitas."),
        N_("Siapkan KTP atau kartu keluarga penerima vaksin, lalu hubungi kami di bawah ini."),
        N_("Tanggal yang Anda isi memang benar? Laporkan. Petugas memeriksa tanggal lahir yang tercatat."),
    ),
    calm=False,
    button=Button("birth-date", N_("Tanggal lahir saya ditolak")),
)
BIRTH_DATE_REPORTED = StatePage(
    200,
    N_("Laporan Anda kami terima"),
    N_("Petugas memeriksa tanggal lahir yang tercatat untuk sertifikat ini."),
    N_("Sertifikatnya tetap sah. Laporan ini tidak membuka dan tidak mengubah apa pun."),
    (
        N_("Bawa KTP, kartu keluarga, atau akta lahir penerima vaksin ke fasilitas tempat vaksin, atau hubungi kami."),
        N_("Setelah diperbaiki, SMS dengan tautan baru dikirim ke nomor yang terdaftar."),
    ),
)
PAUSED = StatePage(
    423,
    N_("Tautan ini dihentikan sementara"),
    N_("Seseorang yang menerima SMS ini memberi tahu kami bahwa SMS ini bukan untuknya."),
    N_("Selama diperiksa petugas, tautan ini tidak membuka apa pun. Sertifikatnya tetap sah."),
    (
        N_("Sertifikat ini milik Anda? Mintalah fasilitas tempat vaksin memeriksa nomor Anda, atau hubungi kami."),
        N_("Anda sendiri yang memberi tahu kami, dan itu keliru? Batalkan di sini."),
    ),
    calm=False,
    button=Button("not-me", N_("Batalkan pemberitahuan itu")),
)
NO_BIRTH_DATE = StatePage(
    423,
    N_("Sertifikat ini belum dapat dibuka"),
    N_("Tanggal lahir penerima vaksin belum tercatat, jadi kami tidak dapat memeriksanya."),
    N_("Vaksinasi Anda tercatat. Ini bukan kesalahan Anda."),
    (
        N_("Mintalah fasilitas tempat vaksin melengkapi tanggal lahir."),
        N_("Setelah dilengkapi, ketuk lagi tautan di SMS."),
    ),
)
UNKNOWN = StatePage(
    404,
    N_("Halaman ini tidak ditemukan"),
    N_("Alamat ini tidak kami kenali. Mungkin tautannya terpotong saat disalin, atau bukan dari kami."),
    N_("Tidak ada data yang dibuka. Sertifikat Anda tidak terpengaruh."),
    (
        N_("Buka kembali SMS dari kami dan ketuk tautannya langsung."),
        N_("Tetap tidak bisa? Hubungi kami di bawah ini."),
    ),
)
VIEW_CLOSED = StatePage(
    404,
    N_("Halaman ini sudah ditutup"),
    N_("Demi keamanan, sertifikat yang terbuka ditutup sendiri setelah 15 menit."),
    N_("Sertifikat Anda tidak terpengaruh. Anda dapat membukanya lagi kapan saja selama tautannya berlaku."),
    (
        N_("Buka kembali SMS dari kami, ketuk tautannya, lalu isi tanggal lahir penerima vaksin."),
        N_("Tautannya sudah habis masa berlakunya? Di halaman itu Anda dapat meminta tautan baru."),
    ),
)
LINK_REPLACED = StatePage(
    200,
    N_("Tautan lama sudah dimatikan"),
    N_("Tautan lama tidak dapat dibuka lagi, juga di ponsel dan komputer lain."),
    N_("Jika nomor yang terdaftar dapat menerima SMS, tautan baru sampai dalam beberapa menit."),
    (
        N_("Tunggu SMS dari kami, lalu buka tautan yang baru."),
        N_("Tidak ada SMS setelah satu jam? Hubungi kami di bawah ini."),
    ),
)
NO_NUMBER = StatePage(
    404,
    N_("Nomor untuk tautan ini tidak kami ketahui"),
    N_("Tautan ini tidak kami kirim lewat SMS, jadi kami tidak tahu nomor mana yang harus dihentikan."),
    N_("Tidak ada yang berubah. Sertifikat dan tautan Anda tetap berlaku."),
    (N_("Untuk menghentikan SMS ke suatu nomor, hubungi kami di bawah ini dari nomor itu."),),
)
NO_CARD = StatePage(
    404,
    N_("Untuk sertifikat ini tidak ada kartu"),
    N_("Datanya tidak dapat dimuat dalam SMART Health Card."),
    N_("Sertifikat Anda tidak terpengaruh dan tetap sah."),
    (N_("Pakai sertifikatnya sendiri: halaman, PDF, atau gambar."),),
)
LIMITED = StatePage(
    429,
    N_("Terlalu banyak percobaan"),
    N_("Saat ini ada terlalu banyak percobaan dari jaringan ini atau pada tautan ini."),
    N_("Ini tidak mengurangi kesempatan Anda."),
    (N_("Tunggu sebentar, lalu coba lagi."),),
)
AWAY = StatePage(
    503,
    N_("Layanan sedang tidak dapat dipakai"),
    N_("Sistem kami sedang tidak dapat dihubungi."),
    N_("Sertifikat dan tautan Anda tidak terpengaruh."),
    (N_("Coba lagi beberapa menit lagi. Tautan di SMS tetap berlaku."),),
)
FAULT = StatePage(
    500,
    N_("Ada kesalahan di pihak kami"),
    N_("Halaman ini tidak dapat ditampilkan. Kesalahannya sudah kami catat."),
    N_("Sertifikat dan tautan Anda tidak terpengaruh."),
    (N_("Coba lagi beberapa menit lagi."), N_("Tetap tidak bisa? Hubungi kami di bawah ini.")),
)
UNREADABLE = StatePage(
    400,
    N_("Permintaan ini tidak dapat kami proses"),
    N_("Peramban mengirim sesuatu yang tidak dapat kami baca."),
    N_("Tidak ada data yang dibuka atau diubah."),
    (N_("Buka kembali SMS dari kami dan ketuk tautannya langsung."),),
)

_REVOKED_BY = {
    Reason.WITHDRAWN: WITHDRAWN,
    Reason.CORRECTED: REPLACED,
    Reason.SUPERSEDED: REPLACED,
}


def state_page(page: StatePage, *, status: int | None = None, retry_after_s: int = 0) -> Response:
    """The page, with its status and, where waiting helps, Retry-After in seconds. Its button posts to this address."""
    response = make_response(render_template("state.html", page=page, minutes=-(-retry_after_s // 60)))
    response.status_code = status or page.status
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def link_page(look: Look, *, at_link: bool = True) -> Response:
    """The page of a link that is not live; `at_link`: shown at the link's own address, where its button leads on."""
    pages = {
        LinkState.EXPIRED: EXPIRED if at_link else _EXPIRED_WHILE_OPEN,
        LinkState.REVOKED: _REVOKED_BY.get(look.reason, REVOKED) if look.reason else REVOKED,
        LinkState.PAUSED: PAUSED,
        LinkState.LOCKED: LOCKED,
    }
    page = pages.get(look.state, UNKNOWN)
    return state_page(page if at_link else replace(page, button=None))
