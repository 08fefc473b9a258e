"""Rows and questions for `sertilink bench` alone: many made-up notifications at once, and when each was handed over.

Only ever used on the throw-away database of a bench.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_reference, random_letters
from notifier.core.link_tokens import new_public_id
from notifier.core.states import CertificateStatus, Channel, DoseStatus, Kind, Lane, State
from notifier.store.engine import Database
from notifier.store.persons import nik_index, phone_index, source_index
from notifier.store.sealed import Sealer
from notifier.store.tables import (
    attempt,
    audit,
    certificate,
    dose,
    event,
    link,
    notification,
    person,
    person_word,
)

_ACTIVE_TIME_SINCE = 14  # PostgreSQL


@dataclass(frozen=True, slots=True)
class Subject:
    """A made-up person with one dose."""

    source: str
    name: str = field(repr=False)
    nik: str = field(repr=False)
    birth_date: date = field(repr=False)
    phone: str = field(repr=False)  #: E.164
    language: str
    product: str
    facility: str


@dataclass(frozen=True, slots=True)
class Made:
    """What stands in the database now."""

    notification_id: str
    public_id: str = field(repr=False)
    birth_date: date = field(repr=False)


def add_waiting(
    conn: Connection, sealer: Sealer, subjects: Iterable[Subject], *, lane: Lane, due_at: datetime, at: datetime
) -> list[Made]:
    """A person, dose, certificate, link and scheduled notification for each, as intake leaves them, in one statement a
    table. Nobody's quiet hours hold these back."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {}
    made = []
    for subject in subjects:
        of_one = _rows_of(sealer, subject, lane, due_at, at)
        for table, row in of_one.items():
            rows.setdefault(table, []).append(row)
        made.append(Made(of_one[notification]["id"], of_one[link]["public_id"], subject.birth_date))
    for table, several in rows.items():
        conn.execute(table.insert(), several)
    return made


def _rows_of(
    sealer: Sealer, subject: Subject, lane: Lane, due_at: datetime, at: datetime
) -> dict[sa.Table, dict[str, Any]]:
    """In the order of their foreign keys."""
    ids = {table: new_id() for table in (person, dose, certificate, link, notification)}
    stamps = {"created_at": at, "updated_at": at}
    people_id, index = {"person_id": ids[person]}, phone_index(sealer, subject.phone)
    certificate_id = {"certificate_id": ids[certificate]}
    return {
        person: sealed_person(sealer, ids[person], subject) | stamps,
        dose: {
            "id": ids[dose],
            "source_id": subject.source,
            "status": DoseStatus.GIVEN.value,
            "number": 1,
            "series_total": 2,
            "product": subject.product,
            "given_on": at.date(),
            "facility": subject.facility,
            **people_id,
            **stamps,
        },
        certificate: {
            "id": ids[certificate],
            "number": "-".join(random_letters(4) for _ in range(3)),  # as issue.new_number has them
            "dose_id": ids[dose],
            "status": CertificateStatus.VALID.value,
            "issued_at": at,
            **people_id,
        },
        link: {
            "id": ids[link],
            "public_id": new_public_id(),
            "created_at": at,
            "expires_at": due_at + timedelta(days=90),
            **people_id,
            **certificate_id,
        },
        notification: {
            "id": ids[notification],
            "reference": new_reference(),
            "kind": Kind.CERTIFICATE.value,
            "channel": Channel.SMS.value,
            "generation": 1,
            "dose_id": ids[dose],
            "link_id": ids[link],
            "status": State.SCHEDULED.value,
            "lane": lane.value,
            "accepted_at": at,
            "due_at": due_at,
            "planned_for": due_at,
            "any_hour": True,
            "phone_index": index,
            **people_id,
            **certificate_id,
            **stamps,
        },
    }


def sealed_person(sealer: Sealer, row_id: str, subject: Subject) -> dict[str, Any]:
    """As store.persons writes one; its reader is what the bench runs."""
    return {
        "id": row_id,
        "source_index": source_index(sealer, subject.source),
        "nik_index": nik_index(sealer, subject.nik),
        "phone_index": phone_index(sealer, subject.phone),
        "name_sealed": sealer.seal("person:name", row_id, subject.name),
        "nik_sealed": sealer.seal("person:nik", row_id, subject.nik),
        "birth_date_sealed": sealer.seal("person:birth_date", row_id, subject.birth_date.isoformat()),
        "phone_sealed": sealer.seal("person:phone", row_id, subject.phone),
        "language": subject.language,
    }


