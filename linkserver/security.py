"""The same protection for both faces: headers, trusted proxies, host names, body limits, request ids.

Own code instead of Flask-Talisman (no release since 2023); sources: OWASP ASVS 5.0 3.4 and 14.3.2, W3C TAG "Good
Practices for Capability URLs".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from random import getrandbits  # which is sown anew after a fork
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from linkserver.logs import guard

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: no inline style or script anywhere, nothing from elsewhere, never in a frame
BASE_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_ANY_HOST = frozenset({"/healthz", "/readyz"})  # a load balancer asks by address
_YEAR_S = 31_536_000
_FORM_PARTS = 200
_DRAINED = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_REQUEST_ID = "sertilink.request_id"

#: answers some requests before the framework does; None for the others
Ahead = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes] | None]


def protect(
    app: Flask,
    *,
    url: str,
    proxy_hops: int,
    max_body: int,
    policy: Mapping[str, str] | None = None,
    referrer_policy: str = "no-referrer",
) -> None:
    """Protects one face. `url` is its public address: https brings HSTS, and any other host name is refused (421).

    `policy` adds to, or replaces parts of, BASE_POLICY. `max_body` is in bytes; a route may lower it by setting
    `request.max_content_length`. Under `no-referrer` a browser sends `Origin: null` with forms, so that a CSRF check by
    referrer or origin needs `same-origin`.
    """
    app.config.update(MAX_CONTENT_LENGTH=max_body, MAX_FORM_MEMORY_SIZE=max_body, MAX_FORM_PARTS=_FORM_PARTS)
    if proxy_hops:
        # the proxy hands on the Host header itself: a forwarded host would be one more thing a client could forge
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the documented way to wrap an app
            app.wsgi_app, x_for=proxy_hops, x_proto=proxy_hops, x_host=0
        )
    guard(app.logger.name)
    app.extensions["policy"] = {**BASE_POLICY, **(policy or {})}
    headers = _headers(url, app.extensions["policy"], referrer_policy)
    hosts = _hosts(url)
    app.extensions["said"] = app.wsgi_app = _Said(app.wsgi_app, headers, hosts)  # type: ignore[method-assign]  # as above

    @app.before_request
    def _begin() -> None:
        g.request_id = request.environ[_REQUEST_ID]
        host = request.environ.get("HTTP_HOST", "")
        if host not in hosts and not _is_ours(host, hosts) and request.path not in _ANY_HOST:
            abort(421)


class _Said:
    """Adds the headers that every answer has, and an id, to the list that the server is handed: an answer's own stand,
    and werkzeug checks and copies each that is put into a response one by one."""

    def __init__(self, wrapped: WSGIApplication, headers: Mapping[str, str], hosts: frozenset[str]) -> None:
        self._wrapped = wrapped
        self._hosts = hosts
        self.ahead: list[Ahead] = []
        self._headers = [(name.lower(), (name, value)) for name, value in headers.items()]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ[_REQUEST_ID] = f"{getrandbits(64):016x}"  # a name in the log, which opens nothing

        def start(status: str, headers: list[tuple[str, str]], *failed: Any) -> Callable[[bytes], object]:
            own = {name.lower() for name, _value in headers}
            headers += [pair for name, pair in self._headers if name not in own]
            headers.append(("X-Request-Id", request_id))
            return start_response(status, headers, *failed)

        if environ.get("HTTP_HOST") in self._hosts:
            for answer in self.ahead:
                body = answer(environ, start)
                if body is not None:
                    return body
        return self._wrapped(environ, start)


def answer_ahead(app: Flask, answer: Ahead) -> None:
    """Lets `answer` have each request at a host of ours first, in turn with others; what all answer with None goes to
    the framework. The headers of `protect` are added to all."""
    app.extensions["said"].ahead.append(answer)


def widen(response: Response, policy: Mapping[str, str], *, camera: bool = False) -> Response:
    """Lets the page in this one answer do more than its face: parts of the policy added or replaced; its camera."""
    response.headers["Content-Security-Policy"] = _written({**current_app.extensions["policy"], **policy})
    if camera:
        response.headers["Permissions-Policy"] = _PERMISSIONS.replace("camera=()", "camera=(self)")
    return response


class InMemory(Request):
    """What is uploaded stands in memory alone; werkzeug's own parser puts half a megabyte and more into a file."""

    def _get_file_stream(self, *_told: Any, **_more: Any) -> IO[bytes]:
        return BytesIO()


def drain() -> None:
    """Reads a body that nobody read yet, up to a bound, and forgets it: a browser shows an answer once it has sent."""
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, _DRAINED)
    while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
        left -= len(chunk)


def is_cross_site() -> bool:
    """Whether a browser says that another site made it send this request (Fetch Metadata). Old browsers say nothing."""
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def _headers(url: str, policy: Mapping[str, str], referrer_policy: str) -> dict[str, str]:
    headers = {
        "Content-Security-Policy": _written(policy),
        "Cache-Control": "no-store",
        "Referrer-Policy": referrer_policy,
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
    }
    if url.startswith("https://"):
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
    return headers


def _written(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _hosts(url: str) -> frozenset[str]:
    parts = urlsplit(url)
    ours = {parts.netloc.lower().rpartition("@")[2], (parts.hostname or "").lower()}
    return frozenset(ours | (_LOCAL_HOSTS if parts.scheme == "http" else set()))


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    host = host.lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return host in hosts or name in hosts
