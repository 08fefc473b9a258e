"""Cases, and the numbers that are said to be a stranger's.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_reference
from notifier.core.states import CaseKind, CaseOutcome, CaseStatus, Reason, State
from notifier.store.tables import certificate, dose, link, notification, number_pause, person, support_case

Row = sa.Row[Any]
_IN_FORCE = sa.text("lifted_at IS NULL")  # literal: a bound parameter would not match the partial index
#: a message that waits goes to the number as it will be then, so its link is nobody's yet
_NOT_YET = (State.SCHEDULED, State.HELD)


def insert_new(
    conn: Connection,
    *,
    kind: CaseKind,
    opened_at: datetime,
    due_at: datetime,
    row_id: str | None = None,
    **values: Any,
) -> Row | None:
    """Opens a case; None where the same one is open. A concurrent one is waited for."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(support_case).values(
        id=row_id or new_id(),
        reference=new_reference(),
        kind=kind.value,
        status=CaseStatus.OPEN.value,
        opened_at=opened_at,
        due_at=due_at,
        **values,
    )
    return conn.execute(statement.on_conflict_do_nothing().returning(support_case)).first()


def open_of_person(conn: Connection, person_id: str, kind: CaseKind) -> list[Row]:
    """A person's open cases of a kind, oldest first."""
    statement = sa.select(support_case).where(
        support_case.c.person_id == person_id,
        support_case.c.kind == kind.value,
        support_case.c.status == CaseStatus.OPEN.value,
    )
    return list(conn.execute(statement.order_by(support_case.c.opened_at, support_case.c.id)))


