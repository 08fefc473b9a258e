"""Files that the provider may fetch for a chat: few times, for minutes, as long as the link of each holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.states import CertificateStatus
from notifier.store.tables import certificate, chat_file, link, person

_HOLDS = sa.exists().where(
    link.c.id == chat_file.c.link_id,
    link.c.revoked_at.is_(None),
    link.c.paused_at.is_(None),
    certificate.c.id == link.c.certificate_id,
    certificate.c.status == CertificateStatus.VALID.value,
    person.c.id == link.c.person_id,
    person.c.locked_at.is_(None),
)


def add(conn: Connection, *, link_id: str, at: datetime, expires_at: datetime) -> str:
    """A new file of a link; its public id."""
    public_id = new_public_id()
    row = {"id": new_id(), "public_id": public_id, "link_id": link_id, "expires_at": expires_at, "created_at": at}
    conn.execute(chat_file.insert(), row | {"fetches": 0})
    return public_id


def fetch(conn: Connection, public_id: str, *, most: int, at: datetime) -> sa.Row[*tuple[Any, ...]] | None:
    """Counts one fetch in one conditional UPDATE: the link's `public_id` and `certificate_id`; None where it is over,
    was fetched too often, or its link, certificate or person does not allow it any more."""
    statement = (
        chat_file.update()
        .where(
            chat_file.c.public_id == public_id,
            chat_file.c.fetches < most,
            chat_file.c.expires_at > at,
            chat_file.c.revoked_at.is_(None),
            _HOLDS,
        )
        .values(fetches=chat_file.c.fetches + 1)
        .returning(chat_file.c.link_id)
    )
    link_id = conn.scalar(statement)
    if link_id is None:
        return None
    found = sa.select(link.c.public_id, link.c.certificate_id).where(link.c.id == link_id)
    return conn.execute(found).one()


def is_live(conn: Connection, public_id: str, *, most: int, at: datetime) -> bool:
    """Whether a fetch would be allowed now; counts nothing."""
    statement = sa.select(chat_file.c.id).where(
        chat_file.c.public_id == public_id,
        chat_file.c.fetches < most,
        chat_file.c.expires_at > at,
        chat_file.c.revoked_at.is_(None),
        _HOLDS,
    )
    return conn.execute(statement).first() is not None


def revoke(conn: Connection, public_id: str, at: datetime) -> bool:
    """Ends a file; False where it had ended."""
    statement = chat_file.update().where(chat_file.c.public_id == public_id, chat_file.c.revoked_at.is_(None))
    return conn.execute(statement.values(revoked_at=at)).rowcount == 1
