"""/certificate/<view>/codes: what a border or a wallet can check without asking us, behind the same cookie."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template

from linkserver.public.face import Face
from linkserver.public.opened import VIEW, Opened, file_to_keep, opened
from linkserver.public.pages import NO_BIRTH_DATE, NO_CARD, state_page
from linkserver.words import N_
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import Codes, codes_of
from notifier.certificates.codes.shc import MEDIA_TYPE, apple_link, card_file, qr_text
from notifier.certificates.qr import make_qr
from notifier.core.errors import Refused
from notifier.store.openings import OpeningKind

_FILE_NAME = N_("kartu-vaksin") + ".smart-health-card"


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


def _codes_of(face: Face, view: str) -> tuple[Opened, Codes] | Response:
    """The codes of the certificate that is open as `view` in this browser, or the page that says why it is not."""
    found = opened(face, view)
    if isinstance(found, Response):
        return found
    try:
        return found, codes_of(face.services, found.certificate_id)
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


def _file(face: Face, link: Opened, found: Codes) -> Response:
    shc = found.shc
    if shc is None:
        return state_page(NO_CARD)
    return file_to_keep(face, link.public_id, lambda: card_file(shc), OpeningKind.SHC, _FILE_NAME, MEDIA_TYPE)