def fall_due(conn: Connection, ids: Sequence[str], start: datetime, per_second: float | None) -> None:
    """Makes notifications due: all at `start`, or from then on so many a second."""
    statement = notification.update().where(notification.c.id == sa.bindparam("row_id"))
    step = 1 / per_second if per_second else 0.0
    moments = [(row_id, start + timedelta(seconds=place * step)) for place, row_id in enumerate(ids)]
    conn.execute(
        statement.values(due_at=sa.bindparam("moment"), planned_for=sa.bindparam("moment")),
        [{"row_id": row_id, "moment": moment} for row_id, moment in moments],
    )


def settle_statistics(conn: Connection) -> None:
    """What autovacuum does after a while on PostgreSQL; nothing on SQLite. Needs autocommit."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("SET statement_timeout = 0"))
        conn.execute(sa.text("VACUUM (ANALYZE)"))
        conn.execute(sa.text("RESET statement_timeout"))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One accepted message. Seconds: when the attempt began and was answered, against the due moment and the epoch."""

    due_at: datetime
    started_at: datetime
    finished_at: datetime


def handed_over(conn: Connection, lane: Lane | None = None, since: datetime | None = None) -> list[HandedOver]:
    """What the provider accepted, in the order of the answers."""
    statement = (
        sa.select(notification.c.planned_for, attempt.c.started_at, attempt.c.finished_at)
        .join(notification, notification.c.id == attempt.c.notification_id)
        .where(attempt.c.outcome == State.ACCEPTED.value, attempt.c.finished_at.is_not(None))
        .order_by(attempt.c.finished_at)
    )
    if lane is not None:
        statement = statement.where(notification.c.lane == lane.value)
    if since is not None:
        statement = statement.where(attempt.c.finished_at >= since)
    return [HandedOver(*row) for row in conn.execute(statement)]


def count_answered(conn: Connection) -> int:
    """Attempts whose outcome is committed."""
    return conn.scalar(sa.select(sa.func.count()).where(attempt.c.finished_at.is_not(None))) or 0


def count_handed_over(conn: Connection, lane: Lane) -> int:
    """Messages of a lane that the provider accepted."""
    statement = (
        sa.select(sa.func.count())
        .select_from(attempt.join(notification, notification.c.id == attempt.c.notification_id))
        .where(attempt.c.outcome == State.ACCEPTED.value, notification.c.lane == lane.value)
    )
    return conn.scalar(statement) or 0


def count_events(conn: Connection) -> int:
    """Events in the inbox."""
    return conn.scalar(sa.select(sa.func.count()).select_from(event)) or 0


# what the naive design keeps: plain, as such designs do; the people are made up
_naive = sa.Table(
    "naive_message",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sent_to", sa.String(20), nullable=False),
    sa.Column("text", sa.String(500), nullable=False),
    sa.Column("provider_sid", sa.String(64)),
)


def add_naive(conn: Connection, messages: Sequence[tuple[str, str]]) -> None:
    """The naive design's table, with (number to send to, text) of each message."""
    _naive.create(conn, checkfirst=True)
    conn.execute(
        _naive.insert(),
        [{"number": place, "sent_to": to, "text": text} for place, (to, text) in enumerate(messages)],
    )


def naive_message(conn: Connection, number: int) -> sa.Row[Any]:
    """One message of the naive design."""
    return conn.execute(sa.select(_naive).where(_naive.c.number == number)).one()


def naive_sent(conn: Connection, number: int, sid: str) -> None:
    """Writes that one message was sent."""
    conn.execute(_naive.update().where(_naive.c.number == number).values(provider_sid=sid))


def fill(conn: Connection, person_id: str, *, first: int, count: int, due_at: datetime) -> None:
    """Scheduled notifications `first` and the `count - 1` after it, all due at one moment, made by the database itself:
    about one person, without dose, certificate and link, since all that happens to them is a claim. Nine in ten stand
    in the lane `normal`."""
    number, source, as_id = _numbers(conn, first, count)
    moment = sa.literal(due_at, notification.c.due_at.type)
    columns = {
        "id": as_id,
        "reference": sa.literal("B") + sa.cast(number, sa.String(20)),
        "kind": sa.literal(Kind.CERTIFICATE.value),
        "channel": sa.literal(Channel.SMS.value),
        "generation": sa.literal(1),
        "person_id": sa.literal(person_id, notification.c.person_id.type),
        "status": sa.literal(State.SCHEDULED.value),
        "lane": sa.case((number % 10 == 0, Lane.BULK.value), else_=Lane.NORMAL.value),
        "any_hour": sa.true(),
        **{name: moment for name in ("accepted_at", "due_at", "planned_for", "created_at", "updated_at")},
    }
    chosen = sa.select(*(value.label(name) for name, value in columns.items())).select_from(source)
    conn.execute(notification.insert().from_select(list(columns), chosen, include_defaults=False))


