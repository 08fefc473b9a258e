"""A call becomes a case: what was said, and by when somebody should have acted."""

from __future__ import annotations

from datetime import timedelta

from notifier.core.errors import BadInput
from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.states import CaseKind, CaseParty, CaseSource, StepKind
from notifier.core.words import known_language
from notifier.services import Services
from notifier.store import agents, audit, case_reports, case_steps, cases
from notifier.support.agents.queue import LEASE, read_cause, read_note

DUE_IN = timedelta(days=1)


def note_call(services: Services, *, words: str, cause: str, language: str, form: str, staff_id: str) -> str:
    """Opens a case about a call; its reference. `form`: the form at hand, which may come twice and makes one case. It
    is the agent's. Raises BadInput (`note`, `cause`)."""
    said, about, at, actor = read_note(words), read_cause(cause), services.clock.now(), f"staff:{staff_id}"
    if not said:
        raise BadInput.of("note", "required", "write what the caller said")
    same = case_reports.same_index(services.sealer, "call", staff_id, form or new_id())
    with services.db.write() as conn:
        row = cases.insert_new(
            conn,
            kind=CaseKind.ASKED,
            opened_at=at,
            due_at=at + DUE_IN,
            source=CaseSource.CALL.value,
            same_index=same,
            public_id=new_public_id(),
            language=known_language(language),
            cause=about.value if about else None,
            waits_for=CaseParty.OPERATORS.value,
        )
        known = row or case_reports.open_same(conn, CaseKind.ASKED, same)
        if known is None:
            raise BadInput.of("note", "sent-before", "this form was sent before; begin a new one")
        if row is not None:
            case_steps.add(conn, services.sealer, row.id, StepKind.REPORTED, actor=actor, at=at, words=said)
            agents.claim(conn, row.id, staff_id, at=at, until=at + LEASE)
            audit.write(conn, at=at, actor=actor, action="case.called", subject="case", subject_id=row.id)
        return str(known.reference)
