"""A question from a chat becomes a case at the agents' desk, or one more word in the open one of the same number."""

from __future__ import annotations

from datetime import timedelta

from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.phones import BadPhone, read_mobile
from notifier.core.states import CaseKind, CaseParty, CaseSource, StepKind
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, contacts, locks, persons
from notifier.support.agents.calls import DUE_IN
from notifier.support.agents.queue import read_note
from notifier.support.chat.dialogue import Came, Granted
from notifier.support.chat.wishes import DOOR

#: of one number: agents read each
QUESTIONS = Limit("chat:questions", 10, timedelta(days=1))


def hand_over(services: Services, phone: str, language: str, question: str) -> Granted:
    """Puts a question before the agents: the case's reference, and the address of its page, where the answer will
    stand. `phone`: E.164, of a number that a code proved or that writes to us; it is told by SMS that there is news,
    unless it cannot receive ours."""
    at, settings = services.clock.now(), services.settings
    number = persons.phone_index(services.sealer, phone)
    same = case_reports.same_index(services.sealer, "chat", number.hex())
    said = read_note(question)
    with services.db.write() as conn:
        if seconds_to_wait(conn, QUESTIONS, number.hex(), at):
            return Granted(Came.LIMITED)
        locks.hold(conn, same)
        row = case_reports.open_same(conn, CaseKind.ASKED, same)
        step = StepKind.JOINED if row is not None else StepKind.REPORTED
        if row is None:
            contact = None
            if _receives(services, phone):
                contact = contacts.find_or_add(conn, services.sealer, phone=phone, language=language, at=at)
            row = cases.insert_new(
                conn,
                kind=CaseKind.ASKED,
                row_id=new_id(),
                opened_at=at,
                due_at=at + DUE_IN,
                source=CaseSource.CHAT.value,
                phone_index=number,
                contact_id=contact.id if contact else None,
                confirmed_at=at if contact else None,
                same_index=same,
                public_id=new_public_id(),
                language=language,
                waits_for=CaseParty.OPERATORS.value,
            )
        if row is None:
            raise RuntimeError("the same case was opened past its lock")
        case_steps.add(conn, services.sealer, row.id, step, actor=DOOR, at=at, words=said)
        audit.write(conn, at=at, actor=DOOR, action="case.reported", subject="case", subject_id=row.id, source="chat")
    address = f"{settings.public_url}/kasus/{services.trackers.sign(row.public_id)}"
    return Granted(Came.DONE, id=row.reference, address=address)


def _receives(services: Services, phone: str) -> bool:
    """Whether our SMS may go to a number; WhatsApp reaches further than they do."""
    settings = services.settings
    try:
        read_mobile(phone, region=settings.country, allowed=settings.countries)
    except BadPhone:
        return False
    return True
