"""One person wiped: every column that says who it was is overwritten or taken away. What was given stays, as a count.

Nothing here opens a sealed column, so that one which no key opens stands in the way of nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.own_corrections import RequestState
from notifier.core.states import NOT_LEFT, CaseOutcome, CaseStatus, CertificateStatus, Reason, State
from notifier.core.words import DEFAULT_LANGUAGE
from notifier.store import conversations, mail, notifications
from notifier.store.bulk import among
from notifier.store.sealed import Sealer
from notifier.store.tables import (
    account_open,
    account_session,
    attempt,
    case_picture,
    case_step,
    caught_sms,
    certificate,
    code,
    contact,
    correction_request,
    dead_letter,
    dose,
    event,
    follow_up,
    inbound_sms,
    link,
    mail_in,
    notification,
    number_pause,
    otp_challenge,
    person,
    person_call,
    person_word,
    receipt,
    support_case,
    suppression,
    upload_refusal,
)

Row = sa.Row[Any]
_INDEX_BYTES = 16


def find(conn: Connection, person_id: str, *, lock: bool = False) -> Row | None:
    """A person's row, sealed. `lock`: kept from changing until the transaction ends."""
    statement = sa.select(person).where(person.c.id == person_id)
    return conn.execute(statement.with_for_update(key_share=True) if lock else statement).first()


def doses_of(conn: Connection, person_id: str) -> list[Row]:
    """The doses that are the person's: `id`, `source_id`."""
    statement = sa.select(dose.c.id, dose.c.source_id).where(dose.c.person_id == person_id)
    return list(conn.execute(statement.order_by(dose.c.id)))


def messages_of(conn: Connection, person_id: str) -> list[str]:
    """The messages about a person, by id."""
    return list(conn.scalars(sa.select(notification.c.id).where(notification.c.person_id == person_id)))


def messages_to(conn: Connection, numbers: Collection[bytes], subjects: Collection[str]) -> list[str]:
    """The messages to a mere number, by id: to one of some (blind indexes), which are nobody else's, and those that
    tell of some cases or requests, whosever number they go to. The numbers' rows are held, so that whoever plans one
    at this moment is waited for and seen."""
    rows = sa.select(contact.c.id).where(contact.c.phone_index.in_(list(numbers))).order_by(contact.c.id)
    held = list(conn.scalars(rows.with_for_update()))
    told = sa.or_(among(conn, notification.c.contact_id, held), among(conn, notification.c.subject_id, subjects))
    return list(conn.scalars(sa.select(notification.c.id).where(notification.c.contact_id.is_not(None), told)))


def subjects_of(conn: Connection, row: Row, *, born: bytes | None) -> list[str]:
    """The cases and requests that are about a person, by id."""
    theirs = sa.or_(correction_request.c.person_id == row.id, correction_request.c.claimed_id == row.id)
    asked = sa.select(correction_request.c.id).where(theirs)
    return [*conn.scalars(sa.select(support_case.c.id).where(_about(row, born))), *conn.scalars(asked)]


def is_in_flight(conn: Connection, ids: Collection[str]) -> bool:
    """Whether one of some messages is with the provider at this moment: its answer is still to be written."""
    statement = sa.select(notification.c.id).where(
        among(conn, notification.c.id, ids), notification.c.status == State.SENDING.value
    )
    return conn.execute(statement.limit(1)).first() is not None


def stop_messages(conn: Connection, ids: Collection[str], *, at: datetime) -> int:
    """Cancels what waits of some messages; nobody looks for unknown outcomes any more. How many were cancelled."""
    taken = notifications.move(conn, ids, State.CANCELLED, old=list(NOT_LEFT), at=at, reason=Reason.ERASED)
    unknown = notification.update().where(
        among(conn, notification.c.id, ids), notification.c.status == State.UNKNOWN.value
    )
    conn.execute(unknown.values(reason=Reason.LEFT_ALONE.value, look_up_at=None, updated_at=at))
    return len(taken)


def provider_ids(conn: Connection, ids: Collection[str]) -> list[str]:
    """Under which ids the provider has some messages."""
    theirs = among(conn, notification.c.id, ids)
    tries = sa.select(attempt.c.provider_sid).join(notification, notification.c.id == attempt.c.notification_id)
    both = tries.where(theirs).union(sa.select(notification.c.provider_sid).where(theirs))
    return sorted(sid for sid in conn.scalars(both) if sid)


def wipe_messages(conn: Connection, ids: Collection[str]) -> dict[str, int]:
    """Takes away whom some messages went to, and what the provider and the catcher told of them."""
    theirs = among(conn, notification.c.id, ids)
    tries = sa.select(attempt.c.reference).join(notification, notification.c.id == attempt.c.notification_id)
    references = list(conn.scalars(tries.where(theirs)))
    caught = conn.execute(caught_sms.delete().where(among(conn, caught_sms.c.attempt_reference, references)))
    receipts = conn.execute(receipt.delete().where(among(conn, receipt.c.attempt_reference, references)))
    conn.execute(attempt.update().where(among(conn, attempt.c.reference, references)).values(provider_sid=None))
    nothing = {"phone_index": None, "provider_sid": None, "request_reason": None}
    changed = conn.execute(notification.update().where(theirs).values(**nothing))
    return {"messages": changed.rowcount, "caught_sms": caught.rowcount, "receipts": receipts.rowcount}


