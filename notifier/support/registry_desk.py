"""What the registry could not be told: the operators' list, and what they do about it. Speaks to no registry itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from notifier.core.errors import BadInput
from notifier.core.ids import read_row_id
from notifier.core.reasons import read_reason
from notifier.services import Services
from notifier.store import audit, registry_outbox
from notifier.store.registry_outbox import Row

PAGE = 50


class Deed(StrEnum):
    """What can be done with an event that was not told."""

    AGAIN = "again"  #: try once more, at once
    GIVEN_UP = "given-up"  #: the registry was told otherwise


_ACTIONS = {Deed.AGAIN: "registry.told-again", Deed.GIVEN_UP: "registry.given-up"}


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `doses`: the registry's own ids, by which somebody finds them there."""

    row: Row
    doses: tuple[str, ...]


def listed(services: Services) -> list[Line]:
    """The events that wait longest."""
    with services.db.read() as conn:
        rows = registry_outbox.in_trouble(conn, PAGE)
        doses = registry_outbox.doses_of(conn, rows)
    return [Line(row, tuple(doses.get(row.subject_id, ()))) for row in rows]


def decide(services: Services, deed: Deed, chosen: Collection[str], *, reason: str, actor: str) -> int:
    """Does it for the events that still wait; for how many. Raises BadInput (`row none-chosen`, `reason`)."""
    ids = [row_id for row_id in map(read_row_id, chosen) if row_id is not None]
    if not ids:
        raise BadInput.of("row", "none-chosen", "choose at least one")
    reason = read_reason(reason)
    at = services.clock.now()
    change = registry_outbox.again if deed is Deed.AGAIN else registry_outbox.given_up
    with services.db.write() as conn:
        done = change(conn, ids, at)
        for row_id in done:
            audit.write(
                conn,
                at=at,
                actor=actor,
                action=_ACTIONS[deed],
                subject="registry-event",
                subject_id=row_id,
                reason=reason,
            )
    return len(done)
