"""What another system does with its API key: doses in, messages looked up, sent again and taken back.

A key of one facility reaches the rows of that facility alone; a test key reaches its own test messages alone
(sandbox.py). Both are decided here and in the queries, so that no route can forget them.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from notifier.access.api_keys import ApiKey
from notifier.core.errors import BadInput, Conflict, NotFound, Problem
from notifier.core.ids import read_reference
from notifier.core.reasons import read_reason
from notifier.core.states import State
from notifier.intake.answer import moment
from notifier.intake.event import Event
from notifier.intake.record import Door, PlanOptions, Recorded, record, record_many
from notifier.services import Services
from notifier.store import api_lists
from notifier.store.rehearsal import Rehearsal
from notifier.support import desk, resend, sandbox

PAGE, MOST = 50, 200
_LONGEST_CURSOR = 200
Answer = Recorded | BadInput | Conflict


def take(services: Services, key: ApiKey, event: Event, door: Door) -> Recorded:
    """Records one event. Raises BadInput, Conflict, and Refused where a test key's number asks for it."""
    event = _bound(event, key)
    if key.is_test:
        return sandbox.record(services, key, event)
    return record(services, event, door=door, actor=key.actor, options=_options(key))


def take_many(services: Services, key: ApiKey, events: Sequence[Event], door: Door) -> list[Answer]:
    """What became of each event, in their order. Raises Refused as `take` does."""
    answers: dict[int, Answer] = {}
    good: dict[int, Event] = {}
    for place, event in enumerate(events):
        try:
            good[place] = _bound(event, key)
        except BadInput as bad:
            answers[place] = bad
    answers |= dict(zip(good, _taken(services, key, list(good.values()), door), strict=True))
    return [answers[place] for place in range(len(events))]


def rehearse(services: Services, key: ApiKey, events: Sequence[Event], door: Door) -> list[Answer]:
    """What `take_many` would answer; nothing is written."""
    return take_many(replace(services, db=Rehearsal(services.db)), key, events, door)


def _taken(services: Services, key: ApiKey, events: Sequence[Event], door: Door) -> list[Answer]:
    if not key.is_test:
        return record_many(services, events, door=door, actor=key.actor, options=_options(key)) if events else []
    answers: list[Answer] = []
    for event in events:
        try:
            answers.append(sandbox.record(services, key, event))
        except (BadInput, Conflict) as error:
            answers.append(error)
    return answers


def _options(key: ApiKey) -> PlanOptions:
    return PlanOptions(only_facility=key.facility_id)


def _bound(event: Event, key: ApiKey) -> Event:
    """The event as one of the key's facility, where the key has one. Raises BadInput for another facility's."""
    if key.facility_id is None:
        return event
    named = event.dose.facility_id
    if named is None:
        return event.model_copy(update={"dose": event.dose.model_copy(update={"facility_id": key.facility_id})})
    if named != key.facility_id:
        raise BadInput.of("dose.facility_id", "other-facility", "this key belongs to another facility")
    return event


def look_up(services: Services, key: ApiKey, reference: str) -> dict[str, Any]:
    """Where a message stands. Raises NotFound, also for one that the key does not reach."""
    if key.is_test:
        return described(sandbox.find(services, key, read_reference(reference)))
    return described(desk.find(services, reference, only_facility=key.facility_id))


def send_again(services: Services, key: ApiKey, reference: str, *, at: datetime | None, reason: str) -> dict[str, Any]:
    """A new message with a new link, due at `at` (now where None). Raises NotFound, BadInput, Refused."""
    if key.is_test:
        read_reason(reason)
        due_at = resend.read_due(at, services.clock.now())
        return described(sandbox.resend(services, key, read_reference(reference), at=due_at))
    row = desk.find(services, reference, only_facility=key.facility_id)
    return described(resend.resend(services, row.reference, at=at, reason=reason, actor=key.actor))


