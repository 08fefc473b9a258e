"""What every door reads with: the settings and the clock's day, put into the readers of JSON, FHIR and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from notifier.intake.event import Event, now_as_today, read_event, read_event_json
from notifier.intake.fhir import FhirResult, read_fhir
from notifier.intake.files import ReadRow, read_file, read_lines
from notifier.services import Services
from notifier.settings import LinkCheck


def hash_key(services: Services) -> bytes:
    """The key of ids that are made from content; the same at every door, or one dose would come in twice."""
    return services.sealer.index("intake.derived-ids", b"hash key")


def from_json(services: Services, body: bytes) -> Event:
    """Raises BadInput; see `read_event_json`."""
    return read_event_json(body, **_terms(services))


def from_object(services: Services, data: object) -> Event:
    """Raises BadInput; see `read_event`."""
    return read_event(data, **_terms(services))


def from_fhir(services: Services, resource: object) -> list[FhirResult]:
    """Raises BadInput; see `read_fhir`."""
    return read_fhir(resource, hash_key=hash_key(services), zone=services.zone, **_terms(services))


def from_file(services: Services, path: Path) -> Iterator[ReadRow]:
    """Raises OSError; see `read_file`."""
    return read_file(path, hash_key=hash_key(services), zone=services.zone, **_terms(services))


def from_lines(services: Services, lines: Iterable[tuple[int, bytes]], now: datetime) -> Iterator[ReadRow]:
    """See `read_lines`; `now`: the moment at which the file was opened."""
    terms = _terms(services) | {"today": now_as_today(now)}
    return read_lines(lines, hash_key=hash_key(services), zone=services.zone, **terms)


def _terms(services: Services) -> dict[str, Any]:
    return {
        "today": now_as_today(services.clock.now()),
        "require_birth_date": services.settings.link_check is not LinkCheck.NONE,
    }
