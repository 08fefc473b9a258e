"""/me/<person>: one person of the account. Closed, it shows an initial; the own birth date or NIK opens it.

Somebody who is not on the number, or whom nobody ever was, is the same page: not found.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Flask, Response, current_app, request, url_for

from linkserver.devices import device_kind
from linkserver.public.buttons import lead
from linkserver.public.face import dose_words
from linkserver.public.link import DATE_WORDS
from linkserver.public.me.desk import Desk
from linkserver.public.me.words import DONE, LOCKED, NIK_WORDS
from linkserver.public.pages import LIMITED, UNKNOWN, state_page
from linkserver.words import N_, _, language
from notifier.certificates.birth_dates import read_birth_date
from notifier.certificates.facts import masked_nik
from notifier.core.errors import BadInput, NotFound
from notifier.core.identity import BadNik, read_nik
from notifier.core.ids import read_row_id
from notifier.support.account import deeds, family
from notifier.support.account.family import Member, Standing
from notifier.support.account.session import Session
from notifier.support.proof_of_person import TryAnswer
from notifier.support.vaccination_status import doubt_words, next_dose_ics, of_person
from notifier.support.vaccination_status.calendar import MIME

_DATE = ("day", "month", "year")
_LONGEST = 30
#: languages that an SMS has words in
SMS_LANGUAGES = {"id": N_("Indonesia"), "en": N_("Inggris")}
#: pages of other modules about an opened person, shown where they are there
OTHERS = {"me-correct": N_("Perbaiki nama, tanggal lahir, NIK, atau nomor")}
_COPY, _APPOINTMENT = N_("data-vaksin-saya") + ".json", N_("dosis-berikutnya") + ".ics"
Show = Callable[[Desk, Session, Member], Response]


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""

    def add(path: str, name: str, show: Show, *, methods: tuple[str, ...] = ("GET",)) -> None:
        """A route below a person who is in the account of whoever is signed in."""

        def view(session: Session, person: str) -> Response:
            row_id = read_row_id(person)
            member = family.member_of(desk.services, session, row_id) if row_id else None
            if member is None:
                return state_page(UNKNOWN)
            try:
                return show(desk, session, member)
            except NotFound:
                return state_page(UNKNOWN)

        app.add_url_rule(f"/me/<person>{path}", name, desk.guarded(view), methods=methods)

    add("", "me-person", _person)
    add("", "me-open", _open, methods=("POST",))
    add("/certificate", "me-certificate", _certificate, methods=("POST",))
    add("/language", "me-language", _language, methods=("POST",))
    add("/next-dose.ics", "me-next-dose", _next_dose)
    add("/data", "me-data", _data_page)
    add("/data", "me-copy", _data, methods=("POST",))
    add("/not-mine", "me-not-mine", _not_mine_page)
    add("/not-mine", "me-say-not-mine", _not_mine, methods=("POST",))


def _person(desk: Desk, session: Session, member: Member) -> Response:
    if member.standing is Standing.LOCKED:
        return state_page(LOCKED)
    if member.standing is Standing.PAUSED:
        return lead(url_for("me-not-mine", person=member.person_id), 303)
    if member.standing is not Standing.OPEN:
        return _form(desk, member)
    page = deeds.page_of(desk.services, session, member.person_id)
    person = page.person
    return desk.page(
        "person",
        person=person,
        nik=masked_nik(person.nik) if person.nik else None,
        held=[(one, dose_words(one.dose, None)) for one in page.certificates],
        vaccines=of_person(desk.services, person),
        doubt_words=doubt_words,
        languages={code: name for code, name in SMS_LANGUAGES.items() if code != person.language},
        spoken=SMS_LANGUAGES.get(person.language, SMS_LANGUAGES["id"]),
        others=[
            (url_for(name, person=person.id), words)
            for name, words in OTHERS.items()
            if name in current_app.view_functions
        ],
        done=DONE.get(request.args.get("done", "")),
    )


def _open(desk: Desk, session: Session, member: Member) -> Response:
    """Tries what was typed: the NIK where that form was sent, else the birth date."""
    if member.standing is not Standing.CLOSED:
        return _person(desk, session, member)
    if "nik" in request.form:
        typed = request.form["nik"][:_LONGEST]
        try:
            nik = read_nik(typed)
        except BadNik as error:
            return _form(desk, member, nik_problem=NIK_WORDS[error.rule if typed.strip() else "nik-missing"])
        return _tried(desk, member, family.open_by_nik(desk.services, session, member.person_id, nik), is_nik=True)
    today = desk.services.clock.now().astimezone(desk.services.zone).date()
    try:
        born = read_birth_date(*(request.form.get(name, "")[:_LONGEST] for name in _DATE), today=today)
    except BadInput as error:
        problems = tuple((problem.field, DATE_WORDS[problem.rule]) for problem in error.problems)
        return _form(desk, member, problems=problems)
    return _tried(desk, member, family.open_by_birth_date(desk.services, session, member.person_id, born))


def _tried(desk: Desk, member: Member, tried: TryAnswer, *, is_nik: bool = False) -> Response:
    if tried.is_right:
        return lead(url_for("me-person", person=member.person_id), 303)
    if tried.is_locked:
        return state_page(LOCKED)
    return _form(desk, member, tries_left=tried.tries_left, is_nik=is_nik)


def _form(
    desk: Desk,
    member: Member,
    *,
    problems: tuple[tuple[str, str], ...] = (),
    nik_problem: str | None = None,
    tries_left: int | None = None,
    is_nik: bool = False,
) -> Response:
    return desk.page(
        "open",
        status=200 if not problems and nik_problem is None and tries_left is None else 422,
        member=member,
        problems=problems,
        typed={name: request.form.get(name, "")[:_LONGEST] for name in _DATE},
        nik_problem=nik_problem,
        tries_left=tries_left,
        is_nik=is_nik,
    )


def _certificate(desk: Desk, session: Session, member: Member) -> Response:
    """Opens a certificate as its link would, on the pages of the door `link`; or who looked at it."""
    certificate_id = read_row_id(request.form.get("certificate", ""))
    if certificate_id is None:
        return state_page(UNKNOWN)
    is_history = request.form.get("show") == "history"
    public_id, proof = deeds.open_certificate(
        desk.services,
        session,
        member.person_id,
        certificate_id,
        device=device_kind(request.user_agent.string),
        is_noted=not is_history,
    )
    response = lead("", 303)
    view = desk.face.views.add(request, response, public_id, proof)
    response.location = url_for("who_looked" if is_history else "certificate", view=view)
    return response


def _language(desk: Desk, session: Session, member: Member) -> Response:
    wish = request.form.get("language", "")
    if wish in SMS_LANGUAGES:
        deeds.choose_language(desk.services, session, member.person_id, wish)
    return lead(url_for("me-person", person=member.person_id, done="language"), 303)


def _next_dose(desk: Desk, session: Session, member: Member) -> Response:
    """An appointment for the phone's calendar. NotFound where none can be said."""
    person = deeds.page_of(desk.services, session, member.person_id).person
    made = next_dose_ics(desk.services, person, of_person(desk.services, person), _, language())
    return _file(made, MIME, _APPOINTMENT)


