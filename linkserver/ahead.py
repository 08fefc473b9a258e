"""The landing, answered before the framework wakes: it is the same bytes for every live link, and the first tap on one
brings no cookie and no query. Whatever else is asked goes the long way, and so does whatever goes wrong here.

What a link is, is looked up each time; only the page is kept, as the long way wrote it. Everybody's headers are added
around both (linkserver.security), and a test holds one answer against the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from notifier.core.link_tokens import TOKEN_LENGTH

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATH = re.compile(rf"/c/([0-9A-Za-z]{{{TOKEN_LENGTH}}})", re.ASCII)
#: what Flask and the choice of a language say of the same page, around its length
_TYPE, _VARY = ("Content-Type", "text/html; charset=utf-8"), ("Vary", "Cookie")


class LandingAhead:
    """`is_live`: whether a token is that of a link that may be opened; `page`: the landing in the language of somebody
    who has chosen none, once the long way has written it."""

    def __init__(self, is_live: Callable[[str], bool], page: Callable[[], str | None]) -> None:
        self._is_live = is_live
        self._page = page

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """The answer, or None for the long way."""
        if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING") or "HTTP_COOKIE" in environ:
            return None
        asked, page = _PATH.fullmatch(environ["PATH_INFO"]), self._page()
        if asked is None or page is None or not self._is_surely_live(asked[1]):
            return None
        body = page.encode()
        start_response("200 OK", [_TYPE, ("Content-Length", str(len(body))), _VARY])
        return [body]

    def _is_surely_live(self, token: str) -> bool:
        try:
            return self._is_live(token)
        except Exception:  # the long way meets it again, and says what it is
            return False
