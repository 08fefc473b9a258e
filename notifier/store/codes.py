"""Verifiable codes: sealed texts, why there is none, and the public names of those that no longer hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import CertificateStatus, State
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import certificate, code, dose, notification, tick

_PLACE = "code:text"
_CURSOR = "codes-made-ahead"
_CARD = "shc"
_CURRENT = sa.text("code.ended_at IS NULL")  # literal: a bound parameter would not match the partial index
_NOT_VALID = sa.text("certificate.status <> 'valid'")
_HAS_LEFT = sa.text("notification.left_at IS NOT NULL")
_ACCEPTED = (State.ACCEPTED.value, State.SENT.value, State.DELIVERED.value)


def current(conn: Connection, certificate_id: str) -> dict[str, sa.Row[Any]]:
    """What there is for a certificate, by kind: a code (see `text_of`), or the reason why there is none."""
    statement = sa.select(code).where(code.c.certificate_id == certificate_id, _CURRENT)
    return {row.kind: row for row in conn.execute(statement)}


def text_of(sealer: Sealer, row: sa.Row[Any]) -> str | None:
    """A row's code; None where it has none. Raises SealBroken."""
    return None if row.text_sealed is None else sealer.open(_PLACE, row.id, row.text_sealed)


def lock(conn: Connection, certificate_id: str) -> CertificateStatus:
    """The status of a certificate, which nobody changes, and for which nobody else makes codes, until the transaction
    ends."""
    statement = sa.select(certificate.c.status).where(certificate.c.id == certificate_id)
    return CertificateStatus(conn.execute(statement.with_for_update()).scalar_one())


def add(
    conn: Connection,
    sealer: Sealer,
    *,
    certificate_id: str,
    kind: str,
    text: str,
    key_id: str,
    revocation_id: str,
    at: datetime,
) -> None:
    """Keeps a code."""
    row_id = new_id()
    sealed = {"key_id": key_id, "revocation_id": revocation_id, "text_sealed": sealer.seal(_PLACE, row_id, text)}
    _insert(conn, row_id, certificate_id, kind, at, sealed)


def add_reason(conn: Connection, *, certificate_id: str, kind: str, reason: str, at: datetime) -> None:
    """Keeps why there is no code of this kind."""
    _insert(conn, new_id(), certificate_id, kind, at, {"reason": reason})


def renew(conn: Connection, sealer: Sealer, row: sa.Row[Any], *, text: str, key_id: str, at: datetime) -> None:
    """The same code, signed anew: it keeps its name in the revocation list."""
    sealed = sealer.seal(_PLACE, row.id, text)
    conn.execute(code.update().where(code.c.id == row.id).values(text_sealed=sealed, key_id=key_id, made_at=at))


def end(conn: Connection, row: sa.Row[Any], *, at: datetime) -> None:
    """A code that is not true any more joins the revocation list; a reason is merely forgotten."""
    if row.text_sealed is None:
        conn.execute(code.delete().where(code.c.id == row.id))
    else:
        conn.execute(code.update().where(code.c.id == row.id).values(ended_at=at))


def end_of_person(conn: Connection, person_id: str, *, at: datetime) -> None:
    """A person's name or birth date is another one: whatever code bears the old one joins the revocation list."""
    _end_all(conn, certificate.c.person_id == person_id, at=at)


def end_cards_with(conn: Connection, shot: sa.Row[Any], *, at: datetime) -> None:
    """A dose, given here as it was, is no longer so: every card of its series that may hold it joins the revocation
    list, also that of another dose. HC1 codes hold the dose of their own certificate alone, which is ended with it."""
    same = [dose.c[name].is_not_distinct_from(shot._mapping[name]) for name in ("vaccine_code", "vaccine_system")]
    in_series = sa.or_(certificate.c.dose_id == shot.id, sa.and_(*same))
    may_hold = sa.and_(certificate.c.person_id == shot.person_id, in_series)
    _end_all(conn, may_hold, code.c.kind == _CARD, code.c.made_at >= shot.created_at, at=at)


