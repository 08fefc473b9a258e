"""/keys and what machines read: public keys, revocation lists. The same for everybody, so caches may keep it a while.

A SMART Health Card sends its reader to `<iss>/.well-known/jwks.json` and, for each key, to `crl/<kid>.json` beside it.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request

from linkserver.public.face import Face
from notifier.certificates.codes.keys import PublicKey, keyring
from notifier.certificates.codes.revoked import Revocations, revocations
from notifier.services import Services

_KEEP = "public, max-age=300"
_FRESH = timedelta(seconds=10)  # the list is asked of the database no more often than this, whoever asks us
_KID = "<string(length=43):kid>"


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `verify`. Raises BadSettings at start where this process has no signing keys."""
    keys = keyring(face.services).public
    listed = _Listed(face.services)

    @app.get("/keys")
    def show_keys() -> Response:
        if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
            response = _public(listed.jwks())
        else:
            newest_first = [(key, key.hc1_kid.hex()) for key in reversed(keys.all)]
            response = make_response(render_template("keys.html", keys=newest_first))
        response.vary.add("Accept")
        return response

    @app.get(f"/keys/{_KID}.pem")
    def certificate_of_key(kid: str) -> Response:
        return _public(_known(kid).pem, "application/x-pem-file")

    @app.get("/.well-known/jwks.json")
    def jwks() -> Response:
        return _public(listed.jwks())

    @app.get("/revocations")
    def revoked() -> Response:
        return _public(listed.now().as_json())

    @app.get(f"/.well-known/crl/{_KID}.json")
    def card_list(kid: str) -> Response:
        return _public(listed.now().card_list(_known(kid).kid))

    def _known(kid: str) -> PublicKey:
        return keys.by_kid(kid) or abort(404)


class _Listed:
    """The revocation list as of at most `_FRESH` ago; threads may share it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._found: tuple[datetime, Revocations] | None = None

    def now(self) -> Revocations:
        at = self._services.clock.now()
        with self._lock:
            if self._found is None or not timedelta(0) <= at - self._found[0] < _FRESH:
                self._found = (at, revocations(self._services))
            return self._found[1]

    def jwks(self) -> dict[str, Any]:
        return self.now().jwks(keyring(self._services).public)


def _public(body: dict[str, Any] | str, content_type: str = "application/json") -> Response:
    """An answer that any page may read and any cache may keep; unchanged, it costs a 304."""
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    response = Response(text, content_type=content_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = _KEEP
    response.add_etag()
    response.make_conditional(request)
    del response.headers["Date"]  # the server says it
    return response
