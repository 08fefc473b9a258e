"""The counts behind the dashboard: how many messages of a day and facility stand where. Written by messages.tallies,
one caller at a time; read by pages, which never count millions of rows themselves.

A message belongs to the day on which it was made, for ever; its cell changes when it moves. What has moved since a
moment is found through the marks that moves leave anyway, each by its own index: when it was made, left, ended, was
held or became unknown, was opened. A day with messages that can move without such a mark is kept open (`OPEN`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.states import LANES, State
from notifier.store import desk
from notifier.store.events import insert_new
from notifier.store.tables import certificate, dose, facility, link, notification, opening, tally, tally_day, tally_run

Row = sa.Row[Any]
Cell = tuple[str, str, str]  #: facility ("" all), what, reason ("" none)

ALL = ""  #: every facility, and what has none
MADE, OPENED, DOWNLOADED = "made", "opened", "downloaded"
#: a claim leaves no mark, and a carrier's taking over neither: to a reader of counts they are the same
FOLDED = {State.CLAIMED: State.SCHEDULED, State.SENT: State.ACCEPTED}
#: out of these a message may move and leave no mark
OPEN = frozenset({State.SENDING, State.UNKNOWN, State.HELD})
#: states whose reasons are counted apart
_WITH_REASON = frozenset(State) - {State.SCHEDULED, State.SENDING, State.ACCEPTED, State.DELIVERED}
_RUN = 1


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the programme's zone, from its first moment to the next day's."""

    day: date
    start: datetime
    end: datetime


def begin(conn: Connection, *, at: datetime, until: datetime) -> Row | None:
    """Elects one counter where a count is due: the run's row before it. One that dies is replaced after `until`."""
    before = conn.execute(sa.select(tally_run).where(tally_run.c.id == _RUN)).first()
    if before is None:
        insert_new(conn, tally_run, {"id": _RUN, "next_at": at}, "id")
        before = conn.execute(sa.select(tally_run).where(tally_run.c.id == _RUN)).one()
    due = sa.or_(tally_run.c.next_at <= at, tally_run.c.next_at > until)  # beyond: from before the clock was set back
    moved = conn.execute(tally_run.update().where(tally_run.c.id == _RUN, due).values(next_at=until))
    return before if moved.rowcount == 1 else None


def finish(conn: Connection, **values: Any) -> None:
    """Writes what a whole count came to, and when the next is due."""
    conn.execute(tally_run.update().where(tally_run.c.id == _RUN).values(**values))


def newest_run(conn: Connection) -> Row | None:
    """The newest count; None before the first."""
    return conn.execute(sa.select(tally_run).where(tally_run.c.id == _RUN)).first()


def is_due(conn: Connection, at: datetime) -> bool:
    """Whether it is time to count."""
    row = newest_run(conn)
    return row is None or row.next_at <= at


def counted_days(conn: Connection) -> dict[date, Row]:
    """Which days are counted, and when they were."""
    return {row.day: row for row in conn.execute(sa.select(tally_day))}


def changed_days(conn: Connection, days: Sequence[Day], since: datetime) -> set[date]:
    """Those of the days with a message that left a mark since a moment."""
    of_day = sa.case(*((notification.c.created_at >= one.start, place) for place, one in _newest_first(days)), else_=-1)
    within = notification.c.created_at < max(one.end for one in days)
    marks = sa.select(of_day.label("place")).where(within)
    attention = sa.text("notification.status IN ('unknown', 'held')")  # the partial index's own predicate
    opened = sa.select(of_day.label("place")).select_from(
        opening.join(certificate, certificate.c.id == opening.c.certificate_id).join(
            notification,
            sa.and_(notification.c.dose_id == certificate.c.dose_id, notification.c.link_id == opening.c.link_id),
        )
    )
    statements = (
        marks.where(notification.c.left_at.is_not(None), notification.c.left_at >= since),
        marks.where(notification.c.ended_at.is_not(None), notification.c.ended_at >= since),
        marks.where(attention, notification.c.updated_at >= since),
        opened.where(within, opening.c.at >= since),
    )
    places = {place for statement in statements for place in conn.scalars(statement.distinct())}
    return {one.day for place, one in enumerate(days) if place in places or one.end > since}


