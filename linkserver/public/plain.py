"""Health, robots.txt, security.txt, the icon."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from linkserver.public.face import Face
from notifier.store.health import is_ready
from notifier.store.migrate import newest_revision

_SECURITY_TXT_LIFE = timedelta(days=180)  # RFC 9116: less than a year


def add_routes(app: Flask, face: Face) -> None:
    """Always open."""
    settings = face.services.settings
    revision = newest_revision()

    @app.get("/healthz")
    def healthz() -> Response:
        return _text("ok\n")

    @app.get("/readyz")
    def readyz() -> Response:
        """503 while the database is away or its migrations are not this code's."""
        if is_ready(face.services.db, revision):
            return _text("ready\n")
        return _text("database away, or not migrated\n", 503)

    @app.get("/robots.txt")
    def robots() -> Response:
        return _text("User-agent: *\nDisallow: /\n")

    @app.get("/.well-known/security.txt")
    def security_txt() -> Response:
        expires = (face.services.clock.now() + _SECURITY_TXT_LIFE).strftime("%Y-%m-%dT00:00:00Z")
        return _text(
            f"Contact: mailto:{settings.help_email}\nExpires: {expires}\nPreferred-Languages: id, en\n"
            f"Canonical: {settings.public_url}/.well-known/security.txt\n"
        )

    @app.get("/security.txt")
    def old_security_txt() -> AnyResponse:
        return redirect("/.well-known/security.txt", 301)

    @app.get("/favicon.ico")
    def favicon() -> AnyResponse:
        return redirect(app.jinja_env.globals["asset"]("mark.svg"))  # type: ignore[operator]


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
