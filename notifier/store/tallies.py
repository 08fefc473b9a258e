"""The counts behind the dashboard: how many messages of a day and facility stand where. Written by messages.tallies,
one caller at a time; read by pages, which never count millions of rows themselves.

A message belongs to the day on which it was made, for ever; its cell changes when it moves. What has moved since a
moment is found through the marks that moves leave anyway, each by its own index: when it was made, left, ended, was
held or became unknown, was opened. Out of the states of `OPEN` a message may move without such a mark; few stand in
them, so how many do is asked each time (`changed_open`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
_PART = timedelta(minutes=30)
FEW = 2_000  # so many of a day are counted in one go


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


def is_due(conn: Connection, at: datetime, *, patience: timedelta = timedelta(0)) -> bool:
    """Whether it is time to count. With `patience` it may wait so much longer, from the first time that this is asked
    where nothing was counted yet."""
    row = newest_run(conn)
    if row is None and patience:
        insert_new(conn, tally_run, {"id": _RUN, "next_at": at}, "id")
        return False
    return row is None or row.next_at <= at - patience


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


def changed_open(conn: Connection, days: Sequence[Day]) -> set[date]:
    """Those of the days of which not as many messages are held, unknown or being sent as is written down. One that went
    while another came is no exception: who comes leaves a mark."""
    of_day = sa.case(*((notification.c.created_at >= one.start, place) for place, one in _newest_first(days)), else_=-1)
    standing: dict[tuple[date, str], int] = {}
    for where in ("notification.status IN ('unknown', 'held')", "notification.status IN ('claimed', 'sending')"):
        # the partial indexes' own predicates
        statement = (
            sa.select(of_day, notification.c.status, sa.func.count()).where(sa.text(where)).group_by(sa.text("1, 2"))
        )
        for place, status, number in conn.execute(statement):
            if place >= 0 and status in OPEN:
                standing[days[place].day, status] = number
    written: dict[tuple[date, str], int] = {}
    for row in _rows(conn, tally.c.facility_id == ALL, tally.c.what.in_([state.value for state in OPEN])):
        written[row.day, row.what] = written.get((row.day, row.what), 0) + row.number
    return {
        day for day, what in standing.keys() | written.keys() if standing.get((day, what)) != written.get((day, what))
    }


def _newest_first(days: Sequence[Day]) -> list[tuple[int, Day]]:
    return sorted(enumerate(days), key=lambda pair: pair[1].start, reverse=True)


def count(conn: Connection, day: Day, few: int = FEW) -> dict[Cell, int]:
    """A full count of one day, where it has many messages a part of it at a time: for a whole day of many PostgreSQL
    would read every dose and link there is. A message stays in its part, so none is counted twice or passed over."""
    cells: dict[Cell, int] = {}
    number = _how_many(conn, day, few)
    if not number:
        return cells
    start, part = day.start, _PART if number == few else day.end - day.start
    while start < day.end:
        end = min(start + part, day.end)
        _count_part(conn, start, end, cells)
        start = end
    return cells


def _how_many(conn: Connection, day: Day, limit: int) -> int:
    """How many messages were made on a day, counted no further than `limit`."""
    of_day = (notification.c.created_at >= day.start, notification.c.created_at < day.end)
    some = sa.select(sa.literal(1)).select_from(notification).where(*of_day).limit(limit).subquery()
    return conn.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def _count_part(conn: Connection, start: datetime, end: datetime, cells: dict[Cell, int]) -> None:
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
        .where(notification.c.created_at >= start, notification.c.created_at < end)
        .group_by(dose.c.facility_id, notification.c.status, notification.c.reason)
    )
    for facility_id, status, reason, messages, opens, files in conn.execute(statement):
        state = FOLDED.get(State(status), State(status))
        said = (reason or "") if state in _WITH_REASON else ""
        parts = ((MADE, "", messages), (state.value, said, messages), (OPENED, "", opens), (DOWNLOADED, "", files))
        for place in {ALL, facility_id or ALL}:
            for what, why, number in parts:
                if number:
                    cells[place, what, why] = cells.get((place, what, why), 0) + int(number)


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
    values = {"zone": zone, "counted_at": at}
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


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand at this moment."""

    due: int
    oldest_due: datetime | None
    held: int
    unknown: int
    at_risk: int


def standing(conn: Connection, now: Any, limit: int) -> Standing:
    """Everybody's; each number by its own partial index. `due` is counted no further than `limit`."""
    due = sa.select(sa.literal(1)).select_from(notification).where(*_due(now)).limit(limit).subquery()
    oldest = [
        conn.scalar(sa.select(sa.func.min(notification.c.due_at)).where(*_due(now), notification.c.lane == lane.value))
        for lane in LANES  # the index on the schedule begins with it
    ]
    attention = sa.text("notification.status IN ('unknown', 'held')")  # the partial index's own predicate
    asking = sa.select(notification.c.status, sa.func.count()).where(attention).group_by(notification.c.status)
    numbers = {status: number for status, number in conn.execute(asking)}
    risk = sa.select(sa.func.count()).select_from(notification).where(*desk.at_risk())
    return Standing(
        due=conn.scalar(sa.select(sa.func.count()).select_from(due)) or 0,
        oldest_due=min((moment for moment in oldest if moment is not None), default=None),
        held=numbers.get(State.HELD, 0),
        unknown=numbers.get(State.UNKNOWN, 0),
        at_risk=conn.scalar(risk) or 0,
    )


def standing_of(conn: Connection, facility_id: str, now: Any) -> Standing:
    """One facility's, in one walk over its doses."""
    status, due = notification.c.status, sa.and_(*_due(now))
    statement = (
        sa.select(
            _sum(due),
            sa.func.min(sa.case((due, notification.c.due_at))),
            _sum(status == sa.literal_column("'held'")),
            _sum(status == sa.literal_column("'unknown'")),
            _sum(sa.and_(*desk.at_risk())),
        )
        .select_from(notification.join(dose, dose.c.id == notification.c.dose_id))
        .where(dose.c.facility_id == facility_id)
        .where(status.in_([sa.literal_column(f"'{one}'") for one in ("scheduled", "claimed", "held", "unknown")]))
    )
    number, oldest, held, unknown, risk = conn.execute(statement).one()
    return Standing(int(number), oldest, int(held), int(unknown), int(risk))


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def has_any(conn: Connection, facility_id: str | None) -> bool:
    """Whether there was ever a message; of a facility: a dose, which has one."""
    statement = sa.select(sa.literal(1)).select_from(notification)
    if facility_id is not None:
        statement = sa.select(sa.literal(1)).where(dose.c.facility_id == facility_id)
    return conn.execute(statement.limit(1)).first() is not None


def _due(now: Any) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return notification.c.status == sa.literal_column("'scheduled'"), notification.c.due_at <= now


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
