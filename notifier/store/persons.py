"""Persons: sealed rows in, opened values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.identity import name_words
from notifier.store.bulk import among, insert_rows, listed
from notifier.store.sealed import Sealer
from notifier.store.tables import number_pause, person, person_word

MAX_WRONG_TRIES = 5  # for life, over every link and door


@dataclass(frozen=True, slots=True)
class Person:
    """One person, opened. `phone` is E.164 unless `phone_problem` says why it cannot receive an SMS."""

    id: str
    name: str = field(repr=False)
    nik: str | None = field(repr=False)
    birth_date: date | None = field(repr=False)
    phone: str | None = field(repr=False)
    phone_problem: str | None
    language: str
    time_zone: str | None
    recorded_at: datetime | None = None
    wrong_tries: int = 0
    locked_at: datetime | None = None
    deceased_at: datetime | None = None

    @property
    def mobile(self) -> str | None:
        """The number that an SMS can go to."""
        return None if self.phone_problem else self.phone


def source_index(sealer: Sealer, source_id: str) -> bytes:
    """The blind index of the registry's own person id (some registries use the NIK as one)."""
    return sealer.index("person.source", source_id)


def nik_index(sealer: Sealer, nik: str) -> bytes:
    return sealer.index("person.nik", nik)


def phone_index(sealer: Sealer, e164: str) -> bytes:
    return sealer.index("phone", e164)


def find_by_source(conn: Connection, index: bytes) -> str | None:
    """The id of the person with a registry id."""
    return conn.scalar(sa.select(person.c.id).where(person.c.source_index == index))


def find_by_nik(conn: Connection, index: bytes) -> str | None:
    """The id of the person with a NIK; the oldest row where a registry gave one NIK to two of its persons."""
    statement = sa.select(person.c.id).where(person.c.nik_index == index).order_by(person.c.created_at, person.c.id)
    return conn.scalar(statement.limit(1))


def others_with_nik(conn: Connection, index: bytes, person_id: str) -> list[str]:
    """The ids of those with a NIK who are not this person."""
    statement = sa.select(person.c.id).where(person.c.nik_index == index, person.c.id != person_id)
    return list(conn.scalars(statement.limit(10)))


def has_source(conn: Connection, person_id: str) -> bool:
    """Whether a registry has given this person an id."""
    statement = sa.select(person.c.id).where(person.c.id == person_id, person.c.source_index.is_not(None))
    return conn.scalar(statement) is not None


def insert(conn: Connection, sealer: Sealer, row: Person, *, source: bytes | None, at: datetime) -> None:
    """Adds a person."""
    conn.execute(
        person.insert(),
        _values(sealer, row) | {"id": row.id, "source_index": source, "created_at": at, "updated_at": at},
    )
    _index_words(conn, sealer, row)


def update(conn: Connection, sealer: Sealer, row: Person, *, at: datetime) -> None:
    """Replaces what a registry may correct. Tries and locks stay as they are."""
    conn.execute(person.update().where(person.c.id == row.id).values(**_values(sealer, row), updated_at=at))
    conn.execute(person_word.delete().where(person_word.c.person_id == row.id))
    _index_words(conn, sealer, row)


def adopt_source(conn: Connection, person_id: str, source: bytes) -> None:
    """Gives a person that was matched by NIK the registry's id, where it has none yet."""
    conn.execute(
        person.update().where(person.c.id == person_id, person.c.source_index.is_(None)).values(source_index=source)
    )


def load(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, Person]:
    """Persons by id, opened. Raises SealBroken where one cannot be."""
    rows = conn.execute(sa.select(person).where(person.c.id.in_(list(ids))))
    return {row.id: opened(sealer, dict(row._mapping)) for row in rows}


def get(conn: Connection, sealer: Sealer, person_id: str) -> Person:
    """One person. Raises KeyError where there is none."""
    return load(conn, sealer, [person_id])[person_id]


def ids_with_phone(conn: Connection, index: bytes, limit: int = 50) -> list[str]:
    """The persons whose number this is (a family may share one), in the order of their ids."""
    statement = sa.select(person.c.id).where(person.c.phone_index == index)
    return list(conn.scalars(statement.order_by(person.c.id).limit(limit)))


@cache
def _free_at(dialect: str) -> sa.Select[Any]:
    return sa.select(person).where(
        listed(dialect, person.c.id),
        person.c.phone_index == sa.bindparam("number"),
        person.c.locked_at.is_(None),
        ~sa.exists().where(
            number_pause.c.person_id == person.c.id,
            number_pause.c.phone_index == person.c.phone_index,
            sa.text("number_pause.lifted_at IS NULL"),  # literal: a bound parameter would not match the partial index
        ),
    )


def free_at(conn: Connection, sealer: Sealer, ids: Collection[str], index: bytes) -> list[Person]:
    """Of some persons, opened, those whose number this is, who are not locked, and of whom nobody has said that it is
    a stranger's. One that cannot be opened is left out."""
    found = []
    for row in conn.execute(_free_at(conn.dialect.name), {"ids": list(ids), "number": index}) if ids else ():
        with suppress(SealBroken):
            found.append(opened(sealer, dict(row._mapping)))
    return found


