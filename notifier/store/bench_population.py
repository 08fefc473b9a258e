"""Rows for `sertilink bench staff` alone: a programme that has run for two months, with all that staff look through.

Only ever used on the throw-away database of a bench. Everything follows from a person's place, so that two runs ask
the same questions of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.identity import name_words
from notifier.core.ids import new_ids, new_reference
from notifier.core.link_tokens import new_public_id
from notifier.core.states import CertificateStatus, Channel, DoseStatus, Kind, Lane, Reason, State
from notifier.store.bench_rows import Subject, sealed_person
from notifier.store.bulk import insert_rows
from notifier.store.openings import OpeningKind
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import (
    attempt,
    certificate,
    dose,
    facility,
    link,
    notification,
    opening,
    person,
    person_word,
    receipt,
)

FACILITIES = 1_000
#: a person gets one of each, in this order, an hour apart
KINDS = (Kind.CERTIFICATE, Kind.RENEWAL, Kind.CORRECTION)
_PERIOD = timedelta(days=60)
_APART = timedelta(hours=1)
_IDS = 20  # more than a person's rows need
_WITH_ATTEMPTS = 20  # every twentieth person's messages bear their attempts: a list shows none
#: what became of the newest message, by the last three digits of the place; the older ones arrived
_ENDS: tuple[tuple[int, State, Reason | None, str | None], ...] = (
    (40, State.UNDELIVERED, None, "30003"),
    (50, State.FAILED, Reason.REFUSED, "30006"),
    (54, State.SUPPRESSED, Reason.OPTED_OUT, None),
    (58, State.SUPPRESSED, Reason.BAD_PHONE, None),
    (59, State.UNKNOWN, Reason.OUTCOME_UNKNOWN, None),
    (60, State.HELD, Reason.PAST_DUE, None),
    (70, State.SCHEDULED, None, None),
    (90, State.SENT, None, None),
    (1000, State.DELIVERED, None, None),
)
_NOT_LEFT = frozenset({State.SUPPRESSED, State.HELD, State.SCHEDULED})
_REPORTED = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Known:
    """What a question can be asked about."""

    reference: str
    person_id: str


def add_facilities(conn: Connection) -> None:
    """The places that doses are given at."""
    insert_rows(
        conn,
        facility,
        [
            {"id": facility_of(place), "name": f"Puskesmas Contoh {place}", "time_zone": None}
            for place in range(FACILITIES)
        ],
    )


def facility_of(place: int) -> str:
    """Where the person of a place is vaccinated."""
    return f"facility-{place % FACILITIES}"


def populate(conn: Connection, sealer: Sealer, subjects: Iterable[tuple[int, Subject]], *, now: datetime) -> None:
    """A person, a dose, a certificate, three links and three messages for each, with words and openings. `subjects`:
    each with its place. One transaction of the caller's."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {}
    for place, subject in subjects:
        ids = iter(new_ids(_IDS))
        for table, row in _rows(sealer, place, subject, ids, now):
            rows.setdefault(table, []).append(row)
    for table in (person, person_word, dose, certificate, link, notification, attempt, receipt, opening):
        insert_rows(conn, table, rows.get(table, []))


def known(conn: Connection, sources: Sequence[str]) -> list[Known]:
    """The newest message of each of some subjects, by their `source`."""
    statement = (
        sa.select(notification.c.reference, notification.c.person_id)
        .join(dose, dose.c.id == notification.c.dose_id)
        .where(dose.c.source_id.in_(sources), notification.c.kind == KINDS[-1].value)
        .order_by(dose.c.source_id)
    )
    return [Known(*row) for row in conn.execute(statement)]


