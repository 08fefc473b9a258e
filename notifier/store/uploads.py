"""Uploaded lists: their rows, and the compare-and-set by which one worker and one colleague at a time move them on.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.store.bulk import insert_rows
from notifier.store.engine import Lease
from notifier.store.tables import upload, upload_chunk, upload_mapping, upload_refusal
from notifier.store.tables.uploads import HOLDS_ROWS, WAITS_FOR_WORK

Row = sa.Row[Any]
_WAITS = sa.text(WAITS_FOR_WORK)  # literal: a bound parameter would not match the partial index
_AT_REST = sa.text(f"NOT ({WAITS_FOR_WORK})")


class UploadStatus(StrEnum):
    """Where a list stands."""

    COLUMNS = "columns"  #: somebody must say what its columns mean
    CHECKING = "checking"
    CHECKED = "checked"  #: somebody must decide
    RECORDING = "recording"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  #: nobody decided in time, and the file is gone


#: how long a list holds what persons wrote, whatever becomes of it
KEPT = timedelta(days=7)
ENDED = frozenset({UploadStatus.DONE, UploadStatus.CANCELLED, UploadStatus.EXPIRED})


def insert(conn: Connection, row: Mapping[str, Any], chunks: Sequence[Mapping[str, Any]]) -> None:
    """Adds a list with its pieces."""
    conn.execute(upload.insert(), dict(row))
    insert_rows(conn, upload_chunk, chunks)


def find_visible(conn: Connection, reference: str, facility_id: str | None, *, lock: bool = False) -> Row | None:
    """The list with a reference, as far as the facility's staff may see it. `lock`: kept from changing until the
    transaction ends."""
    statement = _narrowed(sa.select(upload).where(upload.c.reference == reference), facility_id)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def listed(conn: Connection, *, facility_id: str | None, limit: int, before: str | None = None) -> list[Row]:
    """Lists, newest first; `before`: only those older than this reference."""
    statement = _narrowed(sa.select(upload), facility_id)
    if before is not None:
        mark = sa.select(upload.c.created_at, upload.c.id).where(upload.c.reference == before).cte()
        at, row_id = sa.select(mark.c.created_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        same_moment = sa.and_(upload.c.created_at == at, upload.c.id < row_id)
        statement = statement.where(sa.or_(upload.c.created_at < at, same_moment))
    return list(conn.execute(statement.order_by(upload.c.created_at.desc(), upload.c.id.desc()).limit(limit)))


def move(conn: Connection, row: Row, new: UploadStatus | None = None, **values: Any) -> bool:
    """Moves a list on from where `row` saw it; False where somebody else was first."""
    statement = upload.update().where(
        upload.c.id == row.id,
        upload.c.status == row.status,
        upload.c.paused_at.is_(None) if row.paused_at is None else upload.c.paused_at == row.paused_at,
    )
    changed = values | ({"status": new.value} if new else {})
    return conn.execute(statement.values(**changed)).rowcount == 1


def due(now: Any) -> sa.Select[Any]:
    """The lists that wait for a worker, as a question (`several.any_of`). `now`: the leases'."""
    return sa.select(upload.c.id).where(_free(now))


def overdue(at: datetime) -> sa.Select[Any]:
    """Those that are so old that their rows are to go."""
    return sa.select(upload.c.id).where(*_is_old(at))


def claim(conn: Connection, token: str, lease: Lease) -> Row | None:
    """Takes the list that has waited longest, under a lease; None where none waits. Counts an attempt."""
    due = sa.select(upload.c.id).where(_free(lease.now)).order_by(upload.c.worked_at).limit(1)
    statement = (
        upload.update()
        .where(upload.c.id == due.with_for_update(skip_locked=True).scalar_subquery(), _free(lease.now))
        .values(lease_token=token, lease_until=lease.until, attempts=upload.c.attempts + 1)
        .returning(upload)
    )
    return conn.execute(statement).first()


def hold(conn: Connection, upload_id: str, token: str) -> Row | None:
    """The list as it stands, kept from changing until the transaction ends; None where it is not ours any more, or
    somebody paused or ended it."""
    statement = sa.select(upload).where(upload.c.id == upload_id, upload.c.lease_token == token, _WAITS)
    return conn.execute(statement.with_for_update()).first()


def update(conn: Connection, upload_id: str, **values: Any) -> None:
    """Writes columns of a list that the caller holds."""
    conn.execute(upload.update().where(upload.c.id == upload_id).values(**values))


def let_go(conn: Connection, upload_id: str, token: str, at: datetime) -> None:
    """Ends our lease; others wait their turn behind the lists that waited longer."""
    conn.execute(
        upload.update()
        .where(upload.c.id == upload_id, upload.c.lease_token == token)
        .values(lease_token=None, lease_until=None, worked_at=at)
    )


