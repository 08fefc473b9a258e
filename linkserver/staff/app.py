"""Puts the staff face together."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, InternalServerError

from linkserver.assets import serve_assets
from linkserver.security import InMemory, protect
from linkserver.staff import (
    account,
    accounts,
    agents_desk,
    api,
    api_docs,
    audit,
    case_reports,
    cases,
    catcher,
    corrections,
    dead_letters,
    doses,
    entry_sheet,
    fhir,
    home,
    keys,
    messages,
    own_corrections,
    persons,
    plain,
    print_desk,
    registry,
    resend_schedules,
    resends,
    search,
    settings,
    sign_in,
    sms_text_pages,
    uploads,
    work,
)
from linkserver.staff.gate import anyone, install_gate
from linkserver.staff.machine import Fault, away, fault_of_http, problem_json
from linkserver.staff.screen import install_screen
from notifier.access.passwords import Passwords
from notifier.core.errors import BadSettings, NotFound
from notifier.services import TEMPLATES, Services
from notifier.settings import Environment, GatewayName
from notifier.store.health import AWAY

MAX_BODY = 64 * 1024  # forms; a route that takes more raises its own limit


def create_app(services: Services) -> Flask:
    """The staff face on these services. Raises BadSettings without a session key."""
    app = Flask("linkserver.staff", static_folder=None, template_folder=str(TEMPLATES / "staff"))
    app.request_class = InMemory  # what is uploaded lies on a disk sealed, or not at all
    _keep_sessions(app, services)
    chosen = services.settings
    # CSRF is also checked by referrer under https, so browsers must send it to ourselves
    protect(
        app,
        url=chosen.staff_url,
        proxy_hops=chosen.proxy_hops,
        max_body=MAX_BODY,
        referrer_policy="same-origin",
    )
    install_gate(app, services)
    csrf = CSRFProtect(app)
    serve_assets(app, ("staff.css", "mark.svg"))
    anyone(app.view_functions["asset"])
    install_screen(app, services, services.catalogue)
    _handle_errors(app)
    for part in (
        plain,
        home,
        doses,
        messages,
        cases,
        case_reports,
        agents_desk,
        settings,
        corrections,
        own_corrections,
        print_desk,
        entry_sheet,
        uploads,
        search,
        persons,
        work,
        dead_letters,
        registry,
        resend_schedules,
        resends,
        sms_text_pages,
        api_docs,
        audit,
        keys,
    ):
        app.register_blueprint(part.blueprint(services))
    passwords = Passwords()
    for guarded in (sign_in, account, accounts):
        app.register_blueprint(guarded.blueprint(services, passwords))
    for door in (api, fhir):  # no cookie is read behind these, so there is nothing to forge
        machines = door.blueprint(services)
        csrf.exempt(machines)
        app.register_blueprint(machines)
    if chosen.gateway is GatewayName.CATCHER and chosen.environment is Environment.LOCAL:
        app.register_blueprint(catcher.blueprint(services))
    return app


def _keep_sessions(app: Flask, services: Services) -> None:
    """One signed cookie: the session's token, the CSRF secret, the language of somebody not signed in."""
    keys = [key.get_secret_value() for key in services.settings.staff_session_key]
    if not keys:
        raise BadSettings(["SERTILINK_STAFF_SESSION_KEY: set it, or run `sertilink up` once"])
    secure = services.settings.staff_secure
    app.config.update(
        SECRET_KEY=keys[-1],
        SECRET_KEY_FALLBACKS=keys[:-1],
        SESSION_COOKIE_NAME="__Host-sertilink-staff" if secure else "sertilink-staff",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict would ask for a sign-in behind every link to a timeline
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form may wait while a queue is served
    )


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(CSRFError)
    def _stale(_error: CSRFError) -> Response:
        return _page("stale", 400)

    @app.errorhandler(NotFound)
    def _not_there(_error: NotFound) -> Response:
        return _page("unknown", 404)

    @app.errorhandler(InternalServerError)
    def _fault(error: InternalServerError) -> Response:
        return _for_machines(fault_of_http(error)) or _page("fault", 500)

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> Response:
        status = error.code or 500
        response = _for_machines(fault_of_http(error)) or _page(
            {403: "forbidden", 404: "unknown", 413: "large", 421: "host"}.get(status, "unreadable"), status
        )
        if error.get_response().headers.get("Allow"):
            response.headers["Allow"] = error.get_response().headers["Allow"]
        return response

    def _away(error: Exception) -> Response:
        app.logger.error("the database is away: %s", type(error).__name__)
        response = _for_machines(away()) or _page("away", 503)
        response.headers["Retry-After"] = "60"
        return response

    for kind in AWAY:
        app.register_error_handler(kind, _away)


def _for_machines(fault: Fault) -> Response | None:
    """What no route of theirs answered (there is none, or not for this method), in the words of its door."""
    if request.path.startswith("/api/"):
        return problem_json(fault)
    return fhir.outcome_of_fault(fault) if request.path.startswith("/fhir/") else None


def _page(what: str, status: int) -> Response:
    return make_response(render_template("error.html", what=what), status)
