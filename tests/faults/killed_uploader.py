"""A process that works at uploaded lists until it comes to a fault point for the nth time: `python -m
tests.faults.killed_uploader DATABASE FOLDER POINT TIMES`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from notifier.faults import FaultPoint
from notifier.intake.uploads import steps
from notifier.services import Services, build
from notifier.settings import Settings
from tests.conftest import TEST_KEYS


class KilledAt:
    """Kills this process when it comes to a point for the nth time."""

    def __init__(self, point: FaultPoint, times: int) -> None:
        self._point, self._left = point, times

    def reached(self, point: FaultPoint) -> None:
        self._left -= point is self._point
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def services_of(url: str, folder: Path) -> Services:
    """The real wiring, with leases that run out soon."""
    return build(Settings(database_url=url, data_folder=folder, lease_seconds=2, **TEST_KEYS))


if __name__ == "__main__":
    url, folder, point, times = sys.argv[1:]
    doomed = replace(services_of(url, Path(folder)), faults=KilledAt(FaultPoint(point), int(times)))
    while steps.run(doomed):
        pass
