"""Many rows in one go are what an INSERT each would have added; errors are SQLAlchemy's, without values."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.ids import REFERENCE_ALPHABET, new_ids, random_letters
from notifier.services import Services
from notifier.store import audit, doses, events, persons
from notifier.store.bulk import insert_rows
from notifier.store.tables import audit as audit_table
from notifier.store.tables import dose, event

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ODD = 'Back\\slash, tab\t, "quotes", line\nbreak, \\N, é, 😀'


def a_dose(number: int, row_id: str, **changes: Any) -> dict[str, Any]:
    base = {"id": row_id, "source_id": f"d{number}", "status": "given", "product": ODD, "given_on": date(2026, 11, 22)}
    return base | {"number": None, "created_at": AT, "updated_at": AT} | changes


@pytest.mark.parametrize("count", [0, 1, 3, 4, 600])
def test_rows_come_out_as_they_went_in(each_services: Services, count: int) -> None:
    rows = [a_dose(number, row_id) for number, row_id in enumerate(new_ids(count))]
    with each_services.db.write() as conn:
        insert_rows(conn, dose, rows)
    with each_services.db.read() as conn:
        found = {row.id: row._mapping for row in conn.execute(sa.select(dose))}
    assert len(found) == count
    for row in rows:
        assert {name: found[row["id"]][name] for name in row} == row


def test_a_moment_of_another_zone_is_kept_in_utc_and_one_without_is_refused(each_services: Services) -> None:
    jakarta = AT.astimezone(timezone(timedelta(hours=7)))
    rows = [a_dose(number, row_id, created_at=jakarta) for number, row_id in enumerate(new_ids(5))]
    with each_services.db.write() as conn:
        insert_rows(conn, dose, rows)
        assert set(conn.scalars(sa.select(dose.c.created_at))) == {AT}
        with pytest.raises(ValueError, match="zone"):
            insert_rows(conn, dose, [row | {"created_at": datetime(2026, 11, 23)} for row in rows])  # noqa: DTZ001


def test_a_row_that_came_before_is_an_integrity_error_that_shows_no_parameters(each_services: Services) -> None:
    rows = [a_dose(number, row_id, product="secret words") for number, row_id in enumerate(new_ids(5))]
    with each_services.db.write() as conn:
        insert_rows(conn, dose, rows)
    with pytest.raises(sa.exc.IntegrityError) as refused, each_services.db.write() as conn:
        insert_rows(conn, dose, rows)
    assert "secret words" not in str(refused.value)
    with each_services.db.write() as conn:  # the connection is still good
        with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
            insert_rows(conn, dose, rows)
        assert conn.scalar(sa.select(sa.func.count()).select_from(dose)) == 5


def test_words_of_an_audit_row_are_the_same_json_either_way(each_services: Services) -> None:
    told: dict[str, str | int | None] = {"outcome": "planned", "reason": None, "count": 3}
    rows = [
        audit.new_row(row_id=row_id, at=AT, actor="a", action="b", subject="c", subject_id="d", detail=told)
        for row_id in new_ids(5)
    ]
    with each_services.db.write() as conn:
        audit.write_many(conn, rows)
        audit.write(conn, at=AT, actor="a", action="b", subject="c", subject_id="d", outcome="planned", count=3)
        details = [row.detail for row in conn.execute(sa.select(audit_table))]
    assert details == [{"outcome": "planned", "count": 3}] * 6


def test_look_ups_find_what_is_there_and_nothing_else(each_services: Services) -> None:
    with each_services.db.write() as conn:
        insert_rows(conn, dose, [a_dose(number, row_id) for number, row_id in enumerate(new_ids(5))])
        doses.remember_facility(conn, "f1", "Puskesmas")
        assert set(doses.find_each(conn, {"d1", "d4", "d9"})) == {"d1", "d4"}
        assert doses.find_facilities(conn, {"f1", "f2"}) == {"f1": None}
        assert events.find_each(conn, {"e1"}) == {}
        assert persons.find_each_by_source(conn, set()) == {}


def test_a_dangling_reference_in_a_batch_is_refused(each_services: Services) -> None:
    rows = [a_dose(number, row_id, person_id=row_id) for number, row_id in enumerate(new_ids(5))]
    with pytest.raises(sa.exc.IntegrityError), each_services.db.write() as conn:
        insert_rows(conn, dose, rows)
    with each_services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(event)) == 0


def test_ids_of_a_batch_are_uuids_of_version_7_and_all_different() -> None:
    ids = new_ids(5000)
    assert len(set(ids)) == 5000
    for text in ids[:200]:
        made = uuid.UUID(text)
        assert (str(made), made.version, made.variant) == (text, 7, uuid.RFC_4122)
    assert {text[19] for text in ids} == set("89ab")
    assert new_ids(0) == []


def test_every_letter_of_a_reference_is_as_likely() -> None:
    letters = random_letters(32_000)
    assert set(letters) == set(REFERENCE_ALPHABET)
    assert max(letters.count(letter) for letter in REFERENCE_ALPHABET) < 1200
