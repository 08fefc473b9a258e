"""Trying again after a message was taken and did not arrive: a new generation with a new link, outside the promise's
clock. What was never taken is tried again in the same row (messages.outcomes)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import NOT_LEFT, DoseStatus, Kind, Lane, State
from notifier.gateways import OutcomeClass
from notifier.messages import plan
from notifier.messages.plan import PlanOptions, Subject
from notifier.services import Services
from notifier.store import certificates, doses, notifications, persons

#: what is worth a second try; the others belong to a moment that is over
RETRIED_KINDS = frozenset({Kind.CERTIFICATE, Kind.CORRECTION})

_DAY = timedelta(days=1)
#: waits before each further generation. An unreachable phone (off for days on an island): on days 1, 3 and 7
WAITS: dict[OutcomeClass, tuple[timedelta, ...]] = {
    OutcomeClass.TRY_LATER: (_DAY, 2 * _DAY, 4 * _DAY),
    # the carrier's queue was full, or our sender is being repaired: the circuit holds it back as long as that lasts
    OutcomeClass.RATE_LIMITED: (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6)),
    OutcomeClass.SENDER_MISCONFIGURED: (timedelta(minutes=30), timedelta(hours=6), _DAY),
    OutcomeClass.NOT_SENT: (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6)),
}


def plan_retry(
    conn: Connection, services: Services, row: notifications.Row, kind: OutcomeClass
) -> notifications.Row | None:
    """Adds the next generation of a message that did not arrive, where its class and its count allow; None where not.
    The caller holds the dose's line (evidence.hold_line)."""
    waits = WAITS.get(kind, ())
    if row.retries >= len(waits) or Kind(row.kind) not in RETRIED_KINDS or row.dose_id is None:
        return None
    now = services.clock.now()
    return add_generation(
        conn, services, row, due_at=now + waits[row.retries], lane=Lane.NORMAL, retries=row.retries + 1
    )


def add_generation(
    conn: Connection, services: Services, row: notifications.Row, *, due_at: datetime, lane: Lane, **columns: Any
) -> notifications.Row | None:
    """The same message once more with a new link, in the allowed hours; None where there is nothing to say any more or
    another one is on its way. The decision before sending looks at everything else again."""
    if row.dose_id is None:
        return None
    shot = doses.get(conn, row.dose_id)
    certificate_id = certificates.valid_of_dose(conn, row.dose_id)
    others = [other for other in notifications.of_dose(conn, row.dose_id) if other.id != row.id]
    waiting = any(State(other.status) in {*NOT_LEFT, State.SENDING} for other in others)
    newer = any(other.kind == row.kind and other.generation > row.generation for other in others)
    if shot.status == DoseStatus.WITHDRAWN or certificate_id is None or waiting or newer:
        return None
    try:
        person = persons.get(conn, services.sealer, row.person_id)
    except SealBroken:
        return None  # the evidence must be kept all the same; an operator finds the message at its end
    if person.id != shot.person_id or plan.unreachable(person) is not None:
        return None
    zone = doses.facility_zone(conn, shot.facility_id) if shot.facility_id else None
    if services.quiet is not None and not row.any_hour:
        due_at = services.quiet.next_allowed(due_at, plan.zone_of(services, person, zone))
    return plan.add(
        conn,
        services,
        Subject(person, row.dose_id, certificate_id, zone),
        Kind(row.kind),
        accepted_at=services.clock.now(),
        options=PlanOptions(any_hour=row.any_hour, lane=lane),
        due_at=due_at,
        parent_id=row.id,
        **columns,
    )
