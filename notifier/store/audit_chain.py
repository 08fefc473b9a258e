"""Whether the audit's chain holds. A checkpoint is a place in the chain under a MAC whose key is not in the database:
who can write every row, and so chain the whole of it anew, still cannot make one (docs/decisions/0034).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.audit import FIRST, link_hash
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import audit, audit_checkpoint

_PAGE = 1000
#: a checkpoint stands after so many rows, or this long after the last one
ROWS_A_CHECKPOINT = 10_000
CHECKPOINT_PERIOD = timedelta(hours=1)
#: what was held against its checkpoint is held against it again after this long
CHECK_PERIOD = timedelta(hours=24)


class Fault(StrEnum):
    """What is wrong with a chain."""

    CHANGED = "changed"  #: a row says something else than when it was chained, or was slipped in
    MISSING = "missing"  #: a row is gone, or stands at a place that it cannot have
    CUT_OFF = "cut-off"  #: the newest rows are gone: a checkpoint, or an anchor, is beyond the end
    REWRITTEN = "rewritten"  #: all rows agree with one another, but not with a checkpoint or an anchor
    FORGED = "forged-checkpoint"  #: a checkpoint was not made by us, or under another INDEX_KEY


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `position`, `head`: the last row that holds; `broken_at`: the first that does not."""

    position: int
    head: bytes
    broken_at: int | None = None
    fault: Fault | None = None
    checkpoints: int = 0
    unsealed: int = 0

    @property
    def holds(self) -> bool:
        return self.broken_at is None


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known without looking at every row. `checked_since`: each row was last checked then or later."""

    position: int
    signed_position: int
    signed_at: datetime | None
    checked_since: datetime | None
    broken_at: int | None


def verify(conn: Connection, sealer: Sealer, anchors: Mapping[int, bytes] | None = None) -> Verdict:
    """Holds the whole chain against its checkpoints, and against `anchors`: heads by position that were written down
    elsewhere. Reads every row, page by page; needs no transaction."""
    known = dict(anchors or {})
    signed = {row.position: row for row in conn.execute(sa.select(audit_checkpoint))}
    unsealed = conn.scalar(sa.select(sa.func.count()).select_from(audit).where(audit.c.position.is_(None))) or 0
    if conn.scalar(sa.select(sa.func.count()).select_from(audit).where(audit.c.position < 1)):
        return Verdict(0, FIRST, 1, Fault.CHANGED, 0, unsealed)  # slipped in where neither we nor the sealer look
    position, head, passed = 0, FIRST, 0
    for place, found, fault in _walk(conn, 0, FIRST):
        if fault is None and place in signed:
            fault = _against(sealer, signed[place], found)
            passed += 1
        if fault is None and known.get(place, found) != found:
            fault = Fault.REWRITTEN
        if fault is not None:
            return Verdict(position, head, place, fault, passed, unsealed)
        position, head = place, found
    beyond = [place for place in (*signed, *known) if place > position]
    if beyond:
        return Verdict(position, head, position + 1, Fault.CUT_OFF, passed, unsealed)
    return Verdict(position, head, checkpoints=passed, unsealed=unsealed)


def _against(sealer: Sealer, row: sa.Row[Any], head: bytes) -> Fault | None:
    if row.mac != _mac(sealer, row.position, row.chain_hash):
        return Fault.FORGED
    return None if row.chain_hash == head else Fault.REWRITTEN


def _walk(
    conn: Connection, after: int, head: bytes, until: int | None = None
) -> Iterator[tuple[int, bytes, Fault | None]]:
    """(position, head, fault) of each row behind `after`, as far as the first fault."""
    expected = after
    while True:
        # page by page: a server-side cursor would need a transaction that stays open for the whole chain
        page = sa.select(audit).where(audit.c.position > expected).order_by(audit.c.position).limit(_PAGE)
        if until is not None:
            page = page.where(audit.c.position <= until)
        rows = conn.execute(page).all()
        for row in rows:
            expected += 1
            head = link_hash(head, expected, row)
            if row.position != expected:
                yield expected, head, Fault.MISSING
                return
            fault = None if row.chain_hash == head else Fault.CHANGED
            yield expected, head, fault
            if fault is not None:
                return
        if len(rows) < _PAGE:
            return


def overview(conn: Connection) -> Overview:
    """How far the chain goes, and what the checks of upkeep have found."""
    position = conn.scalar(sa.select(sa.func.max(audit.c.position))) or 0
    newest = _newest(conn)
    told = conn.execute(
        sa.select(sa.func.min(audit_checkpoint.c.checked_at), sa.func.min(audit_checkpoint.c.broken_at))
    ).one()
    if newest is None:
        return Overview(position, 0, None, None, None)
    broken = newest.position if newest.position > position and told[1] is None else told[1]
    return Overview(position, newest.position, newest.made_at, told[0], broken)


def head(conn: Connection) -> tuple[int, bytes]:
    """The last chained row's position and hash, to be written down elsewhere."""
    row = conn.execute(
        sa.select(audit.c.position, audit.c.chain_hash)
        .where(audit.c.position.is_not(None))
        .order_by(audit.c.position.desc())
        .limit(1)
    ).first()
    return (row.position, row.chain_hash) if row else (0, FIRST)


