"""Opens the door `me`."""

from __future__ import annotations

from flask import Flask

from linkserver.public.face import Face
from linkserver.public.me import correct, home, install, lost, person, sign_in
from linkserver.public.me.desk import Desk
from notifier.core.errors import BadSettings


def add_routes(app: Flask, face: Face) -> None:
    """Its routes. Raises BadSettings where the door `link` is closed, whose pages show the certificates."""
    if "link" not in face.services.settings.doors:
        raise BadSettings(["SERTILINK_DOORS: me needs link, whose pages show the certificates"])
    desk = Desk(face)
    for module in (sign_in, home, person, correct, lost, install):
        module.add_routes(app, desk)
