"""Letters out, each at most once by itself: what we cannot know is asked of a colleague, never sent again blindly.

A letter is `sending`, committed, before its first byte leaves. A server that certainly did not take it is tried again,
longer apart each time; one that broke off after the text was under way leaves it `unknown`, as does whoever dies. A
colleague may send such a letter once more: it has the same Message-ID, by which mail programs know it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from notifier.core.errors import Refused, SealBroken
from notifier.core.mail_addresses import is_mail_address
from notifier.core.states import LetterState
from notifier.gateways.mail import Posted, PostOutcome
from notifier.services import Services
from notifier.store import audit, mail
from notifier.store.mail import Row
from notifier.support.mail.answers import own_address

#: longer than a hand-over takes at worst: eight waits for a server's answer
_LEASE = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT, _GIVE_UP = timedelta(minutes=1), timedelta(hours=6), timedelta(days=3)
_MOST = 50


def send_due(services: Services) -> bool:
    """Sends what is due; whether more waits. Safe to run anywhere, any number at once."""
    with services.db.write() as conn:
        mail.doubt_expired(conn, at=services.db.now(conn))
    sent = 0
    while sent < _MOST and services.mail is not None and _send_one(services):
        sent += 1
    return sent == _MOST


def _send_one(services: Services) -> bool:
    with services.db.write() as conn:
        now = services.db.now(conn)
        row = mail.claim(conn, at=now, until=now + _LEASE)
    if row is None or services.mail is None:
        return False
    try:
        to, letter = mail.read(services.sealer, row, "to"), written(services, row)
    except SealBroken:
        to, letter = "", b""  # nobody can be written to whose address cannot be opened
    if is_mail_address(to):
        posted = services.mail.post(sender=own_address(services), to=to, letter=letter)
    else:
        posted = Posted(PostOutcome.REFUSED)
    _record(services, row, posted)
    return posted.outcome is not PostOutcome.NOT_SENT  # the server is away: the others wait with it


def written(services: Services, row: Row) -> bytes:
    """The whole letter, the same bytes each time. What people chose stands in `To` and `In-Reply-To` alone, and there
    only in the plain shapes of core.mail_addresses."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = Address(services.settings.issuer_name, addr_spec=own_address(services))
    letter["To"] = mail.read(services.sealer, row, "to")
    letter["Subject"] = mail.read(services.sealer, row, "subject")
    letter["Date"] = row.created_at
    letter["Message-ID"] = row.message_id
    if answers := mail.read(services.sealer, row, "answers"):
        letter["In-Reply-To"] = letter["References"] = answers
    if row.written_by == audit.SYSTEM:
        letter["Auto-Submitted"] = "auto-replied"
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(mail.read(services.sealer, row, "body"), charset="utf-8", cte="quoted-printable")
    return letter.as_bytes()


def _record(services: Services, row: Row, posted: Posted) -> None:
    with services.db.write() as conn:
        now, at = services.db.now(conn), services.clock.now()
        if posted.outcome is PostOutcome.SENT:
            mail.settle(conn, row, LetterState.SENT, code=posted.code, ended_at=at)
        elif posted.outcome is PostOutcome.UNKNOWN:
            mail.settle(conn, row, LetterState.UNKNOWN, code=posted.code)
        elif posted.outcome is PostOutcome.REFUSED or at - row.created_at > _GIVE_UP:
            mail.settle(conn, row, LetterState.FAILED, code=posted.code, ended_at=at)
        else:
            mail.settle(conn, row, LetterState.WAITING, code=posted.code, due_at=now + _wait(row.attempts))


def _wait(attempts: int) -> timedelta:
    doubled: int = 1 << min(attempts - 1, 16)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


def decide(services: Services, letter_id: str, case_id: str, *, again: bool, actor: str) -> None:
    """A colleague's word about a letter of which nobody can say whether it was taken: sent once more, or left. Raises
    Refused (`changed-meanwhile`)."""
    new = LetterState.WAITING if again else LetterState.LEFT_ALONE
    with services.db.write() as conn:
        at = services.clock.now()
        values: dict[str, datetime] = {"due_at": services.db.now(conn)} if again else {"ended_at": at}
        row = mail.find_sent(conn, letter_id)
        if row is None or row.case_id != case_id or not mail.move(conn, letter_id, LetterState.UNKNOWN, new, **values):
            raise Refused("changed-meanwhile")
        action = "letter.sent-again" if again else "letter.left-alone"
        audit.write(conn, at=at, actor=actor, action=action, subject="case", subject_id=case_id)
