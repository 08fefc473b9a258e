"""The two pages that nearly everybody asks for, answered before the framework wakes. Whatever else is asked goes the
long way, and so does whatever goes wrong here: there it is met again, and answered as what it is.

The landing is the same bytes for every live link, and the first tap on one brings no cookie and no query; only the page
is kept, as the long way wrote it. The certificate's page is written anew for whoever holds the cookie of its view.
What a link is now, is looked up each time. Everybody's headers are added around both ways (linkserver.security), and a
test holds one answer against the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from linkserver.certificate_page import CertificatePage
from notifier.certificates.opening import PAGE_AGAIN
from notifier.certificates.view import open_page
from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LANDING = re.compile(rf"/c/([0-9A-Za-z]{{{TOKEN_LENGTH}}})", re.ASCII)
_PAGE = re.compile(r"/certificate/([0-9A-Za-z_-]+)", re.ASCII)
#: cookies as ours are written; what else a browser may send is read by the framework alone
_COOKIES = re.compile(r"[\w.-]+=[\w.-]*(?:; [\w.-]+=[\w.-]*)*", re.ASCII)
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
        asked, page = _LANDING.fullmatch(environ["PATH_INFO"]), self._page()
        if asked is None or page is None or not self._is_surely_live(asked[1]):
            return None
        return _shown(page, start_response)

    def _is_surely_live(self, token: str) -> bool:
        try:
            return self._is_live(token)
        except Exception:  # the long way meets it again, and says what it is
            return False


class PageAhead:
    """`held`: public id and proof of the link that a browser with these cookies opened as a view, if not longer ago;
    `language_of`: what the same cookies chose."""

    def __init__(
        self,
        services: Services,
        page: CertificatePage,
        held: Callable[[Mapping[str, str], str, timedelta], tuple[str, str] | None],
        language_of: Callable[[Mapping[str, str]], str],
    ) -> None:
        self._services = services
        self._page = page
        self._held = held
        self._language_of = language_of

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """The answer, or None for the long way."""
        if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING") or "HTTP_COOKIE" not in environ:
            return None
        asked = _PAGE.fullmatch(environ["PATH_INFO"])
        if asked is None or _COOKIES.fullmatch(environ["HTTP_COOKIE"]) is None:
            return None
        try:
            page = self._written(asked[1], _cookies(environ["HTTP_COOKIE"]))
        except Exception:  # as above
            return None
        return None if page is None else _shown(page, start_response)

    def _written(self, view: str, cookies: Mapping[str, str]) -> str | None:
        """The page, where it is open and that it was looked at is not to be noted."""
        language, held = self._language_of(cookies), self._held(cookies, view, PAGE_AGAIN)
        if held is None or not self._page.is_framed(language):
            return None
        _look, facts, qr = open_page(self._services, *held)
        if facts is None or qr is None:
            return None
        return self._page.framed(language, self._page.own(language, view, facts, qr))


def _cookies(header: str) -> dict[str, str]:
    """By name; of two of a name the first, as the framework has it."""
    return dict(reversed([pair.split("=") for pair in header.split("; ")]))  # one = in each


def _shown(page: str, start_response: StartResponse) -> Iterable[bytes]:
    body = page.encode()
    start_response("200 OK", [_TYPE, ("Content-Length", str(len(body))), _VARY])
    return [body]
