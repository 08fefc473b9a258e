"""/asli: is this message ours? Asks no database, keeps nothing; what was pasted never stands in an address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, request

from linkserver.public.face import Face
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import N_
from notifier.certificates.genuine import Verdict, judge
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES


@dataclass(frozen=True, slots=True)
class _Answer:
    """The texts are keys of the catalogue."""

    title: str
    meaning: str
    now: str
    tone: str = "bad"  #: a class of public.css


_OPEN_OURS = N_("Jangan ketuk tautan itu. Buka sertifikat hanya dari SMS yang alamatnya sama dengan di bawah ini.")
_TELL = N_("Jangan ketuk, jangan balas, jangan kirim uang atau kode. Laporkan kepada kami di bawah ini, lalu hapus.")

ANSWERS = {
    Verdict.GENUINE: _Answer(
        N_("Ini asli dari kami"),
        N_("Tautan ini kami buat sendiri dan alamatnya benar."),
        N_("Anda boleh membukanya. Hanya tanggal lahir yang kami tanyakan di sana. Jangan teruskan tautannya."),
        "good",
    ),
    Verdict.OURS: _Answer(
        N_("Alamat ini milik kami"),
        N_("Ini halaman kami, tetapi bukan tautan sertifikat pribadi."),
        N_("Anda boleh membukanya. Sertifikat Anda hanya terbuka dari tautan di SMS kami."),
        "good",
    ),
    Verdict.EXTRA: _Answer(
        N_("Tautannya milik kami, tetapi tulisannya tidak kami kenali"),
        N_("Tulisan di sekitarnya tidak sama dengan SMS kami. Orang lain dapat menambahkannya."),
        N_(
            "Jangan turuti tulisan itu, terutama jika meminta uang, kode, atau menelepon nomor lain. "
            "Tempel tautannya saja."
        ),
        "",
    ),
    Verdict.DAMAGED: _Answer(
        N_("Tautan ini terpotong atau bukan buatan kami"),
        N_("Alamatnya milik kami, tetapi bagian belakangnya tidak cocok. Mungkin terpotong saat disalin."),
        N_("Salin lagi seluruh SMS, lalu tempel di sini. Jika tetap begini, jangan pakai tautannya."),
        "",
    ),
    Verdict.ALTERED: _Answer(
        N_("Alamat ini diubah"),
        N_("Nama kami ada di dalamnya, tetapi tidak ditulis seperti alamat kami."),
        _OPEN_OURS,
    ),
    Verdict.FAKE: _Answer(
        N_("Ini palsu"),
        N_("Alamatnya dibuat mirip dengan alamat kami, tetapi bukan milik kami."),
        _TELL,
    ),
    Verdict.FOREIGN: _Answer(
        N_("Ini bukan dari kami"),
        N_("Di dalamnya ada alamat yang bukan milik kami. Kami hanya memakai satu alamat."),
        _TELL,
    ),
    Verdict.NOTHING: _Answer(
        N_("Tidak ada tautan di tulisan ini"),
        N_("Tanpa tautan kami tidak dapat memeriksanya. SMS siapa pun dapat memakai nama kami."),
        N_("Tempel seluruh SMS, termasuk tautannya. Ragu? Jangan turuti isinya dan hubungi kami di bawah ini."),
        "",
    ),
}


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    services = face.services
    settings = services.settings
    texts = SmsTexts(TEMPLATES / "sms", settings.sender_name)

    @app.get("/asli")
    def asli() -> Response:
        return _page(None)

    @app.post("/asli")
    def judged() -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        text = request.form.get("text", "")
        if not text.strip():
            return _page(None, is_missing=True)
        verdict = judge(services.links, settings.public_url, text, texts.is_ours, contacts=(settings.help_email,))
        return _page(ANSWERS[verdict])

    def _page(answer: _Answer | None, *, is_missing: bool = False) -> Response:
        """What was pasted is not shown again: somebody else may stand beside the next one who looks."""
        host = urlsplit(settings.public_url).netloc
        page = render_template("asli.html", answer=answer, is_missing=is_missing, host=host)
        response = make_response(page)
        response.status_code = 422 if is_missing else 200
        return response
