"""Throw-away PostgreSQL databases for tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SERVER = os.environ.get("SERTILINK_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The SQLAlchemy URL of a new empty database, dropped afterwards."""
    name = f"sertilink_test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{SERVER.replace('postgresql://', 'postgresql+psycopg://')}/{name}"
    finally:
        with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
