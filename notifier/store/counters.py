"""Counters for limits, ticks that elect one worker, and switches that all workers obey."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import counter, switch, tick

HOLD = "hold"  #: the kill switch


def hit(conn: Connection, name: str, *, window: timedelta, at: datetime) -> int:
    """Counts one more of `name` in the fixed window that `at` falls in; the count after it. One statement."""
    seconds = window.total_seconds()
    start = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=at.tzinfo)
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = (
        build(counter)
        .values(name=name, window_start=start, count=1, expires_at=start + window * 2)
        .on_conflict_do_update(index_elements=["name", "window_start"], set_={"count": counter.c.count + 1})
        .returning(counter.c.count)
    )
    return int(conn.execute(statement).scalar_one())


def count_of(conn: Connection, name: str, *, window: timedelta, at: datetime) -> int:
    """How many of `name` were counted in the fixed window that `at` falls in; counts none."""
    seconds = window.total_seconds()
    start = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=at.tzinfo)
    statement = sa.select(counter.c.count).where(counter.c.name == name, counter.c.window_start == start)
    return conn.scalar(statement) or 0


def give_back(conn: Connection, name: str, *, window: timedelta, at: datetime) -> None:
    """Takes one `hit` of the same window back: what was charged beforehand turned out to be no try."""
    seconds = window.total_seconds()
    start = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=at.tzinfo)
    conn.execute(
        counter.update()
        .where(counter.c.name == name, counter.c.window_start == start, counter.c.count > 0)
        .values(count=counter.c.count - 1)
    )


def forget_old(conn: Connection, at: datetime) -> int:
    """Drops counters whose window is past."""
    return conn.execute(counter.delete().where(counter.c.expires_at < at)).rowcount


def win_tick(conn: Connection, name: str, *, period: timedelta, at: datetime) -> bool:
    """Elects one caller a period: True for the one whose compare-and-set moved the row. A clock that was set back does
    not stop the ticking: a row from the future may be moved too."""
    stale = sa.or_(tick.c.at <= at - period, tick.c.at > at + period)
    if conn.execute(tick.update().where(tick.c.name == name, stale).values(at=at)).rowcount == 1:
        return True
    return insert_new(conn, tick, {"name": name, "at": at}, "name")


def set_switch(conn: Connection, name: str, *, is_on: bool, by: str, reason: str, at: datetime) -> bool:
    """Turns a switch; False where it stood so already."""
    values: dict[str, Any] = {"is_on": is_on, "changed_at": at, "changed_by": by, "reason": reason}
    if insert_new(conn, switch, {"name": name, **values}, "name"):
        return is_on
    statement = switch.update().where(switch.c.name == name, switch.c.is_on.is_not(is_on))
    return conn.execute(statement.values(**values)).rowcount == 1


def get_switch(conn: Connection, name: str) -> sa.Row[Any] | None:
    """The switch with who turned it and why; None where nobody ever did."""
    return conn.execute(sa.select(switch).where(switch.c.name == name)).first()


def is_on(conn: Connection, name: str) -> bool:
    """Whether a switch is on."""
    row = get_switch(conn, name)
    return row is not None and bool(row.is_on)
