"""The operators' list "we cannot know": outcomes that no look-up settled, and the two things to do about them.

*Send again* adds a generation with a new link (the person may get two SMS); *leave* adds nothing. Both take a reason,
both stay in the audit; whatever evidence comes later still settles the old message.
"""

from __future__ import annotations

from dataclasses import dataclass

from notifier.core.errors import Refused
from notifier.core.states import Reason, State
from notifier.services import Services
from notifier.store import audit, notifications, unknowns
from notifier.support import resend

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a list: how many, and the reference and rule of each that was refused."""

    done: int
    refused: tuple[tuple[str, str], ...] = ()


def listed(services: Services, limit: int = _MOST) -> list[notifications.Row]:
    """The outcomes that wait for somebody's decision, oldest first."""
    with services.db.read() as conn:
        return unknowns.unknown_for_good(conn, limit)


def send_again(services: Services, reference: str, *, reason: str, actor: str) -> notifications.Row:
    """A new generation although the old one may have been accepted. Raises NotFound, BadInput, Refused (`not-unknown`
    and what `resend` refuses)."""
    _check_unknown(services, reference)
    return resend.resend(services, reference, reason=reason, actor=actor, still=is_undecided)


def leave(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """Nothing is sent again. Raises NotFound, BadInput, or Refused (`not-unknown`)."""
    reason = resend.read_reason(reason)
    row = _check_unknown(services, reference)
    now = services.clock.now()
    with services.db.write() as conn:
        if not unknowns.decide_unknown(conn, row.id, reason=Reason.LEFT_ALONE, at=now, only_undecided=True):
            raise Refused("changed-meanwhile")
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="notification.leave-unknown",
            subject="notification",
            subject_id=row.id,
            reason=reason,
        )


def decide_all(services: Services, *, again: bool, reason: str, actor: str) -> Decided:
    """The same decision for everything on the list."""
    done, refused = 0, []
    for row in listed(services):
        try:
            if again:
                send_again(services, row.reference, reason=reason, actor=actor)
            else:
                leave(services, row.reference, reason=reason, actor=actor)
            done += 1
        except Refused as error:
            refused.append((row.reference, str(error)))
    return Decided(done, tuple(refused))


def _check_unknown(services: Services, reference: str) -> notifications.Row:
    with services.db.read() as conn:
        row = resend.find(conn, reference)
    if State(row.status) is not State.UNKNOWN:
        raise Refused("not-unknown")
    return row


def is_undecided(row: notifications.Row) -> bool:
    """Whether nobody knows what became of a message, and nobody has decided about it."""
    return State(row.status) is State.UNKNOWN and row.reason not in unknowns.DECIDED
