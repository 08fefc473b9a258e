"""A process that reads the mailbox until it comes to a call of the mail server, and is killed there: `python -m
tests.support.mail.killed_reader DATABASE FOLDER IMAP_PORT CALL`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from notifier.services import build
from notifier.settings import Settings
from notifier.support.mail import take
from tests.conftest import TEST_KEYS
from tests.mail_server import MailServer


class Fatal:
    """An open mailbox that kills whoever calls one of its methods."""

    def __init__(self, box: Any, name: str) -> None:
        self._box, self._name = box, name
        self.uid_validity = box.uid_validity

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self._box, name)


if __name__ == "__main__":
    url, folder, port, call = sys.argv[1:]
    values: dict[str, Any] = MailServer(imap_port=int(port)).settings | TEST_KEYS | {"mail_smtp_port": 9}
    services = build(Settings(database_url=url, data_folder=Path(folder), **values))
    assert services.mail is not None
    with services.mail.open_mailbox() as box:
        for uid in box.waiting():
            take.take_one(replace(services), Fatal(box, call), uid)  # type: ignore[arg-type]
