"""/me/<person>/correct: a person who is open in the account asks to have their data corrected, and follows it.

Whoever is not open there, another person's request, and one that never was, are the same page: not found.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Flask, Response, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from linkserver.public.buttons import lead
from linkserver.public.me import correct_words as words
from linkserver.public.me.desk import Desk
from linkserver.public.me.words import ASKED_OFTEN
from linkserver.public.pages import LIMITED, UNKNOWN, state_page
from linkserver.security import InMemory, drain
from linkserver.words import language
from notifier.certificates.birth_dates import read_birth_date
from notifier.certificates.facts import masked_nik
from notifier.certificates.limits import PICTURES
from notifier.certificates.pictures import LARGEST
from notifier.certificates.view import TooManyChecks, count_check
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import read_row_id
from notifier.core.own_corrections import OPEN, Field, Proof, RefusedWhy, RequestState
from notifier.core.phones import masked_phone
from notifier.core.states import OtpAnswer, OtpPurpose
from notifier.core.words import long_date
from notifier.store.persons import Person
from notifier.support import otp
from notifier.support.account import family
from notifier.support.account.session import Session
from notifier.support.own_corrections import asking
from notifier.support.own_corrections.proofs import IsOpen

DOOR = "me"
FOR = OtpPurpose.CORRECTION
_DATE = ("day", "month", "year")
_LONGEST = 250
_LARGEST_BODY = LARGEST + 16 * 1024
_PARSED = 512 * 1024  # also the parser's buffer, which takes a file in pieces
Show = Callable[..., Response]


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""
    app.request_class = InMemory  # a photo of somebody's card stands in memory alone

    def add(path: str, name: str, show: Show, *, methods: tuple[str, ...] = ("GET",), takes_file: bool = False) -> None:
        """A route below a person whom whoever is signed in has open."""

        def view(session: Session, person: str, **more: str) -> Response:
            row_id = read_row_id(person)
            if row_id is None:
                return state_page(UNKNOWN)
            # where they are in the account, their own page asks for birth date or NIK
            theirs = lead(url_for("me-person", person=row_id), 303)
            opened = _opened(desk, session, row_id)
            if opened is None:
                return theirs
            try:
                return show(desk, session, opened, **more)
            except NotFound:  # there is no such thing, or the person was closed at this very moment
                return state_page(UNKNOWN) if _opened(desk, session, row_id) else theirs

        guarded = desk.guarded(view)
        app.add_url_rule(
            f"/me/<person>/correct{path}", name, _with_file(guarded) if takes_file else guarded, methods=methods
        )

    add("", "me-correct", _page)
    add("/<field>", "me-correct-field", _form)
    add("/<field>", "me-ask-correction", _ask, methods=("POST",))
    add("/request/<reference>", "me-request", _request)
    add("/request/<reference>/withdraw", "me-withdraw", _withdraw, methods=("POST",))
    add("/request/<reference>/photo", "me-photo", _photo, methods=("POST",), takes_file=True)
    add("/request/<reference>/code", "me-number-code", _code_page)
    add("/request/<reference>/code", "me-number-send", _send_code, methods=("POST",))
    add("/request/<reference>/check", "me-number-check", _check_code, methods=("POST",))


def _with_file(guarded: Callable[..., Response]) -> Callable[..., Response]:
    """A route with a file in its form: its own limit, set before the form is read."""

    def view(**arguments: Any) -> Response:
        if (request.content_length or 0) > _LARGEST_BODY:
            drain()
            return state_page(words.TOO_LARGE)
        request.max_content_length, request.max_form_memory_size = _LARGEST_BODY, _PARSED
        try:
            return guarded(**arguments)
        except RequestEntityTooLarge:  # a body that did not say its length
            return state_page(words.TOO_LARGE)

    return view


def _opened(desk: Desk, session: Session, person_id: str) -> Person | None:
    with desk.services.db.read() as conn:
        return family.opened_person(conn, desk.services, session, person_id)


def _still_open(desk: Desk, session: Session, person: Person) -> IsOpen:
    """Asked again by the transaction that writes."""
    return lambda conn: family.opened_person(conn, desk.services, session, person.id) is not None


def _page(desk: Desk, _session: Session, person: Person, **more: Any) -> Response:
    rows = asking.of_person(desk.services, person.id)
    shown: dict[str, Any] = {"refusal": None, "until": None, "status": 200} | more
    return desk.page(
        "correct",
        person=person,
        choices=[(about.value, words.TITLES[about], on_file(person, about)) for about in Field],
        rows=[(row, words.FIELDS[Field(row.field)], words.STATES[RequestState(row.state)]) for row in rows],
        zone=desk.services.zone,
        done=words.DONE.get(request.args.get("done", "")),
        **shown,
    )


def _form(desk: Desk, _session: Session, person: Person, field: str, **more: Any) -> Response:
    about = _field(field)
    shown: dict[str, Any] = {"problems": (), "status": 200} | more
    return desk.page(
        "correct-field",
        person=person,
        field=about.value,
        title=words.TITLES[about],
        hint=words.HINTS[about],
        after=words.AFTER[about],
        on_file=on_file(person, about),
        typed={name: request.form.get(name, "")[:_LONGEST] for name in ("value", *_DATE)},
        **shown,
    )


def _ask(desk: Desk, session: Session, person: Person, field: str) -> Response:
    about = _field(field)
    try:
        asked = asking.ask(
            desk.services,
            person.id,
            about,
            _typed(desk, about),
            door=DOOR,
            proved_by=Proof.OTP,
            language=language(),
            on_number=session.phone,
            is_open=_still_open(desk, session, person),
        )
    except BadInput as bad:
        problems = [(_input_of(one.field), words.problem_words(one.field, one.rule)) for one in bad.problems]
        return _form(desk, session, person, field, problems=problems, status=422)
    except Refused as refused:
        refusal = words.REFUSALS.get(refused.reason, words.OTHER_PROBLEM)
        return _page(desk, session, person, refusal=refusal, until=refused.not_before, status=409)
    if asked.state is RequestState.DONE:
        return desk.page("correct-done", person_id=person.id, reference=asked.reference)
    if asked.state is RequestState.NUMBER:
        return _send_code(desk, session, person, asked.reference)
    return lead(url_for("me-request", person=person.id, reference=asked.reference, done="asked"), 303)


def _request(desk: Desk, _session: Session, person: Person, reference: str, **more: Any) -> Response:
    row, told = asking.one_of(desk.services, person.id, reference)
    about, state = Field(row.field), RequestState(row.state)
    shown: dict[str, Any] = {"problem": None, "status": 200} | more
    return desk.page(
        "correct-request",
        person=person,
        row=row,
        field=words.FIELDS[about],
        state=words.STATES[state],
        is_open=state in OPEN,
        wish=_value(about, told.value),
        old=_value(about, told.old),
        why=words.WHYS[RefusedWhy(row.refused_why)] if row.refused_why else None,
        zone=desk.services.zone,
        done=words.DONE.get(request.args.get("done", "")),
        **shown,
    )


def _withdraw(desk: Desk, session: Session, person: Person, reference: str) -> Response:
    try:
        asking.withdraw(desk.services, person.id, reference, door=DOOR, is_open=_still_open(desk, session, person))
    except Refused as refused:
        return _request(desk, session, person, reference, problem=words.REFUSALS[refused.reason], status=409)
    return lead(url_for("me-correct", person=person.id, done="withdrawn"), 303)


def _photo(desk: Desk, session: Session, person: Person, reference: str) -> Response:
    sent = request.files.get("picture")
    try:
        count_check(desk.services, address=request.remote_addr or "", limits=PICTURES)
        picture, is_open = sent.read() if sent else b"", _still_open(desk, session, person)
        asking.send_evidence(desk.services, person.id, reference, picture, door=DOOR, is_open=is_open)
    except TooManyChecks as error:
        return state_page(LIMITED, retry_after_s=error.retry_after_s)
    except Refused as refused:
        said = words.REFUSALS.get(refused.reason) or words.problem_words("picture", refused.reason)
        return _request(desk, session, person, reference, problem=said, status=422)
    return lead(url_for("me-request", person=person.id, reference=reference, done="sent"), 303)


def _send_code(desk: Desk, session: Session, person: Person, reference: str) -> Response:
    phone = asking.new_number_of(desk.services, reference, person_id=person.id)
    if phone is None:
        raise NotFound("no number is waited for")
    asked = otp.request(desk.services, phone, purpose=FOR, language=language(), address=request.remote_addr or "")
    where = lead(url_for("me-number-code", person=person.id, reference=reference), 303)
    if asked.wait_s:
        if desk.cookies.read("me-code") is None:
            return state_page(ASKED_OFTEN, retry_after_s=asked.wait_s)
        return _code_page(desk, session, person, reference, wait_s=asked.wait_s, status=429)
    return desk.asked(where, asked.challenge)


def _code_page(desk: Desk, _session: Session, person: Person, reference: str, **more: Any) -> Response:
    phone = asking.new_number_of(desk.services, reference, person_id=person.id)
    if phone is None:
        raise NotFound("no number is waited for")
    shown: dict[str, Any] = {"answer": None, "left": 0, "wait_s": 0, "status": 200} | more
    base = url_for("me-request", person=person.id, reference=reference)
    return desk.page("number-code", phone=masked_phone(phone), base=base, reference=reference, typed_phone="", **shown)


def _check_code(desk: Desk, session: Session, person: Person, reference: str) -> Response:
    if asking.new_number_of(desk.services, reference, person_id=person.id) is None:
        raise NotFound("no number is waited for")
    checked = otp.check(
        desk.services, desk.cookies.read("me-code") or "", request.form.get("code", "")[:40], purpose=FOR
    )
    if checked.answer is not OtpAnswer.RIGHT or checked.phone is None:
        return _code_page(
            desk, session, person, reference, answer=checked.answer.value, left=checked.tries_left, status=422
        )
    try:
        asking.number_proved(desk.services, reference, checked.phone, door=DOOR)
    except Refused as refused:
        refusal = words.REFUSALS.get(refused.reason, words.OTHER_PROBLEM)
        return _page(desk, session, person, refusal=refusal, status=409)
    return state_page(words.NUMBER_CHANGED)


def on_file(person: Person, about: Field) -> str | None:
    """What is recorded, as its owner sees it: enough to know it again."""
    if about is Field.NIK:
        return masked_nik(person.nik) if person.nik else None
    if about is Field.PHONE:
        return masked_phone(person.phone) if person.phone else None
    if about is Field.BIRTH_DATE:
        return long_date(person.birth_date, language()) if person.birth_date else None
    return person.name


def _value(about: Field, value: str | None) -> str:
    """One value of a request, on its owner's page."""
    if value is None:
        return "–"
    if about is Field.BIRTH_DATE:
        return long_date(date.fromisoformat(value), language())
    return masked_nik(value) if about is Field.NIK else masked_phone(value) if about is Field.PHONE else value


def _field(text: str) -> Field:
    try:
        return Field(text)
    except ValueError:
        raise NotFound("there is no such field") from None


def _typed(desk: Desk, about: Field) -> str:
    """What was typed; a birth date from its three fields. Raises BadInput (`day`, `month`, `year`)."""
    if about is not Field.BIRTH_DATE:
        return request.form.get("value", "")[:_LONGEST]
    today = desk.services.clock.now().astimezone(desk.services.zone).date()
    return read_birth_date(*(request.form.get(name, "")[:_LONGEST] for name in _DATE), today=today).isoformat()


def _input_of(field: str) -> str:
    """The input that a problem stands beside."""
    if field in _DATE:
        return field
    return "day" if field in {"person.birth_date", "dose.given_on"} else "value"
