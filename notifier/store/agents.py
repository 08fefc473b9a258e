"""The agents' queue: open cases by when they are due, who has which, checks of callers, and what cases are about.

A claim is a lease: past `claimed_until` the case is anybody's. Predicates that a partial index has are literal.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import CaseKind, CaseOutcome, CaseSource, CaseStatus, Kind
from notifier.store.tables import caller_check, facility, notification, support_case

Row = sa.Row[Any]
_OPEN = sa.text("support_case.status = 'open'")
#: kinds that agents work on; what was reported on the pages behind a link has a list of its own
KINDS = (CaseKind.ASKED, CaseKind.MISSING)
_OURS = support_case.c.kind.in_([kind.value for kind in KINDS])


def free(at: datetime) -> sa.ColumnElement[bool]:
    """Nobody has it."""
    return sa.or_(support_case.c.claimed_by.is_(None), support_case.c.claimed_until <= at)


def listed(
    conn: Connection,
    *,
    at: datetime,
    source: CaseSource | None,
    claimed_by: str | None,
    only_free: bool,
    only_late: bool,
    limit: int,
    after: str | None,
) -> list[Row]:
    """Open cases, those that are due first; `after`: behind this reference. `claimed_by`: those that a colleague has
    now."""
    statement = sa.select(support_case).where(_OPEN, _OURS)
    if source is not None:
        statement = statement.where(support_case.c.source == source.value)
    if claimed_by is not None:
        statement = statement.where(support_case.c.claimed_by == claimed_by, support_case.c.claimed_until > at)
    if only_free:
        statement = statement.where(free(at))
    if only_late:
        statement = statement.where(support_case.c.due_at <= at)
    if after is not None:
        mark = sa.select(support_case.c.due_at, support_case.c.id).where(support_case.c.reference == after).cte()
        due, row_id = sa.select(mark.c.due_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        later = sa.and_(support_case.c.due_at == due, support_case.c.id > row_id)
        statement = statement.where(sa.or_(support_case.c.due_at > due, later))
    return list(conn.execute(statement.order_by(support_case.c.due_at, support_case.c.id).limit(limit)))


def counts(conn: Connection, *, at: datetime, staff_id: str) -> Any:
    """Of the open cases: `all`, `free`, `late`, and `mine`."""
    mine = sa.and_(support_case.c.claimed_by == staff_id, support_case.c.claimed_until > at)
    columns = {"all": sa.true(), "free": free(at), "late": support_case.c.due_at <= at, "mine": mine}
    counted = [sa.func.count(sa.case((where, 1))).label(name) for name, where in columns.items()]
    row: Any = conn.execute(sa.select(*counted).select_from(support_case).where(_OPEN, _OURS)).one()
    return row


def get(conn: Connection, case_id: str) -> Row | None:
    """A case by its id."""
    return conn.execute(sa.select(support_case).where(support_case.c.id == case_id)).first()


def sms_about(conn: Connection, case_ids: Collection[str], *, contact_id: str | None) -> list[Row]:
    """The messages to a number that tell of some cases, oldest first."""
    if contact_id is None:
        return []
    statement = sa.select(notification).where(
        notification.c.contact_id == contact_id,
        notification.c.kind == Kind.CASE.value,
        notification.c.subject_id.in_(list(case_ids)),
    )
    return list(conn.execute(statement.order_by(notification.c.created_at)))


def find(conn: Connection, reference: str, *, lock: bool = False) -> Row | None:
    """A case that agents work on, open or not."""
    statement = sa.select(support_case).where(support_case.c.reference == reference, _OURS)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def claim(conn: Connection, case_id: str, staff_id: str, *, at: datetime, until: datetime) -> bool:
    """Takes an open case, or goes on having it; False where somebody else has it, or it is closed."""
    mine = sa.or_(free(at), support_case.c.claimed_by == staff_id)
    statement = support_case.update().where(support_case.c.id == case_id, _OPEN, mine)
    return conn.execute(statement.values(claimed_by=staff_id, claimed_until=until)).rowcount == 1


def claim_next(conn: Connection, staff_id: str, *, at: datetime, until: datetime) -> Row | None:
    """Takes the case that is due first of those that nobody has; other agents' hands are passed by."""
    due = sa.select(support_case.c.id).where(_OPEN, _OURS, free(at)).order_by(support_case.c.due_at, support_case.c.id)
    chosen = due.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    statement = support_case.update().where(support_case.c.id == chosen, _OPEN, free(at))
    return conn.execute(statement.values(claimed_by=staff_id, claimed_until=until).returning(support_case)).first()


