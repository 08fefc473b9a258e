"""What needs no sign-in: another number for somebody who lost the one on file, the code of the new number, and the old
number's objection.

What is answered to whoever lost a number is the same whether anybody on record fits what they typed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Flask, Response, request, url_for

from linkserver.public.buttons import lead
from linkserver.public.me import correct_words as words
from linkserver.public.me.correct import DOOR, FOR
from linkserver.public.me.desk import Desk
from linkserver.public.me.words import ASKED_OFTEN
from linkserver.public.pages import LIMITED, UNKNOWN, UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import language
from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput, BadToken, NotFound, Problem, Refused
from notifier.core.ids import REFERENCE_LENGTH, read_reference
from notifier.core.own_corrections import Field
from notifier.core.phones import masked_phone
from notifier.core.states import OtpAnswer
from notifier.support import otp
from notifier.support.own_corrections import asking, objection, values
from notifier.support.own_corrections.asking import Claim

_DATE = ("day", "month", "year")
_FIELDS = ("name", "nik", *_DATE, "phone")  # in the order of the form
_LONGEST = 250


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""

    def add(path: str, name: str, act: Callable[..., Response], method: str) -> None:
        """A route for anybody; no form comes from another site."""

        def view(**arguments: str) -> Response:
            return state_page(UNREADABLE, status=403) if is_cross_site() else act(desk, **arguments)

        app.add_url_rule(path, name, view, methods=(method,))

    add("/me/lost", "me-lost", lambda desk: _lost(desk), "GET")
    add("/me/lost", "me-lost-ask", _ask, "POST")
    add("/me/number", "me-number", lambda desk: _number(desk), "GET")
    add("/me/number", "me-number-ask", _send, "POST")
    add("/me/number/check", "me-number-again", lambda desk: lead(url_for("me-number"), 303), "GET")
    add("/me/number/check", "me-number-try", _check, "POST")
    add("/me/no/<token>", "me-objection", _objection, "GET")
    add("/me/no/<token>", "me-object", _object, "POST")


def _lost(desk: Desk, *, problems: list[tuple[str, str]] | None = None, reference: str | None = None) -> Response:
    typed = {name: request.form.get(name, "")[:_LONGEST] for name in _FIELDS}
    return desk.page("lost", status=422 if problems else 200, problems=problems or (), typed=typed, reference=reference)


def _ask(desk: Desk) -> Response:
    form = {name: request.form.get(name, "")[:_LONGEST] for name in _FIELDS}
    problems: list[Problem] = []
    today = desk.services.clock.now().astimezone(desk.services.zone).date()
    born: date | None = None
    try:
        born = read_birth_date(form["day"], form["month"], form["year"], today=today)
    except BadInput as bad:
        problems += bad.problems
    try:
        claim = Claim(form["name"], form["nik"], born or today)
        asking.read_claim(desk.services, claim, form["phone"])
    except BadInput as bad:
        problems += bad.problems
    if problems:
        said = [(one.field.removeprefix("person."), words.problem_words(one.field, one.rule)) for one in problems]
        return _lost(desk, problems=sorted(said, key=lambda one: _FIELDS.index(one[0])))
    asked = asking.ask_unproven(
        desk.services, claim, form["phone"], door=DOOR, language=language(), address=request.remote_addr or ""
    )
    if asked.wait_s:
        return state_page(LIMITED, retry_after_s=asked.wait_s)
    return desk.page("lost-asked", reference=asked.reference)


def _number(desk: Desk, *, problems: list[tuple[str, str]] | None = None) -> Response:
    typed = {
        "reference": (request.form.get("reference") or request.args.get("reference") or "")[:_LONGEST],
        "phone": request.form.get("phone", "")[:_LONGEST],
    }
    return desk.page("number", status=422 if problems else 200, problems=problems or (), typed=typed)


def _send(desk: Desk) -> Response:
    """The code goes out where a request waits for the number; nobody is told whether one does."""
    typed, reference = request.form.get("phone", "")[:_LONGEST], _reference()
    problems = [] if reference else [("reference", words.problem_words("reference", "reference"))]
    try:
        values.read(desk.services, Field.PHONE, typed)
    except BadInput as bad:
        rule = bad.problems[0].rule if typed.strip() else "phone-missing"
        problems.append(("phone", words.problem_words("phone", rule)))
    if problems:
        return _number(desk, problems=problems)
    asked = otp.request(desk.services, typed, purpose=FOR, language=language(), address=request.remote_addr or "")
    if asked.wait_s:
        return state_page(ASKED_OFTEN, retry_after_s=asked.wait_s)
    phone = otp.phone_of(desk.services, asked.challenge)
    if phone is None:
        raise AssertionError("a challenge that was just made is there")
    return desk.asked(_code(desk, reference or "", phone), asked.challenge)


def _check(desk: Desk) -> Response:
    challenge, reference = desk.cookies.read("me-code"), _reference()
    if challenge is None or reference is None:
        return lead(url_for("me-number"), 303)
    checked = otp.check(desk.services, challenge, request.form.get("code", "")[:40], purpose=FOR)
    if checked.answer is not OtpAnswer.RIGHT or checked.phone is None:
        phone = otp.phone_of(desk.services, challenge)
        if phone is None:
            return lead(url_for("me-number"), 303)
        return _code(desk, reference, phone, answer=checked.answer.value, left=checked.tries_left, status=422)
    try:
        asking.number_proved(desk.services, reference, checked.phone, door=DOOR)
    except (NotFound, Refused):
        return state_page(words.NUMBER_UNKNOWN)
    response = state_page(words.NUMBER_CHANGED)
    desk.cookies.drop(response, "me-code")
    return response


def _code(desk: Desk, reference: str, phone: str, **more: Any) -> Response:
    shown: dict[str, Any] = {"answer": None, "left": 0, "wait_s": 0, "status": 200} | more
    return desk.page(
        "number-code", phone=masked_phone(phone), base="/me/number", reference=reference, typed_phone=phone, **shown
    )


def _objection(desk: Desk, token: str) -> Response:
    try:
        is_open = objection.is_open(desk.services, token)
    except BadToken:
        return state_page(UNKNOWN)
    return desk.page("objection") if is_open else state_page(words.OBJECTION_OVER)


def _object(desk: Desk, token: str) -> Response:
    try:
        is_done = objection.object_to(desk.services, token)
    except BadToken:
        return state_page(UNKNOWN)
    return state_page(words.OBJECTED if is_done else words.OBJECTION_OVER)


def _reference() -> str | None:
    """What was typed as a reference; None where it cannot be one."""
    found = read_reference(request.form.get("reference", "")[:_LONGEST])
    return found if len(found) == REFERENCE_LENGTH and found.isalnum() and found.isascii() else None
