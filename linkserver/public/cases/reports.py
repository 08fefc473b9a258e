"""/kasus/lapor: where and when a dose was given, and to whom. With a code or without, the same page and answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from flask import Flask, Response, make_response, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from linkserver.public.buttons import lead
from linkserver.public.cases.asker import Asker, Askers
from linkserver.public.cases.words import FIELD_WORDS, REPORTED_OFTEN
from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, UNREADABLE, state_page
from linkserver.security import drain, is_cross_site
from linkserver.words import language
from notifier.certificates.limits import PICTURES
from notifier.certificates.pictures import LARGEST, redraw_picture
from notifier.certificates.view import TooManyChecks, count_check
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.states import CaseSource
from notifier.services import Services
from notifier.support.missing.facts import MAX_WORDS, Facts, read_facts
from notifier.support.missing.reports import report
from notifier.support.proof_of_person import still_proved

_LARGEST_BODY = LARGEST + 64 * 1024  # a form puts something around a picture
_PARSED = 512 * 1024
_FIELDS = (
    *("name", "day", "month", "year", "nik", "given_day", "given_month", "given_year"),
    *("place", "vaccine", "dose_number", "words"),
)


def add_routes(app: Flask, face: Face, askers: Askers) -> None:
    """Part of the door `cases`."""
    services = face.services

    @app.get("/kasus/lapor", endpoint="cases-report")
    def form() -> Response:
        asker = askers.read(request)
        if asker is None or not asker.phone:
            return lead(url_for("cases"), 303)
        # the cookie begins anew: filling this in takes a while
        return askers.keep(_page({}), asker)

    @app.post("/kasus/lapor", endpoint="cases-send")
    def send() -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        asker = askers.read(request)
        if asker is None or not asker.phone:
            drain()
            return lead(url_for("cases"), 303)
        if (request.content_length or 0) > _LARGEST_BODY:
            drain()
            return _page({}, [Problem("picture", "picture-large", "is too large")])
        request.max_content_length = _LARGEST_BODY
        request.max_form_memory_size = _PARSED  # also the parser's buffer, which takes a file in pieces
        try:
            return _sent(services, askers, asker)
        except RequestEntityTooLarge:  # a body that did not say its length
            return _page({}, [Problem("picture", "picture-large", "is too large")])
        except TooManyChecks as error:
            return state_page(LIMITED, retry_after_s=error.retry_after_s)


def _sent(services: Services, askers: Askers, asker: Asker) -> Response:
    typed = {name: request.form.get(name, "")[: MAX_WORDS + 1] for name in _FIELDS}
    try:
        facts = read_facts(typed, phone=asker.phone, today=_today(services))
        picture = _picture(services)
    except BadInput as error:
        return _page(typed, list(error.problems))
    except Refused as error:
        return _page(typed, [Problem("picture", error.reason, "cannot be used")])
    try:
        made = report(
            services,
            facts,
            source=CaseSource.WEB,
            language=language(),
            address=request.remote_addr or "",
            is_proven=asker.is_proven,
            form=asker.form,
            person_id=_person(services, asker, facts),
            picture=picture,
        )
    except Refused as error:
        return make_response(
            render_template("cases/young.html", given_on=facts.given_on, until=error.not_before, zone=services.zone)
        )
    if made.retry_after_s:
        return state_page(REPORTED_OFTEN)
    # another report from this browser is another form
    return askers.keep(lead(url_for("cases-tracker", token=made.token), 303), replace(asker, form=""))


def _picture(services: Services) -> bytes | None:
    """The photo of the card, drawn anew by us; None where none was sent. Raises Refused and TooManyChecks."""
    sent = request.files.get("picture")
    data = sent.read() if sent else b""
    if not data:
        return None
    count_check(services, address=request.remote_addr or "", limits=PICTURES)
    return redraw_picture(data)


def _person(services: Services, asker: Asker, facts: Facts) -> str | None:
    """Which of those who proved to be somebody the report is about."""
    with services.db.read() as conn:
        known = still_proved(conn, services, asker.phone, asker.proofs)
    born = [row_id for row_id, person in known.items() if person.birth_date == facts.birth_date]
    return born[0] if len(born) == 1 else None


def _page(typed: dict[str, str], problems: list[Problem] | None = None) -> Response:
    page = render_template(
        "cases/report.html",
        typed={name: typed.get(name, "") for name in _FIELDS},
        problems={problem.field: FIELD_WORDS[problem.rule] for problem in problems or ()},
    )
    response = make_response(page)
    response.status_code = 422 if problems else 200
    return response


def _today(services: Services) -> date:
    return services.clock.now().astimezone(services.zone).date()