def count_wrong_try(conn: Connection, person_id: str, at: datetime) -> int | None:
    """Counts one wrong birth date in one conditional UPDATE; the count after it, or None where the lock has fallen
    already. The fifth sets `locked_at`."""
    tries = person.c.wrong_tries + 1
    locked = sa.case((tries >= MAX_WRONG_TRIES, sa.literal(at, person.c.locked_at.type)), else_=person.c.locked_at)
    statement = (
        person.update()
        .where(person.c.id == person_id, person.c.wrong_tries < MAX_WRONG_TRIES)
        .values(wrong_tries=tries, locked_at=locked)
        .returning(person.c.wrong_tries)
    )
    count: int | None = conn.scalar(statement)
    return count


def hold(conn: Connection, person_id: str) -> None:
    """Keeps a person's row from changing until the caller's transaction ends: what is decided about one person (tries,
    pauses, cases, new links) stands in line here, before any other of their rows is locked."""
    conn.execute(sa.select(person.c.id).where(person.c.id == person_id).with_for_update(key_share=True))


def unlock(conn: Connection, person_id: str) -> None:
    """Forgets the wrong tries; whoever calls has checked who asks, and writes the audit row."""
    conn.execute(person.update().where(person.c.id == person_id).values(wrong_tries=0, locked_at=None))


def _values(sealer: Sealer, row: Person) -> dict[str, Any]:
    born = row.birth_date.isoformat() if row.birth_date else None
    return {
        "nik_index": nik_index(sealer, row.nik) if row.nik else None,
        "phone_index": phone_index(sealer, row.mobile) if row.mobile else None,
        "name_sealed": sealer.seal("person:name", row.id, row.name),
        "nik_sealed": sealer.seal("person:nik", row.id, row.nik) if row.nik else None,
        "birth_date_sealed": sealer.seal("person:birth_date", row.id, born) if born else None,
        "phone_sealed": sealer.seal("person:phone", row.id, row.phone) if row.phone else None,
        "phone_problem": row.phone_problem,
        "language": row.language,
        "time_zone": row.time_zone,
        "recorded_at": row.recorded_at,
    }


def _words(sealer: Sealer, row: Person) -> list[dict[str, Any]]:
    return [{"person_id": row.id, "word_index": sealer.index("person.word", word)} for word in name_words(row.name)]


def _index_words(conn: Connection, sealer: Sealer, row: Person) -> None:
    words = _words(sealer, row)
    if words:
        conn.execute(person_word.insert(), words)


def opened(sealer: Sealer, row: Mapping[str, Any]) -> Person:
    """A row of the table, opened."""

    def value(column: str) -> str | None:
        sealed = row[column + "_sealed"]
        return None if sealed is None else sealer.open(f"person:{column}", row["id"], sealed)

    born = value("birth_date")
    return Person(
        id=row["id"],
        name=value("name") or "",
        nik=value("nik"),
        birth_date=date.fromisoformat(born) if born else None,
        phone=value("phone"),
        phone_problem=row["phone_problem"],
        language=row.get("own_language") or row["language"],
        time_zone=row["time_zone"],
        recorded_at=row["recorded_at"],
        wrong_tries=row["wrong_tries"],
        locked_at=row["locked_at"],
        deceased_at=row["deceased_at"],
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """Somebody who may turn out to be new, sealed already."""

    person: Person
    values: dict[str, Any] = field(repr=False)
    words: list[dict[str, Any]] = field(repr=False)


def draft(sealer: Sealer, row: Person, source: bytes | None) -> Draft:
    """A person to be inserted, with the index of the registry's id for it; touches no database."""
    values = _values(sealer, row) | {"id": row.id, "source_index": source}
    return Draft(row, values, _words(sealer, row))


def insert_many(conn: Connection, drafts: Sequence[Draft], *, at: datetime) -> None:
    """Adds persons."""
    insert_rows(conn, person, [{**draft.values, "created_at": at, "updated_at": at} for draft in drafts])
    insert_rows(conn, person_word, [word for draft in drafts for word in draft.words])


def find_each_by_source(conn: Connection, indexes: Collection[bytes]) -> dict[bytes, sa.Row[Any]]:
    """The persons with some registry ids, still sealed (see `opened`)."""
    if not indexes:
        return {}
    found = conn.execute(sa.select(person).where(among(conn, person.c.source_index, indexes)))
    return {row.source_index: row for row in found}


def load_indexes(conn: Connection, ids: Collection[str]) -> list[sa.Row[Any]]:
    """The blind indexes of some persons: `id`, `source_index`, `nik_index`."""
    if not ids:
        return []
    statement = sa.select(person.c.id, person.c.source_index, person.c.nik_index)
    return list(conn.execute(statement.where(among(conn, person.c.id, ids))))


def find_each_by_nik(conn: Connection, indexes: Collection[bytes]) -> dict[bytes, sa.Row[Any]]:
    """The persons with some NIK, still sealed; the oldest row of each (see `find_by_nik`)."""
    if not indexes:
        return {}
    statement = sa.select(person).where(among(conn, person.c.nik_index, indexes))
    found = conn.execute(statement.order_by(person.c.created_at.desc(), person.c.id.desc()))
    return {row.nik_index: row for row in found}


def note_words_of(conn: Connection, moments: Mapping[str, datetime], *, at: datetime) -> None:
    """Keeps, by person id, when a registry said last what we knew already."""
    if not moments:
        return
    statement = person.update().where(person.c.id == sa.bindparam("row_id"))
    conn.execute(
        statement.values(recorded_at=sa.bindparam("said_at"), updated_at=at),
        [{"row_id": person_id, "said_at": said_at} for person_id, said_at in moments.items()],
    )
