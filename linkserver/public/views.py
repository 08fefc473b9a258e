"""The cookie behind `/certificate/<view>`: which links this browser has opened in the last 15 minutes.

Signed, not sealed: it holds random view ids, the links' public ids, which open nothing without a signature of their
own, and a keyed proof of the birth date that opened each. A view is worth nothing in another browser, and each request
asks the database again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from flask import Request, Response
from itsdangerous import BadData

from notifier.core.clock import Clock
from notifier.core.errors import BadSettings
from notifier.core.ids import new_secret_id
from notifier.core.signing import QuickSerializer

LIFE = timedelta(minutes=15)
MOST_VIEWS = 8
VIEW_LENGTH = len(new_secret_id())
_SALT = "sertilink.views.v2"
_READ = "sertilink.views"


@dataclass(frozen=True, slots=True)
class _Opened:
    view: str
    public_id: str
    at: int  # Unix seconds
    proof: str  # notifier.certificates.opening.look_again


class Views:
    """Reads and writes the cookie. `keys` oldest first; the newest signs."""

    def __init__(self, keys: Sequence[bytes], clock: Clock, *, secure: bool) -> None:
        if not keys:
            raise BadSettings(["SERTILINK_SESSION_KEY: not loaded in this process"])
        self._serializer = QuickSerializer(
            list(keys),
            salt=_SALT,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        self._clock = clock
        self._secure = secure
        self._known = lru_cache(maxsize=1024)(self._proved)  # a browser sends the same one with each request
        self.cookie = "__Host-certificate" if secure else "certificate"

    def link_of(self, request: Request, view: str) -> tuple[str, str] | None:
        """Public id and proof of the link that this browser opened as `view`; None where none was, or it is over."""
        return next(((opened.public_id, opened.proof) for opened in self._read(request) if opened.view == view), None)

    def just_opened(self, cookies: Mapping[str, str], view: str, age: timedelta) -> tuple[str, str] | None:
        """As `link_of`, of a view that is younger than `age`."""
        since, known = self._now() - age.total_seconds(), self._known(cookies.get(self.cookie, ""))
        return next(((held.public_id, held.proof) for held in known if held.view == view and held.at > since), None)

    def is_older(self, request: Request, view: str, age: timedelta) -> bool:
        """Whether a view was opened in this browser at least `age` ago."""
        last = self._now() - age.total_seconds()
        return any(opened.view == view and opened.at <= last for opened in self._read(request))

    def add(self, request: Request, response: Response, public_id: str, proof: str) -> str:
        """Remembers an opened link in the response's cookie; the view's id, the old one where it is open already."""
        opened = self._read(request)
        view = next((old.view for old in opened if old.public_id == public_id), None) or new_secret_id()
        kept = [old for old in opened if old.public_id != public_id][-(MOST_VIEWS - 1) :]
        kept.append(_Opened(view, public_id, self._now(), proof))
        response.set_cookie(
            self.cookie,
            self._text([[each.view, each.public_id, each.at, each.proof] for each in kept]),
            max_age=LIFE,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return view

    def _read(self, request: Request) -> list[_Opened]:
        """Once a request."""
        if _READ not in request.environ:
            request.environ[_READ] = self._said_by(request)
        opened: list[_Opened] = request.environ[_READ]
        return opened

    def _said_by(self, request: Request) -> list[_Opened]:
        oldest, cookie = self._now() - int(LIFE.total_seconds()), request.cookies.get(self.cookie, "")
        return [opened for opened in self._known(cookie) if opened.at > oldest]

    def _proved(self, cookie: str) -> tuple[_Opened, ...]:
        """What a cookie of ours says; nothing where it is none."""
        try:
            return tuple(_Opened(*entry) for entry in self._serializer.loads(cookie))
        except BadData:
            return ()

    def _text(self, said: list[list[str | int]]) -> str:
        signed = self._serializer.dumps(said)
        return signed if isinstance(signed, str) else signed.decode("ascii")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
