"""status, resend, cancel, hold, release."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from notifier.commands.operate import read_moment
from notifier.core.errors import BadInput
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, counters, notifications, persons
from tests.commands.conftest import Run
from tests.commands.test_doses import ADD
from tests.fakes import FakeClock, FakeGateway

JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def reference(run: Run) -> str:
    """A message that waits."""
    found: str = json.loads(run(*ADD, "--json").stdout)["reference"]
    return found


def _send(services: Services, clock: FakeClock) -> None:
    clock.tick(minutes=1)
    Sender(services).send_batch(10)


def test_a_sent_message_is_resent_tomorrow_at_nine_with_a_new_link(
    run: Run, services: Services, clock: FakeClock, gateway: FakeGateway, reference: str
) -> None:
    _send(services, clock)
    result = run("resend", reference.lower(), "--at", "2026-11-24 09:00", "--reason", "tidak sampai", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["generation"], report["state"]) == (2, "scheduled")
    assert report["due_at"] == "2026-11-24T02:00:00+00:00"
    _send(services, clock)
    assert len(gateway.sent) == 1
    clock.tick(days=1)
    _send(services, clock)
    assert len(gateway.sent) == 2
    assert gateway.sent[0].text != gateway.sent[1].text


def test_a_cancelled_message_does_not_go(
    run: Run, services: Services, clock: FakeClock, gateway: FakeGateway, reference: str
) -> None:
    assert run("cancel", reference, "--reason", "salah orang").exit_code == 0
    _send(services, clock)
    assert gateway.sent == []
    again = run("cancel", reference, "--reason", "salah orang")
    assert again.exit_code == 1
    assert again.stderr.startswith("sertilink: refused [")


def test_an_unknown_reference_is_one_line(run: Run) -> None:
    for arguments in (("status", "ABCDE12345"), ("cancel", "ABCDE12345", "--reason", "x")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.stderr == "sertilink: REF: there is no notification with this reference [not-found]\n"


def test_a_locked_person_is_unlocked_with_a_reason(
    run: Run, services: Services, clock: FakeClock, reference: str
) -> None:
    assert run("unlock", reference, "--reason", "KTP diperiksa").stderr == "sertilink: refused [not-locked]\n"
    with services.db.write() as conn:
        found = notifications.find(conn, reference)
        assert found is not None
        person_id = found.person_id
        assert [persons.count_wrong_try(conn, person_id, clock.now()) for _ in range(6)] == [1, 2, 3, 4, 5, None]
    assert run("unlock", reference, "--reason", "KTP diperiksa").exit_code == 0
    with services.db.read() as conn:
        known = persons.get(conn, services.sealer, person_id)
        assert (known.wrong_tries, known.locked_at) == (0, None)
        assert [row.action for row in audit.of_subjects(conn, [person_id])][-1] == "person.unlock"


def test_a_reason_is_demanded(run: Run, reference: str) -> None:
    for command in (("hold",), ("release",), ("cancel", reference), ("resend", reference)):
        assert run(*command).exit_code == 2
        assert run(*command, "--reason", "  ").exit_code == 2


def test_hold_stops_everything_until_release(
    run: Run, services: Services, clock: FakeClock, gateway: FakeGateway, reference: str
) -> None:
    assert run("hold", "--reason", "nomor pengirim salah").exit_code == 0
    with services.db.read() as conn:
        assert counters.is_on(conn, counters.HOLD)
    assert "HELD by command:" in run("status").stdout
    _send(services, clock)
    assert gateway.sent == []
    assert run("release", "--reason", "sudah benar").exit_code == 0
    _send(services, clock)
    assert len(gateway.sent) == 1


def test_the_timeline_masks_the_phone(run: Run, services: Services, clock: FakeClock, reference: str) -> None:
    _send(services, clock)
    for output in (run("status", reference).stdout, run("status", reference, "--json").stdout):
        assert "0812••••90" in output
        assert "34567890" not in output
        assert "Sulastri" not in output
    report = json.loads(run("status", reference, "--json").stdout)
    assert report["state"] == "accepted"
    assert "planned" in [entry["what"] for entry in report["timeline"]]


def test_status_counts_states_and_what_is_late(run: Run, clock: FakeClock, reference: str) -> None:
    clock.tick(minutes=2)
    report = json.loads(run("status", "--json").stdout)
    assert report["states"] == {"scheduled": 1}
    assert report["due_lag_seconds"] == 120
    assert (report["unaccounted"], report["dead_letters"], report["held"]) == (0, 0, False)
    assert "oldest due     120.0 s ago" in run("status").stdout


def test_status_of_an_empty_database_is_quiet(run: Run, services: Services) -> None:
    assert json.loads(run("status", "--json").stdout)["states"] == {}
    with services.db.read() as conn:
        assert notifications.oldest_due(conn) is None


def test_a_time_without_a_zone_is_the_programmes(clock: FakeClock) -> None:
    local = read_moment("2026-11-24 09:00", zone=JAKARTA, clock=clock)
    assert local == read_moment("2026-11-24T02:00:00Z", zone=JAKARTA, clock=clock)
    assert local == read_moment("2026-11-24T11:00+09:00", zone=JAKARTA, clock=clock)


@pytest.mark.parametrize(
    ("text", "zone", "rule"),
    [
        ("besok", "Asia/Jakarta", "moment"),
        ("2026-11-31 09:00", "Asia/Jakarta", "moment"),
        ("2026-11-23 09:59", "Asia/Jakarta", "in-past"),
        ("2027-03-28 02:30", "Europe/Berlin", "no-such-hour"),
    ],
)
def test_a_time_that_cannot_be_is_refused(clock: FakeClock, text: str, zone: str, rule: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_moment(text, zone=ZoneInfo(zone), clock=clock)
    assert [(problem.field, problem.rule) for problem in caught.value.problems] == [("--at", rule)]
