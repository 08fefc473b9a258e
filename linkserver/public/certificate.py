"""/certificate/<view>: the page, the PDF and the picture, for the browser that holds the view's cookie."""

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
from notifier.certificates.view import certificate_with_qr
from notifier.core.errors import Refused
from notifier.services import TEMPLATES
from notifier.store.openings import OpeningKind

VIEW = f"/certificate/<string(length={VIEW_LENGTH}):view>"
_FILE_NAME = N_("sertifikat-vaksin")
#: the words of notifier/certificates/facts.py, which the PDF says in two languages, here in every one
_STATUS = {"valid": N_("Sah"), "replaced": N_("Diganti"), "revoked": N_("Dicabut")}
Show = Callable[[Look, CertificateFacts, QrMatrix], Response]


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    renderer = CertificateRenderer(TEMPLATES / "certificate")

    @app.get(VIEW)
    def certificate(view: str) -> Response:
        return _if_open(face, view, lambda look, facts, qr: _page(face, view, look, facts, qr))

    @app.get(VIEW + ".pdf")
    def pdf(view: str) -> Response:
        def show(look: Look, facts: CertificateFacts, qr: QrMatrix) -> Response:
            return _download(face, look, renderer.pdf(facts, qr), OpeningKind.PDF, "application/pdf")

        return _if_open(face, view, show)

    @app.get(VIEW + ".png")
    def png(view: str) -> Response:
        def show(look: Look, facts: CertificateFacts, qr: QrMatrix) -> Response:
            return _download(face, look, renderer.png(facts, qr), OpeningKind.PNG, "image/png")

        return _if_open(face, view, show)


def _if_open(face: Face, view: str, show: Show) -> Response:
    """Asks the database at each request: a revocation, a lock or a correction closes open pages at once."""
    public_id = face.views.link_of(request, view)
    if public_id is None:
        return state_page(VIEW_CLOSED)
    look = look_at(face.services, public_id)
    if look.state is not LinkState.LIVE or look.certificate_id is None:
        return link_page(look)
    try:
        facts, qr = certificate_with_qr(face.services, look.certificate_id)
    except Refused:
        return state_page(NO_BIRTH_DATE)
    return show(look, facts, qr)


def _page(face: Face, view: str, look: Look, facts: CertificateFacts, qr: QrMatrix) -> Response:
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


def _download(face: Face, look: Look, data: bytes, kind: OpeningKind, content_type: str) -> Response:
    if request.method != "HEAD" and look.public_id is not None:
        device = device_kind(request.user_agent.string)
        record_download(face.services, look.public_id, kind=kind, device=device)
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{_(_FILE_NAME)}.{kind.value}"'
    return response
