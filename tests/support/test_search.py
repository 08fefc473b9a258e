"""The operator's search, on both databases: what is recognised, who is found, who is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.store import certificates
from notifier.store.tables import person
from notifier.support import search
from notifier.support.search import Found, Kind
from tests.builders import NIK, SITI, a_certificate
from tests.desk import Desk

MENTENG, CIKINI = "facility-1", "facility-2"


def look(desk: Desk, text: str, *, only: str | None = None, **narrowed: str) -> Found:
    return search.find(desk.services, text, only_facility=only, **narrowed)


def names(found: Found) -> list[str]:
    return sorted(hit.person.name for hit in found.hits if hit.person)


def recorded(desk: Desk, number: int, name: str, *, place: str = MENTENG, **person: Any) -> str:
    """The reference of a person's first message."""
    who = {"id": f"p-{number}", "name": name, "nik": None, "phone": f"0812-3456-{number:04}"} | person
    made = desk.record(
        event_id=f"e-{number}",
        person=who,
        dose={"id": f"d-{number}", "facility_id": place, "facility": f"Puskesmas {place}"},
    )
    assert made.reference is not None
    return made.reference


@pytest.fixture
def people(each_desk: Desk) -> Desk:
    recorded(each_desk, 1001, "Siti Aminah", nik=NIK)
    recorded(each_desk, 1002, "Siti Nurhaliza", birth_date="1990-03-01", place=CIKINI)
    recorded(each_desk, 1003, "Aminah binti Siti Zubaidah", birth_date="1955-12-31")
    recorded(each_desk, 1004, "Ujang")
    return each_desk


def test_several_words_of_a_name_are_all_wanted_in_any_order(people: Desk) -> None:
    assert names(look(people, "siti")) == ["Aminah binti Siti Zubaidah", "Siti Aminah", "Siti Nurhaliza"]
    assert names(look(people, "AMINAH  síti")) == ["Aminah binti Siti Zubaidah", "Siti Aminah"]
    assert names(look(people, "siti aminah zubaidah")) == ["Aminah binti Siti Zubaidah"]
    assert names(look(people, "siti ujang")) == []
    assert names(look(people, "sit")) == []  # whole words: parts of one would tell too much


def test_a_birth_year_and_a_facility_narrow_a_name(people: Desk) -> None:
    assert names(look(people, "siti", birth_year="1990")) == ["Siti Nurhaliza"]
    assert names(look(people, "siti", birth_year="1991")) == []
    assert names(look(people, "siti", facility=CIKINI)) == ["Siti Nurhaliza"]
    assert names(look(people, "siti", facility="puskesmas FACILITY-2")) == ["Siti Nurhaliza"]
    assert names(look(people, "siti", facility=CIKINI, birth_year="1955")) == []


def test_a_facility_alone_gives_its_newest_people_and_words_that_fit_several_ask_which(people: Desk) -> None:
    found = look(people, "", facility=CIKINI)
    assert (found.kind, names(found)) == (Kind.FACILITY, ["Siti Nurhaliza"])
    found = look(people, "siti", facility="Puskesmas")
    assert (found.hits, [row.id for row in found.facilities]) == ([], [MENTENG, CIKINI])
    assert [row.id for row in look(people, "puskesmas").facilities] == [MENTENG, CIKINI]


@pytest.mark.parametrize("typed", ["%", "_", "100% '; DROP"])
def test_signs_that_mean_something_to_the_database_mean_nothing_here(people: Desk, typed: str) -> None:
    with pytest.raises(BadInput):
        look(people, "siti", facility=typed)


@pytest.mark.parametrize("typed", [NIK, f"{NIK[:4]} {NIK[4:10]} {NIK[10:]}", f"{NIK[:8]}-{NIK[8:]}"])
def test_sixteen_digits_are_a_nik(people: Desk, typed: str) -> None:
    found = look(people, typed)
    assert (found.kind, names(found)) == (Kind.NIK, ["Siti Aminah"])
    assert look(people, NIK[:-1] + "8").hits == []


@pytest.mark.parametrize("typed", ["0812-3456-1004", "+62 812 3456 1004", "(0812) 34561004", "6281234561004"])
def test_a_number_is_found_however_it_is_written(people: Desk, typed: str) -> None:
    found = look(people, typed)
    assert (found.kind, names(found)) == (Kind.PHONE, ["Ujang"])


def test_a_number_that_was_the_persons_before_finds_them_still(people: Desk) -> None:
    people.send()
    people.record(
        event_id="e-new",
        event_type="corrected",
        person={"id": "p-1004", "name": "Ujang", "nik": None, "phone": "0813-9999-0000"},
        dose={"id": "d-1004"},
    )
    assert names(look(people, "0812-3456-1004")) == ["Ujang"]
    assert names(look(people, "0813-9999-0000")) == ["Ujang"]


def test_a_family_shares_a_number(people: Desk) -> None:
    recorded(people, 1005, "Adik Ujang", phone="0812-3456-1004")
    assert names(look(people, "0812-3456-1004")) == ["Adik Ujang", "Ujang"]


