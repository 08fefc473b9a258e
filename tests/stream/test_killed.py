"""The stream's process is killed again and again: nothing is lost, nothing is there twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.installation import PAIRS, an_installation
from tests.polling import eventually
from tests.stream.registry import AT_ONCE, Registry

KILLS = 8
COUNT = 500


@pytest.mark.parametrize("pair", PAIRS)
def test_killed_at_random_moments_the_stream_loses_no_event_and_doubles_none(pair: str, tmp_path: Path) -> None:
    dice = random.Random(pair)
    with an_installation(pair, tmp_path, LEASE_SECONDS="2") as installation:
        registry = Registry(installation, COUNT)
        registry.start()
        for _ in range(KILLS):
            # a lone event or a batch, being fetched, recorded or acknowledged: wherever the growth is noticed
            aim = installation.recorded() + dice.randint(1, 2 * AT_ONCE)
            stream = installation.start("stream")
            eventually(lambda: installation.recorded() >= aim, 20, "the stream does not go on")  # noqa: B023
            installation.kill(stream)
        count = registry.end()
        installation.start("stream")
        eventually(lambda: installation.recorded() >= count, 20, "events are missing")
        assert installation.outcomes() == {"planned": count}
        assert len(installation.states()) == count
        assert installation.dead_letters() == 0
        eventually(lambda: installation.waiting() == 0, 10, "messages stay on the queue")
