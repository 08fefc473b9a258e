"""The whole story with real worker and stream processes, on each pair of database and broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from linkserver import create_public_app
from notifier.core.states import State
from tests.installation import PAIRS, Installation, an_installation, body, body_of
from tests.polling import eventually


@pytest.fixture(params=PAIRS)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with an_installation(request.param, tmp_path) as installed:
        yield installed


def test_a_dose_goes_in_one_sms_comes_out_and_the_certificate_opens(installation: Installation) -> None:
    stream, worker = installation.start("stream"), installation.start("worker")
    installation.publish(body(), body(), b"{poison", body())
    [sms] = eventually(installation.caught, 40, "no SMS was caught")
    eventually(lambda: installation.states() == [State.DELIVERED], 20, "no receipt moved it")
    eventually(lambda: installation.dead_letters() == 1, 20, "the poison is not among the dead letters")
    assert sms.to == "+6281234567890"

    client = create_public_app(installation.services).test_client()
    path = "/" + sms.text.split("/", 3)[3].split(" ")[0]
    opened = client.post(path, data={"day": "10", "month": "2", "year": "1989"})
    assert opened.status_code == 303
    assert "Siti Aminah" in client.get(opened.location).text
    assert client.get(opened.location + ".pdf").data.startswith(b"%PDF-")

    # both are killed without warning, and what comes meanwhile waits for them
    installation.kill(stream)
    installation.kill(worker)
    installation.publish(body(event_id="e2", dose={"id": "d2"}), body())
    installation.start("stream")
    installation.start("worker")
    eventually(lambda: installation.states() == [State.DELIVERED] * 2, 60, "the second dose was not told")
    assert len(installation.caught()) == 2
    assert installation.outcomes() == {"planned": 2}

    log = installation.log()
    for secret in ("Siti", "1989-02-10", "81234567890", "3456-7890", path.removeprefix("/c/")):
        assert secret not in log


def test_killed_again_and_again_everything_goes_out_once(installation: Installation) -> None:
    count = 30
    installation.publish(*map(body_of, range(count)))
    for seen in (5, 12, 20):
        stream, worker = installation.start("stream"), installation.start("worker")
        eventually(lambda: len(installation.states()) >= seen, 40, "the stream does not go on")  # noqa: B023
        installation.kill(worker)
        installation.kill(stream)
    installation.start("stream")
    installation.start("worker")

    def ended() -> bool:
        states = installation.states()
        return len(states) == count and set(states) <= {State.DELIVERED, State.UNKNOWN}

    eventually(ended, 60, "not all of them ended")
    references = [sms.reference for sms in installation.caught()]
    assert len(references) == len(set(references)), "an SMS went out twice"
    assert installation.outcomes() == {"planned": count}
