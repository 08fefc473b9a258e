"""/certificate/<view>: the page, the signed PDFs and the picture, for the browser that holds the view's cookie."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, make_response, render_template, request

from linkserver.public.face import Face, device_kind
from linkserver.public.pages import NO_BIRTH_DATE, VIEW_CLOSED, link_page, state_page
from linkserver.public.views import VIEW_LENGTH
from linkserver.words import N_, _
from notifier.certificates.facts import CertificateFacts, DoseFacts, masked_nik
from notifier.certificates.opening import PAGE_AGAIN, LinkState, Look, look_at, record_download, record_view
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import QrMatrix
from notifier.certificates.signature import pdf_signer
from notifier.certificates.view import certificate_with_qr
from notifier.certificates.weight import pdf_weight
from notifier.core.errors import Refused
from notifier.services import TEMPLATES
from notifier.store.openings import OpeningKind

VIEW = f"/certificate/<string(length={VIEW_LENGTH}):view>"
_FILE_NAMES = {
    OpeningKind.PDF: N_("sertifikat-vaksin"),
    OpeningKind.CARD: N_("sertifikat-vaksin-ukuran-ktp"),
    OpeningKind.LARGE: N_("sertifikat-vaksin-huruf-besar"),
    OpeningKind.PNG: N_("sertifikat-vaksin"),
}
#: the words of notifier/certificates/facts.py, which the PDF says in two languages, here in every one
_STATUS = {"valid": N_("Sah"), "replaced": N_("Diganti"), "revoked": N_("Dicabut")}
Show = Callable[[Look, CertificateFacts, QrMatrix], Response]
Draw = Callable[[CertificateFacts, QrMatrix], bytes]


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    renderer, signer = CertificateRenderer(TEMPLATES / "certificate"), pdf_signer(face.services)

    def signed(draw: Draw) -> Draw:
        return lambda facts, qr: signer.sign(draw(facts, qr), face.services.clock.now())

    @app.get(VIEW)
    def certificate(view: str) -> Response:
        return _if_open(face, view, lambda look, facts, qr: _page(face, view, look, facts, qr, signer.weight))

    def add_download(path: str, kind: OpeningKind, draw: Draw) -> None:
        @app.get(VIEW + path, endpoint=f"certificate_{kind.value}")
        def download(view: str) -> Response:
            return _if_open(face, view, lambda look, facts, qr: _download(face, look, draw(facts, qr), kind))

    add_download(".pdf", OpeningKind.PDF, signed(renderer.pdf))
    add_download("/card.pdf", OpeningKind.CARD, signed(renderer.card))
    add_download("/large.pdf", OpeningKind.LARGE, signed(renderer.large))
    add_download(".png", OpeningKind.PNG, renderer.png)


def _if_open(face: Face, view: str, show: Show) -> Response:
    """Asks the database at each request: a revocation, a lock or a correction closes open pages at once."""
    public_id = face.views.link_of(request, view)
    if public_id is None:
        return state_page(VIEW_CLOSED)
    look = look_at(face.services, public_id)
    if look.state is not LinkState.LIVE or look.certificate_id is None:
        return link_page(look, at_link=False)
    try:
        facts, qr = certificate_with_qr(face.services, look.certificate_id)
    except Refused:
        return state_page(NO_BIRTH_DATE)
    return show(look, facts, qr)


def _page(face: Face, view: str, look: Look, facts: CertificateFacts, qr: QrMatrix, signature: int) -> Response:
    if request.method != "HEAD" and look.public_id is not None and face.views.is_older(request, view, PAGE_AGAIN):
        record_view(face.services, look.public_id, device=device_kind(request.user_agent.string))
    page = render_template(
        "certificate.html",
        view=view,
        facts=facts,
        headline=_headline(facts),
        nik=masked_nik(facts.nik) if facts.nik else None,
        doses=[(_dose_words(dose), dose) for dose in facts.doses],
        qr=qr,
        pdf_kb=pdf_weight(facts, qr, signature),
    )
    return make_response(page)


def _headline(facts: CertificateFacts) -> str:
    dose = _dose_words(facts.this_dose)
    return " · ".join(part for part in (_(_STATUS[facts.status]), dose[:1].lower() + dose[1:]) if part)


def _dose_words(dose: DoseFacts) -> str:
    """As facts.dose_words has them."""
    if dose.number is None:
        return ""
    if dose.series_total is None or dose.number > dose.series_total:
        return _("Dosis %(number)s", number=dose.number)
    return _("Dosis %(number)s dari %(total)s", number=dose.number, total=dose.series_total)


def _download(face: Face, look: Look, data: bytes, kind: OpeningKind) -> Response:
    if request.method != "HEAD" and look.public_id is not None:
        device = device_kind(request.user_agent.string)
        record_download(face.services, look.public_id, kind=kind, device=device)
    suffix, content_type = ("png", "image/png") if kind is OpeningKind.PNG else ("pdf", "application/pdf")
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{_(_FILE_NAMES[kind])}.{suffix}"'
    return response
