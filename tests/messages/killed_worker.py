"""Worker processes that are killed with SIGKILL at a named point. Started by test_upkeep and test_fault_matrix."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from notifier.gateways import Outcome, OutgoingSms, Receipt
from notifier.gateways.twilio.line import Line  # loaded beforehand: it is heavy, and each worker is a fork
from notifier.messages import receipts
from notifier.messages.claim import claim
from notifier.messages.reconcile import reconcile
from notifier.messages.send import Sender
from notifier.messages.upkeep import tick
from notifier.services import Services, build
from notifier.settings import GatewayName, Settings
from tests.conftest import TEST_KEYS
from tests.fakes import FakeGateway
from tests.twilio_server import ACCOUNT_SID, AUTH_TOKEN

__all__ = ["Doomed", "Line", "settings_of", "work"]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyGateway(FakeGateway):
    """Kills its process as the first byte would leave."""

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        die()
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class Doomed:
    """What one process works on until it is killed at whatever point is armed in `orders`."""

    folder: Path
    twilio: str
    orders: Path
    job: str  #: send, tick, reconcile or receipts
    receipts: tuple[Receipt, ...] = ()


def settings_of(folder: Path, twilio: str, orders: Path | None = None) -> Settings:
    """Our settings and the fake Twilio's; the same for the killed process and for those who clean up behind it."""
    return Settings(
        database_url=f"sqlite:///{folder}/matrix.db",
        data_folder=folder,
        quiet_hours="off",
        gateway=GatewayName.TWILIO,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=(SecretStr(AUTH_TOKEN),),
        twilio_from="+6285100000000",
        twilio_api_base=twilio,
        provider_timeout=3,
        test_fault_points=orders,
        **TEST_KEYS,
    )


def work(doomed: Doomed) -> None:
    """Does the job with the real wiring and the real clock; never comes back where the armed point is on the way."""
    services = build(settings_of(doomed.folder, doomed.twilio, doomed.orders))
    if doomed.job == "send":
        Sender(services).send_batch(100)
    elif doomed.job == "tick":
        tick(services)
    elif doomed.job == "reconcile":
        reconcile(services)
    else:
        _apply(services, doomed.receipts)


def _apply(services: Services, waiting: Sequence[Receipt]) -> None:
    for receipt in waiting:
        receipts.apply(services, receipt)


if __name__ == "__main__":
    own = replace(build(Settings(database_url=os.environ["KILL_DATABASE"], **TEST_KEYS)), gateway=DeadlyGateway())
    if os.environ["KILL_AT"] == "claimed":
        assert len(claim(own, 10).rows) == 1
        die()
    Sender(own).send_batch(10)
