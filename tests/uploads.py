"""Lists as staff would upload them, for the tests of intake, web, faults and the browser. Invented people only."""

from __future__ import annotations

import io
from collections.abc import Sequence

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.intake.uploads import deeds, look, steps
from notifier.intake.uploads.receive import Uploader, receive
from notifier.services import Services
from notifier.store.uploads import Row

HEADER = "nik;nama;tgl lahir;no hp;vaksin;dosis ke;tanggal vaksin;batch"
FACILITY = "pkm-1"


def row(number: int, **changes: str) -> str:
    """One row under HEADER; another number is another person."""
    cells = {
        "nik": f"31740{number:011d}",
        "name": f"Siti Aminah {chr(65 + number % 26)}",
        "birth_date": "10/02/1989",
        "phone": f"0812{number:08d}",
        "product": "CoronaVac",
        "number": "1",
        "given_on": "22/11/2026",
        "lot": "BX-1",
    }
    return ";".join((cells | changes).values())


def a_list(rows: Sequence[str], header: str = HEADER) -> bytes:
    """A file of these rows."""
    return "\r\n".join([header, *rows, ""]).encode()


def an_uploader(services: Services, facility_id: str | None = FACILITY, username: str = "sari") -> Uploader:
    """A health worker, or an operator where no facility is given."""
    staff_id = accounts.add(
        services,
        Passwords(memory_kib=64, passes=1),
        username=username,
        display_name=username.capitalize(),
        password="tiga kucing oren",
        role=Role.HEALTH_WORKER if facility_id else Role.OPERATOR,
        actor="test",
        facility_id=facility_id,
        facility_name=f"Puskesmas {facility_id}" if facility_id else None,
    )
    return Uploader(staff_id, facility_id)


def seen(services: Services, reference: str) -> Row:
    """The list as it stands."""
    return look.find(services, reference, only_facility=None).row


def received(services: Services, by: Uploader, data: bytes, name: str = "daftar.csv") -> str:
    """The reference of a file that was taken."""
    return receive(services, io.BytesIO(data), name=name, by=by)


def work(services: Services) -> None:
    """Workers do all that there is to do."""
    while steps.run(services):
        pass


def checked(services: Services, by: Uploader, data: bytes) -> str:
    """The reference of a list whose columns were guessed right, and that was checked."""
    reference = received(services, by, data)
    deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
    work(services)
    return reference


def recorded(services: Services, by: Uploader, data: bytes) -> str:
    """The reference of a list all of whose good rows are recorded."""
    reference = checked(services, by, data)
    deeds.record(services, reference, count=seen(services, reference).checked["counts"]["good"], by=by)
    work(services)
    return reference