def _end_all(conn: Connection, whose: sa.ColumnElement[bool], *which: sa.ColumnElement[bool], at: datetime) -> None:
    """Holds the certificates first, as `lock` does, so that codes which are being made are seen."""
    held = sa.select(certificate.c.id).join(dose, dose.c.id == certificate.c.dose_id).where(whose)
    ids = list(conn.scalars(held.order_by(certificate.c.id).with_for_update(of=certificate, key_share=True)))
    mine = code.update().where(code.c.certificate_id.in_(ids), _CURRENT, code.c.text_sealed.is_not(None), *which)
    conn.execute(mine.values(ended_at=at))


def revoked(conn: Connection) -> list[sa.Row[*tuple[Any, ...]]]:
    """(kind, key_id, revocation_id, ended_at, status of its certificate) of every code that no longer holds, sorted.
    Reads no code that does."""
    columns: list[sa.Column[Any]] = [
        code.c.kind, code.c.key_id, code.c.revocation_id, code.c.ended_at, certificate.c.status
    ]  # fmt: skip
    theirs = sa.select(*columns).join(certificate, certificate.c.id == code.c.certificate_id)
    ended = theirs.where(sa.text("code.ended_at IS NOT NULL"))
    gone = sa.select(certificate.c.id).where(_NOT_VALID, certificate.c.ended_at.is_not(None))
    withdrawn = theirs.where(code.c.certificate_id.in_(gone), _CURRENT)
    # reasons have no id; asking for that in SQL would lead SQLite through every code there is
    found = [row for row in conn.execute(ended.union_all(withdrawn)) if row.revocation_id is not None]
    return sorted(found, key=lambda row: (row.kind, row.key_id, row.revocation_id))


def find(conn: Connection, kind: str, revocation_id: str) -> sa.Row[*tuple[Any, ...]] | None:
    """A code by its public name, with the `status`, `number` and `person_id` of its certificate."""
    statement = (
        sa.select(
            code.c.certificate_id, code.c.ended_at, certificate.c.status, certificate.c.number, certificate.c.person_id
        )
        .join(certificate, certificate.c.id == code.c.certificate_id)
        .where(code.c.kind == kind, code.c.revocation_id == revocation_id)
    )
    return conn.execute(statement).first()


def mark(conn: Connection) -> datetime | None:
    """Up to which moment of sending codes were made ahead; None at the very first pass."""
    return conn.scalar(sa.select(tick.c.at).where(tick.c.name == _CURSOR))


def move_mark(conn: Connection, at: datetime) -> None:
    if not insert_new(conn, tick, {"name": _CURSOR, "at": at}, "name"):
        conn.execute(tick.update().where(tick.c.name == _CURSOR).values(at=at))


def has_left_since(conn: Connection, after: datetime, until: datetime) -> bool:
    """Whether any message left in (after, until]; one look into an index."""
    return conn.scalar(_left(after, until, notification.c.id).limit(1)) is not None


def end_of_batch(conn: Connection, after: datetime, until: datetime, size: int) -> datetime:
    """The moment up to which about `size` messages left after `after`: whole moments, since a batch leaves at one."""
    last = _left(after, until, notification.c.left_at).order_by(notification.c.left_at).offset(size - 1).limit(1)
    return conn.scalar(last) or until


def without_codes(conn: Connection, after: datetime, until: datetime) -> list[str]:
    """The valid certificates whose message left in (after, until] and was accepted, and that have no codes yet."""
    statement = (
        _left(after, until, notification.c.certificate_id)
        .join(certificate, certificate.c.id == notification.c.certificate_id)
        .outerjoin(code, sa.and_(code.c.certificate_id == certificate.c.id, _CURRENT))
        .where(
            notification.c.status.in_(_ACCEPTED),
            certificate.c.status == CertificateStatus.VALID.value,
            code.c.id.is_(None),
        )
        .distinct()
    )
    return list(conn.scalars(statement))


def _left(after: datetime, until: datetime, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(column).where(_HAS_LEFT, notification.c.left_at > after, notification.c.left_at <= until)


def _insert(conn: Connection, row_id: str, certificate_id: str, kind: str, at: datetime, more: dict[str, Any]) -> None:
    conn.execute(code.insert(), {"id": row_id, "certificate_id": certificate_id, "kind": kind, "made_at": at, **more})
