"""The steps of a case, one after the other, and its picture. Steps are only added; what somebody said is sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import StepKind
from notifier.store.sealed import Sealer
from notifier.store.tables import case_picture, case_step

Row = sa.Row[Any]
_WORDS, _PICTURE = "case_step:words", "case_picture:picture"


def add(
    conn: Connection,
    sealer: Sealer,
    case_id: str,
    kind: StepKind,
    *,
    actor: str,
    at: datetime,
    words: str | None = None,
    facility_id: str | None = None,
    detail: str | None = None,
) -> str:
    """Adds a step, after those that are there; its id. `words`: what somebody said; `detail`: a code of ours."""
    row_id = new_id()
    last: datetime | None = conn.scalar(sa.select(sa.func.max(case_step.c.at)).where(case_step.c.case_id == case_id))
    if last is not None and last >= at:
        at = last + timedelta(microseconds=1)  # two of one moment would stand in any order
    conn.execute(
        case_step.insert(),
        {
            "id": row_id,
            "case_id": case_id,
            "at": at,
            "kind": kind.value,
            "actor": actor,
            "facility_id": facility_id,
            "detail": detail,
            "words_sealed": sealer.seal(_WORDS, row_id, words) if words else None,
        },
    )
    return row_id


def of_case(conn: Connection, case_id: str, limit: int = 200) -> list[Row]:
    """The newest steps of a case, oldest first."""
    statement = sa.select(case_step).where(case_step.c.case_id == case_id)
    newest = statement.order_by(case_step.c.at.desc(), case_step.c.id.desc()).limit(limit)
    return list(conn.execute(newest))[::-1]


def count(conn: Connection, case_id: str, kind: StepKind, *, since: datetime | None = None) -> int:
    """How many steps of a kind a case has, all or since a moment."""
    statement = sa.select(sa.func.count()).where(case_step.c.case_id == case_id, case_step.c.kind == kind.value)
    if since is not None:
        statement = statement.where(case_step.c.at > since)
    return conn.scalar(statement) or 0


def words(sealer: Sealer, row: Row) -> str:
    """What was said at a step; "" where nothing was. Raises SealBroken."""
    return sealer.open(_WORDS, row.id, row.words_sealed) if row.words_sealed else ""


def keep_picture(conn: Connection, sealer: Sealer, case_id: str, picture: bytes, *, at: datetime) -> None:
    """Keeps a picture with a case, instead of the one before it."""
    drop_picture(conn, case_id)
    row_id = new_id()
    sealed = sealer.seal(_PICTURE, row_id, picture)
    values = {"id": row_id, "case_id": case_id, "created_at": at, "picture_sealed": sealed}
    conn.execute(case_picture.insert(), values)


def has_picture(conn: Connection, case_id: str) -> bool:
    """Whether a picture is kept with a case."""
    return conn.execute(sa.select(case_picture.c.id).where(case_picture.c.case_id == case_id)).first() is not None


def picture(conn: Connection, sealer: Sealer, case_id: str) -> bytes | None:
    """The picture that is kept with a case. Raises SealBroken."""
    row = conn.execute(sa.select(case_picture).where(case_picture.c.case_id == case_id)).first()
    return None if row is None else sealer.open_bytes(_PICTURE, row.id, row.picture_sealed)


def drop_picture(conn: Connection, case_id: str) -> None:
    """Takes the picture away: the case has ended, or another one comes."""
    conn.execute(case_picture.delete().where(case_picture.c.case_id == case_id))
