"""The intents: however few there are, something comes in before anything is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.proof.feed import Feed
from notifier.services import Services
from tests.builders import TODAY
from tests.polling import eventually


@pytest.mark.parametrize("count", [1, 3, 9])
def test_a_share_of_few_intents_is_one_at_least(services: Services, tmp_path: Path, count: int) -> None:
    feed = Feed(services, ["true"], {}, tmp_path, count, seed=1, today=TODAY)
    feed.start()
    try:
        feed.allow(0.1)
        eventually(lambda: len(feed.intents) == 1)
        feed.finish()
        eventually(lambda: feed.is_done)
    finally:
        feed.stop()
    assert feed.fault is None
    assert len(feed.intents) == count
