"""Why somebody has no certificate: everything that is known of some persons' doses, in a handful of statements however
many persons and doses there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import CertificateStatus, Kind
from notifier.store.tables import certificate, dose, facility, link, notification, number_pause, person

Row = sa.Row[Any]
_MOST_DOSES = 200
#: messages that bring a certificate; the others say nothing about where it is
_BRINGS = [kind.value for kind in (Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL)]


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of one dose: its newest message, the id of its valid certificate, and whether a link to it was ever
    opened."""

    dose: Row
    message: Row | None
    certificate_id: str | None
    is_opened: bool


def held(conn: Connection, person_ids: Collection[str]) -> dict[str, list[Held]]:
    """The doses of some persons, withdrawn ones too, the newest given first; by person."""
    shots = _doses(conn, person_ids)
    ids = [row.id for row in shots]
    messages, papers = _newest_messages(conn, ids), _certificates(conn, ids)
    opened = _opened(conn, list(papers.values()))
    found: defaultdict[str, list[Held]] = defaultdict(list)
    for shot in shots:
        paper = papers.get(shot.id)
        found[shot.person_id].append(Held(shot, messages.get(shot.id), paper, paper in opened))
    return dict(found)


def _doses(conn: Connection, person_ids: Collection[str]) -> list[Row]:
    place = sa.func.coalesce(dose.c.facility, facility.c.name, dose.c.facility_id).label("facility_name")
    statement = (
        sa.select(dose, place, facility.c.time_zone.label("facility_zone"))
        .outerjoin(facility, facility.c.id == dose.c.facility_id)
        .where(dose.c.person_id.in_(list(person_ids)))
    )
    newest_first = statement.order_by(dose.c.given_on.desc(), dose.c.created_at.desc(), dose.c.id)
    return list(conn.execute(newest_first.limit(_MOST_DOSES)))


def _newest_messages(conn: Connection, dose_ids: Collection[str]) -> dict[str, Row]:
    if not dose_ids:
        return {}
    statement = sa.select(notification).where(
        notification.c.dose_id.in_(list(dose_ids)), notification.c.kind.in_(_BRINGS)
    )
    oldest_first = statement.order_by(notification.c.created_at, notification.c.id)
    return {row.dose_id: row for row in conn.execute(oldest_first)}


def _certificates(conn: Connection, dose_ids: Collection[str]) -> dict[str, str]:
    if not dose_ids:
        return {}
    statement = sa.select(certificate.c.dose_id, certificate.c.id).where(
        certificate.c.dose_id.in_(list(dose_ids)), certificate.c.status == CertificateStatus.VALID.value
    )
    return {row.dose_id: row.id for row in conn.execute(statement)}


def _opened(conn: Connection, certificate_ids: Collection[str]) -> set[str | None]:
    if not certificate_ids:
        return set()
    statement = sa.select(link.c.certificate_id).where(
        link.c.certificate_id.in_(list(certificate_ids)), sa.text("link.opened_at IS NOT NULL")
    )
    return set(conn.scalars(statement))


def pauses(conn: Connection, person_ids: Collection[str]) -> dict[tuple[str, bytes], bool]:
    """The (person, number) pairs that get no SMS because of "this is not me"; True where staff made sure of it."""
    statement = sa.select(number_pause).where(
        number_pause.c.person_id.in_(list(person_ids)), sa.text("lifted_at IS NULL")
    )
    return {(row.person_id, row.phone_index): row.confirmed_at is not None for row in conn.execute(statement)}


def ids_with_nik(conn: Connection, nik_index: bytes, limit: int = 5) -> list[str]:
    """The persons with a NIK, the oldest first."""
    statement = sa.select(person.c.id).where(person.c.nik_index == nik_index).order_by(person.c.created_at)
    return list(conn.scalars(statement.limit(limit)))