def test_a_reference_is_found_however_it_is_typed_and_so_is_a_certificates_number(people: Desk) -> None:
    row = next(row for row in people.rows() if row.dose_id)
    found = look(people, f"{row.reference[:5].lower()}-{row.reference[5:]} ")
    assert (found.kind, found.reference) == (Kind.REFERENCE, row.reference)
    with people.services.db.read() as conn:
        number = certificates.get(conn, row.certificate_id).number
    found = look(people, number.lower().replace("-", " "))
    assert (found.kind, [hit.person_id for hit in found.hits]) == (Kind.CERTIFICATE, [row.person_id])


def test_a_reference_that_is_not_there_finds_nobody(people: Desk) -> None:
    found = look(people, "7K3M9QXT2B")
    assert (found.kind, found.hits, found.reference) == (Kind.REFERENCE, [], None)


def test_a_name_that_looks_like_a_reference_is_a_name(people: Desk) -> None:
    recorded(people, 1006, "Rahmatsyah")  # ten letters, each of which a reference may have
    found = look(people, "Rahmatsyah")
    assert (found.kind, names(found)) == (Kind.NAME, ["Rahmatsyah"])


def test_a_hit_brings_the_newest_message(people: Desk) -> None:
    people.send()
    [hit] = look(people, "ujang").hits
    assert hit.message is not None
    assert hit.message.status == "accepted"


def test_a_facility_sees_only_persons_with_a_dose_of_its_own_and_only_its_messages(people: Desk) -> None:
    assert names(look(people, "siti", only=CIKINI)) == ["Siti Nurhaliza"]
    assert names(look(people, "siti", only=CIKINI, facility=MENTENG)) == ["Siti Nurhaliza"]  # the own one, always
    assert look(people, NIK, only=CIKINI).hits == []
    assert look(people, "0812-3456-1004", only=CIKINI).hits == []
    other = next(row for row in people.rows() if names(look(people, row.reference)) == [])
    with people.services.db.read() as conn:
        number = certificates.get(conn, other.certificate_id).number
    assert [look(people, text, only="facility-9").reference for text in (other.reference,)] == [None]
    assert look(people, number, only="facility-9").hits == []

    people.record(
        event_id="e-second",
        person={"id": "p-1002", "name": "Siti Nurhaliza", "nik": None, "birth_date": "1990-03-01", "phone": None},
        dose={"id": "d-second", "facility_id": MENTENG, "number": 2},
    )
    [own] = look(people, "nurhaliza", only=MENTENG).hits
    [theirs] = look(people, "nurhaliza", only=CIKINI).hits
    assert own.message is not None
    assert theirs.message is not None
    assert own.message.id != theirs.message.id
    assert theirs.message.id == look(people, "nurhaliza", only=CIKINI).hits[0].message.id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("typed", "narrowed", "field", "rule"),
    [
        ("", {}, "q", "required"),
        (" \0 ", {}, "q", "required"),
        ("x" * 201, {}, "q", "too-long"),
        ("Z", {}, "q", "no-words"),
        ("021 345 6789", {}, "q", "phone-not-mobile"),
        ("0812 00", {}, "q", "phone-undialable"),
        ("siti", {"birth_year": "84"}, "birth_year", "year-digits"),
        ("siti", {"birth_year": "١٩٨٤"}, "birth_year", "year-digits"),
        ("siti", {"facility": "Tidak Ada"}, "facility", "unknown-facility"),
    ],
)
def test_what_cannot_be_searched_for_says_where_and_why(
    people: Desk, typed: str, narrowed: dict[str, str], field: str, rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        look(people, typed, **narrowed)
    assert [(one.field, one.rule) for one in caught.value.problems] == [(field, rule)]
    assert typed.strip("\0 ") == "" or typed not in str(caught.value)


def test_many_of_one_name_are_cut_and_more_is_said(each_services: Services) -> None:
    for number in range(search.PAGE + 1):
        born = date(1980 + number % 2, 1, 1)
        a_certificate(each_services, person=replace(SITI, name="Budi Santoso", birth_date=born))
    found = search.find(each_services, "budi", only_facility=None)
    assert (len(found.hits), found.more, found.is_cut) == (search.PAGE, True, False)
    found = search.find(each_services, "budi santoso", birth_year="1980", only_facility=None)
    assert (len(found.hits), found.more) == (search.PAGE // 2 + 1, False)


def test_a_row_that_cannot_be_opened_does_not_take_the_others_with_it(each_services: Services) -> None:
    made = a_certificate(each_services)
    a_certificate(each_services, person=replace(SITI, name="Siti Zulaikha"))
    with each_services.db.write() as conn:
        conn.execute(person.update().where(person.c.id == made.person_id).values(name_sealed=b"\x01broken"))
    found = search.find(each_services, "siti", only_facility=None)
    assert names(found) == ["Siti Zulaikha"]
    assert len(found.hits) == 2