def take_back(services: Services, key: ApiKey, reference: str, *, reason: str) -> dict[str, Any]:
    """Cancels what has not left yet. Raises NotFound, BadInput, Refused."""
    if key.is_test:
        read_reason(reason)
        return described(sandbox.cancel(services, key, read_reference(reference)))
    row = desk.find(services, reference, only_facility=key.facility_id)
    return described(resend.cancel(services, row.reference, reason=reason, actor=key.actor))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a caller lists. `after`: the moment and id behind which the page begins."""

    state: State | None = None
    since: datetime | None = None
    facility_id: str | None = None
    after: tuple[datetime, str] | None = None
    limit: int = PAGE


def read_wanted(
    *, state: str | None, since: str | None, facility: str | None, cursor: str | None, limit: str | None
) -> Wanted:
    """The words of a query. Raises BadInput with each of them that breaks a rule."""
    problems: list[Problem] = []
    read: dict[str, Any] = {}
    readers: dict[str, tuple[str | None, Callable[[str, str], Any]]] = {
        "state": (state, _state),
        "since": (since, read_moment),
        "facility": (facility, _facility),
        "cursor": (cursor, read_cursor),
        "limit": (limit, _limit),
    }
    for name, (text, reader) in readers.items():
        try:
            read[name] = reader(name, text) if text is not None else None
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return Wanted(read["state"], read["since"], read["facility"], read["cursor"], read["limit"] or PAGE)


def listed(services: Services, key: ApiKey, wanted: Wanted) -> dict[str, Any]:
    """A page of messages, newest first; `next` is the cursor of the one after, or null. Raises NotFound for another
    facility than the key's."""
    if key.facility_id is not None and wanted.facility_id not in {None, key.facility_id}:
        raise NotFound("there is no such facility for this key")
    if key.is_test:
        rows: Sequence[Any] = sandbox.listed(
            services, key, since=wanted.since, after=wanted.after, limit=wanted.limit + 1
        )
    else:
        with services.db.read() as conn:
            rows = api_lists.page(
                conn,
                state=wanted.state,
                since=wanted.since,
                facility_id=key.facility_id or wanted.facility_id,
                after=wanted.after,
                limit=wanted.limit + 1,
            )
    shown = rows[: wanted.limit]
    more = len(rows) > wanted.limit
    # a test message has its state from the clock, so a page of them may hold fewer than `limit`
    found = [described(row) for row in shown if wanted.state is None or row.status == wanted.state]
    return {"notifications": found, "next": cursor_text(shown[-1].created_at, shown[-1].id) if more else None}


def described(row: Any) -> dict[str, Any]:
    """Where a notification stands; nothing of whom it is about."""
    return {
        "reference": row.reference,
        "kind": row.kind,
        "channel": row.channel,
        "generation": row.generation,
        "state": row.status,
        "reason": row.reason,
        "provider_code": row.provider_code,
        "attempts": row.attempts,
        "accepted_at": moment(row.accepted_at),
        "due_at": moment(row.due_at),
        "left_at": moment(row.left_at),
        "ended_at": moment(row.ended_at),
    }


def read_moment(field: str, text: str) -> datetime:
    """A moment as RFC 3339 spells it, in UTC. Raises BadInput."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput.of(field, "moment", "write a moment with its zone, for example 2026-11-23T03:12:00Z")


def _state(field: str, text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise BadInput.of(field, "choice", f"write one of {', '.join(State)}") from None


def _facility(field: str, text: str) -> str:
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise BadInput.of(field, "too-long", "write the id of a facility, at most 200 characters")
    return text


def _limit(field: str, text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST:
        return int(text)
    raise BadInput.of(field, "range", f"write a number from 1 to {MOST}")


def cursor_text(at: datetime, row_id: str) -> str:
    """A place in a list."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def read_cursor(field: str, text: str) -> tuple[datetime, str]:
    """A place in a list again. It gives nobody more than the list does, so it needs no signature. Raises BadInput."""
    try:
        if len(text) > _LONGEST_CURSOR:
            raise ValueError
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        at, _, row_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(" ")
        return read_moment(field, at), str(uuid.UUID(row_id))
    except (BadInput, ValueError, binascii.Error):
        raise BadInput.of(field, "cursor", "use `next` of the page before as it is") from None
