"""An answer by e-mail or SMS.

An e-mail proves nobody's identity, so that nothing of a person may stand in one: a letter with a long number, a date,
the name or the birth place that the complaint named, or somebody else's address is refused before it is planned. An SMS
says that there is news and leads to the case's own page, where the answer stands; it goes to a number that was proven.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Refused, SealBroken
from notifier.core.identity import name_words
from notifier.core.ids import read_row_id
from notifier.core.states import StepKind
from notifier.core.words import known_language
from notifier.services import Services
from notifier.store import agents, case_steps, mail, persons
from notifier.store.cases import Row
from notifier.support.agents.queue import Act, acting
from notifier.support.mail import answers
from notifier.support.mail.published import facts_of_text
from notifier.support.missing import telling
from notifier.support.missing.arrivals import facts_of

MAX_LETTER, MAX_SMS_WORDS = 3_000, 500
_LONG_NUMBER = re.compile(r"\d(?:[\s.,:/()+-]*\d){5,}")
_MONTHS = (
    r"jan\w*|feb\w*|pebruari|mar\w*|apr\w*|mei|may|juni?|june|juli?|july|agu\w*|aug\w*|sep\w*|o[kc]t\w*|no[vp]\w*|"
    r"de[sc]\w*"
)
_DATE = re.compile(rf"\b\d{{1,2}}\s*[-/. ]\s*(?:\d{{1,2}}|{_MONTHS})\b\.?\s*[-/., ]?\s*\d{{2,4}}", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)[^\s]+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)?", re.IGNORECASE)
_SHORT = 3  # a word of a name that is as short may be any word


def by_email(
    services: Services, reference: str, *, to: str, text: str, language: str, form: str, staff_id: str
) -> None:
    """Answers a letter of the case; `to`: that letter's row id. `form`: the form at hand, whose second coming does
    nothing. Raises NotFound, BadInput (`text`, `to`), or Refused (`claimed`, `already-closed`, `no-mail`)."""
    if services.settings.mail_host is None or "email" not in services.settings.doors:
        raise Refused("no-mail")
    said, row_id = tidied(text, MAX_LETTER), read_row_id(form)
    with acting(services, reference, staff_id) as act:
        letter = _letter(act, to)
        _must_tell_nothing(services, act.conn, act.case, said)
        if row_id is None or mail.find_sent(act.conn, row_id) is not None:
            return
        sealer = services.sealer
        subject = f"[{act.case.reference}] Jawaban untuk laporan Anda"
        if known_language(language) == "en":
            subject = f"[{act.case.reference}] An answer to your report"
        body = answers.reply_body(services, said, reference=act.case.reference, language=known_language(language))
        answers.plan(
            act.conn,
            services,
            act.case.id,
            to=mail.read(sealer, letter, "sender"),
            subject=subject,
            body=body,
            answers=mail.read(sealer, letter, "message_id") or None,
            by=act.actor,
            row_id=row_id,
        )
        act.step(StepKind.REPLY, words=said, detail="email")
        act.audit("case.answered", by="email")


def by_sms(services: Services, reference: str, *, text: str, staff_id: str) -> None:
    """Puts an answer on the case's page and tells whoever reported, by SMS, that there is news. Raises NotFound,
    BadInput (`text`), or Refused (`claimed`, `already-closed`, `no-number`)."""
    said = tidied(text, MAX_SMS_WORDS)
    with acting(services, reference, staff_id) as act:
        targets = [row for row in _family(act.conn, act.case) if is_reachable(row)]
        if not targets:
            raise Refused("no-number")
        _must_tell_nothing(services, act.conn, act.case, said)
        for row in targets:  # whoever reported one that goes on here looks at the page of their own
            case_steps.add(
                act.conn, services.sealer, row.id, StepKind.REPLY, actor=act.actor, at=act.at, words=said, detail="sms"
            )
            telling.tell(act.conn, services, row, at=act.at)
        act.audit("case.answered", by="sms")


def is_reachable(case: Row) -> bool:
    """Whether somebody proved the number that SMS about a case go to."""
    return case.contact_id is not None and case.confirmed_at is not None


def _letter(act: Act, letter_id: str) -> mail.Row:
    found = mail.find(act.conn, letter_id) if read_row_id(letter_id) else None
    if found is None or found.sender_sealed is None or found.case_id not in family(act.conn, act.case):
        raise BadInput.of("to", "choice", "choose one of the letters")
    return found


def family(conn: Connection, case: Row) -> set[str]:
    """The ids of a case and of those that go on in it."""
    return {row.id for row in _family(conn, case)}


def _family(conn: Connection, case: Row) -> list[Row]:
    return [case, *agents.merged_into(conn, [case.id])]


def tidied(text: str, most: int) -> str:
    """Several lines, tidied. Raises BadInput (`text`)."""
    lines = [" ".join(line.replace("\0", " ").split()) for line in text.splitlines()]
    said = re.sub(
        r"\n{3,}", "\n\n", "\n".join("".join(ch for ch in line if ch.isprintable()) for line in lines)
    ).strip()
    if not said:
        raise BadInput.of("text", "required", "write the answer")
    if len(said) > most:
        raise BadInput.of("text", "too-long", f"write at most {most} characters")
    return said


def must_be_general(services: Services, said: str) -> None:
    """Raises BadInput (`text`) where a long number, a date or somebody else's address stands in a text."""
    bare = said
    for phone in (services.settings.help_phone, services.settings.help_whatsapp):
        bare = bare.replace(phone, "")
    if _LONG_NUMBER.search(bare) or _DATE.search(bare):
        raise BadInput.of("text", "tells-number", "leave out NIK, telephone numbers and dates")
    if any(not _is_ours(services, found) for found in _ADDRESS.findall(bare)):
        raise BadInput.of("text", "foreign-address", "leave out addresses that are not ours")


def _must_tell_nothing(services: Services, conn: Connection, case: Row, said: str) -> None:
    """Raises BadInput with what stands in an answer and may not."""
    bare = said.replace(case.reference, "")
    must_be_general(services, bare)
    told = {word for word in _names(services, conn, case) if len(word) > _SHORT}
    if told & name_words(bare):
        raise BadInput.of("text", "tells-name", "leave out the name of whom it is about")


def _is_ours(services: Services, address: str) -> bool:
    settings = services.settings
    host = urlsplit(settings.public_url).netloc.casefold()
    plain = address.casefold().removeprefix("https://").removeprefix("http://").rstrip(".,;:!?)")
    own = {settings.help_email.casefold(), answers.own_address(services).casefold()}
    return plain.partition("/")[0] == host or any(plain in one for one in own)


def _names(services: Services, conn: Connection, case: Row) -> Collection[str]:
    """The words of the names that the case knows: the person's, and those that letters named."""
    found: set[str] = set()
    for letter in mail.of_cases(conn, family(conn, case)):
        try:
            facts = facts_of_text(mail.read(services.sealer, letter, "facts"))
        except SealBroken:
            continue
        found |= name_words(facts.name or "") | name_words(facts.birth_place or "")
    reported = facts_of(services, case)
    found |= name_words(reported.name) if reported else set()
    if case.person_id is not None:
        with suppress(SealBroken):
            found |= name_words(persons.get(conn, services.sealer, case.person_id).name)
    return found
