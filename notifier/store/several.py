"""Several questions in one statement: what a tick asks each half second costs one way to the database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def any_of(conn: Connection, *questions: sa.Select[Any]) -> list[bool]:
    """For each question, whether it finds a row."""
    return [bool(found) for found in conn.execute(sa.select(*(question.exists() for question in questions))).one()]
