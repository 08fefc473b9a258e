"""/kasus/siapa, /kasus/sebab: whose birth date or NIK is right sees why, and mends by a tap what can be mended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from flask import Flask, Response, make_response, render_template, request, url_for
from sqlalchemy.engine import Connection

from linkserver.public.buttons import lead
from linkserver.public.cases.asker import Asker, Askers
from linkserver.public.cases.words import FIELD_WORDS, LOCKED
from linkserver.public.face import Face, dose_words
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import _, language
from notifier.certificates.birth_dates import read_birth_date
from notifier.core import words as dates
from notifier.core.causes import Fix
from notifier.core.errors import BadInput, NotFound, Problem, Refused
from notifier.core.identity import BadNik, initial_of, read_nik
from notifier.services import Services
from notifier.support.missing.causes import Finding, causes_for
from notifier.support.missing.fixes import fix
from notifier.support.missing.reports import DOOR
from notifier.support.missing.words import CAUSE_WORDS, FIX_WORDS, WHO_WORDS
from notifier.support.proof_of_person import TryAnswer, persons_on, still_proved, try_birth_date, try_nik

_DATE = ("day", "month", "year")
_LONGEST = 40
_Page = Callable[[Services, Askers, Asker], Response]


def add_routes(app: Flask, face: Face, askers: Askers) -> None:
    """Part of the door `cases`."""
    services = face.services
    pages: tuple[tuple[str, str, str, _Page], ...] = (
        ("cases-who", "GET", "/kasus/siapa", _who),
        ("cases-prove", "POST", "/kasus/siapa", _prove),
        ("cases-causes", "GET", "/kasus/sebab", _causes),
        ("cases-fix", "POST", "/kasus/sebab", _mend),
    )
    for name, method, address, page in pages:
        app.add_url_rule(address, name, _proven(services, askers, page), methods=[method])


def _proven(services: Services, askers: Askers, page: _Page) -> Callable[[], Response]:
    """Only for whoever's number a code has proven."""

    def shown() -> Response:
        if request.method == "POST" and is_cross_site():
            return state_page(UNREADABLE, status=403)
        asker = askers.read(request)
        return page(services, askers, asker) if asker and asker.is_proven else lead(url_for("cases"), 303)

    return shown


def _who(services: Services, _askers: Askers, asker: Asker) -> Response:
    names = _family(services, asker)
    # nobody we know has this number: there is nothing to show, and the report is what is left
    return _who_page(names) if names else lead(url_for("cases-report"), 303)


def _prove(services: Services, askers: Askers, asker: Asker) -> Response:
    names = _family(services, asker)
    if not names:
        return lead(url_for("cases-report"), 303)
    chosen = next((row_id for row_id, _name in names if row_id == request.form.get("person", "")), None)
    if chosen is None:
        return _who_page(names, problems=[Problem("person", "person-missing", "choose")])
    try:
        tried = _tried(services, asker, chosen)
    except BadInput as error:
        return _who_page(names, problems=list(error.problems))
    if tried.is_right:
        return askers.keep(lead(url_for("cases-causes"), 303), asker.with_person(chosen, tried.proof))
    return state_page(LOCKED) if tried.is_locked else _who_page(names, tries_left=tried.tries_left)


def _causes(services: Services, _askers: Askers, asker: Asker) -> Response:
    with services.db.read() as conn:
        theirs = still_proved(conn, services, asker.phone, asker.proofs)
    if not theirs:
        return lead(url_for("cases-who"), 303)
    found = causes_for(services, asker.phone, only=set(theirs))
    said = [_said(services, one) for one in found]
    return make_response(render_template("cases/causes.html", findings=said, done=request.args.get("done", "")))


def _mend(services: Services, _askers: Askers, asker: Asker) -> Response:
    wish, _colon, about = request.form.get("fix", "").partition(":")
    person_id, _colon, dose_id = about.partition(":")
    if person_id not in asker.proofs or wish not in set(FIX_WORDS):
        return state_page(UNREADABLE)

    def is_theirs(conn: Connection) -> bool:
        return person_id in still_proved(conn, services, asker.phone, asker.proofs)

    try:
        done = fix(
            services,
            phone=asker.phone,
            person_id=person_id,
            dose_id=dose_id,
            wish=Fix(wish),
            by=DOOR,
            is_theirs=is_theirs,
        )
    except (NotFound, Refused):
        return lead(url_for("cases-causes", done="gone"), 303)
    return lead(url_for("cases-causes", done="waits" if done.wait_s else "sent"), 303)


def _family(services: Services, asker: Asker) -> list[tuple[str, str]]:
    """(id, what is said of them) of the persons on the number: an initial, as in our SMS; with a number where two have
    the same."""
    with services.db.read() as conn:
        letters = [(one.id, initial_of(one.name) or "–") for one in persons_on(conn, services, asker.phone)]
    seen: dict[str, int] = {}
    named = []
    for row_id, letter in letters:
        seen[letter] = seen.get(letter, 0) + 1
        is_double = sum(other == letter for _, other in letters) > 1
        named.append((row_id, f"{letter}. ({seen[letter]})" if is_double else f"{letter}."))
    return named


def _tried(services: Services, asker: Asker, person_id: str) -> TryAnswer:
    """The NIK where one was typed, else the birth date. Raises BadInput."""
    nik = request.form.get("nik", "").strip()[:_LONGEST]
    if nik:
        try:
            read = read_nik(nik)
        except BadNik as bad:
            raise BadInput.of("nik", bad.rule, bad.detail) from None
        return try_nik(services, person_id, read, door=DOOR, phone=asker.phone)
    typed = [request.form.get(name, "")[:_LONGEST] for name in _DATE]
    if not any(part.strip() for part in typed):
        raise BadInput.of("day", "proof-missing", "write one of the two")
    born = read_birth_date(*typed, today=_today(services))
    return try_birth_date(services, person_id, born, door=DOOR, phone=asker.phone)


def _who_page(
    names: list[tuple[str, str]], *, problems: list[Problem] | None = None, tries_left: int | None = None
) -> Response:
    page = render_template(
        "cases/who.html",
        names=names,
        chosen=request.form.get("person", names[0][0] if len(names) == 1 else ""),
        problems={problem.field: FIELD_WORDS[problem.rule] for problem in problems or ()},
        typed={name: request.form.get(name, "")[:_LONGEST] for name in (*_DATE, "nik")},
        tries_left=tries_left,
    )
    response = make_response(page)
    response.status_code = 422 if problems or tries_left is not None else 200
    return response


def _said(services: Services, one: Finding) -> dict[str, object]:
    """A finding in words."""
    when = dates.long_moment(one.when, ZoneInfo(one.zone), language()) if one.when else ""
    values = {"when": when, "number": one.number or "–", "sender": services.settings.sender_name}
    title, following = CAUSE_WORDS[one.cause]
    # the persons are those of the number, so a wrong number is corrected elsewhere; the page links to it
    button = FIX_WORDS.get(one.fix) if one.fix else None
    return {
        "title": _(title),
        "next": _(following, **values),
        "who": "" if one.fix else _(WHO_WORDS[one.who_acts]),
        "dose": " · ".join(filter(None, (one.product, dose_words(one.dose_number, one.series_total)))),
        "given_on": one.given_on,
        "facility": one.facility,
        "button": _(button, **values) if button else "",
        "fix": f"{one.fix}:{one.person_id}:{one.dose_id}" if one.fix else "",  # ids of no use in another browser
    }


def _today(services: Services) -> date:
    return services.clock.now().astimezone(services.zone).date()
