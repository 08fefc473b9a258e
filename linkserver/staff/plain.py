"""Health and robots.txt, for machines."""

from __future__ import annotations

from flask import Blueprint, Response

from linkserver.staff.gate import anyone
from notifier.services import Services
from notifier.store.health import is_ready
from notifier.store.migrate import newest_revision


def blueprint(services: Services) -> Blueprint:
    """`/healthz`, `/readyz`, `/robots.txt`."""
    part = Blueprint("plain", __name__)
    revision = newest_revision()

    @part.get("/healthz")
    @anyone
    def healthz() -> Response:
        return _text("ok\n")

    @part.get("/readyz")
    @anyone
    def readyz() -> Response:
        """503 while the database is away or its migrations are not this code's."""
        if is_ready(services.db, revision):
            return _text("ready\n")
        return _text("database away, or not migrated\n", 503)

    @part.get("/robots.txt")
    @anyone
    def robots() -> Response:
        return _text("User-agent: *\nDisallow: /\n")

    return part


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
