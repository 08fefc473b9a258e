"""Numbers that somebody asked us to write to: no person of ours may stand behind one."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.ids import new_id
from notifier.core.states import NOT_LEFT
from notifier.store.persons import Person, phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import contact, notification

_PLACE = "contact:phone"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contact:
    """A number, E.164, and the language that whoever asked was reading."""

    id: str
    phone: str = field(repr=False)
    language: str

    def as_person(self) -> Person:
        """What sending knows of somebody of whom it knows a number only."""
        return Person(
            id=self.id,
            name="",
            nik=None,
            birth_date=None,
            phone=self.phone,
            phone_problem=None,
            language=self.language,
            time_zone=None,
        )


def find_or_add(conn: Connection, sealer: Sealer, *, phone: str, language: str, at: datetime) -> Contact:
    """The contact with a number (E.164), which reads `language` from now on; a concurrent one is waited for."""
    row_id = new_id()
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(contact).values(
        id=row_id,
        phone_index=phone_index(sealer, phone),
        phone_sealed=sealer.seal(_PLACE, row_id, phone),
        language=language,
        created_at=at,
        used_at=at,
    )
    statement = statement.on_conflict_do_update(
        index_elements=["phone_index"], set_={"language": language, "used_at": at}
    )
    return _opened(sealer, conn.execute(statement.returning(contact)).one())


def load(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, Contact]:
    """Contacts by id; without one that cannot be opened, so that the others are still told."""
    if not ids:
        return {}
    found: dict[str, Contact] = {}
    for row in conn.execute(sa.select(contact).where(contact.c.id.in_(list(ids)))):
        try:
            found[row.id] = _opened(sealer, row)
        except SealBroken:
            _log.error("a contact's sealed columns cannot be opened", extra={"contact_id": row.id})
    return found


def there(conn: Connection, ids: Collection[str]) -> set[str]:
    """Those of some contacts that are not forgotten, whether one can open them or not."""
    return set(conn.scalars(sa.select(contact.c.id).where(contact.c.id.in_(list(ids))))) if ids else set()


def has_waiting(conn: Connection, *, contact_id: str, subject_id: str) -> bool:
    """Whether a message to a mere number, about the same thing, has not left yet."""
    statement = sa.select(notification.c.id).where(
        notification.c.contact_id == contact_id,
        notification.c.subject_id == subject_id,
        notification.c.status.in_([state.value for state in NOT_LEFT]),
    )
    return conn.execute(statement.limit(1)).first() is not None


def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Deletes numbers that nothing was planned to since a moment and that no message needs to be read by; how many."""
    needed = sa.exists().where(notification.c.contact_id == contact.c.id, notification.c.ended_at.is_(None))
    old = sa.select(contact.c.id).where(contact.c.used_at < before, ~needed).limit(limit)
    return conn.execute(contact.delete().where(contact.c.id.in_(old))).rowcount


def _opened(sealer: Sealer, row: sa.Row[Any]) -> Contact:
    return Contact(row.id, sealer.open(_PLACE, row.id, row.phone_sealed), row.language)
