"""The decision just before sending: is the dose still valid, the person reachable and willing, the hour allowed, the
message still worth sending? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notifier.core.bulks import BulkState
from notifier.core.schedule import PROMISE, QuietHours, share_of, spread_opening
from notifier.core.states import KIND_RULES, DoseStatus, Kind, KindRules, Reason, State
from notifier.messages import plan
from notifier.store.persons import Person


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision rests on, read in the transaction that acts on it."""

    row: Any  #: the notification
    person: Person | None  #: None: its sealed columns cannot be opened, or `is_forgotten`
    dose_status: str | None
    dose_number: int | None
    link_public_id: str | None
    link_revoked: bool
    certificate_valid: bool
    opted_out: bool
    left_today: int
    zone: ZoneInfo
    is_forgotten: bool = False  #: the mere number that it goes to was erased
    not_me: bool = False  #: whoever has the number said that it is not this person's
    bulk_state: str | None = None  #: of the bulk resend that planned it
    tracker_id: str | None = None  #: the public id of the case that it tells about
    objection_id: str | None = None  #: the public id by which the number that was replaced objects
    doses_changed: bool = False  #: of a reminder: the doses are not those any more that it was planned from


@dataclass(frozen=True, slots=True)
class Rules:
    """The programme's settings that a decision obeys."""

    quiet: QuietHours | None
    hold_after: timedelta
    daily_cap: int
    spread: timedelta = timedelta(0)  #: what waits for the morning is spread over so long


@dataclass(frozen=True, slots=True)
class Stop:
    """Not now: the state to move to, why, and for `scheduled` when to look again. `replanned`: our own rule puts it
    off, so that its lateness counts anew."""

    state: State
    reason: Reason
    due_at: datetime | None = None
    replanned: bool = False


def decide(facts: Facts, rules: Rules, now: datetime) -> Stop | None:
    """None: send it. Otherwise where the notification goes instead."""
    kind_rules = KIND_RULES[Kind(facts.row.kind)]
    return (
        _never(facts, kind_rules)
        or _bulk_stands_still(facts)
        or _too_late(facts, kind_rules, rules, now)
        or _not_now(facts, kind_rules, rules, now)
    )


def _never(facts: Facts, kind_rules: KindRules) -> Stop | None:
    person = facts.person
    if person is None:
        hangs = Stop(State.HELD, Reason.UNREADABLE)  # somebody may find the key again
        return Stop(State.CANCELLED, Reason.ERASED) if facts.is_forgotten else hangs
    if facts.dose_status == DoseStatus.WITHDRAWN or facts.doses_changed:
        withdrawn = facts.dose_status == DoseStatus.WITHDRAWN
        return Stop(State.CANCELLED, Reason.WITHDRAWN if withdrawn else Reason.DOSES_CHANGED)
    if person.deceased_at is not None:
        return Stop(State.SUPPRESSED, Reason.DECEASED)
    if kind_rules.link and (facts.link_revoked or facts.link_public_id is None):
        return Stop(State.CANCELLED, Reason.LINK_REVOKED)
    if facts.row.kind == Kind.LOCK and person.locked_at is None:
        return Stop(State.CANCELLED, Reason.UNLOCKED)
    if not facts.certificate_valid:
        return Stop(State.CANCELLED, Reason.SUPERSEDED)
    unreachable = plan.unreachable(person)
    if unreachable is not None:
        return Stop(State.SUPPRESSED, unreachable)
    if facts.not_me:
        return Stop(State.SUPPRESSED, Reason.NOT_ME)
    if kind_rules.opt_out and facts.opted_out:
        return Stop(State.SUPPRESSED, Reason.OPTED_OUT)
    return None


def _bulk_stands_still(facts: Facts) -> Stop | None:
    """What was on its way when its bulk was paused or cancelled, and came back to be tried again."""
    if facts.bulk_state == BulkState.CANCELLED:
        return Stop(State.CANCELLED, Reason.OPERATOR)
    return Stop(State.HELD, Reason.OPERATOR) if facts.bulk_state == BulkState.PAUSED else None


def _too_late(facts: Facts, kind_rules: KindRules, rules: Rules, now: datetime) -> Stop | None:
    late = now - facts.row.planned_for
    if kind_rules.expires_after is not None:
        return Stop(State.EXPIRED, Reason.PAST_DUE) if late > kind_rules.expires_after else None
    return Stop(State.HELD, Reason.PAST_DUE) if late > rules.hold_after else None


def _not_now(facts: Facts, kind_rules: KindRules, rules: Rules, now: datetime) -> Stop | None:
    obeys_hours = kind_rules.quiet_hours and not facts.row.any_hour and rules.quiet is not None
    if obeys_hours and rules.quiet is not None and rules.quiet.quiet_at(now.astimezone(facts.zone)):
        return Stop(State.SCHEDULED, Reason.QUIET_HOURS, _opening(facts, rules.quiet, rules, now))
    if kind_rules.daily_cap and facts.left_today >= rules.daily_cap:
        return Stop(State.SCHEDULED, Reason.DAILY_CAP, _tomorrow(facts, rules, now), replanned=True)
    return None


def _tomorrow(facts: Facts, rules: Rules, now: datetime) -> datetime:
    local = now.astimezone(facts.zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight.astimezone(now.tzinfo)
    return _opening(facts, rules.quiet, rules, moment) if rules.quiet else moment


def _opening(facts: Facts, quiet: QuietHours, rules: Rules, moment: datetime) -> datetime:
    """The next allowed moment, spread, and inside the promise where that still holds."""
    opening = quiet.next_allowed(moment, facts.zone)
    promise = facts.row.accepted_at + PROMISE
    until = promise if promise > opening else opening + rules.spread
    return spread_opening(quiet, moment, facts.zone, share=share_of(facts.row.id), spread=rules.spread, until=until)
