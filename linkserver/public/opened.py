"""What the addresses below /certificate/<view> share: whether the view is open in this browser, and files to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request

from linkserver.devices import device_kind
from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, VIEW_CLOSED, link_page, state_page
from linkserver.public.views import VIEW_LENGTH
from linkserver.words import _
from notifier.certificates.opening import LinkState, look_again, record_download
from notifier.store.openings import OpeningKind

VIEW = f"/certificate/<string(length={VIEW_LENGTH}):view>"


@dataclass(frozen=True, slots=True)
class Opened:
    """The link and the certificate that this browser has open."""

    public_id: str
    certificate_id: str


def opened(face: Face, view: str) -> Opened | Response:
    """What is open as `view` in this browser, or the page that says why nothing is. Asks the database at each request:
    a revocation, a lock or a correction closes open pages at once."""
    held = face.views.link_of(request, view)
    look = look_again(face.services, *held) if held else None
    if look is None:
        return state_page(VIEW_CLOSED)
    if look.state is not LinkState.LIVE or look.public_id is None or look.certificate_id is None:
        return link_page(look, at_link=False)
    return Opened(look.public_id, look.certificate_id)


def file_to_keep(
    face: Face, public_id: str, make: Callable[[], bytes], kind: OpeningKind, name: str, content_type: str
) -> Response:
    """A file as a download, which is noted, and made only within the limit; `name` has a key of the catalogue before
    its suffix."""
    device, is_noted = device_kind(request.user_agent.string), request.method != "HEAD"
    wait = record_download(face.services, public_id, kind=kind, device=device, is_noted=is_noted)
    if wait:
        return state_page(LIMITED, retry_after_s=wait)
    stem, _dot, suffix = name.partition(".")
    response = Response(make(), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{_(stem)}.{suffix}"'
    return response
