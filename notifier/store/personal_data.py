"""Everything that is held about one person, table by table, as it is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store import cases, programme
from notifier.store.bulk import among
from notifier.store.tables import (
    account_open,
    account_proof,
    attempt,
    audit,
    caller_check,
    caught_sms,
    certificate,
    chat_message,
    chat_reply,
    code,
    conversation,
    correction_request,
    dose,
    event,
    inbound_sms,
    link,
    mail_in,
    mail_out,
    notification,
    number_pause,
    opening,
    person,
    person_call,
    receipt,
    registry_outbox,
    reminder,
    support_case,
    suppression,
)

Row = sa.Row[Any]


def of_person(conn: Connection, person_id: str, phone_index: bytes | None) -> dict[str, list[Row]]:
    """The rows about a person by table, oldest first; `phone_index`: of the number that is theirs now."""
    found = {
        "dose": _rows(conn, dose, dose.c.person_id == person_id, dose.c.created_at),
        "certificate": _rows(conn, certificate, certificate.c.person_id == person_id, certificate.c.issued_at),
        "link": _rows(conn, link, link.c.person_id == person_id, link.c.created_at),
        "opening": _rows(conn, opening, opening.c.person_id == person_id, opening.c.at),
        "notification": _rows(conn, notification, notification.c.person_id == person_id, notification.c.created_at),
        "support_case": _rows(conn, support_case, _reported(person_id), support_case.c.opened_at),
        "number_pause": _rows(conn, number_pause, number_pause.c.person_id == person_id, number_pause.c.created_at),
        "correction_request": _rows(
            conn, correction_request, correction_request.c.person_id == person_id, correction_request.c.asked_at
        ),
        "person_call": _rows(conn, person_call, person_call.c.person_id == person_id, person_call.c.at),
        "reminder": _rows(conn, reminder, reminder.c.person_id == person_id, reminder.c.due_at),
    }
    ids = {name: [row.id for row in rows] for name, rows in found.items()}
    found["mail_in"] = _among(conn, mail_in.c.case_id, ids["support_case"], mail_in.c.received_at)
    found["mail_out"] = _among(conn, mail_out.c.case_id, ids["support_case"], mail_out.c.created_at)
    found["caller_check"] = _rows(conn, caller_check, caller_check.c.person_id == person_id, caller_check.c.at)
    found["event"] = _among(conn, event.c.dose_id, ids["dose"], event.c.accepted_at)
    found["code"] = _among(conn, code.c.certificate_id, ids["certificate"], code.c.made_at)
    tries = found["attempt"] = _among(conn, attempt.c.notification_id, ids["notification"], attempt.c.started_at)
    references = [row.reference for row in tries]
    found["receipt"] = _among(conn, receipt.c.attempt_reference, references, receipt.c.received_at)
    found["caught_sms"] = _among(conn, caught_sms.c.attempt_reference, references, caught_sms.c.caught_at)
    for table, moment in ((account_proof, account_proof.c.proved_at), (account_open, account_open.c.at)):
        found[table.name] = _rows(conn, table, table.c.person_id == person_id, moment)
    about = [person_id, *ids["dose"]]
    found["registry_outbox"] = _among(conn, registry_outbox.c.subject_id, about, registry_outbox.c.created_at)
    number = phone_index if phone_index is not None else b""
    found["suppression"] = _rows(conn, suppression, suppression.c.phone_index == number, suppression.c.created_at)
    found["inbound_sms"] = _rows(conn, inbound_sms, inbound_sms.c.phone_index == number, inbound_sms.c.received_at)
    found |= _chats(conn, person_id, number)
    subjects = [person_id, *(one for name in _SUBJECTS for one in ids[name])]
    found["audit"] = _among(conn, audit.c.subject_id, subjects, audit.c.at)
    return found


def _chats(conn: Connection, person_id: str, number: bytes) -> dict[str, list[Row]]:
    """The conversation with a number, as long as it is kept; none where somebody said that it is not the person's."""
    if (person_id, number) in cases.paused_numbers(conn, {person_id}):
        number = b""
    talks = _rows(conn, conversation, conversation.c.phone_index == number, conversation.c.created_at)
    ids = [row.id for row in talks]
    return {
        "conversation": talks,
        "chat_message": _among(conn, chat_message.c.conversation_id, ids, chat_message.c.received_at),
        "chat_reply": _among(conn, chat_reply.c.conversation_id, ids, chat_reply.c.created_at),
    }


#: what the audit speaks of, besides the person
_SUBJECTS = ("dose", "certificate", "link", "notification", "support_case", "correction_request", "person_call")


def texts_at(conn: Connection, moment: datetime) -> Mapping[str, str]:
    """The programme's own SMS texts that were in force at a moment, by language/kind."""
    texts: dict[str, str] = {}
    rows = [row for row in programme.all_texts(conn) if row.changed_at <= moment]
    for row in sorted(rows, key=lambda row: int(row.revision)):
        name = row.name.removeprefix(programme.SMS)
        texts.pop(name, None)
        if row.value.get("text"):
            texts[name] = row.value["text"]
    return texts


def _reported(person_id: str) -> sa.ColumnElement[bool]:
    """Cases of the person, and what somebody reported with their NIK."""
    nik = sa.select(person.c.nik_index).where(person.c.id == person_id).scalar_subquery()
    return sa.or_(support_case.c.person_id == person_id, support_case.c.nik_index == nik)


def _rows(conn: Connection, table: sa.Table, where: sa.ColumnElement[bool], order: sa.Column[Any]) -> list[Row]:
    return list(conn.execute(sa.select(table).where(where).order_by(order)))


def _among(conn: Connection, column: sa.Column[Any], values: Collection[Any], order: sa.Column[Any]) -> list[Row]:
    if not values:
        return []
    return list(conn.execute(sa.select(column.table).where(among(conn, column, values)).order_by(order)))
