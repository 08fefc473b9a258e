"""What staff do with a list. Of two who press at once one wins; the other is told (Refused)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Problem, Refused
from notifier.core.ids import read_reference
from notifier.intake.rows import FIELDS, header_problems
from notifier.intake.uploads import columns, pieces
from notifier.intake.uploads.check import Verdict
from notifier.intake.uploads.receive import Uploader
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import audit, uploads
from notifier.store.uploads import Row, UploadStatus

_CHANGED = "upload-changed"
_BEGUN_ANEW = {
    "next_chunk": 0,
    "rows_done": 0,
    "attempts": 0,
    "lease_token": None,
    "lease_until": None,
    "paused_at": None,
    "is_stuck": False,
}


def name_columns(services: Services, reference: str, meanings: Sequence[str], *, by: Uploader) -> None:
    """Says what the columns mean, and has the list checked; the facility's next file of this header is read so too.
    Raises BadInput with our columns at fault, Refused, NotFound."""
    problems = header_problems(meanings, require_birth_date=services.settings.link_check is not LinkCheck.NONE)
    if any(meaning and meaning not in FIELDS for meaning in meanings):
        problems = [Problem("columns", "choice", "choose one of the columns")]
    if problems:
        raise BadInput(problems)

    def do(conn: Connection, row: Row) -> None:
        if len(meanings) != len(row.columns):
            raise Refused(_CHANGED)
        headings = pieces.headings_of(services, row)
        at = services.clock.now()
        _move(conn, row, UploadStatus.CHECKING, columns=list(meanings), checked={}, **_BEGUN_ANEW)
        uploads.forget_check(conn, row.id)
        kept = columns.to_keep(headings, meanings)
        uploads.keep_mapping(conn, row.facility_id or "", row.header_index, kept, at)

    allowed = {UploadStatus.COLUMNS, UploadStatus.CHECKED}
    _done(services, reference, "upload.columns-named", allowed, do, by=by)


def record(services: Services, reference: str, *, count: int, by: Uploader) -> None:
    """Has the good rows of a checked list recorded. `count`: how many somebody saw there. Raises Refused, NotFound."""

    def do(conn: Connection, row: Row) -> None:
        good = row.checked.get("counts", {}).get(Verdict.GOOD, 0)
        if count != good or not good:
            raise Refused(_CHANGED)
        _move(conn, row, UploadStatus.RECORDING, started_by=by.staff_id, **_BEGUN_ANEW)

    _done(services, reference, "upload.started", {UploadStatus.CHECKED}, do, by=by)


def pause(services: Services, reference: str, *, by: Uploader) -> None:
    """Stops the work between two pieces. Raises Refused, NotFound."""

    def do(conn: Connection, row: Row) -> None:
        if row.paused_at is not None:
            raise Refused(_CHANGED)
        _move(conn, row, paused_at=services.clock.now())

    _done(services, reference, "upload.paused", _AT_WORK, do, by=by)


def resume(services: Services, reference: str, *, by: Uploader) -> None:
    """Goes on where the work was stopped. Raises Refused, NotFound."""

    def do(conn: Connection, row: Row) -> None:
        if row.paused_at is None:
            raise Refused(_CHANGED)
        _move(conn, row, paused_at=None, is_stuck=False, attempts=0, lease_token=None, lease_until=None)

    _done(services, reference, "upload.resumed", _AT_WORK, do, by=by)


def cancel(services: Services, reference: str, *, by: Uploader) -> None:
    """Gives a list up. Before anything was recorded nothing of it stays; of one that was paused half-way, what was
    recorded stays recorded. Raises Refused, NotFound."""

    def do(conn: Connection, row: Row) -> None:
        at = services.clock.now()
        if row.status == UploadStatus.RECORDING and row.paused_at is None:
            raise Refused("pause-first")
        _move(conn, row, UploadStatus.CANCELLED, ended_at=at, paused_at=None, is_stuck=False)
        if row.status == UploadStatus.RECORDING:
            uploads.drop_file(conn, row.id)
        else:
            uploads.empty(conn, row, at)
            uploads.update(conn, row.id, status=UploadStatus.CANCELLED.value)

    _done(services, reference, "upload.cancelled", set(UploadStatus) - uploads.ENDED, do, by=by)


_AT_WORK = {UploadStatus.CHECKING, UploadStatus.RECORDING}


def _done(
    services: Services,
    reference: str,
    action: str,
    allowed: set[UploadStatus],
    do: Callable[[Connection, Row], None],
    *,
    by: Uploader,
) -> None:
    """`do` with the list, kept from changing meanwhile, and the word of it in the audit."""
    with services.db.write() as conn:
        row = uploads.find_visible(conn, read_reference(reference), by.facility_id, lock=True)
        if row is None:
            raise NotFound("there is no upload with this reference")
        if row.status not in allowed:
            raise Refused(_CHANGED)
        do(conn, row)
        audit.write(
            conn,
            at=services.clock.now(),
            actor=by.actor,
            action=action,
            subject="upload",
            subject_id=row.id,
            reference=row.reference,
            rows_done=row.rows_done,
        )


def _move(conn: Connection, row: Row, new: UploadStatus | None = None, **values: Any) -> None:
    if not uploads.move(conn, row, new, **values):
        raise Refused(_CHANGED)
