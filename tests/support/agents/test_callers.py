"""Three facts before anything is said: right or wrong as a whole, counted, and no word more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.errors import BadInput, Refused
from notifier.services import Services
from notifier.store.tables import audit as audit_table
from notifier.store.tables import caller_check, mail_in, mail_out, notification, support_case
from notifier.store.tables import person as person_table
from notifier.support.agents import callers, replies
from notifier.support.missing import trackers
from notifier.support.privacy.erase import erase
from tests.canaries import found_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.agents.conftest import Write
from tests.web.staff.conftest import add_staff

Agents = tuple[str, str]
RIGHT = {
    "phone": "0812-3456-7890",
    "name": "SITI AMINAH",
    "day": "10",
    "month": "Februari",
    "year": "1989",
    "nik_end": "0009",
}
BY_NIK = {
    "phone": "",
    "nik": "3174031002890009",
    "nik_end": "",
    "facility": "menteng",
    "given_day": "23",
    "given_month": "11",
    "given_year": "2026",
}


@pytest.fixture(autouse=True)
def person(services: Services) -> None:
    """Siti Aminah, with a dose at Menteng."""
    Desk(services).record(dose={"facility": "Puskesmas Menteng", "facility_id": "pkm-1", "given_on": "2026-11-23"})


def check(services: Services, who: str, *, reference: str | None = None, **changes: str) -> callers.Checked:
    said = callers.read_said(services, RIGHT | changes)
    return callers.check(services, said, reference=reference, staff_id=who)


@pytest.mark.parametrize(
    "changes",
    [{}, BY_NIK, {"nik_end": "", **{k: v for k, v in BY_NIK.items() if "nik" not in k}, "phone": "081234567890"}],
)
def test_three_right_facts_are_right(services: Services, agents: Agents, changes: dict[str, str]) -> None:
    found = check(services, agents[0], **changes)
    assert (found.is_right, found.message is not None, len(found.findings)) == (True, True, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Siti"},
        {"name": "Siti Aminah Putri"},
        {"day": "11"},
        {"nik_end": "0008"},
        {"phone": "0812-3456-0000"},
        BY_NIK | {"given_day": "22"},
        BY_NIK | {"facility": "senen"},
        BY_NIK | {"nik": "3174031002890017"},
        BY_NIK | {"name": "Budi"},
    ],
)
def test_one_wrong_fact_is_wrong_and_nothing_says_which(
    services: Services, agents: Agents, changes: dict[str, str]
) -> None:
    assert check(services, agents[0], **changes) == callers.Checked(False)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"nik_end": ""}, "nik_end third-fact"),
        ({"phone": ""}, "phone one-key"),
        ({"nik": "3174031002890009"}, "phone one-key"),
        (BY_NIK | {"facility": ""}, "facility dose-required"),
        (BY_NIK | {"nik_end": "0009", "given_day": "", "given_month": "", "given_year": ""}, "facility dose-required"),
        ({"year": "89"}, "year year-digits"),
        ({"phone": "021 3456"}, "phone phone-undialable"),
        ({"nik_end": "12a4"}, "nik_end nik-end-digits"),
        ({"name": "."}, "name required"),
    ],
)
def test_too_few_facts_are_asked_for_again_and_count_as_no_try(
    services: Services, agents: Agents, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(BadInput) as error:
        check(services, agents[0], **changes)
    assert problem in [f"{one.field} {one.rule}" for one in error.value.problems]
    with services.db.read() as conn:
        assert conn.execute(caller_check.select()).all() == []


def test_wrong_answers_are_counted_by_number_whether_we_know_it_or_not(
    services: Services, agents: Agents, clock: FakeClock
) -> None:
    for phone in ("0812-3456-7890", "0857-1111-2222"):
        for _ in range(3):
            assert not check(services, agents[0], phone=phone, nik_end="1111").is_right
        with pytest.raises(Refused, match="too-many-checks"):
            check(services, agents[0], phone=phone)
    clock.tick(days=1)
    assert check(services, agents[0]).is_right


def test_number_and_nik_together_give_no_more_than_five_tries_at_a_person(services: Services, agents: Agents) -> None:
    for _ in range(3):
        assert not check(services, agents[0], nik_end="1111").is_right
    for _ in range(2):
        assert not check(services, agents[1], **BY_NIK | {"facility": "senen"}).is_right
    assert not check(services, agents[1], **BY_NIK).is_right  # right, and yet: five were wrong today


def test_an_agent_who_guesses_is_stopped(services: Services, agents: Agents) -> None:
    for number in range(20):
        assert not check(services, agents[0], phone=f"0812-3456-{number:04}").is_right
    with pytest.raises(Refused, match="too-many-checks"):
        check(services, agents[0])
    assert check(services, agents[1]).is_right


def test_right_answers_use_nothing_up(services: Services, agents: Agents) -> None:
    assert all(check(services, agents[0]).is_right for _ in range(25))


def test_many_wrong_answers_at_once_are_counted_each(each_services: Services) -> None:
    Desk(each_services).record(event_id="event-2", dose={"id": "dose-2"})
    who = add_staff(each_services, "oki", Role.OPERATOR, None)

    def wrong(_: int) -> str:
        try:
            return str(check(each_services, who, nik_end="1111").is_right)
        except Refused:
            return "stopped"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(wrong, range(8)))
    assert sorted(answers) == ["False"] * 3 + ["stopped"] * 5


def test_each_check_is_in_the_audit_without_a_word_that_was_said(services: Services, agents: Agents) -> None:
    check(services, agents[0])
    check(services, agents[0], name="Budi")
    with services.db.read() as conn:
        rows = [row for row in conn.execute(audit_table.select()) if row.action.startswith("caller.")]
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("caller.right", f"staff:{agents[0]}", "person"),
        ("caller.wrong", f"staff:{agents[0]}", "caller"),
    ]
    assert found_in(str(rows), services.links) == []


def test_a_checked_caller_s_case_is_theirs_and_sms_go_to_the_number_on_file(
    services: Services, agents: Agents, written: Write
) -> None:
    reference = written()
    assert not check(services, agents[0], reference=reference, nik_end="1111").is_right
    assert case(services, reference).person_id is None
    assert check(services, agents[0], reference=reference).is_right
    found = case(services, reference)
    assert None not in (found.person_id, found.contact_id, found.confirmed_at)
    assert (found.facility_id, found.cause) == ("pkm-1", "scheduled")
    replies.by_sms(services, reference, text="Sertifikat dikirim lagi sore ini.", staff_id=agents[0])
    with services.db.read() as conn:
        sms = conn.execute(notification.select().where(notification.c.subject_id == found.id)).one()
    assert (sms.kind, sms.contact_id) == ("case", found.contact_id)
    told = trackers.look(services, services.trackers.sign(found.public_id)).steps[-1]
    assert (told.kind, told.words) == ("reply", "Sertifikat dikirim lagi sore ini.")
    with pytest.raises(Refused, match="claimed"):
        check(services, agents[1], reference=reference)


def case(services: Services, reference: str) -> Any:
    with services.db.read() as conn:
        return conn.execute(support_case.select().where(support_case.c.reference == reference)).one()


def test_who_is_erased_is_gone_from_letters_and_answers_too(services: Services, written: Write) -> None:
    reference = written()
    with services.db.read() as conn:
        person_id = conn.execute(person_table.select()).one().id
    erase(services, person_id, reason="diminta", actor="command:root")
    with services.db.read() as conn:
        [letter], [sent] = conn.execute(mail_in.select()).all(), conn.execute(mail_out.select()).all()
    left = {name for row in (letter, sent) for name, value in row._mapping.items() if "sealed" in name and value}
    assert (left, letter.sender_index, letter.nik_index) == (set(), None, None)
    assert case(services, reference).status == "closed"