def _newest_first(days: Sequence[Day]) -> list[tuple[int, Day]]:
    return sorted(enumerate(days), key=lambda pair: pair[1].start, reverse=True)


def count(conn: Connection, day: Day) -> dict[Cell, int]:
    """A full count of one day."""
    # a download comes after an opening, so the others are not even looked for
    downloaded = sa.case((sa.and_(link.c.opened_at.is_not(None), desk.downloaded()), 1), else_=0)
    statement = (
        sa.select(
            dose.c.facility_id,
            notification.c.status,
            notification.c.reason,
            sa.func.count(),
            sa.func.count(link.c.opened_at),
            sa.func.sum(downloaded),
        )
        .select_from(
            notification.outerjoin(dose, dose.c.id == notification.c.dose_id).outerjoin(
                link, link.c.id == notification.c.link_id
            )
        )
        .where(notification.c.created_at >= day.start, notification.c.created_at < day.end)
        .group_by(dose.c.facility_id, notification.c.status, notification.c.reason)
    )
    cells: dict[Cell, int] = {}
    for facility_id, status, reason, messages, opens, files in conn.execute(statement):
        state = FOLDED.get(State(status), State(status))
        said = (reason or "") if state in _WITH_REASON else ""
        parts = ((MADE, "", messages), (state.value, said, messages), (OPENED, "", opens), (DOWNLOADED, "", files))
        for place in {ALL, facility_id or ALL}:
            for what, why, number in parts:
                if number:
                    cells[place, what, why] = cells.get((place, what, why), 0) + int(number)
    return cells


def stored(conn: Connection, day: date) -> dict[Cell, int]:
    """What is written down about a day."""
    return {(row.facility_id, row.what, row.reason): row.number for row in _rows(conn, tally.c.day == day)}


def _rows(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Row]:
    return list(conn.execute(sa.select(tally).where(*where)))


def write(conn: Connection, day: Day, new: Mapping[Cell, int], old: Mapping[Cell, int], *, zone: str, at: Any) -> None:
    """Writes down a count of a day, where it differs from what stands there."""
    changed = [_named(day.day, cell) | {"number": number} for cell, number in new.items() if old.get(cell) != number]
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    if changed:
        insert = build(tally)
        key = ["facility_id", "day", "what", "reason"]
        conn.execute(insert.on_conflict_do_update(index_elements=key, set_={"number": insert.excluded.number}), changed)
    gone = [_named(day.day, cell, "of_") for cell in old if cell not in new]
    if gone:
        where = (tally.c[name] == sa.bindparam(f"of_{name}") for name in ("facility_id", "day", "what", "reason"))
        conn.execute(tally.delete().where(*where), gone)
    is_open = any(place == ALL and what in OPEN for place, what, _ in new)
    values = {"zone": zone, "counted_at": at, "is_open": is_open}
    known = build(tally_day).values(day=day.day, **values)
    conn.execute(known.on_conflict_do_update(index_elements=["day"], set_=values))


def _named(day: date, cell: Cell, prefix: str = "") -> dict[str, Any]:
    names = ("facility_id", "day", "what", "reason")
    return {f"{prefix}{name}": value for name, value in zip(names, (cell[0], day, *cell[1:]), strict=True)}


def forget(conn: Connection, before: date) -> None:
    """Drops the counts of days that nobody is shown any more."""
    for table in (tally, tally_day):
        conn.execute(table.delete().where(table.c.day < before))


def of_facility(conn: Connection, facility_id: str, since: date) -> list[Row]:
    """The cells of one facility, or of all (`ALL`), of the days since one."""
    return _rows(conn, tally.c.facility_id == facility_id, tally.c.day >= since)


