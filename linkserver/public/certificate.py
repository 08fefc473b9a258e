"""/certificate/<view>: the page, the signed PDFs and the picture, for the browser that holds the view's cookie."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, make_response, render_template, request

from linkserver.ahead import PageAhead
from linkserver.certificate_page import CertificatePage
from linkserver.devices import device_kind
from linkserver.public.face import Face
from linkserver.public.opened import VIEW, file_to_keep
from linkserver.public.pages import NO_BIRTH_DATE, VIEW_CLOSED, link_page, state_page
from linkserver.security import answer_ahead
from linkserver.words import N_, language
from notifier.certificates.facts import CertificateFacts
from notifier.certificates.opening import PAGE_AGAIN, record_view
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import QrMatrix
from notifier.certificates.signing import pdf_signer
from notifier.certificates.view import open_page
from notifier.core.errors import Refused
from notifier.services import TEMPLATES
from notifier.store.openings import OpeningKind

_FILES = {
    OpeningKind.PDF: (N_("sertifikat-vaksin") + ".pdf", "application/pdf"),
    OpeningKind.CARD: (N_("sertifikat-vaksin-ukuran-ktp") + ".pdf", "application/pdf"),
    OpeningKind.LARGE: (N_("sertifikat-vaksin-huruf-besar") + ".pdf", "application/pdf"),
    OpeningKind.PNG: (N_("sertifikat-vaksin") + ".png", "image/png"),
}
Show = Callable[[str, CertificateFacts, QrMatrix], Response]
Draw = Callable[[CertificateFacts, QrMatrix], bytes]


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    renderer, signer = CertificateRenderer(TEMPLATES / "certificate"), pdf_signer(face.services)
    page = CertificatePage(app, signer.weight)
    answer_ahead(app, PageAhead(face.services, page, face.views.just_opened, face.chosen_language))

    def signed(draw: Draw) -> Draw:
        return lambda facts, qr: signer.sign(draw(facts, qr), face.services.clock.now())

    @app.get(VIEW)
    def certificate(view: str) -> Response:
        return _if_open(face, view, lambda link, facts, qr: _page(face, page, view, link, facts, qr))

    def add_download(path: str, kind: OpeningKind, draw: Draw) -> None:
        @app.get(VIEW + path, endpoint=f"certificate_{kind.value}")
        def download(view: str) -> Response:
            def show(public_id: str, facts: CertificateFacts, qr: QrMatrix) -> Response:
                return file_to_keep(face, public_id, lambda: draw(facts, qr), kind, *_FILES[kind])

            return _if_open(face, view, show)

    add_download(".pdf", OpeningKind.PDF, signed(renderer.pdf))
    add_download("/card.pdf", OpeningKind.CARD, signed(renderer.card))
    add_download("/large.pdf", OpeningKind.LARGE, signed(renderer.large))
    add_download(".png", OpeningKind.PNG, renderer.png)


def _if_open(face: Face, view: str, show: Show) -> Response:
    """As `opened` does it, with what is shown on the same connection."""
    held = face.views.link_of(request, view)
    try:
        look, facts, qr = open_page(face.services, *held) if held else (None, None, None)
    except Refused:
        return state_page(NO_BIRTH_DATE)
    if look is None:
        return state_page(VIEW_CLOSED)
    if look.public_id is None or facts is None or qr is None:
        return link_page(look, at_link=False)
    return show(look.public_id, facts, qr)


def _page(
    face: Face, page: CertificatePage, view: str, public_id: str, facts: CertificateFacts, qr: QrMatrix
) -> Response:
    if request.method != "HEAD" and face.views.is_older(request, view, PAGE_AGAIN):
        record_view(face.services, public_id, device=device_kind(request.user_agent.string))
    own = page.own(language(), view, facts, qr)
    whole = render_template("certificate.html", own=own)
    if not request.query_string:
        page.keep_frame(language(), whole, own)
    return make_response(whole)
