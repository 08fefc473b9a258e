"""Whose data? One person, found by a message's reference, a NIK, or a number, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, SertilinkError
from notifier.core.identity import BadNik, read_nik
from notifier.core.ids import read_reference
from notifier.core.phones import BadPhone, read_mobile
from notifier.services import Services
from notifier.store import desk, erased, persons, privacy, search

_MOST = 50


class By(StrEnum):
    """What the person is found by."""

    REFERENCE = "reference"
    NIK = "nik"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Found:
    """A person. `erased_at`: nothing is left of who it was, since then; `person_id` is None where only a mark says
    so."""

    person_id: str | None
    erased_at: datetime | None = None


class Several(SertilinkError):
    """More than one person is meant. `references`: a message of each, by which one can be chosen."""

    def __init__(self, references: list[str]) -> None:
        self.references = references
        super().__init__(f"{len(references)} persons are meant; choose one by a reference: {', '.join(references)}")


def find(services: Services, typed: str, by: By) -> Found:
    """The person. Raises NotFound, BadInput, Several."""
    with services.db.read() as conn:
        if by is By.REFERENCE:
            row = desk.find_visible(conn, read_reference(typed), None)
            if row is None:
                raise NotFound("there is no message with this reference")
            ids = [row.person_id]
        else:
            ids = _with_nik(conn, services, typed) if by is By.NIK else _with_phone(conn, services, typed)
        if not ids:
            return _only_marked(conn, services, typed, by)
        if len(ids) > 1:
            raise Several(_references(conn, ids))
        kept = privacy.find(conn, ids[0])
    if kept is None:
        raise NotFound("there is no such person")
    return Found(kept.id, kept.erased_at)


def nik_mark(services: Services, typed: str) -> bytes:
    """The mark that an erasure would have left of a NIK. Raises BadInput."""
    try:
        nik = read_nik(typed.strip())
    except BadNik as error:
        raise BadInput.of("nik", error.rule, error.detail) from None
    return erased.mark_of(services.sealer, persons.nik_index(services.sealer, nik))


def read_phone_index(services: Services, typed: str) -> bytes:
    """The blind index of a number. Raises BadInput."""
    settings = services.settings
    try:
        number = read_mobile(typed.strip(), region=settings.country, allowed=settings.countries)
    except BadPhone as error:
        raise BadInput.of("phone", error.rule, "write a mobile number, such as 0812-0000-0000") from None
    return persons.phone_index(services.sealer, number.e164)


def _with_nik(conn: Connection, services: Services, typed: str) -> list[str]:
    try:
        nik = read_nik(typed.strip())
    except BadNik as error:
        raise BadInput.of("nik", error.rule, error.detail) from None
    return search.with_nik(conn, persons.nik_index(services.sealer, nik), None, _MOST)


def _with_phone(conn: Connection, services: Services, typed: str) -> list[str]:
    """Whose number it is now: those who had it before are found by another way."""
    return persons.ids_with_phone(conn, read_phone_index(services, typed), _MOST)


def _only_marked(conn: Connection, services: Services, typed: str, by: By) -> Found:
    since = erased.since(conn, nik_mark(services, typed)) if by is By.NIK else None
    if since is None:
        raise NotFound(f"there is nobody with this {by.value}")
    return Found(None, since)


def _references(conn: Connection, ids: list[str]) -> list[str]:
    newest = search.newest_messages(conn, ids, None)
    return sorted(str(row.reference) for row in newest.values())
