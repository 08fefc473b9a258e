"""Lists of doses: brought as a file, its columns named, checked, recorded; what was refused goes back as a file."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, stream_with_context, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from linkserver.security import drain
from linkserver.staff.gate import me, needs, takes_file
from linkserver.staff.vocabulary import place_words, row_rule_words
from linkserver.words import N_, _, language
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.intake.rows import FIELDS
from notifier.intake.uploads import deeds, look
from notifier.intake.uploads.columns import REASON_HEADINGS
from notifier.intake.uploads.receive import MOST_BYTES, Uploader, receive
from notifier.services import Services
from notifier.store.uploads import UploadStatus

_UNREADABLE, _CONFLICT = 422, 409
_LARGEST_BODY = MOST_BYTES + 64 * 1024  # a form puts something around a file
_DONE = frozenset({"paused", "resumed", "cancelled", "started"})
_AT_WORK = frozenset({UploadStatus.CHECKING, UploadStatus.RECORDING})
_REASON_HEADINGS = {"id": REASON_HEADINGS[0], "en": REASON_HEADINGS[1]}
_FILE_NAME = N_("ditolak")


def blueprint(services: Services) -> Blueprint:
    """`/uploads`, `/uploads/new`, `/uploads/<reference>` and what can be done there."""
    part = Blueprint("uploads", __name__)
    _lists(part, services)
    _brings(part, services)
    _deeds(part, services)
    return part


def _whoever() -> Uploader:
    return Uploader(me().staff_id, me().only_facility)


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/uploads")
    @needs(Permission.UPLOADS)
    def page() -> str:
        lines, more = look.listed(services, only_facility=me().only_facility, before=request.args.get("before"))
        return render_template("uploads.html", lines=lines, more=more)

    @part.get("/uploads/<reference>")
    @needs(Permission.UPLOADS)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, reference, done=done if done in _DONE else None)

    @part.get("/uploads/<reference>/rows")
    @needs(Permission.UPLOADS)
    def rows(reference: str) -> str:
        seen = look.find(services, reference, only_facility=me().only_facility)
        number = request.args.get("part", 0, type=int)
        if not 0 <= number < seen.row.chunks:
            raise NotFound("there is no such part")
        results = look.results(services, seen.row, number)
        return render_template("upload_rows.html", seen=seen, row=seen.row, results=results, number=number)

    @part.get("/uploads/<reference>/refused.csv")
    @needs(Permission.UPLOADS)
    def refused(reference: str) -> Response:
        row = look.find(services, reference, only_facility=me().only_facility).row
        heading = _REASON_HEADINGS.get(language(), REASON_HEADINGS[0])
        parts = look.refused_file(services, row, heading=heading, explain=_explained, by=_whoever())
        response = Response(stream_with_context(parts), content_type="text/csv; charset=utf-8")
        name = f"sertilink-{_(_FILE_NAME)}-{row.reference}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _explained(field: str, rule: str) -> str:
    return f"{_(place_words(field))}: {_(row_rule_words(field, rule))}"


def _brings(part: Blueprint, services: Services) -> None:
    @part.get("/uploads/new")
    @needs(Permission.UPLOADS)
    def new() -> str:
        return render_template("upload_new.html", problems={})

    @part.post("/uploads/new")
    @needs(Permission.UPLOADS)
    @takes_file(_LARGEST_BODY)
    def bring() -> AnyResponse:
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return _not_taken("file", "required")
        try:
            reference = receive(services, BytesIO(sent.read()), name=sent.filename, by=_whoever())
        except BadInput as bad:
            return _not_taken(bad.problems[0].field, bad.problems[0].rule)
        return redirect(url_for("uploads.show", reference=reference), 303)

    @part.errorhandler(RequestEntityTooLarge)
    def too_large(_error: RequestEntityTooLarge) -> AnyResponse:
        drain()  # or the browser shows a broken connection
        return _not_taken("file", "too-large", 413)


def _not_taken(field: str, rule: str, status: int = _UNREADABLE) -> AnyResponse:
    return make_response(render_template("upload_new.html", problems={"file": row_rule_words(field, rule)}), status)


def _deeds(part: Blueprint, services: Services) -> None:
    @part.post("/uploads/<reference>/columns")
    @needs(Permission.UPLOADS)
    def name_columns(reference: str) -> AnyResponse:
        row = look.find(services, reference, only_facility=me().only_facility).row
        chosen = [request.form.get(f"column-{place}", "") for place in range(len(row.columns))]
        try:
            deeds.name_columns(services, reference, chosen, by=_whoever())
        except BadInput as bad:
            problems: dict[str, str] = {}
            for problem in bad.problems:
                problems.setdefault(problem.field, row_rule_words(problem.field, problem.rule))
            return make_response(_page(services, reference, chosen=chosen, problems=problems), _UNREADABLE)
        except Refused as refused:
            return make_response(_page(services, reference, refused=refused.reason), _CONFLICT)
        return redirect(url_for("uploads.show", reference=row.reference, live=1), 303)

    @part.post("/uploads/<reference>/record")
    @needs(Permission.UPLOADS)
    def record(reference: str) -> AnyResponse:
        count = request.form.get("count", -1, type=int)
        return _act(services, reference, "started", lambda **by: deeds.record(services, reference, count=count, **by))

    @part.post("/uploads/<reference>/pause")
    @needs(Permission.UPLOADS)
    def pause(reference: str) -> AnyResponse:
        return _act(services, reference, "paused", lambda **by: deeds.pause(services, reference, **by))

    @part.post("/uploads/<reference>/resume")
    @needs(Permission.UPLOADS)
    def resume(reference: str) -> AnyResponse:
        return _act(services, reference, "resumed", lambda **by: deeds.resume(services, reference, **by))

    @part.post("/uploads/<reference>/cancel")
    @needs(Permission.UPLOADS)
    def cancel(reference: str) -> AnyResponse:
        return _act(services, reference, "cancelled", lambda **by: deeds.cancel(services, reference, **by))


def _act(services: Services, reference: str, done: str, do: Callable[..., None]) -> AnyResponse:
    try:
        do(by=_whoever())
    except Refused as refused:
        return make_response(_page(services, reference, refused=refused.reason), _CONFLICT)
    live = 1 if done in {"started", "resumed"} else None
    return redirect(url_for("uploads.show", reference=reference, done=done, live=live), 303)


def _page(services: Services, reference: str, **more: Any) -> str:
    seen = look.find(services, reference, only_facility=me().only_facility)
    row, status = seen.row, UploadStatus(seen.row.status)
    wants_columns = status is UploadStatus.COLUMNS or (
        status is UploadStatus.CHECKED and ("columns" in request.args or bool(more.get("problems")))
    )
    told: dict[str, Any] = {"seen": seen, "row": row, "refused": None, "done": None, "problems": {}} | more
    if wants_columns:
        chosen = more.get("chosen") or list(row.columns)
        columns = look.columns_of(services, row)
        return render_template("upload_columns.html", **(told | {"chosen": chosen, "columns": columns, "ours": FIELDS}))
    after = max(0, request.args.get("after", 0, type=int))
    refusals, has_more = look.refusals(services, row, after=after)
    at_work = status in _AT_WORK and row.paused_at is None
    told |= {"refusals": refusals, "has_more": has_more, "after": after, "at_work": at_work}
    return render_template("upload.html", live=at_work and "live" in request.args, **told)
