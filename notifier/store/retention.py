"""What is old enough to go, table by table: walked along the moment that counts, some hundred rows a transaction.

Rows that somebody else holds are left to the next walk, so that two at once never wait for each other. No sealed column
is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import NOT_LEFT, CaseStatus, DoseStatus, State
from notifier.store.sealed import Sealer
from notifier.store.tables import (
    account_open,
    account_session,
    caller_check,
    caught_chat,
    caught_sms,
    chat_file,
    code,
    contact,
    correction_request,
    counter,
    dead_letter,
    dose,
    follow_up,
    idempotency,
    mail_in,
    notification,
    number_pause,
    opening,
    otp_challenge,
    person,
    person_call,
    receipt,
    registry_outbox,
    reminder,
    session,
    support_case,
    suppression,
    test_notification,
    upload,
    upload_chunk,
    upload_refusal,
)

#: a sealed value of nothing: key id, nonce and tag
_EMPTY = 29
_ALL = sa.true()


@dataclass(frozen=True, slots=True)
class Sweep:
    """What goes: rows of `moment`'s table whose moment is past, and for which `where` holds. `blank`: columns that
    become null, the rows stay; `anew`: values for each row instead; with neither the rows go. `key`: what a row is
    known by."""

    moment: sa.Column[Any]
    where: sa.ColumnElement[bool] = _ALL
    blank: tuple[str, ...] = ()
    anew: Callable[[Sealer, Any], dict[str, Any]] | None = None
    key_name: str = "id"
    guard: sa.ColumnElement[bool] = _ALL  #: must hold besides where a row goes, or another row would be left alone

    @property
    def table(self) -> sa.Table:
        return self.moment.table

    @property
    def key(self) -> sa.Column[Any]:
        return self.table.c[self.key_name]


def _filled(*columns: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.is_not(None) for column in columns))


def _without(child: sa.Column[Any], parent: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(child == parent)


#: a pause of the case that is in force, or was lifted later than the case was closed; the older ones go before it
_STANDS = sa.exists().where(
    number_pause.c.case_id == support_case.c.id,
    sa.or_(number_pause.c.lifted_at.is_(None), number_pause.c.lifted_at > support_case.c.closed_at),
)

#: a message to the number that has not ended
_TOLD = sa.exists().where(notification.c.contact_id == contact.c.id, notification.c.ended_at.is_(None))

SWEEPS: dict[str, Sweep] = {
    "caught-sms": Sweep(caught_sms.c.caught_at),
    "caught-chats": Sweep(caught_chat.c.caught_at),
    "receipt-bodies": Sweep(
        receipt.c.received_at,
        sa.func.length(receipt.c.raw_sealed) > _EMPTY,
        anew=lambda sealer, row_id: {"raw_sealed": sealer.seal("receipt:raw", row_id, b"")},
    ),
    "dead-letters": Sweep(dead_letter.c.settled_at),
    "follow-ups": Sweep(follow_up.c.done_at),
    "message-numbers": Sweep(
        notification.c.ended_at,
        _filled(notification.c.phone_index, notification.c.request_reason),
        blank=("phone_index", "request_reason"),
    ),
    "openings": Sweep(opening.c.at),
    "ended-codes": Sweep(code.c.ended_at, _filled(code.c.text_sealed), blank=("text_sealed",)),
    "call-notes": Sweep(person_call.c.at, _filled(person_call.c.note_sealed), blank=("note_sealed",)),
    "number-pauses": Sweep(number_pause.c.lifted_at),
    "cases": Sweep(
        support_case.c.closed_at,
        sa.and_(support_case.c.status == CaseStatus.CLOSED.value, ~_STANDS),
        guard=_without(number_pause.c.case_id, support_case.c.id),
    ),
    "corrections": Sweep(
        correction_request.c.decided_at,
        _filled(correction_request.c.value_sealed, correction_request.c.old_sealed, correction_request.c.claim_sealed),
        blank=("value_sealed", "old_sealed", "claim_sealed", "objection_id"),
    ),
    "unproven-corrections": Sweep(correction_request.c.decided_at, correction_request.c.person_id.is_(None)),
    "lifted-refusals": Sweep(suppression.c.lifted_at),
    "letters": Sweep(mail_in.c.received_at, mail_in.c.case_id.is_(None)),
    "caller-checks": Sweep(caller_check.c.at),
    "uploads": Sweep(
        upload.c.emptied_at,
        sa.and_(_without(upload_chunk.c.upload_id, upload.c.id), _without(upload_refusal.c.upload_id, upload.c.id)),
    ),
    "contacts": Sweep(contact.c.used_at, ~_TOLD),
    "account-opens": Sweep(account_open.c.at, key_name="session_id"),
    "account-sessions": Sweep(
        account_session.c.expires_at, guard=_without(account_open.c.session_id, account_session.c.id)
    ),
    "one-time-codes": Sweep(otp_challenge.c.expires_at),
    "sessions": Sweep(session.c.expires_at, key_name="token_hash"),
    "api-answers": Sweep(idempotency.c.expires_at),
    "chat-files": Sweep(chat_file.c.expires_at),
    "reminders": Sweep(reminder.c.due_at, reminder.c.notification_id.is_not(None)),
    "registry-told": Sweep(registry_outbox.c.done_at),
    "sandbox": Sweep(test_notification.c.expires_at),
    "counters": Sweep(counter.c.expires_at, key_name="name"),
}


def count(conn: Connection, sweep: Sweep, before: datetime) -> int:
    """How many rows are old enough."""
    statement = sa.select(sa.func.count()).select_from(sweep.table).where(sweep.moment < before, sweep.where)
    return conn.scalar(statement) or 0


Place = tuple[datetime, Any]


def take(
    conn: Connection, sealer: Sealer, sweep: Sweep, before: datetime, *, after: Place | None, limit: int
) -> tuple[int, Place | None]:
    """Lets the oldest rows behind a place of the walk go; (how many went, the place that it has come to: None at its
    end)."""
    old = sa.and_(sweep.moment < before, sweep.where)
    chosen = sa.select(sweep.moment.label("moment"), sweep.key.label("key")).where(old)
    if after is not None:
        past = sa.or_(sweep.moment > after[0], sa.and_(sweep.moment == after[0], sweep.key > after[1]))
        chosen = chosen.where(sweep.moment >= after[0], past)
    walk = chosen.order_by(sweep.moment, sweep.key).limit(limit).with_for_update(skip_locked=True, of=sweep.table)
    rows = conn.execute(walk).all()
    if not rows:
        return 0, None
    keys = [row.key for row in rows]
    return _let_go(conn, sealer, sweep, old, keys), (rows[-1].moment, rows[-1].key)


def _let_go(conn: Connection, sealer: Sealer, sweep: Sweep, old: sa.ColumnElement[bool], keys: list[Any]) -> int:
    if sweep.anew is not None:
        done = 0
        for key in keys:
            changed = sweep.table.update().where(sweep.key == key, old)
            done += conn.execute(changed.values(**sweep.anew(sealer, key))).rowcount
        return done
    these = sa.and_(sweep.key.in_(keys), old, sweep.guard)
    if sweep.blank:
        return conn.execute(sweep.table.update().where(these).values(dict.fromkeys(sweep.blank))).rowcount
    return conn.execute(sweep.table.delete().where(these)).rowcount


def persons_without_dose(
    conn: Connection, before: datetime, *, after: str | None, limit: int
) -> tuple[list[str], str | None]:
    """Among the `limit` persons behind one id: those who have no dose (any more), nothing under way, and of whom nobody
    has heard since a moment; and the id that the walk has come to, None at its end."""
    page = sa.select(person.c.id).order_by(person.c.id).limit(limit)
    if after is not None:
        page = page.where(person.c.id > after)
    ids = list(conn.scalars(page))
    if not ids:
        return [], None
    statement = sa.select(person.c.id).where(person.c.id.in_(ids), *_is_left_over(before))
    return list(conn.scalars(statement.order_by(person.c.id))), ids[-1]


def count_persons_without_dose(conn: Connection, before: datetime) -> int:
    """How many persons have no dose (any more)."""
    return conn.scalar(sa.select(sa.func.count()).select_from(person).where(*_is_left_over(before))) or 0


def is_left_over(conn: Connection, person_id: str, before: datetime) -> bool:
    """Whether it is still so for one of them, whom the caller holds."""
    statement = sa.select(person.c.id).where(person.c.id == person_id, *_is_left_over(before))
    return conn.execute(statement).first() is not None


def _is_left_over(before: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    given = sa.exists().where(dose.c.person_id == person.c.id, dose.c.status == DoseStatus.GIVEN.value)
    moving = [state.value for state in (*NOT_LEFT, State.SENDING)]
    waits = sa.exists().where(notification.c.person_id == person.c.id, notification.c.status.in_(moving))
    case = sa.exists().where(support_case.c.person_id == person.c.id, support_case.c.status == CaseStatus.OPEN.value)
    return (person.c.erased_at.is_(None), person.c.updated_at < before, ~given, ~waits, ~case)
