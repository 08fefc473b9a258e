"""Whether what proved a request holds still, as the transaction sees it that acts on it; the caller holds the person.

Whoever had the number on file asked as its owner. Once another number is there, five wrong tries have locked them out,
or somebody has said that the number is not the person's, it is a stranger who asks.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound
from notifier.core.own_corrections import Field, Proof
from notifier.services import Services
from notifier.store import own_corrections, persons
from notifier.store.own_corrections import Row
from notifier.store.persons import Person
from notifier.support.own_corrections import values
from notifier.support.proof_of_person import persons_on

#: what a door knows of whoever is in front of it, asked once more: is the person still open to them?
IsOpen = Callable[[Connection], bool]


def must_be_theirs(conn: Connection, services: Services, person: Person, is_open: IsOpen | None) -> None:
    """Raises NotFound unless whoever has the number on file speaks for the person, and their door says so too."""
    if not _is_theirs(conn, services, person) or not (is_open is None or is_open(conn)):
        raise NotFound("this person is not open any more")


def still_asks(conn: Connection, services: Services, person: Person, row: Row) -> bool:
    """Whether a request may be carried out: its field is as it was, and who asked may still ask. A card that somebody
    of ours has seen proves the person, whatever is typed at our doors."""
    about = Field(row.field)
    if values.on_file(person, about) != own_corrections.values_of(services.sealer, row).old:
        return False
    if row.proof != Proof.OTP:
        return True
    return _is_from(services, person, row, about) and _is_theirs(conn, services, person)


def _is_from(services: Services, person: Person, row: Row, about: Field) -> bool:
    """Whether the number on file is the one that asked. Of a number to be changed it is what stood there; requests of
    before that was kept have none."""
    if about is Field.PHONE or row.number_index is None:
        return True
    number = persons.phone_index(services.sealer, person.mobile) if person.mobile else b""
    return hmac.compare_digest(number, row.number_index)


def _is_theirs(conn: Connection, services: Services, person: Person) -> bool:
    if person.mobile is None or person.locked_at is not None or person.wrong_tries >= persons.MAX_WRONG_TRIES:
        return False
    return any(one.id == person.id for one in persons_on(conn, services, person.mobile))
