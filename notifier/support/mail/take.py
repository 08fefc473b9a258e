"""Letters from the mailbox into cases, each once, whatever is killed when.

A letter is kept, becomes part of a case and is answered in one transaction; only then it is put away at the mail
server, unless there is no room for another case in this hour (caps.py): then it stays there as it came. Whoever dies
between finds its uid noted the next time. Under another UIDVALIDITY, and for a second copy, its Message-ID together
with what it says tells that we have it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, Refused
from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.mail_addresses import same_address
from notifier.core.states import CaseKind, CaseParty, CaseSource, CaseStatus, LetterKind, StepKind
from notifier.gateways.mail import Envelope, MailAway, Mailbox, Part
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, mail, persons
from notifier.store.cases import Row
from notifier.store.health import AWAY
from notifier.support.mail import answers
from notifier.support.mail.caps import CASES, CaseLimits, room_at
from notifier.support.mail.letters import Letter, read, unread
from notifier.support.mail.published import LetterFacts, facts_text, read_facts

DOOR = "door:email"
#: until when somebody should have read a letter
DUE_IN = timedelta(days=2)
BATCH = 50
_ASKED_AT_ONCE = 500
_MOST_MERGES = 10

_log = logging.getLogger(__name__)


def take(services: Services, *, limits: CaseLimits = CASES) -> bool:
    """Takes up to BATCH letters; whether there are more to be taken now. Raises MailAway where the mailbox cannot be
    reached: what was taken stays taken. Safe to run anywhere, any number at once."""
    if services.mail is None:
        return False
    with services.mail.open_mailbox() as box:
        new, left = _sorted(services, box)
        for uid in new:
            _guarded(services, box, uid, limits)
        for uid in left:
            _put_away(services, box, uid, stays=False)
    return len(new) == BATCH


def _sorted(services: Services, box: Mailbox) -> tuple[list[int], list[int]]:
    """(letters that we do not have, those that we have and that somebody who died did not put away); BATCH of each."""
    waiting, new, left, at = box.waiting(), list[int](), list[int](), services.clock.now()
    for start in range(0, len(waiting), _ASKED_AT_ONCE):
        some = waiting[start : start + _ASKED_AT_ONCE]
        with services.db.read() as conn:
            known = mail.taken(conn, box.uid_validity, some, at=at)
        new += [uid for uid in some if uid not in known]
        left += [uid for uid in some if uid in known and not known[uid]]
        if len(new) >= BATCH:
            break
    return new[:BATCH], left[:BATCH]


def _put_away(services: Services, box: Mailbox, uid: int, *, stays: bool) -> None:
    """A letter that cannot be put away keeps no other waiting: we know it by ourselves."""
    try:
        box.put_away(uid, delete=not stays and services.settings.mail_taken == "delete")
    except MailAway as error:
        _log.warning("a letter could not be put away", extra={"error": str(error), "uid": uid})


def _guarded(services: Services, box: Mailbox, uid: int, limits: CaseLimits) -> None:
    """A fault of ours in one letter never keeps the others waiting; it stays in the mailbox, and is tried again."""
    try:
        take_one(services, box, uid, limits=limits)
    except (MailAway, *AWAY):
        raise
    except Exception as error:
        _log.error("a letter was not taken", extra={"error": type(error).__name__, "uid": uid})


def take_one(services: Services, box: Mailbox, uid: int, *, limits: CaseLimits = CASES) -> None:
    """Takes one letter, or leaves it where it lies until there is room for its case. What a stranger wrote into it
    never raises."""
    envelope = box.look(uid)
    if envelope is None:
        return  # somebody took it away meanwhile

    letter = _read(services, box, envelope)
    # what nobody could read, or not whole, stays for somebody with a mail program
    stays = letter.is_unreadable or letter.is_cut
    with services.db.write() as conn:
        if mail.take(conn, box.uid_validity, uid, stays=stays, at=services.clock.now()):
            until = _keep(conn, services, letter, limits)
            if until is not None:
                mail.defer(conn, box.uid_validity, uid, until=until)
        waits = mail.waits(conn, box.uid_validity, uid)  # by us, or by another reader since we looked
    if not waits:
        _put_away(services, box, uid, stays=stays)


def _read(services: Services, box: Mailbox, envelope: Envelope) -> Letter:
    def fetch(part: Part, most: int) -> bytes:
        return box.text(envelope.uid, part, most)

    try:
        letter = read(envelope, fetch, own=answers.own_addresses(services))
        return replace(letter, kind=LetterKind.AUTOMATIC, may_answer=False) if _is_ours(services, letter) else letter
    except MailAway:
        raise
    except Exception as error:  # whatever a library makes of a stranger's bytes: somebody looks at it by hand
        _log.error("a letter was not read", extra={"error": type(error).__name__, "uid": envelope.uid})
        return unread(envelope)


def _is_ours(services: Services, letter: Letter) -> bool:
    """Our own letter, whoever sends it back to us under whatever name: answered, it would come round again."""
    if letter.message_id is None or letter.kind is LetterKind.RETURNED:
        return False
    with services.db.read() as conn:
        return bool(mail.with_message_ids(conn, [letter.message_id]))


def _keep(conn: Connection, services: Services, letter: Letter, limits: CaseLimits) -> datetime | None:
    """Keeps a letter with its case and its answer; or keeps nothing, and says when there is room for another case."""
    at, sealer, row_id = services.clock.now(), services.sealer, new_id()
    facts = _facts(services, letter, services.clock.now().astimezone(services.zone).date())
    nik = persons.nik_index(sealer, facts.nik) if facts.nik else None
    is_new = mail.insert(
        conn,
        sealer,
        row_id,
        {
            "sender": letter.sender,
            "subject": letter.subject,
            "text": letter.text,
            "facts": facts_text(facts) if facts.count else None,
            "message_id": letter.message_id,
        },
        identity_index=mail.identity_index(sealer, letter.identity),
        kind=letter.kind.value,
        received_at=at,
        sender_index=mail.sender_index(sealer, letter.sender) if letter.sender else None,
        nik_index=nik,
        photos=letter.photos,
        files=letter.files,
        is_cut=letter.is_cut,
        is_unreadable=letter.is_unreadable,
    )
    if not is_new:
        return None
    if letter.kind is LetterKind.RETURNED:
        _note_returned(conn, services, letter, at)
    if letter.kind is LetterKind.WRITTEN:
        same = _same(services, letter, nik)
        known = _known_case(conn, services, letter, nik) or _open_same(conn, same)
        if known is None:
            sender = mail.sender_index(sealer, letter.sender) if letter.sender else None
            until = room_at(conn, services, sender, limits)
            if until is not None:
                mail.drop(conn, row_id)
                return until
        case, joined = _case(conn, services, letter, known, same, facts.facility, at)
        mail.assign(conn, row_id, case.id)
        if letter.may_answer and letter.sender:
            stays = letter.is_unreadable or letter.is_cut
            dropped = bool(letter.photos or letter.files)
            to, about = letter.sender, letter.message_id
            answers.answer(conn, services, case, to=to, answers=about, joined=joined, dropped=dropped, stays=stays)
    return None


def _facts(services: Services, letter: Letter, today: date) -> LetterFacts:
    if letter.kind is not LetterKind.WRITTEN:
        return LetterFacts()
    region, allowed = services.settings.country, services.settings.countries
    try:
        return read_facts(letter.text, today=today, region=region, allowed=allowed)
    except (ValueError, RecursionError) as error:  # a letter without facts is a case all the same
        _log.warning("a letter's facts were not read", extra={"error": type(error).__name__})
        return LetterFacts()


def _case(
    conn: Connection,
    services: Services,
    letter: Letter,
    known: Row | None,
    same: bytes,
    place: str | None,
    at: datetime,
) -> tuple[Row, bool]:
    """The case that a letter goes with, and whether it was there before."""
    new = None if known is not None else _new_case(conn, services, same, letter.text, at, place)
    case = known or new or _open_same(conn, same)
    if case is None:
        raise RuntimeError("a case that was there is gone; the letter is taken again")
    step = StepKind.REPORTED if new else StepKind.JOINED
    case_steps.add(conn, services.sealer, case.id, step, actor=DOOR, at=at)
    action = "letter.received" if new else "letter.joined"
    audit.write(conn, at=at, actor=DOOR, action=action, subject="case", subject_id=case.id, photos=letter.photos)
    return case, not new


def adopt(services: Services, letter_id: str, *, staff_id: str) -> str:
    """A letter that made no case, since a program seems to have written it, becomes one; its reference. Nobody is
    answered by itself. Raises NotFound, or Refused (`changed-meanwhile`)."""
    at, actor = services.clock.now(), f"staff:{staff_id}"
    with services.db.write() as conn:
        row = mail.find(conn, letter_id, lock=True)
        if row is None:
            raise NotFound("there is no such letter")
        if row.case_id is not None:
            raise Refused("changed-meanwhile")
        case = _new_case(conn, services, case_reports.same_index(services.sealer, "letter", letter_id), "", at)
        if case is None:
            raise Refused("changed-meanwhile")
        mail.assign(conn, letter_id, case.id)
        case_steps.add(conn, services.sealer, case.id, StepKind.REPORTED, actor=actor, at=at)
        audit.write(conn, at=at, actor=actor, action="letter.adopted", subject="case", subject_id=case.id)
        return str(case.reference)


def _new_case(
    conn: Connection, services: Services, same: bytes, text: str, at: datetime, place: str | None = None
) -> Row | None:
    return cases.insert_new(
        conn,
        kind=CaseKind.ASKED,
        opened_at=at,
        due_at=at + DUE_IN,
        source=CaseSource.EMAIL.value,
        same_index=same,
        public_id=new_public_id(),
        language=answers.language_of(text),
        facility_id=case_reports.facility_called(conn, place) if place else None,
        waits_for=CaseParty.OPERATORS.value,
    )


def _same(services: Services, letter: Letter, nik: bytes | None) -> bytes:
    """What makes two letters one case: the same sender about the same person."""
    who = same_address(letter.sender) if letter.sender else letter.identity
    return case_reports.same_index(services.sealer, "mail", who, nik.hex() if nik else "")


def _known_case(conn: Connection, services: Services, letter: Letter, nik: bytes | None) -> Row | None:
    """The open case that a letter goes on with: it answers to a letter of ours, or its sender has written about the
    same person, or has not said about whom. Another sender's letter is never joined by itself: staff compare."""
    if letter.sender is None:
        return None
    me = same_address(letter.sender)
    for row in mail.with_message_ids(conn, letter.answers_to):
        if same_address(mail.read(services.sealer, row, "to")) == me and (case := _open(conn, row.case_id)):
            return case
    named: dict[str, set[bytes]] = {}
    for row in mail.open_cases_of(conn, mail.sender_index(services.sealer, letter.sender)):
        named.setdefault(row.id, set()).update({row.nik_index} - {None})
    if nik is None:
        return _open(conn, next(iter(named))) if len(named) == 1 else None
    fits = [case_id for case_id, niks in named.items() if nik in niks] or [
        one for one, niks in named.items() if not niks
    ]
    return _open(conn, fits[0]) if fits else None


def _open_same(conn: Connection, same: bytes) -> Row | None:
    return case_reports.open_same(conn, CaseKind.ASKED, same, lock=True)


def _open(conn: Connection, case_id: str) -> Row | None:
    """An open case, held still; the one that goes on in its place, where it was merged. The way there is only read: of
    several held in no order, two letters might wait for each other."""
    for _ in range(_MOST_MERGES):
        case = case_reports.get(conn, case_id)
        if case is not None and case.merged_into is None:
            case = case_reports.hold(conn, [case_id]).get(case_id)  # it may have been merged at this moment
        if case is None or case.merged_into is None:
            return case if case is not None and case.status == CaseStatus.OPEN else None
        case_id = case.merged_into
    return None


def _note_returned(conn: Connection, services: Services, letter: Letter, at: datetime) -> None:
    for row in mail.with_message_ids(conn, letter.answers_to)[:1]:
        mail.note_returned(conn, row.id, at=at)
        case_steps.add(conn, services.sealer, row.case_id, StepKind.RETURNED, actor=DOOR, at=at)
        audit.write(conn, at=at, actor=DOOR, action="letter.returned", subject="case", subject_id=row.case_id)
