"""Reconciling: outcomes that nobody knows are settled by what our own late answers say, then by the provider's list of
messages to that number, matched by the link in the text (by the whole text where a kind bears no link). Not found
proves nothing: a stopped worker may still post.

After the last look-up UNKNOWN_POLICY decides: `ask` an operator, send again after all (`resend_after`), or `never`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.states import KIND_RULES, Kind, Lane, Reason, State
from notifier.faults import FaultPoint
from notifier.gateways import FoundMessage, OutcomeClass
from notifier.messages import evidence, outcomes, retries
from notifier.messages.evidence import Evidence
from notifier.messages.gather import addressee
from notifier.messages.text import SmsTexts, told_dose
from notifier.services import TEMPLATES, Services
from notifier.settings import UnknownPolicy
from notifier.store import (
    attempts,
    case_reports,
    certificates,
    doses,
    notifications,
    own_corrections,
    persons,
    unknowns,
)
from notifier.store.health import AWAY
from notifier.store.persons import Person

BATCH = 100
_IN_FLIGHT = 8  # look-ups at once: the provider limits them, and sending matters more
_ASK_AGAIN = timedelta(minutes=1)  # where the provider's list could not be read: not counted as a look-up
_CLOCKS_DIFFER = timedelta(minutes=5)  # the provider's and ours

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a round came to."""

    looked_at: int = 0
    settled: int = 0
    still_unknown: int = 0


@dataclass(frozen=True, slots=True)
class _Case:
    """One unknown outcome, with what is needed to ask the provider. `to` None: the number is another one now. `text`:
    what it says, where only that can tell it from others; `not_these`: the provider's ids of those others."""

    row: notifications.Row
    to: str | None
    link_public_id: str | None
    text: str | None = field(default=None, repr=False)
    not_these: frozenset[str] = frozenset()


def reconcile(services: Services, limit: int = BATCH) -> Reconciled:
    """Looks at the unknown outcomes whose look-up is due. Safe to run anywhere, any number of times."""
    lease = timedelta(seconds=services.settings.lease_seconds)
    with services.db.write() as conn:
        at = services.db.now(conn)
        rows = unknowns.take_look_ups(conn, at=at, until=at + lease, limit=limit)
        left = [row for row in rows if not _by_own_evidence(conn, services, row)]
        cases = _cases(conn, services, left)
    found = _ask(services, cases)
    services.faults.reached(FaultPoint.LOOKED_UP)
    settled = len(rows) - len(left)
    for case in cases:
        settled += _concluded(services, case, found.get(case.to or ""))
    return Reconciled(len(rows), settled, len(rows) - settled)


def _by_own_evidence(conn: Connection, services: Services, row: notifications.Row) -> bool:
    """Settles it by what its attempts say: a worker whose lease ran out still wrote down what came back. A "no" counts
    only where every attempt has one, and nothing after a restored copy: the copy lacks the attempts made since."""
    tried = attempts.of_notification(conn, row.id)
    accepted = [one for one in tried if one.outcome == OutcomeClass.ACCEPTED]
    if accepted:
        return evidence.settle(conn, services, row, Evidence(State.ACCEPTED, accepted[-1].provider_sid))
    unclear = any(one.outcome in {None, OutcomeClass.UNKNOWN} for one in tried)
    if not tried or unclear or row.reason in {Reason.DB_RESTORED, Reason.SENT_AGAIN, Reason.LEFT_ALONE}:
        return False  # what was decided about is not sent beside what was sent instead
    return outcomes.settle_late(conn, services, row, OutcomeClass(tried[-1].outcome), tried[-1].provider_code)


def _cases(conn: Connection, services: Services, rows: Sequence[notifications.Row]) -> list[_Case]:
    links = certificates.load_links(conn, {row.link_id for row in rows if row.link_id})
    return [_case(conn, services, row, links.get(row.link_id)) for row in rows]


def _case(conn: Connection, services: Services, row: notifications.Row, link: Any) -> _Case:
    person = _person(conn, services, row)
    if person is None or link is not None:
        return _Case(row, person.mobile if person else None, link.public_id if link else None)
    others = unknowns.others_to_number(conn, row)
    if any(State(other.status) in {State.SENDING, State.UNKNOWN} for other in others):
        return _Case(row, person.mobile, None)  # the same words to a family's number: nobody can say whose they are
    known = frozenset(other.provider_sid for other in others if other.provider_sid)
    return _Case(row, person.mobile, None, _text(conn, services, row, person), known)


def _person(conn: Connection, services: Services, row: notifications.Row) -> Person | None:
    """The person, where it was sent to what is still their number."""
    person = addressee(conn, services, row)
    if (
        person is None
        or person.mobile is None
        or persons.phone_index(services.sealer, person.mobile) != row.phone_index
    ):
        return None
    return person


def _text(conn: Connection, services: Services, row: notifications.Row, person: Person) -> str:
    shot = doses.get(conn, row.dose_id) if row.dose_id else None
    return SmsTexts(TEMPLATES / "sms", services.settings.sender_name).render(
        Kind(row.kind),
        language=person.language,
        name=person.name,
        dose_number=told_dose(Kind(row.kind), shot.number) if shot else None,
        link=_tracker(conn, services, row),
        own=services.programme.texts,
        code=services.one_time_codes.code_of(row.subject_id) if row.kind == Kind.OTP else "",
    )


