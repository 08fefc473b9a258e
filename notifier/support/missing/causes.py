"""Why somebody has no certificate: one finding a dose, by few statements, whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.engine import Connection

from notifier.core.causes import Cause, Fix, WhoActs
from notifier.core.phones import masked_phone
from notifier.core.states import State
from notifier.messages import circuit
from notifier.messages.gather import open_each
from notifier.messages.plan import zone_of
from notifier.services import Services
from notifier.store import counters, missing, persons, suppressions
from notifier.store.missing import Held
from notifier.store.persons import Person
from notifier.support.missing.judge import Standing, judge

#: doses of one person that are looked at, the newest first
MOST = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """Why the certificate of one dose is not in somebody's hands. `reference`: of the newest SMS about it; `when`: it
    will go on, or it happened (UTC); `number`: the number on file, masked, where it matters; None of `fix`: a tap
    cannot mend it."""

    cause: Cause
    person_id: str
    dose_id: str
    reference: str | None
    when: datetime | None
    who_acts: WhoActs
    fix: Fix | None
    certificate_id: str | None
    number: str | None = field(repr=False)
    zone: str
    given_on: date | None = None
    product: str | None = None
    dose_number: int | None = None
    series_total: int | None = None
    facility: str | None = None
    facility_id: str | None = None


def causes_for(services: Services, phone: str, *, only: Collection[str] | None = None) -> list[Finding]:
    """The findings about the persons whose number on file is `phone` (E.164), whoever asks having proven it; `only`:
    those of some of these persons, whose birth date or NIK was proven too. None where nobody has the number."""
    with services.db.read() as conn:
        known = persons.ids_with_phone(conn, persons.phone_index(services.sealer, phone))
        return causes_of(conn, services, [row_id for row_id in known if only is None or row_id in only])


def causes_of(conn: Connection, services: Services, person_ids: Collection[str]) -> list[Finding]:
    """The findings about some persons; for staff, and for whoever proved to be one of them."""
    people = {row_id: person for row_id, person in open_each(conn, services, set(person_ids)).items() if person}
    if not people:
        return []
    held = missing.held(conn, people)
    standings = _standings(conn, services, list(people.values()), _is_held_up(conn, services, held))
    return [
        _finding(services, person, one, standings[person.id])
        for person in people.values()
        for one in _newest(held.get(person.id, []))
    ]


def _newest(held: list[Held]) -> Iterator[Held]:
    yield from held[:MOST]


def _finding(services: Services, person: Person, held: Held, standing: Standing) -> Finding:
    verdict, shot = judge(held, standing), held.dose
    return Finding(
        cause=verdict.cause,
        person_id=person.id,
        dose_id=shot.id,
        reference=held.message.reference if held.message is not None else None,
        when=verdict.when,
        who_acts=verdict.who_acts,
        fix=verdict.fix,
        certificate_id=held.certificate_id,
        number=masked_phone(person.mobile) if person.mobile else None,
        zone=zone_of(services, person, shot.facility_zone).key,
        given_on=shot.given_on,
        product=shot.product,
        dose_number=shot.number,
        series_total=shot.series_total,
        facility=shot.facility_name,
        facility_id=shot.facility_id,
    )


def _is_held_up(conn: Connection, services: Services, held: Mapping[str, Sequence[Held]]) -> bool:
    """Whether nothing leaves at the moment; asked only where something waits to leave."""
    states = {one.message.status for doses in held.values() for one in doses if one.message is not None}
    if not states & {State.SCHEDULED.value, State.CLAIMED.value}:
        return False
    return counters.is_on(conn, counters.HOLD) or circuit.is_waiting(conn, services, services.clock.now())


def _standings(
    conn: Connection, services: Services, people: Collection[Person], is_held_up: bool
) -> dict[str, Standing]:
    now = services.clock.now()
    indexes = {one.id: persons.phone_index(services.sealer, one.mobile) for one in people if one.mobile}
    stopped = suppressions.suppressed(conn, set(indexes.values())) if indexes else set()
    pauses = missing.pauses(conn, [one.id for one in people])
    quiet = services.quiet
    return {
        one.id: Standing(
            now=now,
            is_locked=one.locked_at is not None,
            has_mobile=one.mobile is not None,
            opted_out=indexes.get(one.id) in stopped,
            paused=pauses.get((one.id, indexes.get(one.id, b""))),
            is_quiet=quiet is not None and quiet.quiet_at(now.astimezone(zone_of(services, one, None))),
            is_held_up=is_held_up,
            phone_index=indexes.get(one.id),
        )
        for one in people
    }
