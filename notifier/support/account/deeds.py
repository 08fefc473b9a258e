"""What one does in an own account: with an opened person, and with the number that was proved.

Each deed looks again, in its own transaction, whether the session has the person open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.certificates.opening import LinkState, open_proved
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CertificateStatus, Channel
from notifier.services import Services
from notifier.store import accounts, audit, cases, certificates, doses, persons, suppressions
from notifier.store.persons import Person
from notifier.store.suppressions import Source
from notifier.support import not_me, opt_out
from notifier.support.account.family import opened_person
from notifier.support.account.session import DOOR, Session
from notifier.support.privacy.export import export

#: how long a certificate stays open that was opened here; as long as the cookie of its view
OPEN_FOR = timedelta(minutes=15)
#: copies of one person's data: each is gathered anew, table by table
EXPORTS = Limit("export:person", 5, timedelta(days=1))
#: "this person is not mine": each yes puts a case on somebody's list
NOT_MINES = Limit("not-mine:number", 10, timedelta(days=1))
_WHY = "diminta sendiri di akun"


@dataclass(frozen=True, slots=True)
class Held:
    """A valid certificate of a person."""

    certificate_id: str
    number: str
    dose: int | None
    product: str
    given_on: date | None


@dataclass(frozen=True, slots=True)
class Page:
    """An opened person, and what they hold, newest dose first."""

    person: Person = field(repr=False)
    certificates: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Whether SMS to the proved number are stopped, and may be started here (`start_sms`)."""

    is_stopped: bool
    may_start: bool = True


def page_of(services: Services, session: Session, person_id: str) -> Page:
    """What a person's page shows. Raises NotFound where this session has them not open."""
    with services.db.read() as conn:
        person = _opened(conn, services, session, person_id)
        rows = certificates.of_person(conn, person_id)
    held = [
        Held(row.id, row.number, row.dose_number, row.product or "", row.given_on)
        for row in rows
        if row.status == CertificateStatus.VALID
    ]
    return Page(person, tuple(held))


def open_certificate(
    services: Services, session: Session, person_id: str, certificate_id: str, *, device: str, is_noted: bool = True
) -> tuple[str, str]:
    """Opens a certificate of an opened person; (the link's public id, the proof) for the cookie of its view.
    `is_noted`: the certificate itself is looked at. Raises NotFound: closed, another person's, or valid no more."""
    with _held(services, session, person_id) as (conn, at):
        _mine(conn, person_id, certificate_id)
        public_id = accounts.link_to(
            conn, certificate_id=certificate_id, person_id=person_id, number=session.number, at=at, until=at + OPEN_FOR
        )
        seen, proof = open_proved(conn, services, public_id, device=device, at=at, actor=DOOR, is_noted=is_noted)
        if seen.state is not LinkState.LIVE:
            raise NotFound("certificate")
    return public_id, proof


def choose_language(services: Services, session: Session, person_id: str, language: str) -> None:
    """In which language an opened person gets SMS from now on. Raises NotFound."""
    with _held(services, session, person_id) as (conn, at):
        accounts.set_language(conn, person_id, language, at)
        _audit(conn, at, "person.language-chosen", person_id, language=language)


def copy_of(services: Services, session: Session, person_id: str) -> dict[str, Any] | int:
    """Everything that is held about an opened person, ready for JSON; or the seconds to wait where it was taken out too
    often today. Raises NotFound."""
    with _held(services, session, person_id) as (conn, at):
        wait = seconds_to_wait(conn, EXPORTS, person_id, at)
    try:
        return wait or export(services, person_id, reason=_WHY, actor=DOOR)
    except Refused:  # erased at this moment
        raise NotFound("person") from None


def say_not_mine(services: Services, session: Session, person_id: str) -> int:
    """Whoever has the number says that a person on it is not theirs: nothing about that person goes there any more,
    and the facility looks into it. 0, or the seconds to wait. Nobody who is not on the number is touched."""
    with services.db.write() as conn:
        at = services.clock.now()
        wait = seconds_to_wait(conn, NOT_MINES, session.number.hex(), at)
        persons.hold(conn, person_id)
        if wait or person_id not in persons.ids_with_phone(conn, session.number):
            return wait
        not_me.pause(conn, person_id, session.number, at=at, actor=DOOR, facility_id=_facility_of(conn, person_id))
    return 0


def unsay_not_mine(services: Services, session: Session, person_id: str) -> None:
    """Takes it back, as long as no staff have decided."""
    with services.db.write() as conn:
        persons.hold(conn, person_id)
        pause = cases.pause_in_force(conn, person_id=person_id, phone_index=session.number)
        if pause is not None and pause.confirmed_at is None:
            not_me.unpause(conn, person_id, session.number, at=services.clock.now(), actor=DOOR)


def refusal(services: Services, session: Session) -> Refusal:
    """Whether SMS to the number are stopped."""
    with services.db.read() as conn:
        row = suppressions.standing(conn, session.number)
    return Refusal(row is not None, row is None or row.source != Source.PROVIDER)


def stop_sms(services: Services, session: Session) -> None:
    """No more SMS to the number, whoever they are about; codes that are asked for go all the same."""
    opt_out.stop(services, session.number, channel=Channel.SMS, source=Source.ACCOUNT, actor=DOOR)


def start_sms(services: Services, session: Session) -> bool:
    """SMS to the number again, whoever stopped them: the number was proved. False where the provider itself blocks it,
    which only a reply from the phone undoes."""
    if not refusal(services, session).may_start:
        return False
    opt_out.start(services, session.number, channel=Channel.SMS, actor=DOOR)
    return True


@contextmanager
def _held(services: Services, session: Session, person_id: str) -> Iterator[tuple[Connection, datetime]]:
    """A transaction that keeps an opened person from changing. Raises NotFound."""
    with services.db.write() as conn:
        persons.hold(conn, person_id)
        _opened(conn, services, session, person_id)
        yield conn, services.clock.now()


def _opened(conn: Connection, services: Services, session: Session, person_id: str) -> Person:
    person = opened_person(conn, services, session, person_id)
    if person is None:
        raise NotFound("person")
    return person


def _mine(conn: Connection, person_id: str, certificate_id: str) -> None:
    """Raises NotFound unless a certificate is the person's and valid."""
    rows = certificates.of_person(conn, person_id)
    if not any(row.id == certificate_id and row.status == CertificateStatus.VALID for row in rows):
        raise NotFound("certificate")


def _facility_of(conn: Connection, person_id: str) -> str | None:
    """The facility that recorded the newest dose."""
    for row in certificates.of_person(conn, person_id):
        found: str | None = doses.get(conn, row.dose_id).facility_id
        return found
    return None


def _audit(conn: Connection, at: datetime, action: str, person_id: str, **detail: str) -> None:
    audit.write(conn, at=at, actor=DOOR, action=action, subject="person", subject_id=person_id, **detail)
