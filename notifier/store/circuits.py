"""The circuit's row: whether a provider may be spoken to, who or what changed that, and when the next probe is."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import circuit

Row = sa.Row[Any]
#: no probe is planned farther ahead: such a moment was written before the clock was set back
FARTHEST_PROBE = timedelta(minutes=30)


class CircuitState(StrEnum):
    CLOSED = "closed"  #: messages flow
    OPEN = "open"  #: nothing leaves until the next probe
    PROBING = "probing"  #: one message is on its way to find out


class CircuitMode(StrEnum):
    """What an operator pinned."""

    AUTO = "auto"  #: opened by failures, closed by a probe
    OPEN = "open"  #: nothing leaves, whatever the provider says
    CLOSED = "closed"  #: messages flow, whatever happens


def get(conn: Connection, name: str) -> Row | None:
    """The row; None while nothing ever went wrong."""
    return conn.execute(sa.select(circuit).where(circuit.c.name == name)).first()


def locked(conn: Connection, name: str, at: datetime) -> Row:
    """The row, made where it is missing, kept from changing until the transaction ends."""
    insert_new(
        conn,
        circuit,
        {
            "name": name,
            "state": CircuitState.CLOSED.value,
            "mode": CircuitMode.AUTO.value,
            "changed_at": at,
            "changed_by": "system",
            "reason": "",
        },
        "name",
    )
    return conn.execute(sa.select(circuit).where(circuit.c.name == name).with_for_update()).one()


def update(conn: Connection, name: str, **values: Any) -> None:
    """Writes columns of a row that the caller holds (`locked`)."""
    conn.execute(circuit.update().where(circuit.c.name == name).values(**values))


def win_probe(conn: Connection, name: str, *, at: datetime, until: datetime) -> bool:
    """Elects one prober: True for the one whose compare-and-set moved the row. A prober that died is replaced once
    `until` is past."""
    waiting = circuit.c.state.in_([CircuitState.OPEN.value, CircuitState.PROBING.value])
    due = sa.or_(circuit.c.probe_at <= at, circuit.c.probe_at > at + FARTHEST_PROBE)
    statement = circuit.update().where(circuit.c.name == name, waiting, circuit.c.mode == CircuitMode.AUTO.value, due)
    return conn.execute(statement.values(state=CircuitState.PROBING.value, probe_at=until)).rowcount == 1


def is_probe_due(row: Row, at: datetime) -> bool:
    """Whether an open circuit may be probed now."""
    return row.probe_at is None or row.probe_at <= at or row.probe_at > at + FARTHEST_PROBE


def put_probe_back(conn: Connection, name: str, *, at: datetime) -> None:
    """Nothing was due to probe with: the next message that is may do it at once."""
    statement = circuit.update().where(circuit.c.name == name, circuit.c.state == CircuitState.PROBING.value)
    conn.execute(statement.values(state=CircuitState.OPEN.value, probe_at=at))
