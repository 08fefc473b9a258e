"""Opens the door `cases`."""

from __future__ import annotations

from flask import Flask

from linkserver.public.cases import causes, reports, start, tracker
from linkserver.public.cases.asker import Askers
from linkserver.public.face import Face
from linkserver.security import InMemory


def add_routes(app: Flask, face: Face) -> None:
    """All pages of the door. Those with a name of their own come before `/kasus/<token>`."""
    app.request_class = InMemory  # a photo of somebody's card stands in memory alone
    askers = Askers(face.services)
    start.add_routes(app, face, askers)
    causes.add_routes(app, face, askers)
    reports.add_routes(app, face, askers)
    tracker.add_routes(app, face, askers)
