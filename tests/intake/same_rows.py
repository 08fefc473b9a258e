"""Everything that intake wrote, without ids and random values, so that two databases can be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.services import Services
from notifier.store import persons, tables

_RANDOM = frozenset({"id", "reference", "public_id", "number_sealed", "provider_sid", "lease_token", "position"})
TABLES = ("facility", "person", "person_word", "event", "dose", "certificate", "link", "notification", "audit")


def snapshot(services: Services) -> dict[str, Counter[Any]]:
    """The rows of each table, as a multiset."""
    with services.db.read() as conn:
        rows = {name: _rows(conn, name) for name in TABLES}
    names = _names(services, rows)
    return {name: Counter(_told(name, row, names) for row in rows[name]) for name in TABLES}


def empty(services: Services) -> None:
    """Takes all rows out of every table."""
    with services.db.write() as conn:
        for table in reversed(tables.metadata.sorted_tables):
            conn.execute(table.delete())


def _rows(conn: Connection, name: str) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in conn.execute(sa.select(tables.metadata.tables[name]))]


def _names(services: Services, rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What each id stands for."""
    names: dict[str, Any] = {}
    for row in rows["dose"]:
        names[row["id"]] = ("dose", row["source_id"])
    for row in rows["event"]:
        names[row["id"]] = ("event", row["event_id"])
    for row in rows["person"]:
        theirs = tuple(sorted(dose["source_id"] for dose in rows["dose"] if dose["person_id"] == row["id"]))
        names[row["id"]] = ("person", astuple(persons.opened(services.sealer, row))[1:], row["source_index"], theirs)
    for row in rows["notification"]:
        names[row["id"]] = names[row["reference"]] = ("sms", names[row["dose_id"]], row["kind"], row["generation"])
    for row in rows["certificate"]:
        names[row["id"]] = ("certificate", names[row["dose_id"]], row["status"], row["end_reason"])
    for row in rows["link"]:
        names[row["id"]] = ("link", names[row["certificate_id"]], row["revoke_reason"])
    return names


def _told(table: str, row: dict[str, Any], names: dict[str, Any]) -> Any:
    if table == "person":
        return names[row["id"]], row["created_at"], row["updated_at"], row["nik_index"], row["phone_index"]
    if table == "certificate":
        row = {**row, "number": len(row["number"])}
    if table == "audit":
        detail = {key: names.get(value, value) for key, value in row["detail"].items()}
        row = {**row, "detail": tuple(sorted(detail.items(), key=str))}
    kept = {key: value for key, value in row.items() if table == "facility" or key not in _RANDOM}
    return tuple(sorted(((key, names.get(value, value)) for key, value in kept.items()), key=lambda pair: pair[0]))
