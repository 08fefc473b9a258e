"""Cases that somebody reported from outside: found by their tracker, by what they are about, and by when they are due.

Predicates are literal, as those of the partial indexes are: a bound parameter would match none.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import CaseKind, CaseParty, CaseStatus
from notifier.store.bulk import among
from notifier.store.sealed import Sealer
from notifier.store.tables import facility, support_case

Row = sa.Row[Any]
_OPEN = sa.text("support_case.status = 'open'")
_FACTS = "support_case:facts"
# written once: every event that is recorded asks it
_ANY = sa.select(support_case.c.id).where(_OPEN, sa.text("support_case.born_index IS NOT NULL")).limit(1)


def born_index(sealer: Sealer, phone: str, birth_date: str) -> bytes:
    """The blind index of a number (E.164) and a birth date (ISO) together; neither can be looked for alone."""
    return sealer.index("case.born", f"{phone}|{birth_date}")


def same_index(sealer: Sealer, *parts: str) -> bytes:
    """The blind index of what makes two reports one."""
    return sealer.index("case.same", "|".join(parts))


def seal_facts(sealer: Sealer, case_id: str, facts: str) -> bytes:
    return sealer.seal(_FACTS, case_id, facts)


def facts(sealer: Sealer, row: Row) -> str | None:
    """What was reported, as JSON; None where nothing was. Raises SealBroken."""
    return None if row.facts_sealed is None else sealer.open(_FACTS, row.id, row.facts_sealed)


def get(conn: Connection, case_id: str, *, lock: bool = False) -> Row | None:
    """A case. `lock`: kept from changing until the transaction ends."""
    statement = sa.select(support_case).where(support_case.c.id == case_id)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def hold(conn: Connection, case_ids: Collection[str]) -> dict[str, Row]:
    """Some cases by id, kept from changing until the transaction ends. Locked in the order of their ids, so that two
    who want the same ones never wait for each other crosswise; whoever needs several asks for all of them here."""
    statement = sa.select(support_case).where(support_case.c.id.in_(list(case_ids))).order_by(support_case.c.id)
    return {row.id: row for row in conn.execute(statement.with_for_update())}


def by_public_id(conn: Connection, public_id: str) -> Row | None:
    """The case of a tracker's token."""
    return conn.execute(sa.select(support_case).where(support_case.c.public_id == public_id)).first()


def public_ids(conn: Connection, case_ids: Collection[str]) -> dict[str, str]:
    """The public ids of the trackers of some cases, by case."""
    statement = sa.select(support_case.c.id, support_case.c.public_id).where(support_case.c.id.in_(list(case_ids)))
    return {row.id: row.public_id for row in conn.execute(statement) if row.public_id}


def open_same(conn: Connection, kind: CaseKind, index: bytes, *, lock: bool = False) -> Row | None:
    """The open case that the same report has made before. `lock`: kept open until the transaction ends; one that
    closes at this moment is waited for, and then is none."""
    statement = sa.select(support_case).where(_OPEN, support_case.c.kind == kind.value)
    statement = statement.where(support_case.c.same_index == index)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def open_with_number(conn: Connection, phone_index: bytes, kind: CaseKind, limit: int = 20) -> list[Row]:
    """The open cases that somebody with a number reported, newest first."""
    statement = sa.select(support_case).where(
        _OPEN, support_case.c.phone_index == phone_index, support_case.c.kind == kind.value
    )
    return list(conn.execute(statement.order_by(support_case.c.opened_at.desc()).limit(limit)))


def any_open(conn: Connection) -> bool:
    """Whether any report of a missing dose waits at all."""
    return conn.execute(_ANY).first() is not None


def awaited(conn: Connection, niks: Collection[bytes], born: Collection[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Among some blind indexes, of NIK and of number with birth date, those that an open report waits for."""
    return _among(conn, support_case.c.nik_index, niks), _among(conn, support_case.c.born_index, born)


def _among(conn: Connection, column: sa.Column[Any], values: Collection[bytes]) -> set[bytes]:
    if not values:
        return set()
    there = sa.text(f"support_case.{column.name} IS NOT NULL")
    return set(conn.scalars(sa.select(column).where(_OPEN, there, among(conn, column, values))))


def waiting_for(conn: Connection, nik_index: bytes | None, born: bytes | None) -> list[Row]:
    """The open reports about somebody with a NIK, or with a number and birth date; oldest first."""
    found: dict[str, Row] = {}
    for column, value in ((support_case.c.nik_index, nik_index), (support_case.c.born_index, born)):
        if value is not None:
            there = sa.text(f"support_case.{column.name} IS NOT NULL")
            statement = sa.select(support_case).where(_OPEN, there, column == value)
            found |= {row.id: row for row in conn.execute(statement)}
    return sorted(found.values(), key=lambda row: (row.opened_at, row.id))


def due(conn: Connection, kind: CaseKind, party: CaseParty, at: datetime, limit: int) -> list[Row]:
    """Open cases that somebody should have acted on, held until the transaction ends; others' are passed by."""
    statement = (
        sa.select(support_case)
        .where(_OPEN, support_case.c.due_at <= at)
        .where(support_case.c.kind == kind.value, support_case.c.waits_for == party.value)
        .order_by(support_case.c.due_at)
        .limit(limit)
    )
    return list(conn.execute(statement.with_for_update(skip_locked=True)))


def broken_promises(conn: Connection, at: datetime, limit: int) -> list[Row]:
    """Open cases whose promise date is past and of which nobody was told; held."""
    statement = (
        sa.select(support_case)
        .where(_OPEN, sa.text("support_case.promised_at IS NOT NULL"))
        .where(support_case.c.promised_at <= at, support_case.c.alarmed_at.is_(None))
        .order_by(support_case.c.promised_at)
        .limit(limit)
    )
    return list(conn.execute(statement.with_for_update(skip_locked=True)))


def change(conn: Connection, case_id: str, **values: Any) -> bool:
    """Changes an open case; False where it is closed."""
    statement = support_case.update().where(support_case.c.id == case_id)
    return conn.execute(statement.where(support_case.c.status == CaseStatus.OPEN.value).values(**values)).rowcount == 1


def note_confirmed(conn: Connection, case_id: str, at: datetime) -> None:
    """Keeps that a code has proven the number of a case, closed or not."""
    conn.execute(support_case.update().where(support_case.c.id == case_id).values(confirmed_at=at))


def facility_called(conn: Connection, name: str) -> str | None:
    """The id of the one facility that has a name, however it is written; None where none or several have it."""
    statement = sa.select(facility.c.id).where(sa.func.lower(facility.c.name) == name.lower()).limit(2)
    found = list(conn.scalars(statement))
    return found[0] if len(found) == 1 else None


def is_facility(conn: Connection, facility_id: str) -> bool:
    """Whether we know a facility by its id."""
    return conn.execute(sa.select(facility.c.id).where(facility.c.id == facility_id)).first() is not None


def count_waiting(conn: Connection, kind: CaseKind, facility_id: str | None, at: datetime) -> tuple[int, int]:
    """(how many open cases of a kind wait for a facility's answer, or for anybody where None; how many are late)."""
    late = sa.func.count(sa.case((support_case.c.due_at <= at, 1)))
    statement = (
        sa.select(sa.func.count(), late).select_from(support_case).where(_OPEN, support_case.c.kind == kind.value)
    )
    if facility_id is not None:
        statement = statement.where(
            support_case.c.facility_id == facility_id, support_case.c.waits_for == CaseParty.FACILITY.value
        )
    waiting, overdue = conn.execute(statement).one()
    return waiting, overdue
