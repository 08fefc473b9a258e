"""Letters out: at most once by themselves, and what cannot be known is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.core.errors import Refused
from notifier.core.states import LetterState
from notifier.services import Services
from notifier.store import mail
from notifier.store.tables import mail_out
from notifier.support.mail import outbox, work
from tests.fakes import FakeClock
from tests.letters import a_letter
from tests.mail_server import Fault, MailServer
from tests.support.mail.test_take import rows


def state(services: Services) -> LetterState:
    [row] = rows(services, mail_out)
    return LetterState(row.status)


@pytest.mark.parametrize(
    ("fault", "first", "after_a_day", "taken"),
    [
        (Fault.NONE, LetterState.SENT, LetterState.SENT, 1),
        (Fault.BUSY, LetterState.WAITING, LetterState.SENT, 1),
        (Fault.DROP_BEFORE, LetterState.WAITING, LetterState.SENT, 1),
        (Fault.REFUSED, LetterState.FAILED, LetterState.FAILED, 0),
        (Fault.TAKE_AND_DROP, LetterState.UNKNOWN, LetterState.UNKNOWN, 1),
        (Fault.LOSE_AND_DROP, LetterState.UNKNOWN, LetterState.UNKNOWN, 0),
    ],
)
def test_each_ending_of_a_hand_over(
    posted: Services,
    mailbox: MailServer,
    clock: FakeClock,
    fault: Fault,
    first: LetterState,
    after_a_day: LetterState,
    taken: int,
) -> None:
    mailbox.put(a_letter())
    mailbox.faults = [fault]
    work.run(posted)
    assert state(posted) == first
    clock.tick(days=1)
    work.run(posted)
    assert (state(posted), len(mailbox.posted)) == (after_a_day, taken)


def test_who_dies_while_sending_leaves_it_unknown_and_a_colleague_decides(
    posted: Services, mailbox: MailServer, clock: FakeClock
) -> None:
    mailbox.put(a_letter())
    mailbox.faults = [Fault.DROP_BEFORE]
    work.run(posted)
    clock.tick(hours=1)
    with posted.db.write() as conn:  # a worker claims it, and is never seen again
        row = mail.claim(conn, at=clock.now(), until=clock.now() + timedelta(minutes=10))
    assert row is not None
    outbox.send_due(posted)
    assert state(posted) == LetterState.SENDING
    clock.tick(minutes=11)
    outbox.send_due(posted)
    assert (state(posted), mailbox.posted) == (LetterState.UNKNOWN, [])
    assert not mail_settled_late(posted, row)
    outbox.decide(posted, row.id, row.case_id, again=True, actor="staff:x")
    with pytest.raises(Refused):
        outbox.decide(posted, row.id, row.case_id, again=True, actor="staff:x")
    outbox.send_due(posted)
    assert state(posted) == LetterState.SENT
    assert mailbox.letters()[0]["Message-ID"] == row.message_id


def mail_settled_late(services: Services, row: mail.Row) -> bool:
    with services.db.write() as conn:
        return mail.settle(conn, row, LetterState.SENT)


def test_a_server_that_is_away_for_days_is_given_up_and_one_letter_stops_no_other(
    posted: Services, mailbox: MailServer, clock: FakeClock
) -> None:
    mailbox.put(a_letter())
    mailbox.faults = [Fault.REFUSED]
    mailbox.put(a_letter(sender="lain@surat.example", message_id="<2@s.example>"))
    work.run(posted)
    assert [row.status for row in rows(posted, mail_out)] == [LetterState.FAILED, LetterState.SENT]
    mailbox.put(a_letter(sender="tiga@surat.example", message_id="<3@s.example>"))
    for _ in range(14):
        mailbox.faults = [Fault.BUSY]
        work.run(posted)
        clock.tick(hours=6)
    assert [row.status for row in rows(posted, mail_out)][2] == LetterState.FAILED
