"""Reading FHIR in tests: what came out, or which rules it broke."""

from __future__ import annotations

from typing import Any

from notifier.intake.event import Event
from notifier.intake.fhir import FhirResult, read_fhir
from tests.builders import HASH_KEY, TODAY


def read(resource: object, **options: Any) -> list[FhirResult]:
    return read_fhir(resource, today=TODAY, hash_key=HASH_KEY, **options)


def event_of(resource: object, **options: Any) -> Event:
    (result,) = read(resource, **options)
    assert result.problems == ()
    assert result.event is not None
    return result.event


def rules(resource: object) -> set[tuple[str, str]]:
    (result,) = read(resource)
    assert result.event is None
    return {(problem.field, problem.rule) for problem in result.problems}
