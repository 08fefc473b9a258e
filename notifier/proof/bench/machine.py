"""What the figures were measured on: sizes and versions, never a name or a path."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from kombu import Connection

from notifier.proof.bench import Options

_PATIENCE_S = 5


def about(options: Options) -> dict[str, Any]:
    """Cores, memory and versions."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "database": _database(options.database),
        "broker": _broker(options.broker),
        "celery": version("celery"),
    }


def _database(server: str | None) -> str:
    if server is None:
        return f"SQLite {sqlite3.sqlite_version}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as conn:
        return f"PostgreSQL {'.'.join(map(str, conn.dialect.server_version_info or ()))}"


def _broker(url: str | None) -> str:
    if url is None:
        return "embedded"
    with Connection(url, connect_timeout=_PATIENCE_S) as connection:
        connection.connect()
        if connection.transport.driver_type == "redis":
            return f"Redis {connection.default_channel.client.info('server')['redis_version']}"
        said = getattr(connection.connection, "server_properties", {})
        return f"{said.get('product', connection.transport.driver_type)} {said.get('version', '')}".strip()
