"""Everything that is kept about one person's messages, in few statements however many messages there are.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import attempt, audit, certificate, dose, facility, notification, opening, support_case

Row = sa.Row[Any]


def messages(conn: Connection, person_id: str, facility_id: str | None, limit: int) -> list[Row]:
    """The notifications about a person, newest first."""
    statement = sa.select(notification).where(notification.c.person_id == person_id)
    if facility_id is not None:
        statement = statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)
    newest_first = statement.order_by(notification.c.created_at.desc(), notification.c.id.desc())
    return list(conn.execute(newest_first.limit(limit)))


def doses(conn: Connection, person_id: str, facility_id: str | None, limit: int) -> list[Row]:
    """A person's doses, withdrawn ones too, in the order in which we came to know them; each with `facility_name`."""
    statement = (
        sa.select(dose, sa.func.coalesce(dose.c.facility, facility.c.name, dose.c.facility_id).label("facility_name"))
        .outerjoin(facility, facility.c.id == dose.c.facility_id)
        .where(dose.c.person_id == person_id)
    )
    if facility_id is not None:
        statement = statement.where(dose.c.facility_id == facility_id)
    return list(conn.execute(statement.order_by(dose.c.created_at, dose.c.id).limit(limit)))


def certificates(conn: Connection, dose_ids: Collection[str]) -> list[Row]:
    """The certificates of some doses, newest first."""
    columns = [certificate.c[name] for name in ("id", "number", "dose_id", "status", "issued_at")]
    statement = sa.select(*columns).where(certificate.c.dose_id.in_(list(dose_ids)))
    return list(conn.execute(statement.order_by(certificate.c.issued_at.desc(), certificate.c.id.desc())))


def attempts(conn: Connection, notification_ids: Collection[str]) -> list[Row]:
    """The attempts of some notifications, in their order."""
    statement = sa.select(attempt).where(attempt.c.notification_id.in_(list(notification_ids)))
    return list(conn.execute(statement.order_by(attempt.c.started_at, attempt.c.number)))


def openings(conn: Connection, person_id: str, certificate_ids: Collection[str], limit: int) -> list[Row]:
    """What was done with some certificates of a person, newest first."""
    statement = sa.select(opening).where(
        opening.c.person_id == person_id, opening.c.certificate_id.in_(list(certificate_ids))
    )
    return list(conn.execute(statement.order_by(opening.c.at.desc(), opening.c.id.desc()).limit(limit)))


def cases(conn: Connection, person_id: str, facility_id: str | None, limit: int) -> list[Row]:
    """The cases about a person, newest first."""
    statement = sa.select(support_case).where(support_case.c.person_id == person_id)
    if facility_id is not None:
        statement = statement.where(support_case.c.facility_id == facility_id)
    return list(conn.execute(statement.order_by(support_case.c.opened_at.desc()).limit(limit)))


def deeds(conn: Connection, subject_ids: Collection[str], limit: int) -> list[Row]:
    """The newest rows of the audit about some subjects, oldest first."""
    statement = sa.select(audit).where(audit.c.subject_id.in_(list(subject_ids)))
    newest_first = statement.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
    return list(conn.execute(newest_first))[::-1]
