"""What the local catcher caught, sealed like everything personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import attempt, caught_sms, notification, receipt


@dataclass(frozen=True, slots=True)
class CaughtSms:
    """One caught SMS, opened."""

    provider_sid: str
    attempt_reference: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    encoding: str
    segments: int
    caught_at: datetime
    reference: str | None  #: the notification's
    state: str | None


def insert_many(conn: Connection, sealer: Sealer, caught: Sequence[CaughtSms]) -> None:
    """Keeps what was caught."""
    rows = []
    for sms in caught:
        row_id = new_id()
        rows.append(
            {
                "id": row_id,
                "provider_sid": sms.provider_sid,
                "attempt_reference": sms.attempt_reference,
                "to_sealed": sealer.seal("caught_sms:to", row_id, sms.to),
                "to_index": phone_index(sealer, sms.to),
                "text_sealed": sealer.seal("caught_sms:text", row_id, sms.text),
                "encoding": sms.encoding,
                "segments": sms.segments,
                "caught_at": sms.caught_at,
            }
        )
    if rows:
        conn.execute(caught_sms.insert(), rows)


def newest(conn: Connection, sealer: Sealer, limit: int, references: Sequence[str] = ()) -> list[CaughtSms]:
    """The newest caught SMS, or those of some notification references."""
    statement = _joined().order_by(caught_sms.c.caught_at.desc(), caught_sms.c.id.desc()).limit(limit)
    if references:
        statement = statement.where(notification.c.reference.in_(list(references)))
    return [_opened(sealer, row) for row in conn.execute(statement)]


def to_number(conn: Connection, sealer: Sealer, e164: str, limit: int = 20) -> list[CaughtSms]:
    """The newest caught SMS to one number."""
    statement = _joined().where(caught_sms.c.to_index == phone_index(sealer, e164))
    rows = conn.execute(statement.order_by(caught_sms.c.caught_at.desc()).limit(limit))
    return [_opened(sealer, row) for row in rows]


def unreported(conn: Connection, limit: int, at: datetime) -> list[tuple[str, str]]:
    """(attempt reference, SID) of caught SMS whose receipt is not kept yet; marks those whose receipt is. A process
    that is killed between fetching and keeping loses none: they are told again."""
    kept = sa.exists().where(receipt.c.attempt_reference == caught_sms.c.attempt_reference)
    waits = caught_sms.c.reported_at.is_(None)
    conn.execute(caught_sms.update().where(waits, kept).values(reported_at=at))
    statement = sa.select(caught_sms.c.attempt_reference, caught_sms.c.provider_sid).where(waits)
    rows = conn.execute(statement.order_by(caught_sms.c.caught_at, caught_sms.c.id).limit(limit))
    return [(row.attempt_reference, row.provider_sid) for row in rows]


def _joined() -> sa.Select[Any]:
    return (
        sa.select(caught_sms, notification.c.reference, notification.c.status)
        .outerjoin(attempt, attempt.c.reference == caught_sms.c.attempt_reference)
        .outerjoin(notification, notification.c.id == attempt.c.notification_id)
    )


def _opened(sealer: Sealer, row: sa.Row[Any]) -> CaughtSms:
    return CaughtSms(
        provider_sid=row.provider_sid,
        attempt_reference=row.attempt_reference,
        to=sealer.open("caught_sms:to", row.id, row.to_sealed),
        text=sealer.open("caught_sms:text", row.id, row.text_sealed),
        encoding=row.encoding,
        segments=row.segments,
        caught_at=row.caught_at,
        reference=row.reference,
        state=row.status,
    )
