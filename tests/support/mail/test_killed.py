"""A reader that is killed, truly, loses no letter and doubles none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from notifier.services import Services
from notifier.store.tables import mail_in, support_case
from notifier.support.mail import work
from tests.fakes import FakeClock
from tests.letters import FREE_WORDS, a_letter
from tests.mail_server import MailServer
from tests.support.mail.test_take import rows

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("call", "kept"), [("text", 0), ("put_away", 1)])
def test_a_reader_that_is_killed_before_or_after_the_commit(
    each_posted: Services, mailbox: MailServer, tmp_path: Path, clock: FakeClock, call: str, kept: int
) -> None:
    for number in range(2):
        mailbox.put(a_letter(f"{FREE_WORDS} {number}", sender=f"w{number}@surat.example", message_id=None))
    command = [sys.executable, "-m", "tests.support.mail.killed_reader", each_posted.settings.database_url]
    command += [str(tmp_path), str(mailbox.imap_port), call]
    died = subprocess.run(command, cwd=ROOT, timeout=120, check=False)
    assert (died.returncode, len(rows(each_posted, mail_in)), len(mailbox.stored)) == (-9, kept, 2)
    clock.tick(days=365)  # the one that died had a real clock
    work.run(each_posted)
    assert (len(rows(each_posted, mail_in)), len(rows(each_posted, support_case))) == (2, 2)
    assert (len(mailbox.posted), mailbox.stored) == (2, [])
