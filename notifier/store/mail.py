"""Letters by e-mail. Who wrote and what is sealed; a sender is found by a blind index.

`at` of a claim is the leases' moment (engine.Database.now), every other one our clock's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.mail_addresses import same_address
from notifier.core.states import CaseStatus, LetterKind, LetterState
from notifier.store.bulk import among
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import mail_in, mail_out, mail_taken, support_case

Row = sa.Row[Any]
_WAITS = sa.text("mail_out.status = 'waiting'")  # literal, as those of the partial indexes are
_IN_FLIGHT = sa.text("mail_out.status = 'sending'")


def sender_index(sealer: Sealer, address: str) -> bytes:
    """The blind index of a mail address."""
    return sealer.index("mail.sender", same_address(address))


def identity_index(sealer: Sealer, identity: str) -> bytes:
    """The blind index of what makes two letters one."""
    return sealer.index("mail.identity", identity)


def taken(conn: Connection, uid_validity: int, uids: Collection[int], *, at: datetime) -> dict[int, bool]:
    """Those of some letters of the mailbox that we have, or that wait, and whether each stays where it lies."""
    if not uids:
        return {}
    statement = sa.select(mail_taken.c.uid, mail_taken.c.stays).where(mail_taken.c.uid_validity == uid_validity)
    statement = statement.where(sa.or_(mail_taken.c.deferred_until.is_(None), mail_taken.c.deferred_until > at))
    return {row.uid: row.stays for row in conn.execute(statement.where(among(conn, mail_taken.c.uid, uids)))}


def take(conn: Connection, uid_validity: int, uid: int, *, stays: bool, at: datetime) -> bool:
    """Notes that we have a letter of the mailbox; False where that is known, or it waits."""
    values = {"uid_validity": uid_validity, "uid": uid, "stays": stays, "taken_at": at}
    if insert_new(conn, mail_taken, values, "uid_validity", "uid"):
        return True
    statement = _taken(uid_validity, uid).where(mail_taken.c.deferred_until <= at)
    return conn.execute(statement.values(stays=stays, taken_at=at, deferred_until=None)).rowcount == 1


def defer(conn: Connection, uid_validity: int, uid: int, *, until: datetime) -> None:
    """A letter that was noted stays where it lies, and is looked at again later."""
    conn.execute(_taken(uid_validity, uid).values(stays=True, deferred_until=until))


def waits(conn: Connection, uid_validity: int, uid: int) -> bool:
    """Whether a letter lies in the mailbox until there is room for it."""
    statement = sa.select(mail_taken.c.deferred_until).where(
        mail_taken.c.uid_validity == uid_validity, mail_taken.c.uid == uid
    )
    return conn.scalar(statement) is not None


def _taken(uid_validity: int, uid: int) -> sa.Update:
    return mail_taken.update().where(mail_taken.c.uid_validity == uid_validity, mail_taken.c.uid == uid)


def insert(conn: Connection, sealer: Sealer, row_id: str, sealed: dict[str, str | None], **values: Any) -> bool:
    """Keeps a letter that came; False where it, or a copy of it, is kept. `sealed`: column stems and their texts."""
    kept = {f"{name}_sealed": _seal(sealer, "mail_in", name, row_id, text) for name, text in sealed.items()}
    return insert_new(conn, mail_in, {"id": row_id, **kept, **values}, "identity_index")


def drop(conn: Connection, row_id: str) -> None:
    """A letter that waits in the mailbox after all is not kept."""
    conn.execute(mail_in.delete().where(mail_in.c.id == row_id))


def assign(conn: Connection, row_id: str, case_id: str) -> None:
    """A letter goes with a case."""
    conn.execute(mail_in.update().where(mail_in.c.id == row_id).values(case_id=case_id))


def of_cases(conn: Connection, case_ids: Collection[str]) -> list[Row]:
    """The letters that came about some cases, oldest first."""
    statement = sa.select(mail_in).where(mail_in.c.case_id.in_(list(case_ids)))
    return list(conn.execute(statement.order_by(mail_in.c.received_at, mail_in.c.id)))


def without_case(conn: Connection, limit: int) -> list[Row]:
    """The newest letters that made no case."""
    statement = sa.select(mail_in).where(mail_in.c.case_id.is_(None))
    return list(conn.execute(statement.order_by(mail_in.c.received_at.desc(), mail_in.c.id.desc()).limit(limit)))


def find(conn: Connection, row_id: str, *, lock: bool = False) -> Row | None:
    """A letter that came."""
    statement = sa.select(mail_in).where(mail_in.c.id == row_id)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def read(sealer: Sealer, row: Row, name: str) -> str:
    """One sealed text of a letter, by its column's stem; "" where there is none. Raises SealBroken."""
    place, value = "mail_out" if hasattr(row, "due_at") else "mail_in", getattr(row, f"{name}_sealed")
    return sealer.open(f"{place}:{name}", row.id, value) if value is not None else ""


def open_cases_of(conn: Connection, sender: bytes) -> list[Row]:
    """The open cases that somebody wrote about, newest first: `id`, `reference`, `same_index`, and the letters'
    `nik_index`."""
    statement = (
        sa.select(support_case.c.id, support_case.c.reference, support_case.c.same_index, mail_in.c.nik_index)
        .join(mail_in, mail_in.c.case_id == support_case.c.id)
        .where(mail_in.c.sender_index == sender, support_case.c.status == CaseStatus.OPEN.value)
        .order_by(support_case.c.opened_at.desc(), mail_in.c.received_at)
        .limit(100)
    )
    return list(conn.execute(statement))


