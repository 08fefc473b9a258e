"""Evidence: what a receipt, a look-up or a late answer of our own proves about a notification, and what follows.

The one place where a message that the provider has is moved on. Forward only; the same whatever comes first or twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.states import LEFT, NOT_LEFT, Channel, Reason, State, may_move, sources_of
from notifier.gateways import OutcomeClass, ReceiptState
from notifier.messages import circuit, retries
from notifier.services import Services
from notifier.store import audit, doses, locks, notifications, suppressions

STATES = {
    ReceiptState.ACCEPTED: State.ACCEPTED,
    ReceiptState.SENT: State.SENT,
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.UNDELIVERED: State.UNDELIVERED,
    ReceiptState.FAILED: State.FAILED,
}
_BAD = frozenset({State.UNDELIVERED, State.FAILED})
#: a provider's refusal, in our reasons
_REASONS = {
    OutcomeClass.OPTED_OUT: Reason.OPTED_OUT,
    OutcomeClass.NUMBER_BAD: Reason.BAD_PHONE,
    OutcomeClass.TRY_LATER: Reason.UNREACHABLE,
    OutcomeClass.RATE_LIMITED: Reason.RATE_LIMITED,
    OutcomeClass.SENDER_MISCONFIGURED: Reason.SENDER_MISCONFIGURED,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the provider has a message. `code`: the provider's error code."""

    state: State
    provider_sid: str | None
    code: str | None = None


def hold_line(conn: Connection, services: Services, row: notifications.Row, state: State) -> None:
    """What may add a generation stands in line with events and operators: taken before any row is locked, or two could
    wait for each other crosswise."""
    if state in _BAD and row.dose_id:
        locks.hold(conn, locks.dose_key(services.sealer, doses.get(conn, row.dose_id).source_id))


def settle(conn: Connection, services: Services, row: notifications.Row, evidence: Evidence) -> bool:
    """Moves the notification where the table allows it; whether it moved. Keeps the provider's id in any case."""
    at = services.clock.now()
    kind = _kind(services, evidence)
    reason = _REASONS.get(kind, Reason.REFUSED) if kind else None
    values: dict[str, Any] = {
        "provider_code": evidence.code,
        "left_at": row.left_at or at,
        "look_up_at": None,
        "provider_sid": row.provider_sid or evidence.provider_sid,
    }
    moved = notifications.move(
        conn, [row.id], evidence.state, old=_movable(evidence.state), at=at, reason=reason, **values
    )
    if not moved:
        if evidence.provider_sid and row.provider_sid is None:
            notifications.remember_sid(conn, [{"row_id": row.id, "new_provider_sid": evidence.provider_sid}])
        return False
    if kind is None:
        _call_off(conn, row, at)
    else:
        _follow(conn, services, row, kind, evidence, reason)
    return True


def may_settle(row: notifications.Row, new: State) -> bool:
    """Whether evidence of `new` would move the row as it was read."""
    return State(row.status) in _movable(new)


def _movable(new: State) -> list[State]:
    """The states that evidence may move from: whatever the table says, of those that left."""
    return [state for state in sources_of(new) if state in LEFT]


def _kind(services: Services, evidence: Evidence) -> OutcomeClass | None:
    """The class of a bad end; None for a good one. No code at all: nobody answered the phone, or nobody says why."""
    if evidence.state not in _BAD:
        return None
    if not evidence.code:
        return OutcomeClass.TRY_LATER if evidence.state is State.UNDELIVERED else OutcomeClass.HOLD
    meaning = services.gateway.explain(evidence.code)
    return meaning.kind if meaning else OutcomeClass.HOLD


def _call_off(conn: Connection, row: notifications.Row, at: Any) -> None:
    """It had been accepted after all: what was to replace it is not needed, where it has not left yet."""
    if row.reason != Reason.SENT_AGAIN:
        return
    ids = [child.id for child in notifications.children(conn, row)]
    old = [state for state in NOT_LEFT if may_move(state, State.CANCELLED)]
    notifications.move(conn, ids, State.CANCELLED, old=old, at=at, reason=Reason.HAS_ARRIVED)


def _follow(
    conn: Connection,
    services: Services,
    row: notifications.Row,
    kind: OutcomeClass,
    evidence: Evidence,
    reason: Reason | None,
) -> None:
    """What a bad end calls for, by its class."""
    at = services.clock.now()
    if kind is OutcomeClass.OPTED_OUT and reason is not None and row.phone_index is not None:
        suppressions.add(
            conn,
            row.phone_index,
            reason=reason,
            source=suppressions.Source.PROVIDER,
            at=at,
            channel=Channel(row.channel),
        )
    if kind is OutcomeClass.SENDER_MISCONFIGURED:
        circuit.trip(conn, services, at, f"a receipt says that our sender or account is refused (code {evidence.code})")
    if kind in {OutcomeClass.HOLD, OutcomeClass.UNKNOWN}:
        alarm(conn, row, at, "provider.unknown-code", evidence.code)
    retries.plan_retry(conn, services, row, kind)


def alarm(conn: Connection, row: notifications.Row, at: Any, action: str, code: str | None) -> None:
    """An audit row that asks an operator to look."""
    audit.write(conn, at=at, actor=audit.SYSTEM, action=action, subject="notification", subject_id=row.id, code=code)
