"""What became of the certificate that a verifiable code was made for."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import certificate, code


def status_of(conn: Connection, revocation_id: str) -> str | None:
    """The status of the certificate whose code has this revocation id; None where we have none."""
    statement = sa.select(certificate.c.status).join(code, code.c.certificate_id == certificate.c.id)
    return conn.scalar(statement.where(code.c.revocation_id == revocation_id))
