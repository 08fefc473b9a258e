"""Messages: listed by state; one message with its timeline; resend and cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.resends import wanted_time
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.core.states import NOT_LEFT, DoseStatus, Kind, State
from notifier.services import Services
from notifier.store.desk import WHICH, Narrow
from notifier.support import desk, resend, revoke
from notifier.support.revoke import Scope
from notifier.support.timeline import Timeline, timeline

_UNREADABLE, _CONFLICT = 422, 409
_DONE = frozenset({"resent", "cancelled", "held", "unlocked", "corrected", "withdrawn", "revoked"})
#: what narrows the list besides the states: the links of the start page carry them
_NARROWING = ("reason", "day", "since", "facility", "which")


def blueprint(services: Services) -> Blueprint:
    """`/messages`, `/messages/<reference>` and what can be done there."""
    part = Blueprint("messages", __name__)
    _lists(part, services)
    _deeds(part, services)
    _protections(part, services)
    return part


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/messages")
    @needs(Permission.MESSAGES_READ)
    def search() -> str:
        states, own = _wanted_states(), me().only_facility
        lines, more = desk.listed(
            services,
            states=states,
            only_facility=own if own is not None else _word("facility"),
            with_persons=me().may(Permission.PERSONS_READ),
            before=_word("before"),
            narrow=_narrow(services),
        )
        chosen = request.args.get("state", "")
        narrowed = {name: values for name in _NARROWING if (values := request.args.getlist(name))}
        if len(request.args.getlist("state")) > 1:
            narrowed["state"] = request.args.getlist("state")
        return render_template(
            "messages.html", lines=lines, more=more, chosen=chosen, narrowed=narrowed, typed={}, problems={}
        )

    @part.get("/messages/<reference>")
    @needs(Permission.MESSAGES_READ)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, reference, done=done if done in _DONE else None)


def _word(name: str) -> str | None:
    return request.args.get(name, "").replace("\0", "") or None  # PostgreSQL takes no NUL


def _wanted_states() -> list[State]:
    wanted = {State(word) for word in request.args.getlist("state") if word in set(State)}
    if wanted & {State.CLAIMED, State.SENDING}:
        wanted |= {State.CLAIMED, State.SENDING}  # one to a reader
    return sorted(wanted)


def _narrow(services: Services) -> Narrow:
    """What the numbers of the start page lead to; words that we do not know narrow nothing."""
    which, day = request.args.get("which"), request.args.get("day", "")
    start, end = _moments(services, day, day) if day else _moments(services, request.args.get("since", ""), "")
    return Narrow(
        reason=_word("reason"),
        since=start,
        until=end,
        which=which if which in WHICH else None,
        now=services.clock.now(),
    )


def _moments(services: Services, first: str, last: str) -> tuple[datetime | None, datetime | None]:
    """The first moment of a day of the programme's zone, and the first after another."""
    try:
        start = datetime.combine(date.fromisoformat(first), time(), services.zone)
        end = datetime.combine(date.fromisoformat(last), time(), services.zone) + timedelta(days=1) if last else None
        return start.astimezone(UTC), end.astimezone(UTC) if end else None
    except (ValueError, OverflowError):
        return None, None


def _deeds(part: Blueprint, services: Services) -> None:
    @part.post("/messages/<reference>/resend")
    @needs(Permission.MESSAGES_ACT)
    def send_again(reference: str) -> AnyResponse:
        """With `step=preview` only shown: to which number, what, when, what it costs."""
        if request.form.get("step") == "preview":
            return _previewed(services, reference)

        def do(ref: str, reason: str) -> str:
            row = resend.resend(services, ref, at=wanted_time(services), reason=reason, actor=me().actor)
            return url_for("messages.show", reference=row.reference, done="resent")

        return _act(services, reference, "resend", do)

    @part.post("/messages/<reference>/cancel")
    @needs(Permission.MESSAGES_ACT)
    def cancel(reference: str) -> AnyResponse:
        def do(ref: str, reason: str) -> str:
            row = resend.cancel(services, ref, reason=reason, actor=me().actor)
            return url_for("messages.show", reference=row.reference, done="cancelled")

        return _act(services, reference, "cancel", do)

    @part.post("/messages/<reference>/hold")
    @needs(Permission.MESSAGES_ACT)
    def set_aside(reference: str) -> AnyResponse:
        def do(ref: str, reason: str) -> str:
            row = resend.set_aside(services, ref, reason=reason, actor=me().actor)
            return url_for("messages.show", reference=row.reference, done="held")

        return _act(services, reference, "hold", do)