def _numbers(conn: Connection, first: int, count: int) -> tuple[Any, Any, Any]:
    """(the number, where it comes from, the row id made of it)."""
    if conn.dialect.name == "postgresql":
        series = sa.func.generate_series(first, first + count - 1).table_valued("n", name="numbers").render_derived()
        text = sa.func.lpad(sa.func.to_hex(series.c.n), 32, "0")
        return series.c.n, series, sa.cast(text, sa.Uuid(as_uuid=False))
    start = sa.select(sa.literal(first, sa.Integer).label("n")).cte("numbers", recursive=True)
    series_cte = start.union_all(sa.select(start.c.n + 1).where(start.c.n < first + count - 1))
    text = sa.func.printf("%032x", series_cte.c.n)
    return series_cte.c.n, series_cte, sa.type_coerce(text, sa.Uuid(as_uuid=False))


def bare_select(conn: Connection, limit: int, now: datetime) -> int:
    """The floor of a claim: the oldest due ids, locked where the database locks rows; how many."""
    statement = (
        sa.select(notification.c.id)
        .where(notification.c.status == sa.literal_column("'scheduled'"), notification.c.lane == Lane.NORMAL.value)
        .where(notification.c.due_at <= now)
        .order_by(notification.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return len(conn.execute(statement).all())


def active_ms(server: str, database: str) -> float | None:
    """How long a PostgreSQL server has been executing statements in a database, in milliseconds, by its own count; None
    where it keeps none (before 14). Complete only once the connections that did it are closed."""
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as conn:
        if int((conn.dialect.server_version_info or (0,))[0]) < _ACTIVE_TIME_SINCE:
            return None
        asked = sa.text("SELECT active_time FROM pg_stat_database WHERE datname = :name")
        return float(conn.execute(asked, {"name": database}).scalar_one())


def person_of(conn: Connection, notification_id: str) -> str:
    """Whom a notification is about."""
    statement = sa.select(notification.c.person_id).where(notification.c.id == notification_id)
    return str(conn.scalars(statement).one())


def accepted_moments(conn: Connection) -> list[datetime]:
    """When each event was taken, in order."""
    return list(conn.scalars(sa.select(event.c.accepted_at).order_by(event.c.accepted_at)))


#: what one new dose writes, in the order of the foreign keys
_WRITTEN = (person, person_word, event, dose, certificate, link, notification, audit)
#: one batch: by table, the INSERT and its rows as the driver takes them
RawBatch = dict[str, tuple[str, list[tuple[Any, ...]]]]


def copied_batches(conn: Connection, size: int) -> list[RawBatch]:
    """Everything that some events wrote, in batches of `size` events, ready for the driver."""
    order = {
        key: place
        for place, row in enumerate(conn.execute(sa.select(notification).order_by(notification.c.id)))
        for key in (row.person_id, row.dose_id, row.certificate_id, row.link_id, row.event_id, row.id)
    }
    batches: list[RawBatch] = [{} for _ in range(-(-(max(order.values()) + 1) // size))]
    owner = {person_word: "person_id", audit: "subject_id"}
    for table in _WRITTEN:
        names = [column.name for column in table.columns]
        key_at = names.index(owner.get(table, "id"))
        for row in conn.execute(sa.select(*(_plain(column) for column in table.columns))):
            place = order.get(str(uuid.UUID(str(row[key_at]))))
            if place is None:
                continue
            _, rows = batches[place // size].setdefault(table.name, (_insert(conn, table), []))
            rows.append(tuple(row))
    return batches


def _plain(column: sa.Column[Any]) -> Any:
    """A column without our types, so that what is read can be written as it is; JSON as text."""
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text).label(column.name)
    return sa.type_coerce(column, sa.types.NullType())


def _insert(conn: Connection, table: sa.Table) -> str:
    mark = "?" if conn.dialect.name == "sqlite" else "%s"
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark] * len(table.columns))})'  # noqa: S608


def insert_raw(db: Database, batches: Iterable[RawBatch]) -> None:
    """Writes batches by the driver's executemany alone, a transaction each."""
    for batch in batches:
        with db.write() as conn:
            cursor = conn.connection.cursor()
            for statement, rows in batch.values():
                cursor.executemany(statement, rows)
            cursor.close()
