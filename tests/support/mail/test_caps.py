"""How many cases letters may open: beyond that they wait where they lie, and none is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from notifier.certificates.limits import Limit
from notifier.services import Services
from notifier.store.tables import audit, mail_in, mail_out, support_case
from notifier.support.mail import take
from notifier.support.mail.caps import CAPPED, CASES, CaseLimits
from tests.fakes import FakeClock
from tests.letters import FREE_WORDS, PUBLISHED, a_letter
from tests.mail_server import MailServer

HOUR = timedelta(hours=1)
FEW = CaseLimits(sender=Limit("mail-case:sender", 2, HOUR), overall=Limit("mail-case:all", 5, HOUR))


def rows(services: Services, table: Any) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(table.select()))


def count(services: Services) -> tuple[int, int]:
    """(cases, letters that we have)."""
    return len(rows(services, support_case)), len(rows(services, mail_in))


def about(number: int, sender: str = "kader@surat.example") -> bytes:
    """A letter about one of a village."""
    text = PUBLISHED.replace("3174 0310 0289 0009", f"3174 0310 0289 0{number:03}")
    return a_letter(text, sender=sender, message_id=f"<{number}.{sender}>")


def alarms(services: Services) -> list[str]:
    return [row.subject_id for row in rows(services, audit) if row.action == CAPPED]


def test_beyond_a_senders_cap_letters_wait_in_the_mailbox_and_become_cases_later(
    posted: Services, mailbox: MailServer, clock: FakeClock
) -> None:
    for number in range(7):
        mailbox.put(about(number))
    assert not take.take(posted, limits=FEW)
    assert (count(posted), [one.flags for one in mailbox.stored]) == ((2, 2), [set()] * 5)
    assert alarms(posted) == ["mail-case:sender"]
    take.take(posted, limits=FEW)  # in the same hour they are not even looked at
    assert (count(posted), len(mailbox.stored)) == ((2, 2), 5)
    left = []
    for _ in range(3):
        clock.tick(hours=1)
        take.take(posted, limits=FEW)
        left.append(len(mailbox.stored))
    assert left == [3, 1, 0]
    assert count(posted) == (7, 7)
    assert len(rows(posted, mail_out)) == 5  # answers have a cap of their own


def test_a_flood_from_one_address_keeps_nobody_else_waiting(posted: Services, mailbox: MailServer) -> None:
    for number in range(60):
        mailbox.put(about(number, sender="banjir@surat.example"))
    mailbox.put(about(1, sender="warga@surat.example"))
    while take.take(posted, limits=FEW):
        pass
    assert count(posted) == (3, 3)
    assert len(mailbox.stored) == 58


def test_what_goes_with_an_open_case_never_waits(posted: Services, mailbox: MailServer) -> None:
    for number in range(3):
        mailbox.put(about(number))
    take.take(posted, limits=FEW)
    mailbox.put(a_letter(PUBLISHED.replace("3174 0310 0289 0009", "3174 0310 0289 0001") + "\nSudah ada kabar?",
                         sender="kader@surat.example", message_id="<again@surat.example>"))  # fmt: skip
    take.take(posted, limits=FEW)
    assert (count(posted), len(mailbox.stored)) == ((2, 3), 1)


def test_beyond_the_cap_over_all_letters_wait_and_operators_are_told_once(
    posted: Services, mailbox: MailServer, clock: FakeClock
) -> None:
    for number in range(12):
        mailbox.put(a_letter(FREE_WORDS, sender=f"w{number}@surat.example", message_id=f"<{number}@s.example>"))
    seen = []
    for _ in range(3):
        take.take(posted, limits=FEW)
        seen.append((*count(posted), len(mailbox.stored)))
        clock.tick(hours=1)
    assert seen == [(5, 5, 7), (10, 10, 2), (12, 12, 0)]
    assert alarms(posted) == ["mail-case:all"]


def test_many_readers_at_once_open_no_more_cases_than_may_be(
    each_posted: Services, mailbox: MailServer, clock: FakeClock
) -> None:
    for number in range(12):
        mailbox.put(a_letter(FREE_WORDS, sender=f"w{number}@surat.example", message_id=f"<{number}@s.example>"))
    for hour in range(3):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: take.take(each_posted, limits=FEW), range(4)))
        assert len(rows(each_posted, support_case)) <= 5 * (hour + 1)
        clock.tick(hours=1)
    take.take(each_posted, limits=FEW)
    assert (count(each_posted), mailbox.stored) == ((12, 12), [])


def test_the_caps_of_an_installation_leave_room_for_the_worst_week() -> None:
    assert (CASES.sender.most, CASES.overall.most) == (10, 2_000)
    assert CASES.overall.most * 24 * 7 > 134_000