def _protections(part: Blueprint, services: Services) -> None:
    @part.post("/messages/<reference>/revoke")
    @needs(Permission.LINKS_REVOKE)
    def revoke_links(reference: str) -> AnyResponse:
        def do(ref: str, reason: str) -> str:
            scope = Scope.PERSON if request.form.get("scope") == Scope.PERSON else Scope.DOSE
            only = me().only_facility
            revoke.revoke(services, ref, scope=scope, only_facility=only, reason=reason, actor=me().actor)
            return url_for("messages.show", reference=ref, done="revoked")

        return _act(services, reference, "revoke", do)

    @part.post("/messages/<reference>/unlock")
    @needs(Permission.CASES_ACT)
    def unlock(reference: str) -> AnyResponse:
        def do(ref: str, reason: str) -> str:
            resend.unlock(services, ref, reason=reason, actor=me().actor)
            return url_for("messages.show", reference=ref, done="unlocked")

        return _act(services, reference, "unlock", do)

    @part.post("/messages/<reference>/reveal")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """The number stands in this answer alone; asking again asks for a reason again."""
        row = desk.find(services, reference, only_facility=me().only_facility)
        try:
            phone = desk.reveal_phone(services, row, reason=request.form.get("reason", ""), actor=me().actor)
        except BadInput as bad:
            problems = problems_of(bad)
            return make_response(_page(services, row.reference, deed="reveal", problems=problems), _UNREADABLE)
        return make_response(_page(services, row.reference, phone=phone))


def _act(services: Services, reference: str, deed: str, do: Callable[[str, str], str]) -> AnyResponse:
    """Does something with a message that the reader may see; `do(reference, reason)` answers where to go."""
    row = desk.find(services, reference, only_facility=me().only_facility)
    try:
        target = do(row.reference, request.form.get("reason", ""))
    except BadInput as bad:
        problems = problems_of(bad)
        return make_response(_page(services, row.reference, deed=deed, problems=problems), _UNREADABLE)
    except Refused as refused:
        more = {"refused": refused.reason, "not_before": refused.not_before}
        return make_response(_page(services, row.reference, deed=deed, **more), _CONFLICT)
    return redirect(target, 303)


def _previewed(services: Services, reference: str) -> AnyResponse:
    """The page before a resend; whatever would refuse it does so here already."""
    row = desk.find(services, reference, only_facility=me().only_facility)
    try:
        resend.read_reason(request.form.get("reason", ""))
        wanted = wanted_time(services)
        plan = resend.preview(services, row.reference, at=wanted)
    except BadInput as bad:
        problems = problems_of(bad)
        return make_response(_page(services, row.reference, deed="resend", problems=problems), _UNREADABLE)
    except Refused as refused:
        more = {"refused": refused.reason, "not_before": refused.not_before}
        return make_response(_page(services, row.reference, deed="resend", **more), _CONFLICT)
    moved = plan.due_at > max(wanted or plan.due_at, services.clock.now())
    host = services.settings.public_url.partition("://")[2]
    shown_link = f"{host}/c/…"
    return make_response(
        render_template(
            "resend_confirm.html", row=plan.row, plan=plan, moved=moved, shown_link=shown_link, form=request.form
        )
    )


def _page(services: Services, reference: str, **more: Any) -> str:
    seen = timeline(services, reference, only_facility=me().only_facility)
    now = services.clock.now().astimezone(services.zone)
    return render_template(
        "message.html",
        seen=seen,
        row=seen.notification,
        can_cancel=State(seen.notification.status) in NOT_LEFT,
        can_hold=State(seen.notification.status) in NOT_LEFT - {State.HELD},
        can_resend=_may_be_resent(seen),
        can_correct=seen.dose is not None and seen.dose.status == DoseStatus.GIVEN and seen.person is not None,
        can_revoke=seen.link is not None and seen.dose is not None,
        earliest=now.strftime("%Y-%m-%dT%H:%M"),
        zone_name=now.tzname(),
        form=request.form,
        **({"deed": None, "problems": {}, "refused": None, "not_before": None, "done": None, "phone": None} | more),
    )


def _may_be_resent(seen: Timeline) -> bool:
    """Whether the button makes sense; resend itself decides."""
    row = seen.notification
    if row.status == State.HELD:
        return True
    waiting = {*NOT_LEFT, State.SENDING}
    return (
        Kind(row.kind) in resend.RESENDABLE
        and seen.dose is not None
        and seen.dose.status == DoseStatus.GIVEN
        and not any(State(other.status) in waiting for other in (row, *seen.others))
    )
