"""A database of its own for a measurement or a proof: made on somebody's PostgreSQL server, dropped afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

_PATIENCE_S = 5


@contextmanager
def postgres_database(server: str, prefix: str) -> Iterator[str]:
    """The URL of a new empty database `prefix_...` on the server of the URL `server`, whose own database is only
    connected to. Dropped at the end, whoever is still connected. Raises OperationalError, ProgrammingError."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    if not url.database:
        url = url.set(database="postgres")
    name = f"{prefix}_{secrets.token_hex(6)}"
    engine = sa.create_engine(
        url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args={"connect_timeout": _PATIENCE_S}
    )
    with engine.connect() as conn:
        conn.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as conn:
            conn.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
