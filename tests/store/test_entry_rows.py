"""What dose entry asks of the store, and links on paper: on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from notifier.core.identity import neighbours_of
from notifier.core.states import DoseStatus, Reason
from notifier.services import Services
from notifier.store import certificates, doses, entry, persons, printed
from notifier.store.tables import person
from tests.builders import NIK, SITI, MadeCertificate, a_certificate


def add(services: Services, **changes: Any) -> MadeCertificate:
    return a_certificate(services, person=replace(SITI, **changes))


def index(services: Services, nik: str) -> bytes:
    return persons.nik_index(services.sealer, nik)


def test_persons_with_a_nik_come_oldest_first_and_a_broken_row_is_left_out(each_services: Services) -> None:
    services = each_services
    first = add(services).person_id
    services.clock.tick(minutes=1)  # type: ignore[attr-defined]  # the fake one
    second = add(services, birth_date=date(1990, 1, 1)).person_id
    broken = add(services).person_id
    with services.db.write() as conn:
        conn.execute(person.update().where(person.c.id == broken).values(name_sealed=b"broken"))
    with services.db.read() as conn:
        assert [one.id for one in entry.with_nik(conn, services.sealer, index(services, NIK))] == [first, second]
        assert entry.with_nik(conn, services.sealer, index(services, "1" * 16)) == []


def test_a_neighbour_is_found_among_all_candidates_at_once(each_services: Services) -> None:
    services = each_services
    made = add(services, nik="3174031002890008")
    add(services, nik="3174031002890017")
    with services.db.read() as conn:
        indexes = [index(services, near) for near in neighbours_of(NIK)]
        assert [one.id for one in entry.with_any_nik(conn, services.sealer, indexes)] == [made.person_id]


def test_others_with_a_number_are_counted_up_to_a_bound(each_services: Services) -> None:
    services = each_services
    mine = add(services).person_id
    for _ in range(4):
        add(services, nik=None)
    add(services, nik=None, phone="+6281234567891")
    number = persons.phone_index(services.sealer, "+6281234567890")
    with services.db.read() as conn:
        assert entry.count_with_phone(conn, number, but=[mine], most=50) == 4
        assert entry.count_with_phone(conn, number, but=[], most=50) == 5
        assert entry.count_with_phone(conn, number, but=[], most=3) == 3


def test_the_doses_of_a_day_leave_out_the_own_the_withdrawn_and_other_days(each_services: Services) -> None:
    services = each_services
    made = add(services)
    day = date(2026, 11, 22)
    a_certificate(services, person_id=made.person_id, source_id="own", facility="Puskesmas Kelapa")
    a_certificate(services, person_id=made.person_id, source_id="withdrawn", status=DoseStatus.WITHDRAWN.value)
    a_certificate(services, person_id=made.person_id, given_on=day - timedelta(days=1))
    with services.db.write() as conn:
        doses.remember_facility(conn, "named", "Klinik Bernama")
    services.clock.tick(minutes=1)  # type: ignore[attr-defined]  # the fake one
    a_certificate(services, person_id=made.person_id, facility=None, facility_id="named")
    with services.db.read() as conn:
        found = entry.doses_on(conn, [made.person_id], day, but_source="own")
    assert [one.facility_name for one in found] == ["Klinik Bernama", "Puskesmas Menteng"]


def test_the_newest_printed_link_is_the_only_one_and_sent_ones_stay(each_services: Services) -> None:
    services, now = each_services, each_services.clock.now()
    made, other = add(services), add(services, nik=None)
    terms = {"at": now, "expires_at": now + timedelta(days=90)}
    with services.db.write() as conn:
        for one in (made, other):
            printed.add(conn, certificate_id=one.certificate_id, person_id=one.person_id, **terms)
        assert printed.revoke(conn, made.dose_id, at=now) == 1
        assert printed.revoke(conn, made.dose_id, at=now) == 0
        printed.add(conn, certificate_id=made.certificate_id, person_id=made.person_id, **terms)
        assert printed.count_since(conn, made.dose_id, now - timedelta(days=1)) == 2
        assert printed.count_since(conn, made.dose_id, now) == 0
        rows = certificates.load_links(conn, list(conn.scalars(sa.text("SELECT id FROM link"))))
    mine = [row for row in rows.values() if row.certificate_id == made.certificate_id]
    assert [row.revoke_reason for row in mine if row.revoked_at] == [Reason.LINK_REVOKED]
    assert len([row for row in mine if row.revoked_at is None]) == 2
