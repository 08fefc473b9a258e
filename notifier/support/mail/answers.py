"""Letters of ours: the one that answers by itself, and the frame of a colleague's. No word about a person in either.

A letter is written whole into the outbox, with its Message-ID, in the transaction that makes it necessary.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.mail_addresses import is_mail_address, new_message_id
from notifier.core.words import LANGUAGES, full_moment
from notifier.services import TEMPLATES, Services
from notifier.store import counters, mail
from notifier.store.cases import Row

#: letters that answer by themselves: to one address a day, and altogether in an hour. Whoever gets more has a program
#: that answers ours, or has had their name borrowed
MOST_A_DAY, MOST_AN_HOUR = 5, 3_000
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_BETWEEN = "\n\n----------\n\n"
_EMPTY_LINES = re.compile(r"\n{3,}")
_ENGLISH = re.compile(r"\b(the|my|is|not|and|have|please|certificate|received|name|date|birth|hello|dear)\b", re.I)
_INDONESIAN = re.compile(r"\b(saya|belum|tidak|dan|yang|sudah|mohon|sertifikat|nama|lahir|selamat|dengan)\b", re.I)


def own_address(services: Services) -> str:
    """The address that people write to and that we write from."""
    return services.settings.mail_address or services.settings.help_email


def own_addresses(services: Services) -> list[str]:
    """Every address at which a letter may have been written by us, or by whoever forwards what comes to us."""
    settings = services.settings
    named = (own_address(services), settings.help_email, settings.mail_user or "")
    return [one for one in dict.fromkeys(named) if is_mail_address(one)]


def language_of(text: str) -> str:
    """`en` where a text has more English than Indonesian words in it."""
    beginning = text[:2000]
    return "en" if len(_ENGLISH.findall(beginning)) > len(_INDONESIAN.findall(beginning)) else "id"


def answer(
    conn: Connection,
    services: Services,
    case: Row,
    *,
    to: str,
    answers: str | None,
    joined: bool,
    dropped: bool,
    stays: bool,
) -> bool:
    """Tells somebody that their letter is with us; False where they, or all together, were told enough. The same words
    whoever it is about. `stays`: the letter is left where it lies, for somebody to look at."""
    at, sender = services.clock.now(), mail.sender_index(services.sealer, to)
    if counters.hit(conn, f"mail-answer:{sender.hex()}", window=_DAY, at=at) > MOST_A_DAY:
        return False
    if counters.hit(conn, "mail-answer:all", window=_HOUR, at=at) > MOST_AN_HOUR:
        return False
    body = _BETWEEN.join(
        _rendered(
            services,
            f"{language}/received.txt",
            reference=case.reference,
            due=full_moment(case.due_at, services.zone, language),
            joined=joined,
            dropped=dropped,
            deleted=services.settings.mail_taken == "delete" and not stays,
        )
        for language in LANGUAGES
    )
    subject = f"[{case.reference}] Laporan Anda kami terima / We have your report"
    plan(conn, services, case.id, to=to, subject=subject, body=body, answers=answers, by="system")
    return True


def reply_body(services: Services, text: str, *, reference: str, language: str) -> str:
    """A colleague's words in our frame."""
    return _rendered(services, f"{language}/reply.txt", text=text, reference=reference)


def plan(
    conn: Connection,
    services: Services,
    case_id: str,
    *,
    to: str,
    subject: str,
    body: str,
    answers: str | None,
    by: str,
    row_id: str | None = None,
) -> str:
    """Puts a letter into the outbox; its row id. `answers`: the message id that it answers to."""
    row_id, at = row_id or new_id(), services.clock.now()
    mail.plan(
        conn,
        services.sealer,
        row_id,
        {"to": to, "subject": subject, "body": body, "answers": answers},
        message_id=new_message_id(own_address(services)),
        case_id=case_id,
        written_by=by,
        created_at=at,
        due_at=services.db.now(conn),
    )
    return row_id


def _rendered(services: Services, name: str, **values: object) -> str:
    settings = services.settings
    text = (
        _templates()
        .get_template(name)
        .render(
            url=settings.public_url,
            cases="cases" in settings.doors,
            me="me" in settings.doors,
            phone=settings.help_phone,
            issuer=settings.issuer_name,
            **values,
        )
    )
    return _EMPTY_LINES.sub("\n\n", text).strip()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES / "mail"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  # .txt only; nothing here is HTML
    )