def open_cases_about(conn: Connection, nik: bytes, limit: int = 20) -> list[Row]:
    """The open cases of which a letter names somebody's NIK."""
    statement = (
        sa.select(support_case)
        .where(support_case.c.status == CaseStatus.OPEN.value)
        .where(support_case.c.id.in_(sa.select(mail_in.c.case_id).where(mail_in.c.nik_index == nik)))
        .order_by(support_case.c.opened_at.desc())
        .limit(limit)
    )
    return list(conn.execute(statement))


def count_from(conn: Connection, sender: bytes, *, since: datetime, kind: LetterKind) -> int:
    """How many letters of a kind somebody wrote since a moment."""
    statement = sa.select(sa.func.count()).where(
        mail_in.c.sender_index == sender, mail_in.c.received_at > since, mail_in.c.kind == kind.value
    )
    return conn.scalar(statement) or 0


def wipe(conn: Connection, case_ids: Collection[str]) -> int:
    """Takes away who wrote about some cases, what, and what was answered; how many letters."""
    wiped = 0
    for table in (mail_in, mail_out):
        names = [column.name for column in table.columns if column.name.endswith("_sealed")]
        names += [name for name in ("sender_index", "nik_index") if name in table.columns]
        of_cases = among(conn, table.c.case_id, case_ids)
        wiped += conn.execute(table.update().where(of_cases).values(dict.fromkeys(names))).rowcount
    waits = sa.and_(among(conn, mail_out.c.case_id, case_ids), _WAITS)
    conn.execute(mail_out.update().where(waits).values(status=LetterState.LEFT_ALONE.value))
    return wiped


# letters out


def plan(conn: Connection, sealer: Sealer, row_id: str, sealed: dict[str, str | None], **values: Any) -> None:
    """Adds a letter to be sent. `sealed`: column stems and their texts."""
    kept = {f"{name}_sealed": _seal(sealer, "mail_out", name, row_id, text) for name, text in sealed.items()}
    conn.execute(mail_out.insert(), {"id": row_id, "status": LetterState.WAITING.value, **kept, **values})


def sent_about(conn: Connection, case_ids: Collection[str]) -> list[Row]:
    """The letters of ours about some cases, oldest first."""
    statement = sa.select(mail_out).where(mail_out.c.case_id.in_(list(case_ids)))
    return list(conn.execute(statement.order_by(mail_out.c.created_at, mail_out.c.id)))


def with_message_ids(conn: Connection, message_ids: Collection[str]) -> list[Row]:
    """The letters of ours that some message ids name."""
    if not message_ids:
        return []
    return list(conn.execute(sa.select(mail_out).where(mail_out.c.message_id.in_(list(message_ids)[:50]))))


def find_sent(conn: Connection, row_id: str, *, lock: bool = False) -> Row | None:
    """A letter of ours."""
    statement = sa.select(mail_out).where(mail_out.c.id == row_id)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def claim(conn: Connection, *, at: datetime, until: datetime) -> Row | None:
    """Takes the letter that has waited longest, as `sending`; None where none is due."""
    due = sa.select(mail_out.c.id).where(_WAITS, mail_out.c.due_at <= at).order_by(mail_out.c.due_at).limit(1)
    statement = (
        mail_out.update()
        .where(mail_out.c.id == due.with_for_update(skip_locked=True).scalar_subquery(), _WAITS)
        .values(status=LetterState.SENDING.value, lease_until=until, attempts=mail_out.c.attempts + 1)
    )
    return conn.execute(statement.returning(mail_out)).first()


def settle(conn: Connection, row: Row, state: LetterState, **values: Any) -> bool:
    """Writes what became of a claimed letter; False where its claim ran out meanwhile."""
    statement = mail_out.update().where(
        mail_out.c.id == row.id, mail_out.c.attempts == row.attempts, mail_out.c.status == LetterState.SENDING.value
    )
    return conn.execute(statement.values(status=state.value, lease_until=None, **values)).rowcount == 1


def doubt_expired(conn: Connection, *, at: datetime) -> int:
    """Whoever was sending these died or hangs: nobody can say whether they were taken. How many."""
    statement = mail_out.update().where(_IN_FLIGHT, mail_out.c.lease_until < at)
    return conn.execute(statement.values(status=LetterState.UNKNOWN.value, lease_until=None)).rowcount


def move(conn: Connection, row_id: str, old: LetterState, new: LetterState, **values: Any) -> bool:
    """Compare-and-set of a letter's state."""
    statement = mail_out.update().where(mail_out.c.id == row_id, mail_out.c.status == old.value)
    return conn.execute(statement.values(status=new.value, **values)).rowcount == 1


def note_returned(conn: Connection, row_id: str, *, at: datetime) -> None:
    """A letter of ours came back."""
    statement = mail_out.update().where(mail_out.c.id == row_id, mail_out.c.returned_at.is_(None))
    conn.execute(statement.values(returned_at=at))


def _seal(sealer: Sealer, table: str, name: str, row_id: str, text: str | None) -> bytes | None:
    return None if text is None else sealer.seal(f"{table}:{name}", row_id, text)