def _data_page(desk: Desk, session: Session, member: Member) -> Response:
    page = deeds.page_of(desk.services, session, member.person_id)
    return desk.page("data", person=page.person)


def _data(desk: Desk, session: Session, member: Member) -> Response:
    made = deeds.copy_of(desk.services, session, member.person_id)
    if isinstance(made, int):
        return state_page(LIMITED, retry_after_s=made)
    text = json.dumps(made, ensure_ascii=False, indent=2)
    return _file((text + "\n").encode(), "application/json; charset=utf-8", _COPY)


def _file(content: bytes, content_type: str, name: str) -> Response:
    """A file to keep; `name` has a key of the catalogue before its suffix."""
    response = Response(content, content_type=content_type)
    stem, _dot, suffix = name.partition(".")
    response.headers["Content-Disposition"] = f'attachment; filename="{_(stem)}.{suffix}"'
    return response


def _not_mine_page(desk: Desk, _session: Session, member: Member) -> Response:
    return desk.page("not-mine", member=member)


def _not_mine(desk: Desk, session: Session, member: Member) -> Response:
    if request.form.get("not-mine") == "undo":
        deeds.unsay_not_mine(desk.services, session, member.person_id)
        return lead(url_for("me", done="mine"), 303)
    wait = deeds.say_not_mine(desk.services, session, member.person_id)
    return state_page(LIMITED, retry_after_s=wait) if wait else lead(url_for("me", done="not-mine"), 303)
