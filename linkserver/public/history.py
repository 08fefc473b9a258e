"""/certificate/<view>/history: who looked; and /replace, which shuts every link that was sent and sends a new one."""

from __future__ import annotations

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.public.certificate import VIEW
from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, LINK_REPLACED, UNREADABLE, VIEW_CLOSED, link_page, state_page
from linkserver.security import is_cross_site
from linkserver.words import N_
from notifier.certificates.opening import LinkState, look_at
from notifier.store.openings import OPENS, OTHER, ROBOT, OpeningKind
from notifier.support.replace_link import History, history, replace_link

_DEVICES = {
    "phone": N_("Ponsel"),
    "tablet": N_("Tablet"),
    "computer": N_("Komputer"),
    ROBOT: N_("Robot"),
    OTHER: N_("Perangkat lain"),
}
_DEEDS = {
    OpeningKind.OPENED: N_("Sertifikat dibuka"),
    OpeningKind.PAGE: N_("Sertifikat dilihat lagi"),
    OpeningKind.WRONG_DATE: N_("Tanggal lahir salah"),
    OpeningKind.VERIFIED: N_("Nomor sertifikat diperiksa"),
    OpeningKind.PNG: N_("Gambar disimpan"),
}
_DOWNLOADED = N_("PDF diunduh")


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""

    @app.get(VIEW + "/history")
    def who_looked(view: str) -> Response:
        found = _certificate_of(face, view)
        return found if isinstance(found, Response) else _page(view, history(face.services, found))

    @app.get(VIEW + "/replace")
    def replace_landing(view: str) -> AnyResponse:
        return redirect(url_for("who_looked", view=view))

    @app.post(VIEW + "/replace")
    def replace(view: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        found = _certificate_of(face, view)
        if isinstance(found, Response):
            return found
        if request.form.get("replace") != "yes":
            return make_response(render_template("replace.html", view=view))
        wait = replace_link(face.services, found)
        return state_page(LIMITED, retry_after_s=wait) if wait else state_page(LINK_REPLACED)


def _certificate_of(face: Face, view: str) -> str | Response:
    """The id of the certificate that is open as `view` in this browser, or the page that says why it is not."""
    public_id = face.views.link_of(request, view)
    if public_id is None:
        return state_page(VIEW_CLOSED)
    look = look_at(face.services, public_id)
    if look.state is not LinkState.LIVE or look.certificate_id is None:
        return link_page(look)
    return look.certificate_id


def _page(view: str, seen: History) -> Response:
    others = {*OPENS, OpeningKind.WRONG_DATE, OpeningKind.VERIFIED}
    page = render_template(
        "history.html",
        view=view,
        zone=seen.zone,
        deeds=[
            (each.at, _DEEDS.get(each.kind, _DOWNLOADED), _DEVICES.get(each.device, _DEVICES[OTHER]))
            for each in seen.deeds
        ],
        opened=sum(seen.by_people.get(kind, 0) for kind in OPENS),
        downloaded=sum(count for kind, count in seen.by_people.items() if kind not in others),
        verified=seen.by_people.get(OpeningKind.VERIFIED, 0),
        robots=seen.by_robots,
    )
    return make_response(page)
