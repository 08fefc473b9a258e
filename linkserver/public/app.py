"""Puts the public face together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, g, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from linkserver.assets import serve_assets
from linkserver.public import pages, plain, webhooks
from linkserver.public.face import Face
from linkserver.public.views import Views
from linkserver.security import protect
from linkserver.words import SOURCE_LANGUAGE, Catalogue, Templates, install_words, language
from notifier.services import TEMPLATES, Services
from notifier.store.health import AWAY

#: the modules of each door, an optional one's is `<door>/door.py`; a closed door is not even imported
DOORS = {
    "link": ("link", "certificate", "codes", "buttons", "history", "asli"),
    "verify": ("verify", "offline", "keys"),
    "whatsapp": ("whatsapp.files",),
    "email": (),  # read by a worker
}
_MAX_BODY = 16 * 1024
_LANGUAGE_COOKIE_S = 31_536_000
_RETRY_AWAY_S = 60
_KEPT_ARGUMENTS = ("n",)  # what a change of language carries along


def create_app(services: Services, catalogue: Catalogue | None = None) -> Flask:
    """The public face on these services, in the languages of `catalogue` (ours where None). Raises BadSettings where a
    key is missing."""
    settings = services.settings
    app = Flask("linkserver.public", static_folder=None, template_folder=str(TEMPLATES / "pages"))
    app.jinja_environment = Templates
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    protect(app, url=settings.public_url, proxy_hops=settings.proxy_hops, max_body=_MAX_BODY)
    serve_assets(app, ("public.css", "mark.svg", "doors.css"))
    chosen = _speak(app, services, catalogue or services.catalogue)
    _handle_errors(app)
    face = Face(
        services=services,
        views=Views([key.get_secret_value() for key in settings.session_key], services.clock, secure=settings.secure),
        chosen_language=chosen,
    )
    plain.add_routes(app, face)
    webhooks.add_routes(app, face)
    for door in settings.doors:
        for module in DOORS.get(door, (f"{door}.door",)):
            import_module(f"linkserver.public.{module}").add_routes(app, face)
    return app


def _speak(app: Flask, services: Services, catalogue: Catalogue) -> Callable[[Mapping[str, str]], str]:
    """The person's choice by `?lang=`, kept in a cookie that says nothing else; Indonesian otherwise: what a browser
    asks for is what its shop set it to (docs/languages.md). What is returned says what cookies chose."""
    cookie = "__Host-lang" if services.settings.secure else "lang"

    def choose() -> str:
        # most requests have neither, and parsing nothing takes its time too
        asked = request.args.get("lang") if request.environ.get("QUERY_STRING") else None
        return kept({} if "HTTP_COOKIE" not in request.environ else request.cookies, asked)

    def kept(cookies: Mapping[str, str], asked: str | None = None) -> str:
        return next((wish for wish in (asked, cookies.get(cookie)) if wish in catalogue.languages), SOURCE_LANGUAGE)

    @app.after_request
    def _keep_choice(response: Response) -> Response:
        if not (response.content_type or "").startswith("text/html"):
            return response  # what caches may keep for everybody sets nobody's cookie
        if "Vary" in response.headers:
            response.vary.add("Cookie")
        else:
            response.headers.add("Vary", "Cookie")  # a quarter of the time
        wish = request.args.get("lang") if request.environ.get("QUERY_STRING") else None
        if wish in catalogue.languages and wish != request.cookies.get(cookie):
            response.set_cookie(
                cookie,
                wish,
                max_age=_LANGUAGE_COOKIE_S,
                secure=services.settings.secure,
                httponly=True,
                samesite="Lax",
            )
        return response

    def other_languages() -> list[tuple[str, str, str]]:
        """(code, own name, address of this page in it)."""
        kept = [(name, request.args[name]) for name in _KEPT_ARGUMENTS if name in request.args]
        return [
            (code, names[code], "?" + urlencode([*kept, ("lang", code)]) if kept else f"?lang={code}")
            for code in catalogue.languages
            if code != language()
        ]

    def footer() -> Markup:
        """The same below every page, so drawn once a language."""
        drawn = footers.get(language())
        if drawn is None:
            drawn = footers[language()] = Markup(render_template("footer.html"))  # noqa: S704  # a template's own output
        return drawn

    footers: dict[str, Markup] = {}
    names = {code: (Locale.parse(code).display_name or code).capitalize() for code in catalogue.languages}
    install_words(app, catalogue, choose)
    app.jinja_env.globals.update(
        settings=services.settings,
        other_languages=other_languages,
        footer=footer,
        request_id=lambda: g.get("request_id", "-"),
    )
    return kept


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(NotFound)
    def _unknown(_error: NotFound) -> Response:
        return pages.state_page(pages.UNKNOWN)

    @app.errorhandler(InternalServerError)
    def _fault(_error: InternalServerError) -> Response:
        return pages.state_page(pages.FAULT)

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> Response:
        response = pages.state_page(pages.UNREADABLE, status=error.code)
        for name, value in error.get_headers(request.environ):
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    def _away(error: Exception) -> Response:
        app.logger.error("the database is away: %s", type(error).__name__)
        return pages.state_page(pages.AWAY, retry_after_s=_RETRY_AWAY_S)

    for kind in AWAY:
        app.register_error_handler(kind, _away)