def _rows(
    sealer: Sealer, place: int, subject: Subject, ids: Iterator[str], now: datetime
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    person_id, dose_id, certificate_id = next(ids), next(ids), next(ids)
    # spread over the period
    at = now - _PERIOD + (_PERIOD - 3 * _APART) * ((place * 7919) % 100_003 / 100_003)
    stamps = {"created_at": at, "updated_at": at}
    yield person, sealed_person(sealer, person_id, subject) | stamps
    for word in name_words(subject.name):
        yield person_word, {"person_id": person_id, "word_index": sealer.index("person.word", word)}
    yield dose, _dose(dose_id, person_id, place, subject, at) | stamps
    yield (
        certificate,
        {
            "id": certificate_id,
            "number": certificate_id,
            "person_id": person_id,
            "dose_id": dose_id,
            "status": CertificateStatus.VALID.value,
            "issued_at": at,
        },
    )
    index = phone_index(sealer, subject.phone)
    of_all = {"person_id": person_id, "certificate_id": certificate_id}
    for number, kind in enumerate(KINDS):
        of_dose = of_all | {"dose_id": dose_id}
        yield from _message(sealer, place, number, kind, of_dose, index, ids, at + number * _APART)


def _dose(row_id: str, person_id: str, place: int, subject: Subject, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id,
        "source_id": subject.source,
        "person_id": person_id,
        "status": DoseStatus.GIVEN.value,
        "number": 1 + place % 2,
        "series_total": 2,
        "product": subject.product,
        "lot": f"LOT{place % 100:02d}",
        "given_on": at.date(),
        "facility_id": facility_of(place),
        "facility": f"Puskesmas Contoh {place % FACILITIES}",
    }


def _message(
    sealer: Sealer,
    place: int,
    number: int,
    kind: Kind,
    of: dict[str, Any],
    index: bytes,
    ids: Iterator[str],
    at: datetime,
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    is_newest = number == len(KINDS) - 1
    state, reason, code = _end(place) if is_newest else (State.DELIVERED, None, None)
    has_left = state not in _NOT_LEFT
    row_id, link_id = next(ids), next(ids)
    opened_at = at + timedelta(minutes=50) if state is State.DELIVERED and place % 3 else None
    yield link, _link(link_id, of, at, is_newest) | {"opened_at": opened_at}
    yield (
        notification,
        of
        | {
            "id": row_id,
            "reference": new_reference(),
            "kind": kind.value,
            "channel": Channel.SMS.value,
            "generation": 1,
            "link_id": link_id,
            "status": state.value,
            "reason": reason.value if reason else None,
            "provider_code": code,
            "lane": Lane.NORMAL.value,
            "accepted_at": at,
            "due_at": at,
            "planned_for": at,
            "any_hour": False,
            "attempts": int(has_left),
            "phone_index": index,
            "left_at": at + timedelta(minutes=1) if has_left else None,
            "ended_at": at + timedelta(minutes=2) if has_left and state is not State.UNKNOWN else None,
            "created_at": at,
            "updated_at": at + timedelta(minutes=2),
        },
    )
    if has_left and place % _WITH_ATTEMPTS == 0:
        tried = _attempt(next(ids), row_id, state, at)
        yield attempt, tried
        if state in _REPORTED:
            yield receipt, _receipt(sealer, next(ids), tried, state, code, at)
    if opened_at is not None:
        yield (
            opening,
            {
                "id": next(ids),
                "link_id": link_id,
                "certificate_id": of["certificate_id"],
                "person_id": of["person_id"],
                "at": opened_at,
                "kind": OpeningKind.OPENED.value,
                "device": "phone",
            },
        )


def _end(place: int) -> tuple[State, Reason | None, str | None]:
    state, reason, code = next(end[1:] for end in _ENDS if place % 1000 < end[0])
    return state, reason, code


def _link(row_id: str, of: dict[str, Any], at: datetime, is_newest: bool) -> dict[str, Any]:
    return {
        "id": row_id,
        "public_id": new_public_id(),
        "certificate_id": of["certificate_id"],
        "person_id": of["person_id"],
        "created_at": at,
        "expires_at": at + timedelta(days=90),
        "revoked_at": None if is_newest else at + _APART,
        "revoke_reason": None if is_newest else Reason.SUPERSEDED.value,
    }


def _attempt(row_id: str, notification_id: str, state: State, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id,
        "reference": row_id,
        "notification_id": notification_id,
        "number": 1,
        "lease_token": row_id,
        "gateway": "twilio",
        "started_at": at + timedelta(minutes=1),
        "finished_at": at + timedelta(minutes=1),
        "outcome": "unknown" if state is State.UNKNOWN else "accepted",
        "provider_sid": None if state is State.UNKNOWN else f"SM{row_id.replace('-', '')}",
    }


def _receipt(
    sealer: Sealer, row_id: str, tried: dict[str, Any], state: State, code: str | None, at: datetime
) -> dict[str, Any]:
    return {
        "id": row_id,
        "attempt_reference": tried["reference"],
        "provider_sid": tried["provider_sid"],
        "provider_word": state.value,
        "provider_code": code or "",
        "received_at": at + timedelta(minutes=2),
        "raw_sealed": sealer.seal("receipt:raw", row_id, b"MessageStatus=" + state.value.encode()),
        "applied": True,
    }
