"""Bulk resends: the list, the filter with its dry run, one bulk with its numbers, and what can be done with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import vocabulary
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.bulks import ACTIVE, BulkState
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import new_reference
from notifier.core.resend_filter import ResendFilter, Wanted, read_filter
from notifier.core.states import NOT_LEFT
from notifier.services import Services
from notifier.store import bulks
from notifier.support import bulk_report, bulk_resend
from notifier.support.bulk_report import NAMES

_UNREADABLE, _CONFLICT = 422, 409
FIELDS = ("state", "reason", "code", "facility", "lot", "product", "since", "until", "sent_since", "sent_until",
          "unopened_days")  # fmt: skip
_DONE = frozenset({"created", "approved", "paused", "resumed", "cancelled"})
_DEEDS: dict[str, tuple[Callable[..., int], str]] = {
    "pause": (bulk_resend.pause, "paused"),
    "resume": (bulk_resend.resume, "resumed"),
    "cancel": (bulk_resend.cancel, "cancelled"),
}


def blueprint(services: Services) -> Blueprint:
    """`/resends` and everything about one bulk."""
    part = Blueprint("resends", __name__)
    part.context_processor(words)
    _lists(part, services)
    _making(part, services)
    _one(part, services)
    _deeds(part, services)
    return part


def words() -> dict[str, Any]:
    """What these templates look up beside the words of every page."""
    return {
        "bulk_words": vocabulary.BULK_STATES,
        "schedule_words": vocabulary.SCHEDULE_STATES,
        "wanted_words": vocabulary.WANTED,
        "span_words": vocabulary.SPANS,
        "exclusion_words": vocabulary.EXCLUSIONS,
        "bulk_deed_words": vocabulary.BULK_DEEDS,
        "part_words": vocabulary.BULK_PARTS,
        "filter_reasons": vocabulary.FILTER_REASONS,
    }


def read_typed(typed: Mapping[str, str]) -> tuple[ResendFilter | None, dict[str, str]]:
    """A filter as typed, or what is wrong with it, by field."""
    try:
        return read_filter(typed), {}
    except BadInput as bad:
        return None, problems_of(bad)


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/resends")
    @needs(Permission.BULK_READ)
    def page() -> str:
        found, more = bulk_report.listed(services, before=_word("before"))
        lines = [(row, bulk_resend.filter_of(row)) for row in found]
        return render_template("resends.html", lines=lines, more=more, now=services.clock.now())

    @part.get("/resends/<reference>/rows")
    @needs(Permission.BULK_READ)
    def rows(reference: str) -> str:
        row, name = bulk_resend.find(services, reference), request.args.get("what", "")
        if name not in NAMES:
            abort(404)
        reason = _word("reason")
        lines, more = bulk_report.rows(services, row, name, reason=reason, after=_word("after"))
        return render_template("resend_rows.html", row=row, name=name, reason=reason, lines=lines, more=more)

    @part.get("/resends/<reference>/report.csv")
    @needs(Permission.BULK_READ)
    def report(reference: str) -> Response:
        row = bulk_resend.find(services, reference)
        response = Response(_csv(bulk_report.report(services, row)), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="kirim-ulang-{row.reference}.csv"'
        return response


def _word(name: str) -> str | None:
    return request.args.get(name, "").replace("\0", "") or None  # PostgreSQL takes no NUL


def _csv(rows: Iterator[tuple[str, str, str, str]]) -> Iterator[str]:
    yield "reference,new_reference,state,reason\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)
        yield line.getvalue()


def _making(part: Blueprint, services: Services) -> None:
    @part.get("/resends/new")
    @needs(Permission.BULK_WRITE)
    def new() -> AnyResponse:
        typed = {name: request.args.get(name, "") for name in FIELDS}
        if not any(typed.values()):
            return make_response(_form(services, typed))
        wanted, problems = read_typed(typed)
        if wanted is None:
            return make_response(_form(services, typed, problems=problems), _UNREADABLE)
        return make_response(_looked_at(services, typed, wanted))

    @part.post("/resends/new")
    @needs(Permission.BULK_WRITE)
    def create() -> AnyResponse:
        typed = {name: request.form.get(name, "") for name in FIELDS}
        wanted, problems = read_typed(typed)
        if wanted is None:
            return make_response(_form(services, typed, problems=problems), _UNREADABLE)
        try:
            row = bulk_resend.create(
                services,
                wanted,
                at=wanted_time(services),
                reason=request.form.get("why", ""),
                actor=me().actor,
                key=request.form.get("key", ""),
            )
        except BadInput as bad:
            problems = {"why" if name == "reason" else name: text for name, text in problems_of(bad).items()}
            return make_response(_looked_at(services, typed, wanted, problems=problems), _UNREADABLE)
        except Refused as refused:
            return make_response(_looked_at(services, typed, wanted, refused=refused.reason), _CONFLICT)
        return redirect(url_for("resends.show", reference=row.reference, done="created"), 303)


def wanted_time(services: Services) -> datetime | None:
    """The moment that was chosen, in the programme's zone; None for now. Raises BadInput."""
    if request.form.get("when", "now") == "now":
        return None
    try:
        chosen = datetime.fromisoformat(request.form.get("at", ""))
        return (chosen if chosen.tzinfo else chosen.replace(tzinfo=services.zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 in Jakarta is before all years in UTC
        raise BadInput.of("at", "moment", "choose a date and a time") from None


def _form(services: Services, typed: Mapping[str, str], **more: Any) -> str:
    now = services.clock.now().astimezone(services.zone)
    return render_template(
        "resend_new.html",
        typed=typed,
        form=request.form,
        wanted_kinds=list(Wanted),
        earliest=now.strftime("%Y-%m-%dT%H:%M"),
        zone_name=now.tzname(),
        **({"seen": None, "problems": {}, "refused": None, "key": ""} | more),
    )


def _looked_at(services: Services, typed: Mapping[str, str], wanted: ResendFilter, **more: Any) -> str:
    seen = bulk_resend.preview(services, wanted, with_persons=me().may(Permission.PERSONS_READ))
    return _form(services, typed, seen=seen, key=request.form.get("key") or new_reference(), **more)


def _one(part: Blueprint, services: Services) -> None:
    @part.get("/resends/<reference>")
    @needs(Permission.BULK_READ)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, bulk_resend.find(services, reference), done=done if done in _DONE else None)

    @part.get("/resends/<reference>/approve")
    @needs(Permission.BULK_APPROVE)
    def approval(reference: str) -> AnyResponse:
        return _approval(services, bulk_resend.find(services, reference))

    @part.post("/resends/<reference>/approve")
    @needs(Permission.BULK_APPROVE)
    def approve(reference: str) -> AnyResponse:
        seen = request.form.get("seen", "")
        confirmed = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None
        try:
            row = bulk_resend.approve(services, reference, actor=me().actor, confirmed=confirmed)
        except Refused as refused:
            row = bulk_resend.find(services, reference)
            if row.state == BulkState.ASKED:
                return _approval(services, row, refused=refused.reason)
            return make_response(_page(services, row, refused=refused.reason), _CONFLICT)
        return redirect(url_for("resends.show", reference=row.reference, done="approved"), 303)


def _approval(services: Services, row: bulks.Row, refused: str | None = None) -> AnyResponse:
    """The same filter, counted anew: what somebody says yes to is what is there now."""
    if row.state != BulkState.ASKED:
        return redirect(url_for("resends.show", reference=row.reference), 303)
    seen = bulk_resend.recount(services, row, with_persons=me().may(Permission.PERSONS_READ))
    body = render_template(
        "resend_approve.html",
        row=row,
        seen=seen,
        changed=bulk_resend.has_changed(row, seen.included),
        own=row.made_by == me().actor,
        refused=refused,
    )
    return make_response(body, _CONFLICT if refused else 200)


def _deeds(part: Blueprint, services: Services) -> None:
    @part.post("/resends/<reference>/pause")
    @needs(Permission.BULK_WRITE)
    def pause(reference: str) -> AnyResponse:
        return _act(services, reference, "pause")

    @part.post("/resends/<reference>/resume")
    @needs(Permission.BULK_WRITE)
    def resume(reference: str) -> AnyResponse:
        return _act(services, reference, "resume")

    @part.post("/resends/<reference>/cancel")
    @needs(Permission.BULK_WRITE)
    def cancel(reference: str) -> AnyResponse:
        return _act(services, reference, "cancel")


def _act(services: Services, reference: str, deed: str) -> AnyResponse:
    do, done = _DEEDS[deed]
    try:
        do(services, reference, reason=request.form.get("reason", ""), actor=me().actor)
    except BadInput as bad:
        row = bulk_resend.find(services, reference)
        return make_response(_page(services, row, deed=deed, problems=problems_of(bad)), _UNREADABLE)
    except Refused as refused:
        row = bulk_resend.find(services, reference)
        return make_response(_page(services, row, deed=deed, refused=refused.reason), _CONFLICT)
    return redirect(url_for("resends.show", reference=reference, done=done), 303)


def _page(services: Services, row: bulks.Row, **more: Any) -> str:
    seen = bulk_resend.progress(services, row)
    return render_template(
        "resend.html",
        row=row,
        wanted=bulk_resend.filter_of(row),
        seen=seen,
        deeds=bulk_report.deeds(services, row.id),
        now=services.clock.now(),
        live=request.args.get("live") == "1" and row.state == BulkState.RUNNING,
        can_cancel=row.state in ACTIVE,
        waits=sorted(NOT_LEFT),
        form=request.form,
        **({"deed": None, "problems": {}, "refused": None, "done": None} | more),
    )
