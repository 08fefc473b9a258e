"""Who looks into the mailbox, and when: one worker in twenty seconds, and none where there is no mailbox."""

from __future__ import annotations

from typing import Any

from notifier import tasks
from notifier.messages import upkeep
from notifier.services import Services
from notifier.store.tables import support_case
from tests.fakes import FakeClock
from tests.letters import a_letter
from tests.mail_server import MailServer
from tests.support.mail.test_take import rows


def test_the_tick_wakes_one_reader_in_twenty_seconds(posted: Services, clock: FakeClock) -> None:
    woken = []
    for _ in range(12):
        woken.append(upkeep.tick(posted).letters)
        clock.tick(seconds=4)
    assert woken == [True, False, False, False, False] * 2 + [True, False]


def test_without_a_mailbox_nobody_is_woken(services: Services) -> None:
    assert not upkeep.tick(services).letters


def test_the_task_reads_and_sends(posted: Services, mailbox: MailServer) -> None:
    class App:
        services = posted

    mailbox.put(a_letter())
    app: Any = App()
    assert tasks._WORK[tasks.LETTERS](app) is False
    assert (len(rows(posted, support_case)), len(mailbox.posted)) == (1, 1)