def end_links(conn: Connection, person_id: str, *, at: datetime) -> int:
    """Turns every link of the person off."""
    live = link.update().where(link.c.person_id == person_id, link.c.revoked_at.is_(None))
    return conn.execute(live.values(revoked_at=at, revoke_reason=Reason.ERASED.value)).rowcount


def revoke_certificates(conn: Connection, person_id: str, *, at: datetime) -> int:
    """Ends every valid certificate of the person."""
    valid = certificate.update().where(
        certificate.c.person_id == person_id, certificate.c.status == CertificateStatus.VALID.value
    )
    ended = {"status": CertificateStatus.REVOKED.value, "end_reason": Reason.ERASED.value, "ended_at": at}
    return conn.execute(valid.values(**ended)).rowcount


def wipe_codes(conn: Connection, person_id: str) -> int:
    """Takes the texts of the verifiable codes away; the public names of those that are revoked stay."""
    theirs = sa.select(certificate.c.id).where(certificate.c.person_id == person_id)
    held = code.update().where(code.c.certificate_id.in_(theirs), code.c.text_sealed.is_not(None))
    return conn.execute(held.values(text_sealed=None)).rowcount


def wipe_cases(conn: Connection, row: Row, *, born: bytes | None, by: str, at: datetime) -> dict[str, int]:
    """Closes cases, and takes away the numbers that they are about, what was reported and said, and the notes of calls.
    `born`: by which reports about the person are found besides the NIK."""
    person_id = row.id
    ids = list(conn.scalars(sa.select(support_case.c.id).where(_about(row, born))))
    of_person = among(conn, support_case.c.id, ids)
    ended = {"status": CaseStatus.CLOSED.value, "outcome": CaseOutcome.CLOSED.value, "closed_at": at, "closed_by": by}
    is_open = support_case.c.status == CaseStatus.OPEN.value
    closed = conn.execute(support_case.update().where(of_person, is_open).values(**ended)).rowcount
    wipe_corrections(conn, person_id, by=by, at=at)
    conn.execute(number_pause.delete().where(number_pause.c.person_id == person_id))
    nothing = dict.fromkeys(
        ("phone_index", "facts_sealed", "same_index", "nik_index", "born_index", "public_id", "contact_id")
    )
    conn.execute(support_case.update().where(of_person).values(**nothing))
    conn.execute(case_step.update().where(among(conn, case_step.c.case_id, ids)).values(words_sealed=None))
    conn.execute(case_picture.delete().where(among(conn, case_picture.c.case_id, ids)))
    mail.wipe(conn, ids)
    notes = person_call.update().where(person_call.c.person_id == person_id, person_call.c.note_sealed.is_not(None))
    waits = follow_up.update().where(follow_up.c.subject_id == person_id, follow_up.c.done_at.is_(None))
    conn.execute(waits.values(done_at=at))
    return {"cases": closed, "notes": conn.execute(notes.values(note_sealed=None)).rowcount}


def wipe_corrections(conn: Connection, person_id: str, *, by: str, at: datetime) -> None:
    """Takes away what was asked to be corrected, also by somebody who only claimed to be the person."""
    table = correction_request.c
    theirs = sa.or_(table.person_id == person_id, table.claimed_id == person_id)
    ended = {"state": RequestState.WITHDRAWN.value, "decided_at": at, "decided_by": by}
    conn.execute(correction_request.update().where(theirs, table.decided_at.is_(None)).values(**ended))
    sealed = ("value_sealed", "old_sealed", "claim_sealed", "evidence_sealed", "number_index", "objection_id")
    conn.execute(correction_request.update().where(theirs).values(**dict.fromkeys(sealed)))


def _about(row: Row, born: bytes | None) -> sa.ColumnElement[bool]:
    """The cases about a person: of theirs, and what somebody reported with their NIK, or number and birth date."""
    about = [support_case.c.person_id == row.id]
    if row.nik_index is not None:
        about.append(support_case.c.nik_index == row.nik_index)
        named = sa.select(mail_in.c.case_id).where(mail_in.c.nik_index == row.nik_index)
        about.append(support_case.c.id.in_(named))
    if born is not None:
        about.append(support_case.c.born_index == born)
    return sa.or_(*about)


def numbers_of(conn: Connection, row: Row) -> set[bytes]:
    """The numbers that are the person's, or were, and that nobody else has, or had messages under."""
    mine = sa.select(notification.c.phone_index).where(notification.c.person_id == row.id).distinct()
    known = {index for index in conn.scalars(mine) if index is not None}
    known |= {row.phone_index} if row.phone_index is not None else set()
    return {index for index in known if not _is_shared(conn, index, row.id)}