def release(conn: Connection, case_id: str) -> None:
    """Nobody has it any more."""
    conn.execute(support_case.update().where(support_case.c.id == case_id).values(claimed_by=None, claimed_until=None))


# doubles


def merged_into(conn: Connection, case_ids: Collection[str], limit: int = 100) -> list[Row]:
    """The cases that go on in some cases, and in those, oldest first."""
    found: dict[str, Row] = {}
    todo = set(case_ids)
    while todo and len(found) < limit:
        rows = conn.execute(sa.select(support_case).where(support_case.c.merged_into.in_(list(todo)))).all()
        todo = {row.id for row in rows} - found.keys()
        found |= {row.id: row for row in rows}
    return sorted(found.values(), key=lambda row: (row.opened_at, row.id))


def alike(conn: Connection, row: Row, niks: Collection[bytes], letters: Collection[str], limit: int) -> list[Row]:
    """Open cases that may be about the same: the same person, number or contact, the same NIK, or one of some
    `letters`' cases; newest first."""
    same = [support_case.c.id.in_(list(letters))] if letters else []
    for column in (support_case.c.person_id, support_case.c.phone_index, support_case.c.contact_id):
        value = getattr(row, column.name)
        if value is not None:
            same.append(column == value)
    known = {*niks, row.nik_index} - {None}
    if known:
        same.append(support_case.c.nik_index.in_(list(known)))
    if not same:
        return []
    statement = sa.select(support_case).where(_OPEN, _OURS, support_case.c.id != row.id, sa.or_(*same))
    return list(conn.execute(statement.order_by(support_case.c.opened_at.desc()).limit(limit)))


def reopen(conn: Connection, case_id: str) -> bool:
    """A case that was merged stands for itself again. Raises IntegrityError where the same report was made anew."""
    statement = support_case.update().where(
        support_case.c.id == case_id, support_case.c.outcome == CaseOutcome.MERGED.value
    )
    values = {"status": CaseStatus.OPEN.value, "outcome": None, "closed_at": None, "closed_by": None}
    return conn.execute(statement.values(**values, merged_into=None)).rowcount == 1


# checks of callers


def note_check(
    conn: Connection, *, case_id: str | None, person_id: str | None, staff_id: str, is_right: bool, at: datetime
) -> str:
    """Keeps that somebody was asked for three facts; its id."""
    row_id = new_id()
    values = {"case_id": case_id, "person_id": person_id, "staff_id": staff_id, "is_right": is_right, "at": at}
    conn.execute(caller_check.insert(), {"id": row_id, **values})
    return row_id


def checks_of(conn: Connection, case_ids: Collection[str]) -> list[Row]:
    """The checks of callers about some cases, oldest first."""
    statement = sa.select(caller_check).where(caller_check.c.case_id.in_(list(case_ids)))
    return list(conn.execute(statement.order_by(caller_check.c.at, caller_check.c.id)))


# what cases are about


def causes(conn: Connection, *, since: datetime, until: datetime) -> list[Row]:
    """How many cases were opened in a time, by `facility_id`, its `name`, and `cause`; merged ones count once. `open`:
    those of them that still are."""
    is_open = sa.case((support_case.c.status == CaseStatus.OPEN.value, 1))
    statement = (
        sa.select(
            support_case.c.facility_id,
            facility.c.name,
            support_case.c.cause,
            sa.func.count().label("number"),
            sa.func.count(is_open).label("open"),
        )
        .select_from(support_case.outerjoin(facility, facility.c.id == support_case.c.facility_id))
        .where(_OURS, support_case.c.opened_at >= since, support_case.c.opened_at < until)
        .where(support_case.c.merged_into.is_(None))
        .group_by(support_case.c.facility_id, facility.c.name, support_case.c.cause)
    )
    return list(conn.execute(statement))
