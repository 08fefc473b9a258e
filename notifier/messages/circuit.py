"""The circuit: a failing provider, or a sender that it does not accept, holds the queue for every worker until one
message, sent as a probe, goes through."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy.engine import Connection

from notifier.gateways import OutcomeClass
from notifier.services import Services
from notifier.store import audit, circuits
from notifier.store.circuits import CircuitMode, CircuitState

#: so many messages in a row that the provider did not answer open it
MOST_FAILURES = 10
FIRST_PROBE = timedelta(seconds=30)
LONGEST_PROBE = timedelta(minutes=5)

#: outcomes that speak against the provider as a whole
FAILING = frozenset({OutcomeClass.NOT_SENT, OutcomeClass.UNKNOWN})
#: outcomes that say nothing about it
_SILENT = frozenset({OutcomeClass.RATE_LIMITED, OutcomeClass.NOT_BEGUN})

_log = logging.getLogger(__name__)


class Gate(Enum):
    """What may leave now."""

    ALL = "all"
    ONE = "one"  #: a probe, and this worker sends it
    NONE = "none"


def gate(conn: Connection, services: Services, at: datetime) -> Gate:
    """What the circuit lets through; electing a prober where one is due."""
    row = circuits.get(conn, services.gateway.name)
    if row is None or row.mode == CircuitMode.CLOSED:
        return Gate.ALL
    if row.mode == CircuitMode.OPEN:
        return Gate.NONE
    if row.state == CircuitState.CLOSED:
        return Gate.ALL
    until = at + min(timedelta(seconds=services.settings.lease_seconds), LONGEST_PROBE)
    return Gate.ONE if circuits.win_probe(conn, row.name, at=at, until=until) else Gate.NONE


def is_waiting(conn: Connection, services: Services, at: datetime) -> bool:
    """Whether nothing may leave at the moment, not even a probe."""
    row = circuits.get(conn, services.gateway.name)
    if row is None or row.mode == CircuitMode.CLOSED:
        return False
    if row.mode == CircuitMode.OPEN:
        return True
    return row.state != CircuitState.CLOSED and not circuits.is_probe_due(row, at)


def note(conn: Connection, services: Services, outcomes: Collection[tuple[OutcomeClass, str | None]]) -> None:
    """Learns from a chunk's outcomes (class, code), in the transaction that records them."""
    bad = [(kind, code) for kind, code in outcomes if kind in FAILING]
    misconfigured = [code for kind, code in outcomes if kind is OutcomeClass.SENDER_MISCONFIGURED]
    good = len(outcomes) - len(bad) - len(misconfigured) - sum(kind in _SILENT for kind, _ in outcomes)
    row = circuits.get(conn, services.gateway.name)
    clean = row is None or (row.state == CircuitState.CLOSED and row.failures == 0 and row.openings == 0)
    if not misconfigured and (clean if good else not bad):
        return
    at = services.clock.now()
    row = circuits.locked(conn, services.gateway.name, at)
    if misconfigured:
        _open(conn, row, at, f"the provider does not accept our sender or account (code {misconfigured[0] or 'none'})")
    elif good:
        _close(conn, row, at)
    elif row.state == CircuitState.PROBING:
        _open(conn, row, at, "the probe got no answer")
    elif row.state == CircuitState.CLOSED and row.failures + len(bad) >= MOST_FAILURES:
        _open(conn, row, at, f"{row.failures + len(bad)} messages in a row got no answer")
    elif row.state == CircuitState.CLOSED:
        circuits.update(conn, row.name, failures=row.failures + len(bad))


def pin(services: Services, mode: CircuitMode, *, reason: str, actor: str) -> circuits.Row:
    """An operator's word: `open` and `closed` overrule the automation, `auto` gives it back, closed."""
    at = services.clock.now()
    name = services.gateway.name
    with services.db.write() as conn:
        circuits.locked(conn, name, at)
        circuits.update(
            conn,
            name,
            mode=mode.value,
            state=CircuitState.CLOSED.value,
            failures=0,
            openings=0,
            probe_at=None,
            changed_at=at,
            changed_by=actor,
            reason=reason,
        )
        _audit(conn, name, at, f"circuit.pin-{mode.value}", actor, reason)
        return circuits.locked(conn, name, at)


def trip(conn: Connection, services: Services, at: datetime, reason: str) -> None:
    """Opens it for something that was learnt elsewhere (a receipt)."""
    _open(conn, circuits.locked(conn, services.gateway.name, at), at, reason)


def _open(conn: Connection, row: circuits.Row, at: datetime, reason: str) -> None:
    if row.state == CircuitState.OPEN:
        return  # what was in flight when it opened
    openings = row.openings + 1
    wait = min(FIRST_PROBE * 2 ** min(openings - 1, 10), LONGEST_PROBE)
    _change(conn, row, CircuitState.OPEN, at, reason, failures=0, openings=openings, probe_at=at + wait)
    _log.error("circuit opened", extra={"gateway": row.name, "reason": reason, "openings": openings})


def _close(conn: Connection, row: circuits.Row, at: datetime) -> None:
    if row.state == CircuitState.CLOSED:
        circuits.update(conn, row.name, failures=0, openings=0)
        return
    _change(conn, row, CircuitState.CLOSED, at, "the provider took a message", failures=0, openings=0, probe_at=None)
    _log.warning("circuit closed", extra={"gateway": row.name})


def _change(
    conn: Connection, row: circuits.Row, state: CircuitState, at: datetime, reason: str, **values: object
) -> None:
    circuits.update(conn, row.name, state=state.value, changed_at=at, changed_by=audit.SYSTEM, reason=reason, **values)
    _audit(conn, row.name, at, f"circuit.{state.value}", audit.SYSTEM, reason)


def _audit(conn: Connection, name: str, at: datetime, action: str, actor: str, reason: str) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="circuit", subject_id=name, reason=reason)
