"""demo: only where nothing real can happen, and through every real part."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.commands.demo_people import made_up_number, sample_events
from notifier.core.phones import read_mobile
from notifier.gateways.catcher import Catcher
from notifier.messages.receipts import collect
from notifier.messages.send import Sender
from notifier.services import Services
from tests.commands.conftest import Run
from tests.conftest import Build
from tests.fakes import FakeClock

Work = Callable[[float], None]


@pytest.fixture
def local(build_services: Build) -> Services:
    """With the real catcher."""
    services = build_services()
    return replace(services, gateway=Catcher(services.db, services.sealer, services.clock))


@pytest.fixture
def work(local: Services, clock: FakeClock) -> Work:
    """What a worker does while demo sleeps."""

    def once(seconds: float) -> None:
        clock.tick(seconds=seconds)
        Sender(local).send_batch(500)
        collect(local)

    return once


def test_demo_shows_one_caught_sms_of_one_segment_for_each_person(run: Run, local: Services, work: Work) -> None:
    result = run("demo", "--people", "20", "--json", using=local, sleep=work)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["people"] == len(report["messages"]) == 20
    assert {message["segments"] for message in report["messages"]} == {1}
    assert {message["state"] for message in report["messages"]} == {"delivered"}
    for message in report["messages"]:
        assert message.keys() == {"reference", "to", "text", "segments", "link", "birth_date", "state"}
        assert message["link"] in message["text"]
        assert message["link"].startswith("http://127.0.0.1:8000/c/")
    assert len({message["link"] for message in report["messages"]}) == 20


def test_demo_can_be_run_again_and_again(run: Run, local: Services, work: Work) -> None:
    for _ in range(5):
        assert run("demo", "--people", "2", using=local, sleep=work).exit_code == 0


def test_demo_sends_at_night_too(run: Run, local: Services, clock: FakeClock, work: Work) -> None:
    clock.tick(hours=12)
    assert run("demo", "--people", "1", using=local, sleep=work).exit_code == 0


def test_demo_says_when_no_worker_takes_its_messages(run: Run, local: Services, sleeps: list[float]) -> None:
    result = run("demo", "--people", "2", using=local)
    assert result.exit_code == 1
    assert result.stderr == "sertilink: 0 of 2 SMS were caught within 30 s; is `sertilink up` running?\n"
    assert 29 < sum(sleeps) < 31


@pytest.mark.parametrize(
    ("environ", "rule"),
    [
        (
            {
                "SERTILINK_GATEWAY": "twilio",
                "SERTILINK_TWILIO_ACCOUNT_SID": "AC1",
                "SERTILINK_TWILIO_AUTH_TOKEN": "t",
                "SERTILINK_TWILIO_FROM": "+15005550006",
            },
            "real-gateway",
        ),
        ({"SERTILINK_ENVIRONMENT": "production"}, "production"),
    ],
)
def test_demo_refuses_where_somebody_could_be_reached(
    run: Run, services: Services, environ: dict[str, str], rule: str
) -> None:
    result = run("demo", environ=environ)
    assert result.exit_code == 1
    assert f"[{rule}]" in result.stderr
    with services.db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM event").scalar() == 0


def _bundle(number: int, **immunization: object) -> str:
    patient = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "name": [{"family": "Koepp", "given": ["Abdul"]}],
        "birthDate": "1956-08-03",
        "telecom": [{"system": "phone", "value": "555-978-4581"}],
    }
    shot = {
        "resourceType": "Immunization",
        "id": f"i{number}",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
        "patient": {"reference": f"Patient/p{number}"},
        "occurrenceDateTime": "2020-08-03T10:00:00+07:00",
    }
    entries = [{"resource": patient}, {"resource": shot | immunization}]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def test_records_of_a_file_go_the_whole_way_with_made_up_numbers(
    run: Run, local: Services, work: Work, tmp_path: Path
) -> None:
    path = tmp_path / "records.jsonl.gz"
    lines = [_bundle(1), _bundle(2, status="not-done"), _bundle(3, primarySource=False), _bundle(4), _bundle(5)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    arguments = ("demo", "--file", str(path), "--people", "2", "--json")
    first = json.loads(run(*arguments, using=local, sleep=work).stdout)
    assert first["people"] == 2
    assert [message["to"] for message in first["messages"]] == [
        "+62" + made_up_number(person)[1:] for person in ("p1", "p4")
    ]
    second = json.loads(run(*arguments, using=local, sleep=work).stdout)
    assert [message["to"] for message in second["messages"]] == [message["to"] for message in first["messages"]]


def test_made_up_numbers_are_mobile_numbers_and_names_are_of_every_kind(clock: FakeClock) -> None:
    names = []
    for event in sample_events(40, "run", clock.now().date()):
        read_mobile(event["person"]["phone"], region="ID", allowed={"ID"})
        names.append(event["person"]["name"])
    assert any(" " not in name for name in names)
    assert any("'" in name for name in names)
    assert any(not name.isascii() for name in names)
    assert max(map(len, names)) > 50
