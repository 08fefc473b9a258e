"""Requests of people to correct their own data: the list, and one request with old and new beside each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import vocabulary
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of, rule_words
from linkserver.words import _, language
from notifier.access.roles import Permission
from notifier.certificates.facts import masked_nik
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.identity import initials_of
from notifier.core.ids import read_reference
from notifier.core.own_corrections import OPEN, Field, RefusedWhy, RequestState
from notifier.core.phones import masked_phone, national_form
from notifier.core.words import long_date
from notifier.services import Services
from notifier.support import corrections
from notifier.support.own_corrections import review
from notifier.support.own_corrections.review import Seen

_UNREADABLE, _CONFLICT = 422, 409
_DONE = frozenset({"confirm", "ask_evidence", "approve", "refuse"})
Deed = Callable[[str], AnyResponse]


def blueprint(services: Services) -> Blueprint:
    """`/requests`, `/requests/<reference>` and what can be done there."""
    part = Blueprint("own_corrections", __name__)

    @part.get("/requests")
    @needs(Permission.CASES_READ)
    def page() -> str:
        state, after = request.args.get("state", ""), request.args.get("after")
        chosen = RequestState(state) if state in set(RequestState) else None
        lines, more = review.listed(
            services,
            state=chosen,
            only_facility=me().only_facility,
            with_persons=me().may(Permission.PERSONS_READ),
            after=read_reference(after) if after else None,
        )
        now = services.clock.now()
        return render_template("own_corrections.html", lines=lines, more=more, state=chosen, now=now, **_words())

    @part.get("/requests/<reference>")
    @needs(Permission.CASES_READ)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, _seen(services, reference), done=done if done in _DONE else None)

    _looks(part, services)
    _deeds(part, services)
    return part


def _looks(part: Blueprint, services: Services) -> None:
    @part.post("/requests/<reference>/reveal")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """The whole values stand in this answer alone; asking again asks for a reason again."""

        def do(reason: str) -> AnyResponse:
            seen = review.reveal(services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor)
            return make_response(_page(services, seen, revealed=True))

        return _tried(services, reference, "reveal", do)

    @part.post("/requests/<reference>/evidence")
    @needs(Permission.PERSONS_REVEAL)
    def evidence(reference: str) -> AnyResponse:
        """The picture itself, which nothing keeps."""

        def do(reason: str) -> AnyResponse:
            picture = review.look_at_evidence(
                services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor
            )
            response = make_response(picture)
            response.headers["Content-Type"] = "image/jpeg"
            response.headers["Content-Disposition"] = "inline"
            return response

        return _tried(services, reference, "evidence", do)


def _deeds(part: Blueprint, services: Services) -> None:
    @part.post("/requests/<reference>/confirm")
    @needs(Permission.DOSES_CORRECT)
    def confirm(reference: str) -> AnyResponse:
        def do(_reason: str) -> AnyResponse:
            card = request.form.get("card_nik", "").strip()
            _raise_all(lambda: review.read_card(card), _read_checked)
            review.confirm(
                services,
                reference,
                card_nik=card,
                checked=_read_checked(),
                only_facility=me().only_facility,
                actor=me().actor,
            )
            return _done(reference, "confirm")

        return _tried(services, reference, "confirm", do)

    @part.post("/requests/<reference>/ask-evidence")
    @needs(Permission.CASES_ACT)
    def ask_evidence(reference: str) -> AnyResponse:
        def do(reason: str) -> AnyResponse:
            review.ask_evidence(services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor)
            return _done(reference, "ask_evidence")

        return _tried(services, reference, "ask_evidence", do)

    @part.post("/requests/<reference>/approve")
    @needs(Permission.CASES_ACT)
    def approve(reference: str) -> AnyResponse:
        def do(reason: str) -> AnyResponse:
            review.approve(services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor)
            return _done(reference, "approve")

        return _tried(services, reference, "approve", do)

    @part.post("/requests/<reference>/refuse")
    @needs(Permission.CASES_ACT)
    def refuse(reference: str) -> AnyResponse:
        def do(reason: str) -> AnyResponse:
            why = request.form.get("why", "")
            if why not in set(RefusedWhy):
                raise BadInput.of("why", "choice", "choose what the person is told")
            review.refuse(
                services,
                reference,
                RefusedWhy(why),
                only_facility=me().only_facility,
                reason=reason,
                actor=me().actor,
            )
            return _done(reference, "refuse")

        return _tried(services, reference, "refuse", do)


def _read_checked() -> corrections.Checked:
    return corrections.read_checked(request.form.get("checked", ""), request.form.get("checked_words", ""))


def _raise_all(*reads: Callable[[], Any]) -> None:
    """Raises what is wrong with several fields at once."""
    problems: list[Problem] = []
    for read in reads:
        try:
            read()
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)


def _done(reference: str, deed: str) -> AnyResponse:
    return redirect(url_for("own_corrections.show", reference=reference, done=deed), 303)


def _tried(services: Services, reference: str, deed: str, do: Deed) -> AnyResponse:
    try:
        return do(request.form.get("reason", ""))
    except BadInput as bad:
        problems = problems_of(bad)
        if deed == "approve":  # what would be recorded breaks a rule: nothing that was typed here
            problems = {
                "reason" if one.field == "reason" else "": rule_words(one.field, one.rule) for one in bad.problems
            }
        page = _page(services, _seen(services, reference), deed=deed, problems=problems)
        return make_response(page, _UNREADABLE)
    except Refused as refused:
        return make_response(_page(services, _seen(services, reference), deed=deed, refused=refused.reason), _CONFLICT)


def _seen(services: Services, reference: str) -> Seen:
    return review.show(services, reference, only_facility=me().only_facility)


def _page(services: Services, seen: Seen, **more: Any) -> str:
    shown: dict[str, Any] = {"deed": None, "problems": {}, "refused": None, "done": None, "revealed": False} | more
    about, told, whole = Field(seen.row.field), seen.values, shown["revealed"]
    claim = [_shown(Field(name), told.claim[name], whole) for name in ("name", "nik", "birth_date") if told.claim]
    return render_template(
        "own_correction.html",
        seen=seen,
        row=seen.row,
        deeds=_possible(seen),
        is_open=seen.row.state in OPEN,
        now=services.clock.now(),
        form=request.form,
        old=_shown(about, told.old, whole),
        new=_shown(about, told.value, whole),
        claim=claim,
        change=vocabulary.CHANGES.get(about, {}).get(seen.row.change or ""),
        **_words(),
        **shown,
    )


def _shown(about: Field, value: str | None, whole: bool) -> str:
    """A value as it may stand on the page: masked, unless somebody has said why they look."""
    if value is None:
        return "–"
    if about is Field.BIRTH_DATE:
        return long_date(date.fromisoformat(value), language()) if whole else _("tanggal lahir tidak ditampilkan")
    if about is Field.PHONE:
        return national_form(value) if whole and value.startswith("+") else value if whole else masked_phone(value)
    if about is Field.NIK:
        return value if whole else masked_nik(value)
    return value if whole else initials_of(value)


def _possible(seen: Seen) -> list[str]:
    """The buttons that make sense; the deed itself decides."""
    state = seen.row.state
    found = []
    if state == RequestState.UNPROVEN and seen.fits:
        found.append("confirm")
    if state == RequestState.REVIEW:
        found += ["approve"] * (not seen.is_taken and not seen.is_stale) + ["ask_evidence"]
    return found + ["refuse"] * (state in OPEN)


def _words() -> dict[str, Any]:
    return {
        "fields": {about.value: vocabulary.FIELDS[about.value] for about in Field},
        "states": vocabulary.REQUEST_STATES,
        "proofs": vocabulary.PROOFS,
        "hows": vocabulary.HOWS,
        "whys": vocabulary.REFUSED_WHYS,
        "checks": vocabulary.CHECKED,
    }