def chunk(conn: Connection, upload_id: str, number: int) -> Row | None:
    """One piece."""
    return conn.execute(sa.select(upload_chunk).where(*_piece(upload_id, number))).first()


def update_chunk(conn: Connection, upload_id: str, number: int, **values: Any) -> None:
    """Writes columns of a piece."""
    conn.execute(upload_chunk.update().where(*_piece(upload_id, number)).values(**values))


def keys_below(conn: Connection, upload_id: str, number: int) -> list[bytes]:
    """The `dose_keys` of the pieces before one, in their order."""
    statement = sa.select(upload_chunk.c.dose_keys).where(
        upload_chunk.c.upload_id == upload_id, upload_chunk.c.number < number, upload_chunk.c.dose_keys.is_not(None)
    )
    return list(conn.scalars(statement.order_by(upload_chunk.c.number)))


def add_refusals(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows that were refused."""
    insert_rows(conn, upload_refusal, rows)


def refusals(conn: Connection, upload_id: str, *, after: int = 0, limit: int) -> list[Row]:
    """Refused rows in the order of their lines, those behind the line `after`."""
    statement = sa.select(upload_refusal).where(upload_refusal.c.upload_id == upload_id, upload_refusal.c.line > after)
    return list(conn.execute(statement.order_by(upload_refusal.c.line).limit(limit)))


def refused_among(conn: Connection, upload_id: str, lines: Collection[int]) -> set[int]:
    """Which of the lines, all of one piece, were refused."""
    if not lines:
        return set()
    statement = sa.select(upload_refusal.c.line).where(
        upload_refusal.c.upload_id == upload_id, upload_refusal.c.line.between(min(lines), max(lines))
    )
    return set(conn.scalars(statement))


def forget_check(conn: Connection, upload_id: str) -> None:
    """Takes away what a check has found: it begins anew."""
    conn.execute(upload_refusal.delete().where(upload_refusal.c.upload_id == upload_id))
    conn.execute(upload_chunk.update().where(upload_chunk.c.upload_id == upload_id).values(dose_keys=None))


def drop_file(conn: Connection, upload_id: str) -> None:
    """Takes away the file; the refused rows and what became of the others stay."""
    conn.execute(
        upload_chunk.update().where(upload_chunk.c.upload_id == upload_id).values(body_sealed=None, dose_keys=None)
    )


def old(conn: Connection, at: datetime, limit: int) -> list[Row]:
    """Lists older than KEPT that still hold rows of persons, and that no worker has to do with; held until the
    transaction ends."""
    statement = sa.select(upload).where(*_is_old(at)).order_by(upload.c.created_at).limit(limit)
    return list(conn.execute(statement.with_for_update(skip_locked=True)))


def empty(conn: Connection, row: Row, at: datetime) -> None:
    """Takes away everything that a person wrote, but the file's name; the counts stay."""
    for table in (upload_chunk, upload_refusal):
        conn.execute(table.delete().where(table.c.upload_id == row.id))
    status = row.status if UploadStatus(row.status) in ENDED else UploadStatus.EXPIRED.value
    update(conn, row.id, status=status, ended_at=row.ended_at or at, emptied_at=at)


def mapping(conn: Connection, facility_id: str, header_index: bytes) -> list[str] | None:
    """How a facility's files of one header were read the last time."""
    found: list[str] | None = conn.scalar(
        sa.select(upload_mapping.c.columns).where(
            upload_mapping.c.facility_id == facility_id, upload_mapping.c.header_index == header_index
        )
    )
    return found


def keep_mapping(conn: Connection, facility_id: str, header_index: bytes, columns: Sequence[str], at: datetime) -> None:
    """Keeps how a facility's files of one header are read."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    changed = {"columns": list(columns), "updated_at": at}
    statement = build(upload_mapping).values(facility_id=facility_id, header_index=header_index, **changed)
    conn.execute(statement.on_conflict_do_update(index_elements=["facility_id", "header_index"], set_=changed))


def _free(now: Any) -> sa.ColumnElement[bool]:
    return sa.and_(_WAITS, sa.or_(upload.c.lease_until.is_(None), upload.c.lease_until <= now))


def _is_old(at: datetime) -> tuple[Any, ...]:
    return sa.text(HOLDS_ROWS), upload.c.created_at < at - KEPT, _AT_REST


def _piece(upload_id: str, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return upload_chunk.c.upload_id == upload_id, upload_chunk.c.number == number


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    return statement if facility_id is None else statement.where(upload.c.facility_id == facility_id)
