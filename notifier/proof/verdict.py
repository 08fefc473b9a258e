"""The verdict: set algebra over what was meant (intents), what the provider took (its ledger), and our database.

Pure. The sets are those of a Jepsen checker: lost, duplicate, phantom, lies; and what is honestly unknown, with its
age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from notifier.core.states import State
from notifier.proof.ledger import Ledger, Taken, grouped
from notifier.store.proof_rows import NotificationRow, Rows

_OPEN = frozenset({State.SCHEDULED, State.CLAIMED, State.SENDING, State.UNKNOWN, State.HELD})
_NEEDS_REASON = frozenset({State.FAILED, State.SUPPRESSED, State.CANCELLED, State.EXPIRED, State.UNDELIVERED})
_SAYS_TAKEN = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED})
#: what the provider must have said for a row to say so
_WORDS = {State.SENT: "sent", State.DELIVERED: "delivered", State.UNDELIVERED: "undelivered"}


@dataclass(frozen=True, slots=True)
class Intent:
    """One message that must go out. `number`: as `ledger.number_key` names it."""

    event_id: str
    number: str


@dataclass(frozen=True)
class Unknown:
    """A notification of which nobody can say whether it was taken. `age_s`: since it may have left. `was_taken`: what
    its ledger knows, and the provider's list could have told."""

    reference: str
    age_s: float
    was_taken: bool = False


@dataclass(frozen=True)
class Verdict:
    """The sets, named by references that lead back to a row. `taken`: submissions in the ledger."""

    taken: int
    lost: tuple[str, ...]
    duplicate: tuple[str, ...]
    phantom: tuple[str, ...]
    lies: tuple[str, ...]
    unknown: tuple[Unknown, ...]

    @property
    def holds(self) -> bool:
        """Whether the promises were kept."""
        return not (self.lost or self.duplicate or self.phantom or self.lies)


def judge(intents: Collection[Intent], ledger: Ledger, rows: Rows, now: datetime) -> Verdict:
    """Compares the three. `now`: for the ages."""
    court = _Court(intents, ledger, rows)
    unknown = (
        Unknown(row.reference, (now - (row.left_at or row.updated_at)).total_seconds(), court.was_taken(row))
        for row in rows.notifications
        if row.status == State.UNKNOWN
    )
    return Verdict(
        taken=len(ledger.taken),
        lost=tuple(court.lost()),
        duplicate=tuple(sorted(set(court.duplicate()))),
        phantom=tuple(court.phantom()),
        lies=tuple(court.lies()),
        unknown=tuple(sorted(unknown, key=lambda one: -one.age_s)),
    )


@dataclass(frozen=True)
class _Court:
    intents: Collection[Intent]
    ledger: Ledger
    rows: Rows
    _by_id: dict[str, NotificationRow] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {row.id: row for row in self.rows.notifications})

    @cached_property
    def _of_dose(self) -> dict[str, list[NotificationRow]]:
        found: dict[str, list[NotificationRow]] = {}
        for row in self.rows.notifications:
            if row.dose_id is not None:
                found.setdefault(row.dose_id, []).append(row)
        return found

    @cached_property
    def _taken_of(self) -> dict[str, list[Taken]]:
        """Submissions by notification: by the attempt's reference, else by the link in the text."""
        by_link = {row.link: row.id for row in self.rows.notifications if row.link}
        return grouped(self.ledger.taken, lambda one: self.rows.attempts.get(one.attempt) or by_link.get(one.link, ""))

    @cached_property
    def _refused(self) -> set[str]:
        """The notifications of which an attempt was refused for good."""
        return {self.rows.attempts.get(reference, "") for reference in self.ledger.refused}

    def was_taken(self, row: NotificationRow) -> bool:
        return row.id in self._taken_of

    def lost(self) -> Iterator[str]:
        """Intents that are neither in the ledger nor open, nor ended with a reason."""
        events = {one.event_id: one for one in self.rows.events}
        numbers = {one.number for one in self.ledger.taken}
        for intent in self.intents:
            event = events.get(intent.event_id)
            rows = self._of_dose.get(event.dose_id or "", []) if event else []
            explained = event is not None and not rows and event.reason is not None
            if not (intent.number in numbers or explained or any(map(_is_accounted_for, rows))):
                yield intent.event_id

    def duplicate(self) -> Iterator[str]:
        """Notifications with two submissions; beside them links in two texts, and intents with a second message
        although the first had not failed to arrive."""
        named: set[str] = set()
        for row_id, taken in self._taken_of.items():
            if row_id and len(taken) > 1:
                named.update(one.sid for one in taken)
                yield self._by_id[row_id].reference
        for link, taken in grouped(self.ledger.taken, lambda one: one.link).items():
            if link and len(taken) > 1 and not named.issuperset(one.sid for one in taken):
                named.update(one.sid for one in taken)
                yield f"link {link}"
        for number, taken in grouped(self.ledger.taken, lambda one: one.number).items():
            arrived = [one for one in taken if "undelivered" not in self.ledger.words.get(one.sid, [])]
            twice = len(taken) > 1 and arrived and arrived != taken[-1:]
            if twice and not named.issuperset(one.sid for one in taken):
                yield f"number {number[:12]}"

    def phantom(self) -> Iterator[str]:
        """Submissions that no attempt of ours explains, that carry another notification's link, or that went to a
        number that nobody meant."""
        numbers = {intent.number for intent in self.intents}
        for one in self.ledger.taken:
            row = self._by_id.get(self.rows.attempts.get(one.attempt, ""))
            if row is None or row.link != one.link or one.number not in numbers:
                yield one.sid

    def lies(self) -> Iterator[str]:
        """Rows that say more than the provider did."""
        for row in self.rows.notifications:
            taken = self._taken_of.get(row.id, [])
            if row.status in _SAYS_TAKEN and not taken:
                yield f"{row.reference} says {row.status}, never taken"
            elif row.status == State.FAILED and taken:
                yield f"{row.reference} says failed, was taken"
            elif row.status == State.FAILED and row.id not in self._refused:
                yield f"{row.reference} says failed, the provider never refused it"
            elif row.status in _WORDS and not any(self._said(one, _WORDS[State(row.status)]) for one in taken):
                yield f"{row.reference} says {row.status}, the provider never did"

    def _said(self, taken: Taken, word: str) -> bool:
        return word in self.ledger.words.get(taken.sid, [])


def _is_accounted_for(row: NotificationRow) -> bool:
    return row.status in _OPEN or (row.status in _NEEDS_REASON and row.reason is not None)
