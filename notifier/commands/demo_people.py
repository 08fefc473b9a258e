"""Made-up people for `sertilink demo` and the first start: no person has these names, birth dates and numbers together.

Each run makes new persons, so that neither the daily cap nor an earlier run stands in the way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from notifier.intake.event import Event
from notifier.intake.files import ReadRow

#: names that break what breaks easily: one word, long, apostrophe, accents, a full stop, a newborn without a name
_NAMES = (
    "Sulastri",
    "I Gusti Ngurah Agung Wirawan Kusumadewa Pradnyaparamitha",
    "Nur'aini Ma'rufah",
    "José Ximénes da Conceição",
    "Bayi Ny. Kartikasari",
    "Dewi Anggraini Putri",
    "Muh. Rizky Al-Fatih",
    "Agnes Latumahina-Siahaya",
    "Bambang Prakoso",
    "Ni Luh Ayu Sekarwangi",
)
_GIVEN = ("Rahmat", "Yohana", "Teguh", "Maimunah", "Ketut", "Fransiska", "Ucok", "Wahyuni", "Daeng", "Melati")
_FAMILY = ("Sitorus", "Hidayatullah", "Tan", "Wijayakusuma", "Rumbiak", "Lestari", "Nasution", "Pattinama")
_PRODUCTS = (
    ("93001282", "http://sys-ids.kemkes.go.id/kfa", "Vaksin DTP-HB-Hib (PENTABIO)"),
    ("208", "http://hl7.org/fhir/sid/cvx", "COVID-19 mRNA (Comirnaty)"),
    ("10", "http://hl7.org/fhir/sid/cvx", "IPV"),
)
_BABY = 4  # the place in _NAMES


def made_up_number(key: str) -> str:
    """A number of an Indonesian mobile range, the same for the same key. Only the catcher may be given it."""
    digits = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return f"0812{digits % 10**8:08d}"


def sample_events(count: int, run: str, today: date) -> Iterator[dict[str, Any]]:
    """The events of `count` people, in both languages; `run` sets them apart from those of other runs."""
    for place in range(count):
        yield _sample(place, run, today)


def _sample(place: int, run: str, today: date) -> dict[str, Any]:
    code, system, product = _PRODUCTS[place % len(_PRODUCTS)]
    if place < len(_NAMES):
        name = _NAMES[place]
    else:
        name = f"{_GIVEN[place % len(_GIVEN)]} {_FAMILY[place % len(_FAMILY)]}"
    born = today - timedelta(days=60 if place == _BABY else 8000 + place * 397 % 20000)
    return {
        "event_id": f"demo-{run}-{place}",
        "event_type": "recorded",
        "person": {
            "id": f"demo-{run}-{place}",
            "name": name,
            "birth_date": born.isoformat(),
            "phone": made_up_number(f"{run}/{place}"),
            "language": ("id", "en")[place % 2],
        },
        "dose": {
            "id": f"demo-{run}-{place}",
            "number": 1 + place % 2,
            "series_total": 2,
            "vaccine_code": code,
            "vaccine_system": system,
            "product": product,
            "lot": f"DEMO{place:04d}",
            "given_on": (today - timedelta(days=place % 3)).isoformat(),
            "facility": "Puskesmas Contoh",
            "facility_id": "contoh",
        },
    }


def borrowed_events(rows: Iterable[ReadRow], run: str) -> Iterator[Event]:
    """One dose of each person of a file, with a made-up number in place of the phone, and ids of this run.

    Left out: what cannot be read, withdrawals, copies of older records, persons who are not in the file.
    """
    seen: set[str] = set()
    for row in rows:
        event = row.event
        if event is None or event.person is None or event.event_type != "recorded" or event.historical:
            continue
        who = event.person.id or event.person.nik or f"{event.person.name}/{event.person.birth_date}"
        if who in seen:
            continue
        seen.add(who)
        ours = f"demo-{run}-{len(seen) - 1}"
        person = event.person.model_copy(update={"id": ours, "nik": None, "phone": made_up_number(who)})
        dose = event.dose.model_copy(update={"id": ours})
        yield event.model_copy(update={"event_id": ours, "person": person, "dose": dose})
