"""/certificate/<view>/history: who looked; and /replace, which shuts every link that was sent and sends a new one."""

from __future__ import annotations

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.public.face import Face
from linkserver.public.opened import VIEW, opened
from linkserver.public.pages import LIMITED, LINK_REPLACED, UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import N_
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
    OpeningKind.VERIFIED: N_("Sertifikat diperiksa"),
    OpeningKind.PDF: N_("PDF diunduh"),
    OpeningKind.CARD: N_("PDF ukuran KTP diunduh"),
    OpeningKind.LARGE: N_("PDF huruf besar diunduh"),
    OpeningKind.PNG: N_("Gambar disimpan"),
    OpeningKind.SHC: N_("Kartu kesehatan disimpan"),
}


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""

    @app.get(VIEW + "/history")
    def who_looked(view: str) -> Response:
        found = opened(face, view)
        return found if isinstance(found, Response) else _page(view, history(face.services, found.certificate_id))

    @app.get(VIEW + "/replace")
    def replace_landing(view: str) -> AnyResponse:
        return redirect(url_for("who_looked", view=view))

    @app.post(VIEW + "/replace")
    def replace(view: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        found = opened(face, view)
        if isinstance(found, Response):
            return found
        if request.form.get("replace") != "yes":
            return make_response(render_template("replace.html", view=view))
        wait = replace_link(face.services, found.certificate_id)
        return state_page(LIMITED, retry_after_s=wait) if wait else state_page(LINK_REPLACED)


def _page(view: str, seen: History) -> Response:
    others = {*OPENS, OpeningKind.WRONG_DATE, OpeningKind.VERIFIED}
    page = render_template(
        "history.html",
        view=view,
        zone=seen.zone,
        deeds=[(each.at, _DEEDS[each.kind], _DEVICES.get(each.device, _DEVICES[OTHER])) for each in seen.deeds],
        opened=sum(seen.by_people.get(kind, 0) for kind in OPENS),
        downloaded=sum(count for kind, count in seen.by_people.items() if kind not in others),
        verified=seen.by_people.get(OpeningKind.VERIFIED, 0),
        robots=seen.by_robots,
    )
    return make_response(page)
