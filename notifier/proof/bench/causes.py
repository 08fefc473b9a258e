"""A part of `support`: how fast the cause of a missing certificate is found, and what an open report costs an intake,
over a programme of many persons."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from statistics import median, quantiles

from sqlalchemy.engine import Connection

from notifier.core.states import CaseSource
from notifier.intake import reported
from notifier.proof.bench import BenchFailed, Options, Row, filling, people
from notifier.proof.bench.workshop import Workshop, open_workshop
from notifier.services import Services
from notifier.store import persons
from notifier.support.missing.causes import causes_for
from notifier.support.missing.facts import Facts
from notifier.support.missing.reports import LIMITS, report

_SIZE = 20_000
_ASKED = 400
_OPEN = 1_000  # reports that wait
_BATCH = 500
#: the bench reports for everybody, from one address
_LAX = replace(
    LIMITS,
    address=replace(LIMITS.address, most=10**9),
    overall=replace(LIMITS.overall, most=10**9),
)


def rows(options: Options) -> list[Row]:
    """Fills a database with `size` persons, then asks why each of some has no certificate, as their number does."""
    size = options.size or _SIZE
    with open_workshop(options) as shop:
        options.say(f"{size:,} persons, to find causes among")
        filling.fill(shop, size, options.workers)
        services = shop.services
        found = _timed(_causes(services, size))
        none_open = _timed(_intakes(shop, size))
        _report(services, size)
        some_open = _timed(_intakes(shop, size))
        again = _timed(_causes(services, size))
    return [
        Row(f"the cause found among {size:,} persons, median", median(found), "ms"),
        Row("the same, 95 of 100 within", _most(found), "ms"),
        Row(f"the same beside {_OPEN:,} open reports, 95 of 100 within", _most(again), "ms"),
        Row(f"what a batch of {_BATCH} doses asks where no report is open", median(none_open), "ms"),
        Row(f"the same beside {_OPEN:,} open reports", median(some_open), "ms", floor=median(none_open)),
    ]


Ask = Callable[[], object]


def _timed(asks: Iterator[Ask]) -> list[float]:
    """Milliseconds of each; the first ones are not counted, since they open connections."""
    took = []
    for number, ask in enumerate(asks):
        begun = time.perf_counter()
        ask()
        if number >= 5:
            took.append((time.perf_counter() - begun) * 1000)
    return took


def _most(took: list[float]) -> float:
    return quantiles(took, n=20)[-1]


def _causes(services: Services, size: int) -> Iterator[Ask]:
    def ask(place: int) -> None:
        phone = people.subject("", place).phone
        if not phone or not causes_for(services, phone):
            raise BenchFailed(f"nothing was found of person {place}")

    yield from ((lambda place=place: ask(place)) for place in _places(size) if place % 1000 >= 60)


def _intakes(shop: Workshop, size: int) -> Iterator[Ask]:
    """What intake asks for a whole batch: each turn another part of the persons."""
    services = shop.services
    with services.db.read() as conn:
        ids = [row_id for place in _places(size) for row_id in _ids(services, place, conn)][:_BATCH]
        known = list(persons.load(conn, services.sealer, ids).values())
    recorded = {person.id: person for person in known}

    def ask() -> None:
        with services.db.write() as conn:
            reported.note(conn, services, recorded, at=services.clock.now())

    yield from (ask for _ in range(25))


def _ids(services: Services, place: int, conn: Connection) -> list[str]:
    index = persons.phone_index(services.sealer, people.subject("", place).phone or "")
    return persons.ids_with_phone(conn, index)


def _report(services: Services, size: int) -> None:
    """Reports that no dose of the programme answers."""
    today = services.clock.now().astimezone(services.zone).date()
    for place in range(_OPEN):
        other = 7_000_000 + place  # nobody whom the programme knows
        facts = Facts(
            name=people.name_of(place),
            birth_date=people.birth_date(other),
            given_on=_day(today, place),
            place="Puskesmas",
            phone=f"+62813{place % 10**8:08d}",
            nik=people.nik_of(other),
        )
        report(
            services,
            facts,
            source=CaseSource.WEB,
            language="id",
            address="198.51.100.7",
            is_proven=True,
            limits=_LAX,
        )


def _day(today: date, place: int) -> date:
    return today - timedelta(days=3 + place % 20)


def _places(size: int) -> list[int]:
    return [place * 7919 % size for place in range(min(_ASKED + _BATCH, size))]
