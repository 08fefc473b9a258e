"""Made-up people for a bench: all different, with numbers that our rules accept; no message ever leaves the machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from notifier.core.states import Lane
from notifier.intake import readers
from notifier.intake.event import now_as_today
from notifier.intake.record import Door, PlanOptions, record
from notifier.proof.bench import BenchFailed
from notifier.services import Services
from notifier.store import bench_rows
from notifier.store.bench_rows import Made, Subject

ACTOR = "bench"
_AT_ONCE = 2_000
_GIVEN = ("Rahmat", "Yohana", "Teguh", "Maimunah", "Ketut", "Fransiska", "Ucok", "Wahyuni", "Daeng", "Melati")
_FAMILY = ("Sitorus", "Hidayatullah", "Tan", "Wijayakusuma", "Rumbiak", "Lestari", "Nasution", "Pattinama")
#: two words that many bear, and nobody both: nobody has two given names
NOBODY = f"{_GIVEN[0]} {_GIVEN[1]}"
#: far enough that nothing is sent before the bench says so
LATER = timedelta(hours=24)


def birth_date(place: int) -> date:
    """When the person of that place was born."""
    return date(1950, 1, 1) + timedelta(days=place * 397 % 20_000)


def name_of(place: int) -> str:
    """A name; many share it."""
    return f"{_GIVEN[place % len(_GIVEN)]} {_FAMILY[place // 7 % len(_FAMILY)]}"


def nik_of(place: int) -> str:
    """A number of its own, with the birth date inside."""
    return f"{310_101 + place // 9_999 % 9_000:06d}{birth_date(place):%d%m%y}{1 + place % 9_999:04d}"


def events(count: int, today: date, *, run: str = "bench", first: int = 0) -> Iterator[dict[str, Any]]:
    """One dose for each of `count` people, as the registry's JSON."""
    for place in range(first, first + count):
        yield {
            "event_id": f"{run}-{place}",
            "event_type": "recorded",
            "recorded_at": f"{today.isoformat()}T00:00:00Z",
            "person": {
                "id": f"{run}-{place}",
                "name": name_of(place),
                "nik": nik_of(place),
                "birth_date": birth_date(place).isoformat(),
                "phone": f"0812{place % 10**8:08d}",
                "language": ("id", "en")[place % 2],
            },
            "dose": {
                "id": f"{run}-{place}",
                "number": 1 + place % 2,
                "series_total": 2,
                "vaccine_code": "208",
                "vaccine_system": "http://hl7.org/fhir/sid/cvx",
                "product": "COVID-19 mRNA (Comirnaty)",
                "lot": f"LOT{place % 100:02d}",
                "given_on": today.isoformat(),
                "facility": "Puskesmas Contoh",
                "facility_id": f"facility-{place % 50}",
            },
        }


def write_file(path: Path, count: int, today: date, *, run: str = "bench") -> None:
    """The events as ndjson."""
    with path.open("w", encoding="utf-8") as file:
        for event in events(count, today, run=run):
            file.write(json.dumps(event) + "\n")


def waiting(services: Services, count: int, *, lane: Lane = Lane.NORMAL, run: str = "bench") -> list[Made]:
    """A scheduled notification for each of `count` people, due tomorrow: straight into the tables, with sealed columns,
    since what is measured comes after the intake."""
    made: list[Made] = []
    for first in range(0, count, _AT_ONCE):
        at = services.clock.now()
        places = range(first, min(first + _AT_ONCE, count))
        with services.db.write() as conn:
            made += bench_rows.add_waiting(
                conn,
                services.sealer,
                (subject(f"{run}-{place}", place) for place in places),
                lane=lane,
                due_at=at + LATER,
                at=at,
            )
    with services.db.read() as conn:
        bench_rows.settle_statistics(conn)
    return made


def subject(source: str, place: int) -> Subject:
    return Subject(
        source=source,
        name=name_of(place),
        nik=nik_of(place),
        birth_date=birth_date(place),
        phone=f"+62812{place % 10**8:08d}",
        language=("id", "en")[place % 2],
        product="COVID-19 mRNA (Comirnaty)",
        facility="Puskesmas Contoh",
    )


def record_fresh(services: Services, place: int, *, run: str) -> None:
    """One dose through the real intake, due at once, in the lane of doses entered now. Raises BenchFailed."""
    options = PlanOptions(delay=timedelta(0), any_hour=True, lane=Lane.FRESH)
    today = now_as_today(services.clock.now())
    data = next(events(1, today, run=run, first=place))
    recorded = record(services, readers.from_object(services, data), door=Door.COMMAND, actor=ACTOR, options=options)
    if recorded.reference is None:
        raise BenchFailed("intake refused a made-up dose")
