"""What an attempt's outcome does to its notification: the moves out of `sending`, by outcome class."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.states import Channel, Reason, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.messages import circuit
from notifier.services import Services
from notifier.store import attempts, audit, buckets, notifications, suppressions, unknowns

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
UNREACHABLE_RETRY = timedelta(minutes=30)
MISCONFIGURED_RETRY = timedelta(minutes=5)
RATE_LIMIT_RETRY = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=30)

_SENDING = (State.SENDING,)


@dataclass(frozen=True, slots=True)
class Settled:
    """One attempt with what came of it."""

    row: notifications.Row
    attempt_id: str
    outcome: Outcome
    segments: int


#: classes that end a notification for good, with the reason that people are given
_ENDINGS = {
    OutcomeClass.PERMANENT: Reason.REFUSED,
    OutcomeClass.NUMBER_BAD: Reason.BAD_PHONE,
    OutcomeClass.OPTED_OUT: Reason.OPTED_OUT,
}
#: classes that leave it scheduled: the reason, and whether an attempt is burnt
_RETRIES = {
    OutcomeClass.NOT_SENT: (Reason.NOT_SENT, True),
    OutcomeClass.NOT_BEGUN: (Reason.NOT_SENT, False),
    OutcomeClass.TRY_LATER: (Reason.NOT_SENT, True),
    OutcomeClass.RATE_LIMITED: (Reason.RATE_LIMITED, False),
    OutcomeClass.SENDER_MISCONFIGURED: (Reason.SENDER_MISCONFIGURED, False),
    OutcomeClass.HOLD: (Reason.REFUSED, True),
}


def record(conn: Connection, services: Services, settled: Sequence[Settled], token: str) -> None:
    """Writes the outcomes of a chunk in the caller's transaction; the same chunk written twice changes nothing more.

    A row that is not ours any more keeps its state; the evidence still goes to our attempt, and the reconciler, who is
    told, uses it.
    """
    at = services.clock.now()
    attempts.finish_many(conn, [_evidence(one, at) for one in settled])
    moved = 0
    for kind in sorted({one.outcome.kind for one in settled}):
        group = [one for one in settled if one.outcome.kind is kind]
        if kind is OutcomeClass.ACCEPTED:
            moved += _accepted(conn, group, at, token)
        elif kind is OutcomeClass.UNKNOWN:
            moved += _unknown(conn, group, at, token, services.settings.reconcile_after)
        elif kind in _ENDINGS:
            moved += _ended(conn, group, _ENDINGS[kind], at, token)
        else:
            moved += _try_again(conn, group, kind, at, token)
    if moved < len(settled):
        unknowns.hint_evidence(conn, [one.row.id for one in settled], at=at)
    circuit.note(conn, services, [(one.outcome.kind, one.outcome.code) for one in settled])
    _slow_down(conn, services, settled, at)


def _slow_down(conn: Connection, services: Services, settled: Sequence[Settled], at: datetime) -> None:
    """Where the provider asks most of a chunk to wait, everybody waits, instead of asking again with the next chunk."""
    limited = [one.outcome for one in settled if one.outcome.kind is OutcomeClass.RATE_LIMITED]
    if len(limited) * 2 > len(settled):
        wait = min(timedelta(seconds=max(one.retry_after_s or 1.0 for one in limited)), LONGEST_PAUSE)
        buckets.pause(conn, services.gateway.name, until=at + wait, rate=services.settings.sender_rate, at=at)


def _evidence(one: Settled, at: datetime) -> dict[str, Any]:
    return {
        "row_id": one.attempt_id,
        "new_finished_at": at,
        "new_outcome": one.outcome.kind.value,
        "new_provider_sid": one.outcome.provider_sid,
        "new_http_status": one.outcome.http_status,
        "new_provider_code": one.outcome.code,
    }


def _accepted(conn: Connection, group: Sequence[Settled], at: datetime, token: str) -> int:
    changes = [
        {
            "row_id": one.row.id,
            "new_provider_sid": one.outcome.provider_sid,
            "new_left_at": at,
            "new_segments": one.segments,
            "new_reason": None,
            "new_provider_code": None,
        }
        for one in group
    ]
    moved = notifications.move_each(conn, changes, State.ACCEPTED, old=_SENDING, at=at, token=token)
    if moved < len(changes):
        # a receipt overtook us, or our lease ran out: the state stays, the provider's id is evidence
        keys = ("row_id", "new_provider_sid")
        notifications.remember_sid(conn, [{key: change[key] for key in keys} for change in changes])
    return moved


def _unknown(
    conn: Connection, group: Sequence[Settled], at: datetime, token: str, look_ups: Sequence[timedelta]
) -> int:
    changes = [
        {
            "row_id": one.row.id,
            "new_left_at": at,
            "new_reason": Reason.OUTCOME_UNKNOWN.value,
            "new_provider_code": one.outcome.code,
            "new_look_ups": 0,
            "new_look_up_at": at + look_ups[0],
        }
        for one in group
    ]
    return notifications.move_each(conn, changes, State.UNKNOWN, old=_SENDING, at=at, token=token)


def _ended(conn: Connection, group: Sequence[Settled], reason: Reason, at: datetime, token: str) -> int:
    changes = [
        {"row_id": one.row.id, "new_reason": reason.value, "new_provider_code": one.outcome.code, "new_left_at": None}
        for one in group
    ]
    moved = notifications.move_each(conn, changes, State.FAILED, old=_SENDING, at=at, token=token)
    if reason is Reason.OPTED_OUT:
        # in one order: two chunks that add the same numbers crosswise would wait for each other
        for row in sorted((one.row for one in group if one.row.phone_index), key=lambda row: row.phone_index):
            _suppress(conn, row, at)
    return moved


def _suppress(conn: Connection, row: notifications.Row, at: datetime) -> None:
    """The provider was told to stop: the number that it was posted to, on the channel that it was posted by."""
    suppressions.add(
        conn,
        row.phone_index,
        reason=Reason.OPTED_OUT,
        source=suppressions.Source.PROVIDER,
        at=at,
        channel=Channel(row.channel),
    )


def _try_again(conn: Connection, group: Sequence[Settled], kind: OutcomeClass, at: datetime, token: str) -> int:
    reason, burns = _RETRIES[kind]
    changes = [
        {
            "row_id": one.row.id,
            "new_reason": reason.value,
            "new_provider_code": one.outcome.code,
            "new_due_at": at + retry_after(one.outcome, one.row.attempts),
            "new_left_at": None,
            "new_attempts": one.row.attempts if burns else one.row.attempts - 1,
        }
        for one in group
    ]
    if kind is OutcomeClass.HOLD:
        changes = [change | {"new_lease_token": token} for change in changes]  # still ours in the second step
    moved = notifications.move_each(conn, changes, State.SCHEDULED, old=_SENDING, at=at, token=token)
    if kind is OutcomeClass.HOLD:
        # a code that our table does not know: certainly not sent, and an operator decides
        ids = [one.row.id for one in group]
        held = notifications.move(conn, ids, State.HELD, old=[State.SCHEDULED], at=at, reason=reason, token=token)
        for one in group:
            if one.row.id in held:
                _alarm(conn, one, at, "provider.unknown-code")
    elif kind is OutcomeClass.SENDER_MISCONFIGURED:
        _alarm(conn, group[0], at, "provider.sender-misconfigured")
    return moved


def settle_late(
    conn: Connection, services: Services, row: notifications.Row, kind: OutcomeClass, code: str | None
) -> bool:
    """Uses the outcome (other than accepted) that a worker wrote down after its lease had run out: it certainly was not
    sent, or was refused. Whether the row moved."""
    at = services.clock.now()
    if kind in _ENDINGS:
        reason = _ENDINGS[kind]
        moved = notifications.move(
            conn, [row.id], State.FAILED, old=[State.UNKNOWN], at=at, reason=reason, provider_code=code, look_up_at=None
        )
        if moved and reason is Reason.OPTED_OUT and row.phone_index is not None:
            _suppress(conn, row, at)
        return bool(moved)
    reason, _burns = _RETRIES[kind]
    values: dict[str, Any] = {
        "due_at": at + retry_after(Outcome(kind), row.attempts),
        "left_at": None,
        "look_up_at": None,
    }
    moved = notifications.move(
        conn, [row.id], State.SCHEDULED, old=[State.UNKNOWN], at=at, reason=reason, provider_code=code, **values
    )
    if moved and kind is OutcomeClass.HOLD:
        moved = notifications.move(conn, moved, State.HELD, old=[State.SCHEDULED], at=at, reason=reason)
    return bool(moved)


def _alarm(conn: Connection, one: Settled, at: datetime, action: str) -> None:
    audit.write(
        conn,
        at=at,
        actor=audit.SYSTEM,
        action=action,
        subject="notification",
        subject_id=one.row.id,
        code=one.outcome.code,
        http_status=one.outcome.http_status,
    )


def retry_after(outcome: Outcome, attempts_so_far: int) -> timedelta:
    """How long to wait: what the provider says, else by class; exponential with jitter where nobody was reached."""
    if outcome.retry_after_s is not None:
        return min(timedelta(seconds=max(1.0, outcome.retry_after_s)), LONGEST_RETRY)
    if outcome.kind is OutcomeClass.SENDER_MISCONFIGURED:
        return MISCONFIGURED_RETRY
    if outcome.kind in {OutcomeClass.RATE_LIMITED, OutcomeClass.NOT_BEGUN}:
        return RATE_LIMIT_RETRY
    first = UNREACHABLE_RETRY if outcome.kind is OutcomeClass.TRY_LATER else FIRST_RETRY
    wait: timedelta = min(first * 2 ** min(max(attempts_so_far - 1, 0), 10), LONGEST_RETRY)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, not a secret
