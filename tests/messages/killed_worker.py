"""A worker process that kills itself with SIGKILL at a named point. Started by test_upkeep."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace

from notifier.gateways import Outcome, OutgoingSms
from notifier.messages.claim import claim
from notifier.messages.send import Sender
from notifier.services import build
from notifier.settings import Settings
from tests.conftest import TEST_KEYS
from tests.fakes import FakeGateway


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyGateway(FakeGateway):
    """Kills its process as the first byte would leave."""

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        die()
        raise AssertionError("unreachable")


services = replace(build(Settings(database_url=os.environ["KILL_DATABASE"], **TEST_KEYS)), gateway=DeadlyGateway())
if os.environ["KILL_AT"] == "claimed":
    assert len(claim(services, 10).rows) == 1
    die()
Sender(services).send_batch(10)
