"""The rules by which a cause is found. Pure: what is known in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from notifier.core.causes import Cause, Fix, WhoActs
from notifier.core.schedule import PROMISE
from notifier.core.states import DoseStatus, Kind, Reason, State
from notifier.store.missing import Held

#: registries and facilities enter late: after a week most is there, after ten days nearly all (reference, 2021)
STILL_YOUNG = timedelta(days=10)
#: a phone that was off gets an SMS for so long; after it, a new link is worth sending
_ON_ITS_WAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a person and the number on file, whichever dose is asked about."""

    now: datetime
    is_locked: bool
    has_mobile: bool
    opted_out: bool
    paused: bool | None  #: "this is not me"; True: staff made sure of it; None: nobody said so
    is_quiet: bool  #: the hour is one without SMS, where the person lives
    is_held_up: bool  #: the kill switch is on, or the provider refuses us
    phone_index: bytes | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, when it will go on (or when it happened), who acts, and what a tap can do."""

    cause: Cause
    who_acts: WhoActs
    when: datetime | None = None
    fix: Fix | None = None


def cause_of_missing(given_on: date, today: date) -> Cause:
    """Why a dose that nobody has sent us is not here, by its age alone."""
    age = today - given_on
    if age < PROMISE:
        return Cause.TOO_YOUNG
    return Cause.STILL_YOUNG if age <= STILL_YOUNG else Cause.NOT_ENTERED


def judge(held: Held, standing: Standing) -> Verdict:
    """Why the certificate of one dose is not in the person's hands."""
    if held.dose.status == DoseStatus.WITHDRAWN:
        return Verdict(Cause.WITHDRAWN, WhoActs.FACILITY, held.dose.updated_at)
    return _of_number(standing) or _of_message(held, standing)


def _of_number(standing: Standing) -> Verdict | None:
    """What stands in the way of every message to the person."""
    if standing.is_locked:
        return Verdict(Cause.LOCKED, WhoActs.FACILITY)
    if standing.paused is not None:
        fix = None if standing.paused else Fix.NUMBER_IS_MINE
        return Verdict(Cause.NOT_ME, WhoActs.FACILITY if standing.paused else WhoActs.YOU, fix=fix)
    if not standing.has_mobile:
        return Verdict(Cause.NUMBER_BAD, WhoActs.FACILITY, fix=Fix.CORRECT_NUMBER)
    return Verdict(Cause.OPTED_OUT, WhoActs.YOU, fix=Fix.ALLOW_SMS) if standing.opted_out else None


def _of_message(held: Held, standing: Standing) -> Verdict:
    row = held.message
    again = Fix.NEW_LINK if held.certificate_id is not None else None
    if row is None:
        return Verdict(Cause.HISTORICAL, WhoActs.YOU, fix=again)
    state = State(row.status)
    if state in {State.SCHEDULED, State.CLAIMED}:
        return _waiting(row, standing)
    if state is State.HELD:
        return Verdict(Cause.HELD, WhoActs.OPERATORS, row.updated_at)
    if state is State.UNKNOWN:
        return Verdict(Cause.UNKNOWN_OUTCOME, WhoActs.OPERATORS, row.left_at, again)
    if state in {State.SENDING, State.ACCEPTED, State.SENT}:
        return _under_way(row, standing, again)
    if state is State.DELIVERED:
        return _arrived(held, standing, again)
    if state in {State.UNDELIVERED, State.FAILED}:
        return Verdict(Cause.NUMBER_FAILED, WhoActs.YOU, row.ended_at, again)
    if row.reason == Reason.HISTORICAL:
        return Verdict(Cause.HISTORICAL, WhoActs.YOU, fix=again)
    return Verdict(Cause.LATE, WhoActs.YOU if again else WhoActs.OPERATORS, row.ended_at, again)


def _waiting(row: Any, standing: Standing) -> Verdict:
    if standing.is_held_up:
        return Verdict(Cause.PROVIDER_TROUBLE, WhoActs.OPERATORS, row.due_at)
    if row.due_at <= standing.now - timedelta(hours=1) and row.accepted_at < standing.now - PROMISE:
        return Verdict(Cause.LATE, WhoActs.OPERATORS, row.due_at)
    if standing.is_quiet and not row.any_hour:
        return Verdict(Cause.QUIET_HOURS, WhoActs.NOBODY, row.due_at)
    return Verdict(Cause.SCHEDULED, WhoActs.NOBODY, row.due_at)


def _under_way(row: Any, standing: Standing, again: Fix | None) -> Verdict:
    is_stale = row.left_at is not None and row.left_at < standing.now - _ON_ITS_WAY
    return Verdict(
        Cause.ON_ITS_WAY,
        WhoActs.YOU if is_stale else WhoActs.NOBODY,
        row.left_at or row.updated_at,
        again if is_stale else None,
    )


def _arrived(held: Held, standing: Standing, again: Fix | None) -> Verdict:
    row = held.message
    when = row.ended_at if row is not None else None
    if row is not None and row.phone_index is not None and row.phone_index != standing.phone_index:
        return Verdict(Cause.NUMBER_DIFFERS, WhoActs.YOU, when, again)
    if held.is_opened:
        return Verdict(Cause.OPENED, WhoActs.YOU, when, again)
    if row is not None and row.kind == Kind.CORRECTION:
        return Verdict(Cause.CORRECTED, WhoActs.YOU, when, again)
    return Verdict(Cause.DELIVERED, WhoActs.YOU, when, again)