def busiest(conn: Connection, since: date, limit: int) -> list[str]:
    """The facilities with most messages since a day."""
    # a literal: one value among a dozen, and the planner should see which
    statement = (
        sa.select(tally.c.facility_id)
        .where(tally.c.what == sa.literal_column(f"'{MADE}'"), tally.c.day >= since, tally.c.facility_id != ALL)
        .group_by(tally.c.facility_id)
        .order_by(sa.func.sum(tally.c.number).desc(), tally.c.facility_id)
    )
    return list(conn.scalars(statement.limit(limit)))


def of_facilities(conn: Connection, facility_ids: Collection[str], since: date) -> dict[str, dict[str, int]]:
    """What some facilities' messages came to since a day, by facility and what."""
    statement = (
        sa.select(tally.c.facility_id, tally.c.what, sa.func.sum(tally.c.number))
        .where(tally.c.facility_id.in_(list(facility_ids)), tally.c.day >= since)
        .group_by(tally.c.facility_id, tally.c.what)
    )
    found: dict[str, dict[str, int]] = {facility_id: {} for facility_id in facility_ids}
    for facility_id, what, number in conn.execute(statement):
        found[facility_id][what] = int(number)
    return found


def due_now(conn: Connection, facility_id: str | None, now: Any, limit: int) -> int:
    """How many messages are due, counted no further than `limit`."""
    statement = sa.select(sa.literal(1)).select_from(notification).where(*_due(now))
    due = _narrowed(statement, facility_id).limit(limit).subquery()
    return conn.scalar(sa.select(sa.func.count()).select_from(due)) or 0


def oldest_due(conn: Connection, facility_id: str | None, now: Any) -> datetime | None:
    """The due time of the message that has waited longest past it."""
    oldest = [
        conn.scalar(
            _narrowed(
                sa.select(notification.c.due_at).where(*_due(now), notification.c.lane == lane.value), facility_id
            )
            .order_by(notification.c.due_at)
            .limit(1)
        )
        for lane in LANES  # the index on the schedule begins with it
    ]
    return min((moment for moment in oldest if moment is not None), default=None)


def waiting_for_somebody(conn: Connection, facility_id: str | None) -> dict[str, int]:
    """How many messages are held, and of how many nobody knows whether they left."""
    attention = sa.text("notification.status IN ('unknown', 'held')")  # the partial index's own predicate
    statement = sa.select(notification.c.status, sa.func.count()).where(attention).group_by(notification.c.status)
    return {status: number for status, number in conn.execute(_narrowed(statement, facility_id))}


def count_at_risk(conn: Connection, facility_id: str | None) -> int:
    """How many promises are about to break."""
    statement = sa.select(sa.func.count()).select_from(notification).where(*desk.at_risk())
    return conn.scalar(_narrowed(statement, facility_id)) or 0


def _due(now: Any) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return notification.c.status == sa.literal_column("'scheduled'"), notification.c.due_at <= now


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    if facility_id is None:
        return statement
    return statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)


def facility_names(conn: Connection, facility_ids: Collection[str]) -> dict[str, str]:
    """What some facilities are called, where somebody said so."""
    statement = sa.select(facility.c.id, facility.c.name).where(facility.c.id.in_(list(facility_ids)))
    return {row.id: row.name for row in conn.execute(statement) if row.name}


def count_due(conn: Connection, now: Any) -> int:
    """Every message that is due: a count over the index on the schedule."""
    return conn.scalar(sa.select(sa.func.count()).select_from(notification).where(*_due(now))) or 0


def count_left(conn: Connection, since: datetime) -> int:
    """How many messages left, or may have left, since a moment."""
    left = (notification.c.left_at.is_not(None), notification.c.left_at >= since)
    return conn.scalar(sa.select(sa.func.count()).select_from(notification).where(*left)) or 0