def next_checkpoint(conn: Connection, at: datetime) -> int | None:
    """The position at which a checkpoint is due; None where none is."""
    newest, (position, _) = _newest(conn), head(conn)
    last = newest.position if newest else 0
    if position <= last:
        return None
    if position - last >= ROWS_A_CHECKPOINT:
        return last + ROWS_A_CHECKPOINT
    return position if newest is None or at - newest.made_at >= CHECKPOINT_PERIOD else None


def check_segment(conn: Connection, sealer: Sealer, until: int) -> Verdict:
    """Holds the rows from the checkpoint before `until` up to it against that checkpoint; no transaction is needed."""
    before = conn.execute(
        sa.select(audit_checkpoint)
        .where(audit_checkpoint.c.position < until)
        .order_by(audit_checkpoint.c.position.desc())
        .limit(1)
    ).first()
    position, found = (before.position, before.chain_hash) if before else (0, FIRST)
    if before is not None and before.mac != _mac(sealer, before.position, before.chain_hash):
        return Verdict(position, found, position, Fault.FORGED)
    for place, following, fault in _walk(conn, position, found, until):
        if fault is not None:
            return Verdict(position, found, place, fault)
        position, found = place, following
    return Verdict(position, found) if position == until else Verdict(position, found, position + 1, Fault.CUT_OFF)


def add_checkpoint(conn: Connection, sealer: Sealer, verdict: Verdict, *, until: int, at: datetime) -> None:
    """Signs the place that `check_segment` walked to; where it did not hold, the rows as they stand, and says so."""
    stored = conn.scalar(sa.select(audit.c.chain_hash).where(audit.c.position == until)) or FIRST
    found = verdict.head if verdict.holds else stored
    values = {
        "position": until,
        "chain_hash": found,
        "mac": _mac(sealer, until, found),
        "made_at": at,
        "checked_at": at,
        "broken_at": verdict.broken_at,
    }
    insert_new(conn, audit_checkpoint, values, "position")


def oldest_check(conn: Connection, at: datetime) -> sa.Row[Any] | None:
    """The checkpoint that has waited longest to be checked again; None where all were of late."""
    due = sa.select(audit_checkpoint).where(audit_checkpoint.c.checked_at <= at - CHECK_PERIOD)
    return conn.execute(due.order_by(audit_checkpoint.c.checked_at).limit(1)).first()


def recheck(conn: Connection, sealer: Sealer, row: sa.Row[Any]) -> Verdict:
    """Holds the rows up to a checkpoint against it again."""
    found = check_segment(conn, sealer, row.position)
    fault = _against(sealer, row, found.head) if found.holds else None
    return found if fault is None else Verdict(found.position, found.head, row.position, fault)


def checked(conn: Connection, position: int, broken_at: int | None, at: datetime) -> None:
    """Keeps what `recheck` found. What was broken once stays so: somebody must look."""
    statement = audit_checkpoint.update().where(audit_checkpoint.c.position == position)
    kept = sa.func.coalesce(audit_checkpoint.c.broken_at, sa.literal(broken_at, sa.BigInteger))
    conn.execute(statement.values(checked_at=at, broken_at=kept))


def _newest(conn: Connection) -> sa.Row[Any] | None:
    return conn.execute(sa.select(audit_checkpoint).order_by(audit_checkpoint.c.position.desc()).limit(1)).first()


def _mac(sealer: Sealer, position: int, head: bytes) -> bytes:
    return sealer.index("audit.checkpoint", f"{position} ".encode() + head)
