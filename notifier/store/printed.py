"""Links that were handed over on paper: the newest of a dose is the only one that opens."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Reason
from notifier.store.certificates import new_link_row
from notifier.store.tables import certificate, link


def add(conn: Connection, *, certificate_id: str, person_id: str, at: datetime, expires_at: datetime) -> str:
    """A new link to be printed; its public id."""
    row = new_link_row(
        link_id=new_id(), certificate_id=certificate_id, person_id=person_id, at=at, expires_at=expires_at
    )
    conn.execute(link.insert(), row | {"printed_at": at})
    return str(row["public_id"])


def count_since(conn: Connection, dose_id: str, moment: datetime) -> int:
    """How many were printed for a dose after a moment."""
    statement = sa.select(sa.func.count()).select_from(link).where(_of_dose(dose_id), link.c.printed_at > moment)
    return conn.scalar(statement) or 0


def revoke(conn: Connection, dose_id: str, *, at: datetime) -> int:
    """Turns off every printed link of a dose that is not off; how many."""
    statement = link.update().where(_of_dose(dose_id), link.c.printed_at.is_not(None), link.c.revoked_at.is_(None))
    return conn.execute(statement.values(revoked_at=at, revoke_reason=Reason.LINK_REVOKED.value)).rowcount


def _of_dose(dose_id: str) -> sa.ColumnElement[bool]:
    return link.c.certificate_id.in_(sa.select(certificate.c.id).where(certificate.c.dose_id == dose_id))
