"""What a registry that was told of a change asks for: the values as they stand now, for a key that may read them.

An event says ids and names of fields alone (decision 0042); whoever holds a key with `corrections:read` gets the fields
that it names, of that subject, and nothing else. Each reading is in the audit.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from notifier.access.api_keys import ApiKey
from notifier.core.errors import NotFound, SealBroken
from notifier.core.ids import read_row_id
from notifier.core.states import RegistryEvent
from notifier.intake.answer import moment
from notifier.services import Services
from notifier.store import audit, doses, persons, registry_outbox
from notifier.store.registry_outbox import Row

PERSON_FIELDS = ("name", "nik", "birth_date", "phone")
DOSE_FIELDS = ("product", "vaccine_code", "lot", "number", "series_total", "given_on")


def look_up(services: Services, key: ApiKey, event_id: str) -> dict[str, Any]:
    """One event with the values of its fields. Raises NotFound: there is no such event any more, or the key is a test
    key or one facility's (a person's data are not a facility's)."""
    row_id = read_row_id(event_id)
    if row_id is None or key.is_test or key.facility_id is not None:
        raise NotFound("there is no such event")
    with services.db.write() as conn:
        row = registry_outbox.find(conn, row_id)
        if row is None:
            raise NotFound("there is no such event")
        found = {
            "event_id": row.id,
            "event_type": row.kind,
            "occurred_at": moment(row.created_at),
            "dose_ids": registry_outbox.doses_of(conn, [row]).get(row.subject_id, []),
            "changed": list(row.fields),
            "values": _values(conn, services, row),
        }
        audit.write(
            conn,
            at=services.clock.now(),
            actor=key.actor,
            action="registry.read",
            subject="registry-event",
            subject_id=row.id,
            fields=",".join(row.fields),
        )
    return found


def _values(conn: Connection, services: Services, row: Row) -> dict[str, Any]:
    if row.kind == RegistryEvent.PERSON_CORRECTED:
        try:
            return _of(persons.get(conn, services.sealer, row.subject_id), row.fields, PERSON_FIELDS)
        except (KeyError, SealBroken):
            raise NotFound("what it is about cannot be opened") from None
    if row.kind == RegistryEvent.DOSE_CORRECTED:
        return _of(doses.get(conn, row.subject_id), row.fields, DOSE_FIELDS)
    return {}


def _of(whose: Any, fields: list[str], known: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(whose, name) for name in fields if name in known}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
