"""Own accounts: sessions of proved numbers, whose full name was told at a number, and whom a session has open."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.store.events import insert_new
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import account_open, account_proof, account_session, link, person

Row = sa.Row[Any]
_PLACE = "account_session:phone"


def begin(conn: Connection, sealer: Sealer, *, phone: str, token_hash: bytes, at: datetime, until: datetime) -> str:
    """A session of whoever has proved a number (E.164); its id."""
    row_id = new_id()
    values = {
        "id": row_id,
        "token_hash": token_hash,
        "phone_index": phone_index(sealer, phone),
        "phone_sealed": sealer.seal(_PLACE, row_id, phone),
        "created_at": at,
        "last_seen_at": at,
        "expires_at": until,
    }
    conn.execute(account_session.insert(), values)
    return row_id


def find(conn: Connection, token_hash: bytes) -> Row | None:
    """The session of a token, ended or not."""
    return conn.execute(sa.select(account_session).where(account_session.c.token_hash == token_hash)).first()


def phone_of(sealer: Sealer, row: Row) -> str:
    """The number of a session, E.164. Raises SealBroken."""
    return sealer.open(_PLACE, row.id, row.phone_sealed)


def seen(conn: Connection, session_id: str, at: datetime) -> None:
    """Whoever has the session is still there."""
    conn.execute(account_session.update().where(account_session.c.id == session_id).values(last_seen_at=at))


def end(conn: Connection, session_id: str, at: datetime) -> bool:
    """Ends a session; False where it was ended."""
    statement = account_session.update().where(account_session.c.id == session_id, account_session.c.ended_at.is_(None))
    return conn.execute(statement.values(ended_at=at)).rowcount == 1


def add_proof(conn: Connection, person_id: str, number: bytes, at: datetime) -> bool:
    """Somebody at a number has told a person's full name; False where that was so."""
    values = {"person_id": person_id, "phone_index": number, "proved_at": at}
    return insert_new(conn, account_proof, values, "person_id", "phone_index")


def proved(conn: Connection, number: bytes) -> set[str]:
    """The persons whose full name was told at a number."""
    return set(conn.scalars(sa.select(account_proof.c.person_id).where(account_proof.c.phone_index == number)))


def open_person(conn: Connection, session_id: str, person_id: str, proof: bytes, at: datetime) -> None:
    """A session has opened a person; `proof` of what it was opened by."""
    mine = sa.and_(account_open.c.session_id == session_id, account_open.c.person_id == person_id)
    if conn.execute(account_open.update().where(mine).values(proof=proof, at=at)).rowcount == 0:
        values = {"session_id": session_id, "person_id": person_id, "proof": proof, "at": at}
        insert_new(conn, account_open, values, "session_id", "person_id")


def opened(conn: Connection, session_id: str) -> dict[str, bytes]:
    """Whom a session has opened: the proof by person."""
    statement = sa.select(account_open.c.person_id, account_open.c.proof).where(account_open.c.session_id == session_id)
    return {row.person_id: row.proof for row in conn.execute(statement)}


def link_to(
    conn: Connection, *, certificate_id: str, person_id: str, number: bytes, at: datetime, until: datetime
) -> str:
    """The public id of a live link to a certificate for the account of a number, good until a moment; no SMS bears it.
    One that is there is used again."""
    live = sa.and_(
        link.c.person_id == person_id,
        link.c.number_index == number,
        link.c.certificate_id == certificate_id,
        link.c.revoked_at.is_(None),
        link.c.paused_at.is_(None),
        link.c.expires_at > at,
    )
    kept = conn.scalar(link.update().where(live).values(expires_at=until).returning(link.c.public_id))
    if kept is not None:
        return str(kept)
    values = {"id": new_id(), "public_id": new_public_id(), "certificate_id": certificate_id, "person_id": person_id}
    conn.execute(link.insert(), values | {"number_index": number, "created_at": at, "expires_at": until})
    return str(values["public_id"])


def end_links(conn: Connection, person_ids: Collection[str], number: bytes, at: datetime) -> int:
    """Shuts what the account of a number has open of some persons; how many links."""
    statement = link.update().where(
        link.c.person_id.in_(list(person_ids)), link.c.number_index == number, link.c.expires_at > at
    )
    return conn.execute(statement.values(expires_at=at)).rowcount


def set_language(conn: Connection, person_id: str, language: str, at: datetime) -> None:
    """In which language a person is written to, whatever a registry says."""
    conn.execute(person.update().where(person.c.id == person_id).values(own_language=language, updated_at=at))


def wipe_person(conn: Connection, person_id: str) -> int:
    """Forgets what was proved and opened about a person; how many rows."""
    done = 0
    for table in (account_open, account_proof):
        done += conn.execute(table.delete().where(table.c.person_id == person_id)).rowcount
    return done
