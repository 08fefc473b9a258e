"""A correction carried out: one event for each dose of the person, in the transaction that ends the request.

The event about the newest dose changes the person; those about the others make their certificates anew too, since the
old ones bear the old data. Of every certificate whose link has left the old one is replaced, its links are dead, and an
SMS says so; what has not left yet is sent as it stands then (intake.effects).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Refused
from notifier.core.own_corrections import OPEN, Field, How, Proof, RequestState
from notifier.core.states import Lane, RegistryEvent
from notifier.intake.one import Item, Job, item_of, record_one
from notifier.intake.record import Door, PlanOptions, in_transaction
from notifier.services import Services
from notifier.store import audit, doses, locks, own_corrections, persons, registry_outbox
from notifier.store.own_corrections import Row
from notifier.store.persons import Person
from notifier.support.corrections import corrected_event
from notifier.support.dose_on_file import Held, held_of
from notifier.support.own_corrections import objection, rule, values

SUBJECT = "correction"  #: of the audit
_TRIES = 4

Result = TypeVar("Result")


class _Moved(Exception):
    """Somebody changed the person or a dose since we looked."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A correction made ready: the person as they are, their doses newest first, and an event for each."""

    person: Person
    about: Field
    value: str = field(repr=False)
    held: tuple[Held, ...] = field(repr=False)
    items: tuple[Item, ...] = field(repr=False)

    @property
    def facility_id(self) -> str | None:
        """Whose list a request of the person's is on: of whoever gave the newest dose."""
        found: str | None = self.held[0].dose.facility_id
        return found


def prepare(services: Services, person_id: str, request_id: str, about: Field, value: str) -> Prepared:
    """Raises NotFound, BadInput where nothing would be another (`nothing-changed`) or it cannot stand beside the rest,
    and Refused (`no-dose`, `unreadable`)."""
    with services.db.read() as conn:
        held = _held(conn, services, person_id)
    if not held:
        raise Refused("no-dose")
    person = held[0].person
    if values.on_file(person, about) == value:
        raise BadInput.of(f"person.{about.value}", "nothing-changed", "this is on file already")
    change = values.as_change(about, value)
    items = tuple(
        item_of(services, corrected_event(services, one, change, event_id=f"own/{request_id}/{number}"))
        for number, one in enumerate(held)
    )
    return Prepared(person, about, value, held, items)


def with_person_held(
    services: Services, prepare_it: Callable[[], Prepared], work: Callable[[Connection, Prepared], Result]
) -> Result:
    """`work` in one transaction in which neither the person nor a dose of theirs is another than when it was made
    ready; made ready again where somebody was faster. Raises Refused (`changed-meanwhile`) in the end."""
    for _ in range(_TRIES):
        ready = prepare_it()
        try:
            return in_transaction(services, lambda conn, ready=ready: work(conn, _hold(conn, services, ready)))  # type: ignore[misc]
        except _Moved:
            continue
    raise Refused("changed-meanwhile")


def carry_out(conn: Connection, services: Services, ready: Prepared, row: Row, *, how: How, actor: str) -> None:
    """Ends a request with its correction. The caller holds the person, and has seen that the request may be decided.
    Raises Refused (`nik-taken`, `already-decided`) or BadInput."""
    if ready.about is Field.NIK and rule.is_taken(conn, services, ready.person.id, ready.value):
        raise Refused("nik-taken")
    now = services.clock.now()
    options = _options(services, how)
    for number, item in enumerate(ready.items):
        record_one(conn, Job(services, Door.OWN, actor, options), item)
        if number == 0:
            options = replace(options, person_before=ready.person)
    if not own_corrections.move(
        conn, row.id, RequestState.DONE, old=OPEN, **own_corrections.ended(now, actor, decided_how=how.value)
    ):
        raise Refused("already-decided")
    note(conn, services, row, "correction.done", actor, how=how.value, field=ready.about.value, doses=len(ready.items))
    registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, ready.person.id, now, fields=[ready.about.value])
    if ready.about is Field.PHONE and ready.person.mobile is not None:
        if row.proof == Proof.OTP:  # whose other requests go on with their owner; a lost number's do not
            old, new = (persons.phone_index(services.sealer, one) for one in (ready.person.mobile, ready.value))
            own_corrections.follow_number(conn, ready.person.id, old=old, new=new)
        objection.offer(conn, services, row, ready.person.mobile)


def note(conn: Connection, services: Services, row: Row, action: str, actor: str, **detail: str | int | None) -> None:
    """Writes into the audit what was done about a request."""
    at = services.clock.now()
    audit.write(conn, at=at, actor=actor, action=action, subject=SUBJECT, subject_id=row.id, **detail)


def _options(services: Services, how: How) -> PlanOptions:
    """What somebody waits for in front of a screen goes at any hour; what staff decided, as their corrections do."""
    if how is How.REVIEW:
        undo = timedelta(minutes=services.settings.undo_minutes)
        return PlanOptions(delay=timedelta(0), undo=undo, lane=Lane.FRESH)
    return PlanOptions(delay=timedelta(0), any_hour=True, lane=Lane.FRESH)


def _held(conn: Connection, services: Services, person_id: str) -> tuple[Held, ...]:
    """The doses of a person that stand, newest first."""
    return tuple(held_of(conn, services, shot) for shot in reversed(doses.of_person(conn, person_id)))


def _hold(conn: Connection, services: Services, ready: Prepared) -> Prepared:
    """Keeps person and doses from changing, in the order of every event: what they share, then the row. The person as
    they are now: a lock falls without changing what a revision tells of."""
    locks.hold(conn, *(key for item in ready.items for key in item.locks))
    persons.hold(conn, ready.person.id)
    now = _held(conn, services, ready.person.id)
    if [(one.dose.id, one.revision) for one in now] != [(one.dose.id, one.revision) for one in ready.held]:
        raise _Moved
    return replace(ready, person=now[0].person, held=now)
