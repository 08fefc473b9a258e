"""/me/app.webmanifest: the account as an icon on the home screen. Without a service worker: nothing personal is ever
kept in the browser, and a page that is open elsewhere shows what the database says now."""

from __future__ import annotations

import json

from flask import Flask, Response

from linkserver.assets import serve_folder
from linkserver.public.me.desk import Desk
from linkserver.words import N_, _, language

_ICONS = {"192.png": "192x192", "512.png": "512x512"}
_NAME = N_("Sertifikat vaksin")
_SHORT = N_("Sertifikat")


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""
    serve_folder(app, "me", tuple(_ICONS))
    asset = app.extensions["asset"]

    @app.get("/me/app.webmanifest", endpoint="me-manifest")
    def manifest() -> Response:
        said = {
            "id": "/me",
            "name": f"{_(_NAME)} · {desk.services.settings.issuer_name}",
            "short_name": _(_SHORT),
            "lang": language(),
            "start_url": "/me",
            "scope": "/",
            "display": "minimal-ui",  # keeps a way back and the address in sight
            "background_color": "#ffffff",
            "theme_color": "#0b6b4f",
            "icons": [
                {"src": asset(f"me/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
                for name, sizes in _ICONS.items()
                for purpose in ("any", "maskable")
            ],
        }
        return Response(json.dumps(said, ensure_ascii=False), content_type="application/manifest+json")
