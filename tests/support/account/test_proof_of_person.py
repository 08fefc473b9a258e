"""Birth date, NIK and full name: five wrong tries for life over all doors together, and only on one's own number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from notifier.certificates.opening import try_birth_date as at_link
from notifier.core.states import FollowUp, ProofAnswer
from notifier.services import Services
from notifier.store import audit, persons
from notifier.store.tables import follow_up
from notifier.support.proof_of_person import (
    TryAnswer,
    persons_on,
    plain_name,
    try_birth_date,
    try_name,
    try_name_on,
    try_nik,
)
from tests.builders import NIK, SITI, MadeCertificate, a_certificate
from tests.support.account.phones import ADDRESS, KNOWN, NOBODYS, paused

BORN, OTHER = date(1989, 2, 10), date(1990, 1, 1)
ME, CHAT = "door:me", "door:chat"
BUDI = replace(SITI, name="Budi Santoso", nik=None, birth_date=date(1960, 3, 4))
RIGHT, WRONG, LOCKED = ProofAnswer.RIGHT, ProofAnswer.WRONG, ProofAnswer.LOCKED


@pytest.fixture
def siti(services: Services) -> MadeCertificate:
    return a_certificate(services)


def deeds(services: Services, person_id: str) -> list[str]:
    with services.db.read() as conn:
        return [row.action for row in audit.of_subjects(conn, [person_id])]


def family(services: Services, phone: str = KNOWN) -> list[str]:
    with services.db.read() as conn:
        return [person.id for person in persons_on(conn, services, phone)]


def test_the_persons_on_a_number(services: Services, siti: MadeCertificate) -> None:
    budi = a_certificate(services, person=BUDI)
    a_certificate(services, person=replace(BUDI, phone="+6281200000009"))
    assert family(services) == [siti.person_id, budi.person_id]
    assert family(services, NOBODYS) == []
    paused(services, budi.person_id)
    assert family(services) == [siti.person_id]


def test_right_ones_open(services: Services, siti: MadeCertificate) -> None:
    yes = TryAnswer(RIGHT, 5, siti.person_id)
    assert try_birth_date(services, siti.person_id, BORN, door=ME) == yes
    assert try_nik(services, siti.person_id, NIK, door=CHAT) == yes
    assert try_name(services, siti.person_id, "siti aminah", door=ME) == yes
    assert try_name_on(services, KNOWN, "Hj. SITI  AMINAH, S.Pd.", door=ME) == yes


def test_all_doors_count_together_and_the_fifth_locks(services: Services, siti: MadeCertificate) -> None:
    at_link(services, siti.token, OTHER, device="phone", address=ADDRESS)
    assert try_birth_date(services, siti.person_id, OTHER, door=ME) == TryAnswer(WRONG, 3)
    assert try_nik(services, siti.person_id, "3174031002890008", door=CHAT) == TryAnswer(WRONG, 2)
    assert try_name_on(services, KNOWN, "Siti Aisyah", door=ME) == TryAnswer(WRONG, 1)
    assert try_birth_date(services, siti.person_id, OTHER, door=CHAT) == TryAnswer(LOCKED)
    assert try_birth_date(services, siti.person_id, BORN, door=ME) == TryAnswer(LOCKED)
    assert try_nik(services, siti.person_id, NIK, door=ME) == TryAnswer(LOCKED)
    assert try_name_on(services, KNOWN, "Siti Aminah", door=ME) == TryAnswer(LOCKED)
    told = ["birth-date-wrong", "birth-date-wrong", "name-wrong", "nik-wrong", "person-locked"]
    assert sorted(deeds(services, siti.person_id)) == told
    with services.db.read() as conn:
        [left] = conn.execute(follow_up.select()).all()
    assert (left.kind, left.subject_id) == (FollowUp.PERSON_LOCKED, siti.person_id)


def test_wrong_tries_at_once_over_link_account_and_chat_stop_at_five(each_services: Services) -> None:
    siti = a_certificate(each_services)

    def attempt(number: int) -> object:
        if number % 3 == 0:
            return at_link(each_services, siti.token, OTHER, device="phone", address=ADDRESS)
        if number % 3 == 1:
            return try_birth_date(each_services, siti.person_id, OTHER, door=ME, phone=KNOWN)
        return try_nik(each_services, siti.person_id, "3174031002890001", door=CHAT)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(attempt, range(50)))
    with each_services.db.read() as conn:
        person = persons.get(conn, each_services.sealer, siti.person_id)
    assert (person.wrong_tries, person.locked_at is None) == (5, False)
    assert deeds(each_services, siti.person_id).count("person-locked") == 1
    assert try_birth_date(each_services, siti.person_id, BORN, door=ME) == TryAnswer(LOCKED)


def test_a_wrong_name_counts_against_the_whole_family(services: Services, siti: MadeCertificate) -> None:
    budi = a_certificate(services, person=BUDI)
    assert try_name_on(services, KNOWN, "Siapa Saja", door=ME) == TryAnswer(WRONG, 4)
    assert try_name_on(services, KNOWN, "Budi Santoso", door=ME) == TryAnswer(RIGHT, 4, budi.person_id)
    for _ in range(4):
        try_name_on(services, KNOWN, "Siapa Saja", door=ME)
    assert try_name_on(services, KNOWN, "Budi Santoso", door=ME) == TryAnswer(LOCKED)
    assert "person-locked" in deeds(services, siti.person_id)


def test_names_guessed_at_once_stop_at_five(each_services: Services) -> None:
    made = [a_certificate(each_services), a_certificate(each_services, person=BUDI)]
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda at: try_name_on(each_services, KNOWN, f"Nama {at}", door=ME), range(30)))
    with each_services.db.read() as conn:
        found = persons.load(conn, each_services.sealer, [each.person_id for each in made])
    assert [person.wrong_tries for person in found.values()] == [5, 5]


def test_a_number_that_has_moved_tries_nothing_and_counts_nothing(services: Services, siti: MadeCertificate) -> None:
    assert try_birth_date(services, siti.person_id, BORN, door=ME, phone=NOBODYS) == TryAnswer(WRONG, 4)
    paused(services, siti.person_id)
    assert try_nik(services, siti.person_id, NIK, door=ME, phone=KNOWN) == TryAnswer(WRONG, 4)
    assert try_name_on(services, KNOWN, "Siti Aminah", door=ME) == TryAnswer(WRONG, 4)
    assert deeds(services, siti.person_id) == []


def test_what_is_not_known_is_opened_by_nothing(services: Services) -> None:
    made = a_certificate(services, person=replace(SITI, nik=None, birth_date=None))
    assert not try_nik(services, made.person_id, "", door=ME).is_right
    assert not try_birth_date(services, made.person_id, date(1, 1, 1), door=ME).is_right
    assert not try_name(services, made.person_id, "  ,,", door=ME).is_right


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siti Aminah", "SITI AMINAH"),
        ("Muhammad Ma'ruf", "muhammad maruf"),
        ("dr. H. Budi Santoso, Sp.PD", "Budi Santoso"),
        ("Andr\u00e9 W\u0131jaya", "Andre W\u0131jaya"),
        ("Siti-Nur  Halizah", "siti nur halizah"),
        ("H. Ir.", "ir"),
    ],
)
def test_names_are_compared_without_what_clerks_write_apart(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other)


@pytest.mark.parametrize(("one", "other"), [("Siti Aminah", "Siti"), ("Siti", "Sita"), ("Ali Budi", "Budi Ali")])
def test_other_names_are_others(one: str, other: str) -> None:
    assert plain_name(one) != plain_name(other)