def _is_shared(conn: Connection, index: bytes, person_id: str) -> bool:
    others = sa.select(sa.literal(1)).where(person.c.phone_index == index, person.c.id != person_id)
    sent = sa.select(sa.literal(1)).where(notification.c.phone_index == index, notification.c.person_id != person_id)
    return any(conn.execute(statement.limit(1)).first() is not None for statement in (others, sent))


def forget_numbers(conn: Connection, indexes: Collection[bytes]) -> int:
    """Takes away what numbers wrote to us, chats, codes and accounts of theirs, and refusals that were lifted. One in
    force stays: whoever has the number wants no SMS, whoever it is about. How many rows."""
    done = _forget_account(conn, indexes) + conversations.forget_numbers(conn, indexes)
    for row_id in conn.scalars(sa.select(inbound_sms.c.id).where(inbound_sms.c.phone_index.in_(list(indexes)))).all():
        # the row is how a copy of the webhook is known; the number in it becomes nobody's
        nobody = inbound_sms.update().where(inbound_sms.c.id == row_id)
        done += conn.execute(nobody.values(phone_index=os.urandom(_INDEX_BYTES))).rowcount
    lifted = suppression.delete().where(
        suppression.c.phone_index.in_(list(indexes)), suppression.c.lifted_at.is_not(None)
    )
    return done + conn.execute(lifted).rowcount


def _forget_account(conn: Connection, indexes: Collection[bytes]) -> int:
    """What numbers proved by a code, and the codes that were sent to them."""
    theirs, done = list(indexes), 0
    sessions = sa.select(account_session.c.id).where(account_session.c.phone_index.in_(theirs))
    conn.execute(account_open.delete().where(account_open.c.session_id.in_(sessions)))
    for column in (caught_sms.c.to_index, account_session.c.phone_index, otp_challenge.c.phone_index):
        done += conn.execute(column.table.delete().where(column.in_(theirs))).rowcount
    return done + conn.execute(contact.delete().where(contact.c.phone_index.in_(theirs))).rowcount


def wipe_doses(conn: Connection, person_id: str) -> int:
    """Cuts the doses, and the events that told of them, off from the registry: no id and no keyed content stays."""
    ids = [row.id for row in doses_of(conn, person_id)]
    for row_id in conn.scalars(sa.select(event.c.id).where(among(conn, event.c.dose_id, ids))).all():
        nameless = {"event_id": f"erased:{row_id}", "content_index": os.urandom(_INDEX_BYTES)}
        conn.execute(event.update().where(event.c.id == row_id).values(**nameless))
    for dose_id in ids:
        conn.execute(dose.update().where(dose.c.id == dose_id).values(source_id=f"erased:{dose_id}"))
    return len(ids)


def wipe_person(conn: Connection, sealer: Sealer, person_id: str, *, at: datetime) -> bool:
    """Overwrites who it is; False where nobody is left there."""
    conn.execute(person_word.delete().where(person_word.c.person_id == person_id))
    nothing = dict.fromkeys(
        (
            "source_index",
            "nik_index",
            "phone_index",
            "nik_sealed",
            "birth_date_sealed",
            "phone_sealed",
            "phone_problem",
            "time_zone",
            "locked_at",
            "deceased_at",
            "recorded_at",
            "own_language",
        )
    )
    values = nothing | {
        "name_sealed": sealer.seal("person:name", person_id, ""),
        "language": DEFAULT_LANGUAGE,
        "wrong_tries": 0,
        "erased_at": at,
        "updated_at": at,
    }
    mine = person.update().where(person.c.id == person_id, person.c.erased_at.is_(None))
    return conn.execute(mine.values(**values)).rowcount == 1


def letters(conn: Connection, after: str, limit: int) -> list[Row]:
    """Dead letters in the order of their ids, after one: `id`, `body_sealed`."""
    statement = sa.select(dead_letter.c.id, dead_letter.c.body_sealed).where(dead_letter.c.id > after)
    return list(conn.execute(statement.order_by(dead_letter.c.id).limit(limit)))


def refused_lines(conn: Connection, after: str, limit: int) -> list[Row]:
    """Refused lines of uploaded lists in the order of their ids, after one: `id`, `body_sealed`."""
    statement = sa.select(upload_refusal.c.id, upload_refusal.c.body_sealed).where(upload_refusal.c.id > after)
    return list(conn.execute(statement.order_by(upload_refusal.c.id).limit(limit)))


def drop_letters(conn: Connection, ids: Collection[str]) -> int:
    """Takes dead letters away."""
    return conn.execute(dead_letter.delete().where(among(conn, dead_letter.c.id, ids))).rowcount


def empty_refused_line(conn: Connection, row_id: str, sealed: bytes) -> None:
    """Overwrites what a refused line said; that it was refused, and why, stays."""
    conn.execute(upload_refusal.update().where(upload_refusal.c.id == row_id).values(body_sealed=sealed))
