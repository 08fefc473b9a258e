"""Rows for `sertilink bench staff` alone: what waits for staff, what staff did, and one person with a long story.

Only ever used on the throw-away database of a bench, after `bench_population`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import Problem
from notifier.core.ids import new_ids, new_reference
from notifier.core.states import CaseKind, CaseStatus, Channel, DeadLetterStatus, Reason
from notifier.store.audit import FIRST, link_hash
from notifier.store.bench_population import KINDS
from notifier.store.bulk import insert_rows
from notifier.store.events import problem_key
from notifier.store.sealed import Sealer
from notifier.store.tables import audit, dead_letter, dose, notification, person, support_case, suppression

_PERIOD = timedelta(days=60)
_AT_ONCE = 5_000
_LONG_STORY = 100  # messages of one person
#: one for so many persons
_AUDITED, _DEAD, _CASES, _STOPPED = 5, 500, 200, 250
_ACTIONS = ("event.accepted", "event.accepted", "notification.resend", "dose.revealed", "link.revoked")
_ACTORS = ("door:api", "door:stream", "system", "staff:bench-1", "staff:bench-2", "staff:bench-3")
_RULES = (("dose.given_on", "in-the-future"), ("person.nik", "nik-digits"), ("person.phone", "too-short"))


def add_desk(conn: Connection, sealer: Sealer, size: int, now: datetime) -> None:
    """What stands on the staff's lists of a programme of `size` persons. One transaction of the caller's."""
    some = _some_persons(conn, -(-size // min(_CASES, _STOPPED)))
    insert_rows(conn, dead_letter, list(_dead_letters(sealer, -(-size // _DEAD), now)))
    insert_rows(conn, support_case, list(_cases(some[: -(-size // _CASES)], now)))
    insert_rows(conn, suppression, list(_stopped(some[: -(-size // _STOPPED)], now)))
    _lengthen_story(conn, now)


def add_audit(conn: Connection, size: int, now: datetime) -> None:
    """Deeds of the two months, chained as the sealer does. One transaction of the caller's."""
    head, position = FIRST, 0
    for first in range(0, -(-size // _AUDITED), _AT_ONCE):
        rows = []
        last = min(first + _AT_ONCE, -(-size // _AUDITED))
        for place, row_id in zip(range(first, last), new_ids(last - first), strict=True):
            position += 1
            row = _deed(row_id, place, now - _PERIOD + _PERIOD * (place * _AUDITED / max(size, 1)))
            head = link_hash(head, position, cast("sa.Row[Any]", SimpleNamespace(**row)))
            rows.append(row | {"position": position, "chain_hash": head})
        insert_rows(conn, audit, rows)


def _deed(row_id: str, place: int, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id,
        "at": at,
        "actor": _ACTORS[place % len(_ACTORS)],
        "action": _ACTIONS[place // 3 % len(_ACTIONS)],
        "subject": "notification",
        "subject_id": row_id,
        "detail": {"reason": "bench"},
    }


def _some_persons(conn: Connection, count: int) -> list[sa.Row[Any]]:
    statement = (
        sa.select(person.c.id, person.c.phone_index, dose.c.facility_id)
        .join(dose, dose.c.person_id == person.c.id)
        .order_by(person.c.id)
    )
    return list(conn.execute(statement.limit(count)))


def _dead_letters(sealer: Sealer, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for place, row_id in enumerate(new_ids(count)):
        body = json.dumps({"event_id": f"dead-{place}", "event_type": "recorded"}).encode()
        field, rule = _RULES[place % len(_RULES)]
        yield {
            "id": row_id,
            "door": "stream",
            "received_at": now - _PERIOD * (place / count),
            "problems": [{"field": field, "rule": rule, "detail": ""}],
            "body_index": sealer.index("dead_letter.body", body),
            "body_sealed": sealer.seal("dead_letter:body", row_id, body),
            "status": DeadLetterStatus.OPEN.value,
            "problem_key": problem_key([Problem(field, rule, "")]),
        }


def _cases(persons: list[sa.Row[Any]], now: datetime) -> Iterator[dict[str, Any]]:
    for place, (row_id, one) in enumerate(zip(new_ids(len(persons)), persons, strict=True)):
        opened_at = now - _PERIOD * (place / len(persons))
        yield {
            "id": row_id,
            "reference": new_reference(),
            "kind": (CaseKind.BIRTH_DATE_REJECTED, CaseKind.NOT_ME)[place % 2].value,
            "person_id": one.id,
            "facility_id": one.facility_id,
            "status": (CaseStatus.OPEN if place % 3 else CaseStatus.CLOSED).value,
            "opened_at": opened_at,
            "due_at": opened_at + timedelta(days=2),
            "closed_at": None if place % 3 else opened_at + timedelta(days=1),
        }


def _stopped(persons: list[sa.Row[Any]], now: datetime) -> Iterator[dict[str, Any]]:
    known: set[bytes] = set()
    for place, (row_id, one) in enumerate(zip(new_ids(len(persons)), persons, strict=True)):
        if one.phone_index in known:
            continue
        known.add(one.phone_index)
        yield {
            "id": row_id,
            "phone_index": one.phone_index,
            "channel": Channel.SMS.value,
            "reason": Reason.OPTED_OUT.value,
            "source": "provider",
            "created_at": now - _PERIOD * (place / len(persons)),
        }


def _lengthen_story(conn: Connection, now: datetime) -> None:
    """Gives one person many more messages, each some minutes after the one before."""
    newest = conn.execute(
        sa.select(notification)
        .where(notification.c.kind == KINDS[-1].value, notification.c.link_id.is_not(None))
        .order_by(notification.c.created_at.desc(), notification.c.id)
        .limit(1)
    ).one()
    rows = []
    for number, row_id in enumerate(new_ids(_LONG_STORY), 2):
        at = newest.created_at + (now - newest.created_at) * (number / (_LONG_STORY + 2))
        moments = dict.fromkeys(("accepted_at", "due_at", "planned_for", "created_at", "updated_at"), at)
        own = {"id": row_id, "reference": new_reference(), "generation": number, "parent_id": newest.id}
        rows.append(dict(newest._mapping) | own | moments)
    insert_rows(conn, notification, rows)