def find_visible(conn: Connection, reference: str, facility_id: str | None, *, lock: bool = False) -> Row | None:
    """The case with a reference, as far as the facility's staff may see it. `lock`: kept from changing until the
    transaction ends."""
    statement = _narrowed(sa.select(support_case).where(support_case.c.reference == reference), facility_id)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def listed(
    conn: Connection,
    *,
    kind: CaseKind | None,
    status: CaseStatus | None,
    facility_id: str | None,
    limit: int,
    before: str | None = None,
) -> list[Row]:
    """Cases, newest first; `before`: only those older than this reference."""
    statement = _narrowed(sa.select(support_case), facility_id)
    if kind is not None:
        statement = statement.where(support_case.c.kind == kind.value)
    if status is not None:
        statement = statement.where(support_case.c.status == status.value)
    if before is not None:
        mark = sa.select(support_case.c.opened_at, support_case.c.id).where(support_case.c.reference == before).cte()
        at, row_id = sa.select(mark.c.opened_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        same_moment = sa.and_(support_case.c.opened_at == at, support_case.c.id < row_id)
        statement = statement.where(sa.or_(support_case.c.opened_at < at, same_moment))
    newest_first = statement.order_by(support_case.c.opened_at.desc(), support_case.c.id.desc())
    return list(conn.execute(newest_first.limit(limit)))


def close(conn: Connection, case_id: str, *, outcome: CaseOutcome, by: str, at: datetime, again: bool = False) -> bool:
    """Closes an open case; False where it was closed. `again`: a closed one too, whose end turned out to be wrong."""
    statement = support_case.update().where(support_case.c.id == case_id)
    if not again:
        statement = statement.where(support_case.c.status == CaseStatus.OPEN.value)
    values = {"status": CaseStatus.CLOSED.value, "outcome": outcome.value, "closed_at": at, "closed_by": by}
    return conn.execute(statement.values(**values)).rowcount == 1


def note_person(conn: Connection, case_id: str, person_id: str) -> None:
    """Keeps whom a case turned out to be about, so that it goes where they go."""
    conn.execute(support_case.update().where(support_case.c.id == case_id).values(person_id=person_id))


def note_merge(conn: Connection, case_id: str, into: str) -> None:
    """Keeps which case goes on in a case's place."""
    conn.execute(support_case.update().where(support_case.c.id == case_id).values(merged_into=into))


def count_open(conn: Connection, facility_id: str | None) -> int:
    """How many cases wait for somebody."""
    statement = sa.select(sa.func.count()).select_from(support_case)
    return conn.scalar(_narrowed(statement.where(support_case.c.status == CaseStatus.OPEN.value), facility_id)) or 0


def facility_of_link(conn: Connection, link_id: str) -> str | None:
    """The facility that recorded the dose behind a link."""
    statement = sa.select(dose.c.facility_id).select_from(
        link.join(certificate, certificate.c.id == link.c.certificate_id).join(dose, dose.c.id == certificate.c.dose_id)
    )
    found: str | None = conn.scalar(statement.where(link.c.id == link_id))
    return found


def pause_number(conn: Connection, *, person_id: str, phone_index: bytes, case_id: str, at: datetime) -> bool:
    """No SMS about a person to a number any more; False where it was so. Its sent links pause with it."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(number_pause).values(
        id=new_id(), person_id=person_id, phone_index=phone_index, case_id=case_id, created_at=at
    )
    statement = statement.on_conflict_do_nothing(
        index_elements=["person_id", "phone_index"], index_where=sa.text("lifted_at IS NULL")
    )
    added = conn.execute(statement.returning(sa.literal(1))).first() is not None
    if added:
        with_it = _links_at(person_id, phone_index)
        conn.execute(link.update().where(with_it, link.c.paused_at.is_(None)).values(paused_at=at))
    return added


def lift_pause(conn: Connection, *, person_id: str, phone_index: bytes, at: datetime) -> bool:
    """SMS and links to a number work again; False where they did."""
    statement = number_pause.update().where(
        number_pause.c.person_id == person_id, number_pause.c.phone_index == phone_index, _IN_FORCE
    )
    if conn.execute(statement.values(lifted_at=at)).rowcount == 0:
        return False
    conn.execute(link.update().where(_links_at(person_id, phone_index)).values(paused_at=None))
    return True


def confirm_pause(conn: Connection, *, person_id: str, phone_index: bytes, at: datetime) -> int:
    """The number is a stranger's for good: its links are revoked (how many), and where it still is the person's, it
    has to be corrected before anything can be sent."""
    conn.execute(
        number_pause.update()
        .where(number_pause.c.person_id == person_id, number_pause.c.phone_index == phone_index, _IN_FORCE)
        .values(confirmed_at=at)
    )
    conn.execute(
        person.update()
        .where(person.c.id == person_id, person.c.phone_index == phone_index)
        .values(phone_problem=Reason.WRONG_NUMBER.value, phone_index=None, updated_at=at)
    )
    return conn.execute(
        link.update()
        .where(_links_at(person_id, phone_index), link.c.revoked_at.is_(None))
        .values(revoked_at=at, revoke_reason=Reason.WRONG_NUMBER.value)
    ).rowcount


def pause_in_force(conn: Connection, *, person_id: str, phone_index: bytes) -> Row | None:
    """What keeps SMS about a person from a number; None where nothing does."""
    statement = sa.select(number_pause).where(
        number_pause.c.person_id == person_id, number_pause.c.phone_index == phone_index, _IN_FORCE
    )
    return conn.execute(statement).first()


def count_sent_links(conn: Connection, *, person_id: str, phone_index: bytes) -> int:
    """How many links that went to a number are not revoked: what confirming a stranger's number would end."""
    sent = _sent_links(person_id, phone_index)
    statement = sa.select(sa.func.count()).select_from(link).where(link.c.id.in_(sent), link.c.revoked_at.is_(None))
    return conn.scalar(statement) or 0


def message_with(conn: Connection, *, person_id: str, link_id: str) -> str | None:
    """The reference of the message that bore a link."""
    statement = sa.select(notification.c.reference).where(
        notification.c.person_id == person_id, notification.c.link_id == link_id
    )
    found: str | None = conn.scalar(statement.limit(1))
    return found


def paused_numbers(conn: Connection, person_ids: set[str]) -> set[tuple[str, bytes]]:
    """The (person, number) pairs among some persons' that get no SMS."""
    statement = sa.select(number_pause.c.person_id, number_pause.c.phone_index).where(
        number_pause.c.person_id.in_(list(person_ids)), _IN_FORCE
    )
    return {(row.person_id, row.phone_index) for row in conn.execute(statement)}


def _sent_links(person_id: str, phone_index: bytes) -> sa.Select[Any]:
    return sa.select(notification.c.link_id).where(
        notification.c.person_id == person_id,
        notification.c.phone_index == phone_index,
        notification.c.link_id.is_not(None),
        notification.c.status.not_in([state.value for state in _NOT_YET]),
    )


def _links_at(person_id: str, phone_index: bytes) -> sa.ColumnElement[bool]:
    """Those that were sent to the number, those that its account has open, and those that were given in a chat: which
    number was proved there stands nowhere, so that all of the person's count."""
    theirs = link.c.person_id == person_id
    account = sa.and_(theirs, link.c.number_index == phone_index)
    borne = sa.select(sa.literal(1)).where(notification.c.person_id == person_id, notification.c.link_id == link.c.id)
    chat = sa.and_(theirs, link.c.number_index.is_(None), link.c.printed_at.is_(None), ~borne.exists())
    return sa.or_(link.c.id.in_(_sent_links(person_id, phone_index)), account, chat)


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    if facility_id is None:
        return statement
    # what somebody wrote or said to the agents is theirs alone, whichever facility it turned out to be about
    return statement.where(support_case.c.facility_id == facility_id, support_case.c.kind != CaseKind.ASKED.value)


def waiting(conn: Connection, kind: CaseKind, facility_id: str | None) -> tuple[int, datetime | None]:
    """(how many cases of a kind wait for somebody, since when the oldest does)."""
    oldest: Any = sa.func.min(support_case.c.opened_at)
    of_kind = _narrowed(sa.select(oldest), facility_id).where(
        support_case.c.status == CaseStatus.OPEN.value, support_case.c.kind == kind.value
    )
    number, since = conn.execute(of_kind.add_columns(sa.func.count())).one()[::-1]
    return number, since
