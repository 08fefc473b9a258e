"""/certificate/<view>/codes: what a border or a wallet can check without asking us, behind the same cookie."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request

from linkserver.public.certificate import VIEW
from linkserver.public.face import Face, device_kind
from linkserver.public.pages import NO_BIRTH_DATE, NO_CARD, VIEW_CLOSED, link_page, state_page
from linkserver.words import N_, _
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import Codes, codes_of
from notifier.certificates.codes.shc import MEDIA_TYPE, apple_link, card_file, qr_text
from notifier.certificates.opening import LinkState, Look, look_at, record_download
from notifier.certificates.qr import make_qr
from notifier.core.errors import Refused
from notifier.store.openings import OpeningKind

_FILE_NAME = N_("kartu-vaksin")


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`. Raises BadSettings at start where this process has no signing keys."""
    keyring(face.services)

    @app.get(VIEW + "/codes")
    def codes(view: str) -> Response:
        found = _codes_of(face, view)
        return found if isinstance(found, Response) else _page(view, found[1])

    @app.get(VIEW + ".smart-health-card")
    def card(view: str) -> Response:
        found = _codes_of(face, view)
        return found if isinstance(found, Response) else _file(face, *found)


def _codes_of(face: Face, view: str) -> tuple[Look, Codes] | Response:
    """The codes of the certificate that is open as `view` in this browser, or the page that says why it is not."""
    public_id = face.views.link_of(request, view)
    if public_id is None:
        return state_page(VIEW_CLOSED)
    look = look_at(face.services, public_id)
    if look.state is not LinkState.LIVE or look.certificate_id is None:
        return link_page(look)
    try:
        return look, codes_of(face.services, look.certificate_id)
    except Refused:
        return state_page(NO_BIRTH_DATE)


def _page(view: str, found: Codes) -> Response:
    page = render_template(
        "codes.html",
        view=view,
        hc1=make_qr(found.hc1, "Q") if found.hc1 else None,
        shc=make_qr(qr_text(found.shc), "L") if found.shc else None,
        apple=apple_link(found.shc) if found.shc else None,
    )
    return make_response(page)


def _file(face: Face, look: Look, found: Codes) -> Response:
    if found.shc is None:
        return state_page(NO_CARD)
    if request.method != "HEAD" and look.public_id is not None:
        device = device_kind(request.user_agent.string)
        record_download(face.services, look.public_id, kind=OpeningKind.SHC, device=device)
    response = Response(card_file(found.shc), content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{_(_FILE_NAME)}.smart-health-card"'
    return response
