"""Which messages a bulk resend would answer, and why some would be left out: one question to the database, whether
about three million messages or about a chunk.

The rules are those of support.resend, said once more as SQL: a dry run may not ask row by row. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.bulks import BulkState, Exclusion
from notifier.core.resend_filter import Bounds, ResendFilter
from notifier.core.states import KIND_RULES, DoseStatus, Kind, Reason, State
from notifier.store.bulk import among
from notifier.store.tables import (
    bulk,
    bulk_item,
    certificate,
    dose,
    facility,
    link,
    notification,
    number_pause,
    person,
    suppression,
)

Row = sa.Row[Any]
_ROOM = (
    "SELECT set_config('work_mem', '128MB', :is_local), set_config('jit', 'off', :is_local),"
    " set_config('enable_mergejoin', 'off', :is_local)"
)
#: of two NOT EXISTS PostgreSQL believes that hardly a message is left, and then goes through an index for each of many
_HASHED = _ROOM + ", set_config('enable_nestloop', 'off', :is_local)"
_COUNTING = [kind.value for kind, rules in KIND_RULES.items() if rules.daily_cap]
#: what a bulk may send again; a renewal belongs to the moment in which somebody asked for it
BULK_KINDS = frozenset({Kind.CERTIFICATE, Kind.CORRECTION})
#: what has not left, or is leaving, by the predicates of the indexes on it
_WAITING = (
    "status = 'scheduled'",
    "status IN ('claimed', 'sending')",
    "status = 'held'",
)
#: what the rules ask of a message
_JUDGED = ("dose_id", "person_id", "certificate_id", "channel", "phone_index", "status", "reason", "segments")
#: a later message that stands here has answered the one before it
_ANSWERS = frozenset(
    {State.UNKNOWN, State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.SUPPRESSED}
)
#: why a message was not sent, where another number mends it
_NUMBER_REASONS = (Reason.NO_PHONE, Reason.BAD_PHONE, Reason.WRONG_NUMBER)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for each person. `day_start`: since when SMS count towards `daily_cap`; `cooled`: whoever got an SMS
    since then is left out; `schedule_id`: at most `most_per_person` by this schedule, ever."""

    day_start: datetime
    cooled: datetime
    daily_cap: int
    zone: str  #: of those who have none of their own
    schedule_id: str | None = None
    most_per_person: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a dry run: `reason` why it is left out, None for what would be sent, then with its time zone."""

    reason: str | None
    zone: str | None
    count: int
    segments: int


def counted(conn: Connection, wanted: ResendFilter, bounds: Bounds, limits: Limits) -> list[Group]:
    """The whole dry run. Reads without a transaction (`Database.read`)."""
    few = wanted.unopened_days is not None
    facts = _Facts(conn, message=_unopened(wanted, bounds)) if few else _Facts(conn)
    matches = [] if few else _matches(wanted, bounds, facts)
    rules = _rules(facts, limits)
    if few:
        rules = [rule for rule in rules if rule[1] != Exclusion.OPENED.value]  # none is left: not asked twice
    reason = sa.case((facts.in_bulk(), Exclusion.IN_BULK.value), *rules)
    zone = sa.func.coalesce(person.c.time_zone, facility.c.time_zone, limits.zone)
    each = sa.select(
        reason.label("reason"), sa.case((reason.is_(None), zone)).label("zone"), facts.message.c.segments
    ).select_from(facts.source)
    found = each.where(*matches).subquery()
    segments = sa.func.coalesce(sa.func.sum(found.c.segments), 0)
    statement = sa.select(found.c.reason, found.c.zone, sa.func.count(), segments)
    with _roomy(conn, _HASHED if few else _ROOM):
        return [Group(*row) for row in conn.execute(statement.group_by(found.c.reason, found.c.zone))]


def _unopened(wanted: ResendFilter, bounds: Bounds) -> Any:
    """The messages that the filter names, unanswered and unopened, as a table of their own: OFFSET 0 keeps PostgreSQL
    from mixing it with what is asked of each of them, so that its workers find the few of the millions side by side."""
    named = sa.select(*(notification.c[name] for name in _JUDGED)).where(*_named(wanted, bounds))
    if wanted.facility or wanted.lot or wanted.product:
        named = named.join(dose, dose.c.id == notification.c.dose_id)
    return named.where(~_opened(notification), ~_newer(notification)).offset(0).subquery("message")


def newest(conn: Connection, wanted: ResendFilter, bounds: Bounds, limit: int) -> list[str]:
    """The newest messages that have what the filter names, whatever came after them: `judged` says which would go."""
    facts = _Facts(conn)
    statement = sa.select(notification.c.id).select_from(facts.source).where(*_named(wanted, bounds))
    if bounds.left_before is not None:
        # nothing leaves before it is made: where the list begins, newest first
        statement = statement.where(notification.c.created_at < bounds.left_before)
    newest_first = statement.order_by(notification.c.created_at.desc(), notification.c.id.desc())
    return list(conn.scalars(newest_first.limit(limit)))


def gathered(
    conn: Connection,
    bulk_id: str,
    wanted: ResendFilter,
    bounds: Bounds,
    *,
    made_before: datetime,
    after: str | None,
    limit: int,
) -> list[Row]:
    """The next messages that match and whose dose is not in the bulk yet, in the order of their ids: `id`, `dose_id`,
    and the `reason` where another bulk has the dose. `made_before`: what came later was not counted. Part of the
    caller's transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text(_ROOM), {"is_local": True})
    facts = _Facts(conn)
    matches = _matches(wanted, bounds, facts)
    reason = sa.case((facts.in_bulk(), Exclusion.IN_BULK.value)).label("reason")
    mine = sa.select(bulk_item.c.dose_id).where(
        bulk_item.c.bulk_id == bulk_id, bulk_item.c.dose_id == notification.c.dose_id
    )
    statement = (
        sa.select(notification.c.id, notification.c.dose_id, reason)
        .select_from(facts.source)
        .where(*matches, notification.c.created_at <= made_before, ~mine.correlate(notification).exists())
        .order_by(notification.c.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(notification.c.id > after)
    return list(conn.execute(statement))


def judged(conn: Connection, message_ids: Collection[str], limits: Limits) -> list[Row]:
    """Some messages as they stand now: their columns, `exclusion` (None: may be sent), `facility_zone`."""
    names = ("id", "dose_id", "person_id", "certificate_id")
    keys = conn.execute(
        sa.select(*(notification.c[name] for name in names)).where(among(conn, notification.c.id, list(message_ids)))
    ).all()
    if not keys:
        return []
    facts = _Facts(conn, {name: sorted({key[place] for key in keys if key[place]}) for place, name in enumerate(names)})
    exclusion = sa.case((_newer(notification), Exclusion.SUPERSEDED.value), *_rules(facts, limits)).label("exclusion")
    statement = sa.select(notification, exclusion, facility.c.time_zone.label("facility_zone"))
    wanted = among(conn, notification.c.id, facts.within["id"])
    return list(conn.execute(statement.select_from(facts.source).where(wanted)))


class _Facts:
    """The messages, and what is joined to them on the way. `within`: the keys that a chunk is about; without them a
    set is made of the whole table, once, which is the faster way for very many messages."""

    def __init__(
        self, conn: Connection, within: Mapping[str, Sequence[str]] | None = None, message: Any = notification
    ) -> None:
        self.within = within or {}
        self.message = message
        self._conn = conn
        self.source: Any = message.join(dose, dose.c.id == message.c.dose_id)

    def join(self, other: Any, on: Any) -> None:
        """Adds a table or a set; a message without a row in it stays."""
        self.source = self.source.outerjoin(other, on)

    def narrowed(self, statement: sa.Select[Any], column: Any, name: str) -> sa.Select[Any]:
        """Only what belongs to the chunk's keys of the name."""
        if not self.within:
            return statement
        return statement.where(among(self._conn, column, self.within[name]))

    def once(self, statement: sa.Select[Any]) -> Any:
        """A set to be joined. Of the whole table it is made once, not by each of PostgreSQL's parallel workers."""
        if self.within:
            return statement.subquery()
        made = statement.cte()
        return made.prefix_with("MATERIALIZED", dialect="postgresql")

    def among(self, column: Any, name: str, *where: Any) -> sa.ColumnElement[bool]:
        """Whether a message's own `name` stands in a column of the rows that `where` holds for."""
        keys = self.once(self.narrowed(sa.select(column.label("key")).where(*where).distinct(), column, name))
        key: sa.ColumnElement[Any] = keys.c.key
        self.join(keys, key == self.message.c[name])
        return key.is_not(None)

    def opened(self) -> sa.ColumnElement[bool]:
        """Whether a person has opened the certificate, by any of its links, where that is asked of very many: of
        NOT EXISTS PostgreSQL believes that hardly a message is left, and then takes hours."""
        return self.among(link.c.certificate_id, "certificate_id", link.c.opened_at.is_not(None))

    def in_bulk(self) -> sa.ColumnElement[bool]:
        """Whether a bulk has the dose and has not decided about it yet."""
        going = sa.select(bulk.c.id).where(bulk.c.state.in_([BulkState.RUNNING.value, BulkState.PAUSED.value]))
        return self.among(
            bulk_item.c.dose_id, "dose_id", sa.text("bulk_item.state = 'waiting'"), bulk_item.c.bulk_id.in_(going)
        )


def _rules(facts: _Facts, limits: Limits) -> list[tuple[Any, str]]:
    """Why a message is left out, the first that holds."""
    message = facts.message.c
    facts.source = facts.source.join(person, person.c.id == message.person_id)
    facts.join(facility, facility.c.id == dose.c.facility_id)
    # a literal, for the partial index: very few certificates have ended
    ended = facts.among(certificate.c.id, "certificate_id", sa.text("certificate.status <> 'valid'"))
    opted_out, not_me = _numbers(facts)
    capped, cooled = _recent(facts, limits)
    rules = [
        (dose.c.status == DoseStatus.WITHDRAWN.value, Reason.WITHDRAWN),
        (person.c.deceased_at.is_not(None), Reason.DECEASED),
        (person.c.phone_problem == Reason.WRONG_NUMBER.value, Reason.WRONG_NUMBER),
        (person.c.phone_problem.is_not(None), Reason.BAD_PHONE),
        (person.c.phone_index.is_(None), Reason.NO_PHONE),  # a number without a problem always has one
        (not_me, Reason.NOT_ME),
        (opted_out, Reason.OPTED_OUT),
        (sa.or_(ended, message.certificate_id.is_(None)), Exclusion.CERTIFICATE_REPLACED),
        (_still_waiting(facts), Exclusion.STILL_WAITING),
        (_opened(facts.message), Exclusion.OPENED),
        (_number_changed(facts.message), Reason.NUMBER_CHANGED),
        (capped, Reason.DAILY_CAP),
        (cooled, Exclusion.COOLDOWN),
    ]
    if limits.schedule_id is not None:
        rules.append((_often_enough(facts, limits.schedule_id, limits.most_per_person), Exclusion.OFTEN))
    return [(holds, why.value) for holds, why in rules]


def _opened(message: Any) -> sa.ColumnElement[bool]:
    """The same where it is asked of some: a look into the index for each."""
    opened = sa.select(link.c.id).where(
        link.c.certificate_id == message.c.certificate_id, link.c.opened_at.is_not(None)
    )
    return opened.correlate(message).exists()


def _still_waiting(facts: _Facts) -> sa.ColumnElement[bool]:
    message = notification.alias("waiting_message").c
    # literals, a part for each partial index: of the millions few wait
    waits = sa.or_(*(sa.text(f"waiting_message.{part}") for part in _WAITING))
    return facts.among(message.dose_id, "dose_id", waits, message.link_id.is_not(None))


def _numbers(facts: _Facts) -> tuple[Any, Any]:
    """Whether the number as it stands now is suppressed, and whether it is said to be a stranger's. Both tables hold
    at most one open row for each."""
    number, not_lifted = person.c.phone_index, sa.text("lifted_at IS NULL")
    stopped = sa.select(suppression.c.phone_index, suppression.c.channel).where(not_lifted).subquery("stopped")
    paused = sa.select(number_pause.c.person_id, number_pause.c.phone_index).where(not_lifted).subquery("paused")
    on_channel = stopped.c.channel == facts.message.c.channel
    facts.join(stopped, sa.and_(stopped.c.phone_index == number, on_channel))
    facts.join(paused, sa.and_(paused.c.person_id == person.c.id, paused.c.phone_index == number))
    return stopped.c.phone_index.is_not(None), paused.c.person_id.is_not(None)


def _number_changed(message: Any) -> Any:
    """It may be somebody else's phone now. Where a number was what was missing, another one is what was waited for."""
    mended = sa.and_(
        message.c.status == State.SUPPRESSED.value,
        message.c.reason.in_([reason.value for reason in _NUMBER_REASONS]),
    )
    return sa.and_(person.c.phone_index.is_distinct_from(message.c.phone_index), ~mended)


def _recent(facts: _Facts, limits: Limits) -> tuple[Any, Any]:
    """Whether the person has had as many SMS today as may be, and whether one has left just now and may be there."""
    message = notification.alias("recent_message").c
    never_came = message.status.in_([State.UNDELIVERED.value, State.FAILED.value])
    today = sa.func.sum(sa.case((message.left_at >= limits.day_start, 1), else_=0)).label("today")
    last = sa.func.max(sa.case((~never_came, message.left_at))).label("last")
    each = sa.select(message.person_id, today, last).where(
        message.left_at >= min(limits.day_start, limits.cooled), message.kind.in_(_COUNTING)
    )
    recent = facts.once(facts.narrowed(each, message.person_id, "person_id").group_by(message.person_id))
    facts.join(recent, recent.c.person_id == facts.message.c.person_id)
    return recent.c.today >= limits.daily_cap, recent.c.last >= limits.cooled


def _often_enough(facts: _Facts, schedule_id: str, most: int) -> sa.ColumnElement[bool]:
    message = notification.alias("scheduled_message").c
    never_left = (State.CANCELLED.value, State.SUPPRESSED.value)
    each = (
        sa.select(message.person_id)
        .join(bulk, bulk.c.id == message.bulk_id)
        .where(bulk.c.schedule_id == schedule_id, message.status.not_in(never_left))
    )
    many = facts.narrowed(each, message.person_id, "person_id").group_by(message.person_id)
    often = facts.once(many.having(sa.func.count() >= most))
    whose: sa.ColumnElement[Any] = often.c.person_id
    facts.join(often, whose == facts.message.c.person_id)
    return whose.is_not(None)


def _newer(message: Any) -> sa.ColumnElement[bool]:
    """Whether a later message about the same dose has been sent, or could not be."""
    theirs, mine = notification.alias("later").c, message.c
    statement = sa.select(theirs.id).where(
        theirs.dose_id == mine.dose_id,
        theirs.link_id.is_not(None),
        theirs.status.in_(_words(_ANSWERS)),
        # nothing is older than a dose's first message, so it answers none: most rows need not be looked at
        sa.or_(theirs.generation > 1, theirs.kind != Kind.CERTIFICATE.value),
        sa.tuple_(theirs.created_at, theirs.id) > sa.tuple_(mine.created_at, mine.id),
    )
    return statement.correlate(message).exists()


def _matches(wanted: ResendFilter, bounds: Bounds, facts: _Facts) -> list[sa.ColumnElement[bool]]:
    """What the filter names, where no later message answered it; unopened where that is asked for."""
    unopened = [~facts.opened()] if wanted.unopened_days is not None else []
    return [*_named(wanted, bounds), ~_newer(notification), *unopened]


def _named(wanted: ResendFilter, bounds: Bounds) -> list[sa.ColumnElement[bool]]:
    message = notification.c
    found: list[sa.ColumnElement[bool]] = [
        message.kind.in_([kind.value for kind in BULK_KINDS]),
        message.status.in_(_words(wanted.wanted.states)),
    ]
    equal = (
        (message.reason, wanted.reason),
        (message.provider_code, wanted.code),
        (dose.c.facility_id, wanted.facility),
        (dose.c.lot, wanted.lot),
        (dose.c.product, wanted.product),
    )
    found += [column == value for column, value in equal if value is not None]
    spans = (
        (message.accepted_at, bounds.accepted_from, bounds.accepted_before),
        # what the provider refused has not left; then it is the moment of the try
        (sa.func.coalesce(message.left_at, message.ended_at), bounds.left_from, bounds.left_before),
    )
    for column, start, before in spans:
        found += [column >= start] if start is not None else []
        found += [column < before] if before is not None else []
    return found


@contextmanager
def _roomy(conn: Connection, room: str = _ROOM) -> Iterator[None]:
    """On PostgreSQL: room to hash a million rows in memory, and no compiling of a statement that runs once. Given back
    at the end, since the connection is somebody else's next."""
    if conn.dialect.name == "sqlite":
        yield
        return
    conn.execute(sa.text(room), {"is_local": False})
    try:
        yield
    finally:
        for name in ("work_mem", "jit", "enable_mergejoin", "enable_nestloop"):
            conn.execute(sa.text(f"RESET {name}"))


def _words(states: Collection[State]) -> list[str]:
    return sorted(state.value for state in states)
