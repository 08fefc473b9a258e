"""One-time codes that were asked for: whose phone is to be proved, for what, until when, and how often it was tried.

No code stands here: it is derived from our keys and the row's id (notifier/core/one_time_codes.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import OtpPurpose
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import otp_challenge, support_case

Row = sa.Row[Any]
_PLACE = "otp_challenge:phone"


def add(
    conn: Connection, sealer: Sealer, *, phone: str, purpose: OtpPurpose, language: str, at: datetime, until: datetime
) -> str:
    """A code for a number (E.164); the challenge's id, by which it is checked."""
    row_id = new_id()
    values = {
        "id": row_id,
        "phone_index": phone_index(sealer, phone),
        "phone_sealed": sealer.seal(_PLACE, row_id, phone),
        "purpose": purpose.value,
        "language": language,
        "created_at": at,
        "expires_at": until,
        "tries": 0,
    }
    conn.execute(otp_challenge.insert(), values)
    return row_id


def find(conn: Connection, row_id: str) -> Row | None:
    """The challenge with an id."""
    return conn.execute(sa.select(otp_challenge).where(otp_challenge.c.id == row_id)).first()


def phone_of(sealer: Sealer, row: Row) -> str:
    """The number that a challenge is to prove, E.164. Raises SealBroken."""
    return sealer.open(_PLACE, row.id, row.phone_sealed)


def count_try(
    conn: Connection, row_id: str, *, purpose: OtpPurpose, is_right: bool, most: int, at: datetime
) -> Row | None:
    """Counts one try, in one conditional UPDATE; a right one uses the challenge up. The row after it; None where it was
    used, is over, was tried too often, or is for something else."""
    statement = (
        otp_challenge.update()
        .where(
            otp_challenge.c.id == row_id,
            otp_challenge.c.purpose == purpose.value,
            otp_challenge.c.used_at.is_(None),
            otp_challenge.c.expires_at > at,
            otp_challenge.c.tries < most,
        )
        .values(tries=otp_challenge.c.tries + 1, **({"used_at": at} if is_right else {}))
        .returning(otp_challenge)
    )
    return conn.execute(statement).first()


def has_open_case(conn: Connection, number: bytes) -> bool:
    """Whether somebody with a number (its blind index) has reported what is still open."""
    told = sa.select(support_case.c.id).where(
        sa.text("support_case.status = 'open'"),  # literal, as in the partial index
        support_case.c.phone_index == number,
        support_case.c.contact_id.is_not(None),
    )
    return conn.execute(told.limit(1)).first() is not None