def _tracker(conn: Connection, services: Services, row: notifications.Row) -> str | None:
    if row.kind == Kind.REQUEST:
        return services.account_url
    if row.kind == Kind.NUMBER:
        objection_id = own_corrections.objection_ids(conn, [row.subject_id]).get(row.subject_id)
        return services.objection_url(objection_id) if objection_id else None
    public_id = case_reports.public_ids(conn, [row.subject_id]).get(row.subject_id) if row.kind == Kind.CASE else None
    return services.tracker_url(public_id) if public_id else None


def _ask(services: Services, cases: Sequence[_Case]) -> dict[str, list[FoundMessage] | None]:
    """The provider's messages by number; None where it could not be asked. Each number once."""
    numbers = sorted({case.to for case in cases if case.to})
    if not numbers:
        return {}
    with ThreadPoolExecutor(min(_IN_FLIGHT, len(numbers)), thread_name_prefix="look-up") as pool:
        return dict(zip(numbers, pool.map(lambda to: _look_up(services, to), numbers), strict=True))


def _look_up(services: Services, to: str) -> list[FoundMessage] | None:
    try:
        return services.gateway.look_up(to)
    except Exception as error:
        _log.warning("look-up failed", extra={"error": type(error).__name__})
        return None


def _concluded(services: Services, case: _Case, found: list[FoundMessage] | None) -> bool:
    """One outcome's fault must not keep the others of its round; it is taken up again when its put-off is over."""
    try:
        return _conclude(services, case, found)
    except AWAY:
        raise
    except Exception as error:
        _log.error("look-up not concluded", extra={"error": type(error).__name__, "reference": case.row.reference})
        return False


def _conclude(services: Services, case: _Case, found: list[FoundMessage] | None) -> bool:
    """Writes what one look-up came to; whether it settled the outcome."""
    match = _match(services, case, found or [])
    could_not_ask = case.to is not None and found is None
    with services.db.write() as conn:
        evidence.hold_line(conn, services, case.row, State.FAILED)
        row = notifications.lock(conn, case.row.id)  # somebody may have decided about it while the provider was asked
        if match is not None:
            state = evidence.STATES[match.state] if match.state else State.ACCEPTED
            settled = evidence.settle(conn, services, row, Evidence(state, match.provider_sid, match.code))
        else:
            settled = False
            _not_found(conn, services, row, counts=not could_not_ask)
        services.faults.reached(FaultPoint.LOOK_UP_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.LOOK_UP_AFTER_COMMIT)
    return settled


def _match(services: Services, case: _Case, found: Sequence[FoundMessage]) -> FoundMessage | None:
    """The message whose text holds this generation's own link; where it bears none, the only one with its text."""
    if case.link_public_id is None:
        same = [message for message in found if case.text is not None and _is_same(case, message)]
        return same[0] if len(same) == 1 else None
    return next((message for message in found if services.links.find_in(message.text) == case.link_public_id), None)


def _is_same(case: _Case, message: FoundMessage) -> bool:
    since = case.row.created_at - _CLOCKS_DIFFER
    in_time = message.created_at is not None and message.created_at >= since
    return in_time and message.text == case.text and message.provider_sid not in case.not_these


def _not_found(conn: Connection, services: Services, row: notifications.Row, *, counts: bool) -> None:
    at = services.clock.now()
    if not counts:
        _keep(conn, row, row.look_ups, at + _ASK_AGAIN)
        return
    look_ups = row.look_ups + 1
    schedule = services.settings.reconcile_after
    if look_ups < len(schedule):
        # measured from when it became unknown; never at once again, however late this round came
        next_at = max(row.updated_at + schedule[look_ups], at + (schedule[look_ups] - schedule[look_ups - 1]) / 2)
        _keep(conn, row, look_ups, next_at)
    elif _keep(conn, row, look_ups, None):
        _by_policy(conn, services, row, at)


def _keep(conn: Connection, row: notifications.Row, look_ups: int, next_at: datetime | None) -> bool:
    return unknowns.looked_up(conn, row.id, look_ups=look_ups, look_up_at=next_at)


def _by_policy(conn: Connection, services: Services, row: notifications.Row, at: datetime) -> None:
    """No look-up settled it. What the programme wants then; the same is never sent again twice by itself."""
    if row.reason in {Reason.SENT_AGAIN, Reason.LEFT_ALONE}:
        return  # an operator was faster
    expires_after = KIND_RULES[Kind(row.kind)].expires_after
    if expires_after is not None and at >= row.planned_for + expires_after:
        # the moment that it belonged to is over: nothing is left to decide
        unknowns.decide_unknown(conn, row.id, reason=Reason.LEFT_ALONE, at=at)
        evidence.alarm(conn, row, at, "outcome.unknown-expired", row.provider_code)
        return
    policy = services.settings.unknown_policy
    if policy is UnknownPolicy.NEVER:
        unknowns.decide_unknown(conn, row.id, reason=Reason.LEFT_ALONE, at=at)
    elif policy is UnknownPolicy.RESEND_AFTER and row.parent_id is None and row.kind != Kind.REMINDER:
        again = retries.add_generation(conn, services, row, due_at=at, lane=Lane.NORMAL, retries=row.retries)
        if again is not None:
            unknowns.decide_unknown(conn, row.id, reason=Reason.SENT_AGAIN, at=at)
    evidence.alarm(conn, row, at, f"outcome.unknown-{policy.value.replace('_', '-')}", row.provider_code)
    _log.warning("an outcome stays unknown", extra={"reference": row.reference, "policy": policy.value})
