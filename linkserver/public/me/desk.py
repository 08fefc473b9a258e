"""What the routes of /me share: two cookies, who is signed in, which forms are ours, how a page is drawn."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from itsdangerous import BadData, URLSafeSerializer

from linkserver.public.buttons import lead
from linkserver.public.face import Face
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site, widen
from notifier.services import Services
from notifier.support.account import session as sessions
from notifier.support.account.session import Session

#: how long the browser keeps which code was asked for; the code itself is good for less
_ASKED_FOR = timedelta(minutes=15)
_POLICY = {"manifest-src": "'self'"}
_KEY_LENGTH = 32
Act = Callable[..., Response]


class Cookies:
    """Signed, so that what we never gave out reaches no database. `keys` oldest first; the newest signs."""

    def __init__(self, keys: Sequence[bytes], *, secure: bool) -> None:
        self._signers = {name: _signer(keys, name) for name in ("me", "me-code")}
        self._prefix = "__Host-" if secure else ""
        self._secure = secure

    def read(self, name: str) -> str | None:
        """What a cookie of ours says in this request."""
        try:
            said = self._signers[name].loads(request.cookies.get(self._prefix + name, ""))
        except BadData:
            return None
        return said if isinstance(said, str) else None

    def write(self, response: Response, name: str, value: str, life: timedelta) -> None:
        signed = self._signers[name].dumps(value)
        text = signed if isinstance(signed, str) else signed.decode("ascii")
        response.set_cookie(
            self._prefix + name, text, max_age=life, path="/", secure=self._secure, httponly=True, samesite="Lax"
        )

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(self._prefix + name, path="/", secure=self._secure, httponly=True, samesite="Lax")


class Desk:
    """Built once; safe to share between threads."""

    def __init__(self, face: Face) -> None:
        settings = face.services.settings
        self.face = face
        self.services: Services = face.services
        self.cookies = Cookies([key.get_secret_value() for key in settings.session_key], secure=settings.secure)

    def session(self) -> Session | None:
        """Who is signed in in this browser. Asks the database at each request."""
        token = self.cookies.read("me")
        return sessions.find(self.services, token) if token else None

    def guarded(self, act: Act) -> Act:
        """A route for whoever is signed in; a form must be one of our own pages'. Everybody else is led to the door."""

        def view(**arguments: Any) -> Response:
            session = self.session()
            if session is None:
                return lead(url_for("me"), 303)
            if request.method == "POST" and not self._is_own_form():
                return state_page(UNREADABLE, status=403)
            return act(session, **arguments)

        view.__name__ = act.__name__
        return view

    def page(self, name: str, *, status: int = 200, retry_after_s: int = 0, **values: Any) -> Response:
        """A page of this door; its forms bear the session's key."""
        installs = request.endpoint == "me"
        response = make_response(render_template(f"me/{name}.html", key=self._key(), installs=installs, **values))
        response.status_code = status
        if retry_after_s:
            response.headers["Retry-After"] = str(retry_after_s)
        return widen(response, _POLICY) if installs else response

    def enter(self, phone: str) -> Response:
        """Begins a session for a number that was proved, and ends the one before in this browser."""
        self.leave()
        response = lead(url_for("me"), 303)
        self.cookies.write(response, "me", sessions.begin(self.services, phone), sessions.LIFE)
        self.cookies.drop(response, "me-code")
        return response

    def leave(self) -> None:
        """Ends the session of this browser, where there is one."""
        session = self.session()
        if session is not None:
            sessions.end(self.services, session)

    def asked(self, response: Response, challenge: str) -> Response:
        """Keeps in this browser which code was asked for."""
        self.cookies.write(response, "me-code", challenge, _ASKED_FOR)
        return response

    def _is_own_form(self) -> bool:
        typed = request.form.get("key", "")[:_KEY_LENGTH]
        return not is_cross_site() and hmac.compare_digest(typed.encode("utf-8", "replace"), self._key().encode())

    def _key(self) -> str:
        """Only our own pages can tell it: it follows from the cookie, which no script reads."""
        token = self.cookies.read("me") or ""
        return hmac.digest(token.encode(), b"sertilink.me.form", hashlib.sha256).hex()[:_KEY_LENGTH]


def _signer(keys: Sequence[bytes], name: str) -> URLSafeSerializer:
    kwargs = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeSerializer(list(keys), salt=f"sertilink.{name}.v1", signer_kwargs=kwargs)
