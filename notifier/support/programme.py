"""Programme settings that an administrator changes in the browser: checked by the rules of the environment's, kept with
who, when and why, in force everywhere some seconds later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from notifier.core.errors import Conflict, Refused
from notifier.programme import Programme, checked_rules
from notifier.services import Services
from notifier.settings import PROGRAMME
from notifier.store import audit, programme, staff
from notifier.support.resend import read_reason

HISTORY = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """One value, before and after; None: the environment's."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One saved version. `by`: a name where it is known, else as the audit names them."""

    revision: int
    at: datetime
    by: str
    reason: str
    differences: tuple[Difference, ...]


def current(services: Services) -> Programme:
    """What is in force at this moment."""
    return services.reader.read_now()


def change(services: Services, typed: Mapping[str, str], *, base: int, reason: str, actor: str) -> Programme:
    """Saves what was typed over revision `base`; an empty value gives the environment's back.

    Raises BadInput; Refused (`unchanged`); Conflict where somebody else has saved meanwhile: nothing is written then.
    """
    values = {name: _tidied(typed.get(name, "")) for name in PROGRAMME}
    values = {name: value for name, value in values.items() if value}
    checked_rules(services.settings, values)
    reason = read_reason(reason)
    at = services.clock.now()
    with services.db.write() as conn:
        last = programme.in_force(conn).get(programme.RULES)
        old: Mapping[str, str] = last.value if last else {}
        if base == (last.revision if last else 0) and old == values:
            raise Refused("unchanged")
        if not programme.save(conn, programme.RULES, values, base=base, by=actor, reason=reason, at=at):
            raise Conflict("somebody else has changed the settings meanwhile")
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="programme.changed",
            subject="setting",
            subject_id=programme.RULES,
            reason=reason,
            revision=base + 1,
            **{one.name: f"{one.old or '-'} -> {one.new or '-'}" for one in differences(old, values)},
        )
    return services.reader.read_now()


def _tidied(value: str) -> str:
    """`2,5` is 2.5 to an Indonesian; hours are written 20:00 or 20.00."""
    text = "".join(value.split())
    return text.replace(".", ":") if "-" in text and ":" not in text else text.replace(",", ".")


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Difference, ...]:
    """What differs between two versions, by name."""
    names = sorted(old.keys() | new.keys())
    return tuple(Difference(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def history(services: Services, name: str = programme.RULES) -> list[Change]:
    """The newest versions of something that was set, newest first."""
    with services.db.read() as conn:
        rows = programme.versions(conn, name, HISTORY + 1)
        who = staff.names(
            conn, [row.changed_by.removeprefix("staff:") for row in rows if row.changed_by[:6] == "staff:"]
        )
    found = []
    for place, row in enumerate(rows[:HISTORY]):
        before = rows[place + 1].value if place + 1 < len(rows) else {}
        by = row.changed_by.removeprefix("staff:")
        found.append(Change(row.revision, row.changed_at, who.get(by, by), row.reason, differences(before, row.value)))
    return found
