"""Things of a facility that stand in paths, each made as the face itself would make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from notifier.core.own_corrections import Field, Proof
from notifier.core.states import CaseKind
from notifier.services import Services
from notifier.store import cases, doses, notifications
from notifier.support.own_corrections.asking import ask
from tests.support.missing.reporting import FACTS, at_facility
from tests.uploads import a_list, row
from tests.web.staff.conftest import Desk

#: a colleague of the facility makes something; what stands for it in a path
Maker = Callable[[Services, Desk], str]


def _entered(worker: Desk) -> str:
    return worker.entered(nik="", name="Budi Hartono")  # without a NIK each is a person of its own


def message(services: Services, worker: Desk) -> str:
    """The reference of a message about a dose that was typed there."""
    return _entered(worker)


def case(services: Services, worker: Desk) -> str:
    """The reference of a case about such a message's number."""
    reference, at = _entered(worker), services.clock.now()
    with services.db.write() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        opened = cases.insert_new(
            conn,
            kind=CaseKind.NOT_ME,
            opened_at=at,
            due_at=at,
            person_id=row.person_id,
            link_id=row.link_id,
            facility_id=cases.facility_of_link(conn, row.link_id),
            phone_index=row.phone_index,
        )
    assert opened is not None
    return str(opened.reference)


def request(services: Services, worker: Desk) -> str:
    """The reference of a correction that the person of such a message asked for."""
    reference = _entered(worker)
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return ask(services, row.person_id, Field.NAME, "Budi Santoso", door="me", proved_by=Proof.OTP).reference


def report(services: Services, worker: Desk) -> str:
    """The reference of a report of a missing certificate, with the photo of a card."""
    reference = _entered(worker)
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        facility_id = doses.get(conn, row.dose_id).facility_id
    day = FACTS.given_on.replace(day=int(facility_id[-1]))  # each place's own, or they would be one report
    facts = replace(FACTS, given_on=day, words="sudah dua kali bertanya")
    return at_facility(services, facility_id, facts, picture=b"jpeg")


def upload(services: Services, worker: Desk) -> str:
    """The reference of a list that was brought there."""
    worker.get("/uploads/new")
    brought = worker.post("/uploads/new", {"file": (BytesIO(a_list([row(1), row(2)])), "daftar.csv")})
    return brought.location.rpartition("/")[2]


MAKERS: dict[str, Maker] = {
    "case": case,
    "message": message,
    "report": report,
    "request": request,
    "upload": upload,
}
