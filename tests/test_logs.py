"""Log lines: JSON, from every library, without the values of variables."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from notifier.logs import configure_logging
from notifier.services import Services
from notifier.store import persons
from notifier.store.tables import person
from tests.builders import SITI


@pytest.fixture
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("_root_as_before")
def test_each_event_is_one_line_of_json_however_often_logging_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    configure_logging()
    logging.getLogger("some.library").warning("two\nlines %s", 5, extra={"attempts": 2})
    [line] = lines(capsys)
    assert (line["message"], line["level"], line["logger"]) == ("two\nlines 5", "warning", "some.library")
    assert line["attempts"] == 2
    assert str(line["time"]).endswith("Z")


@pytest.mark.usefixtures("_root_as_before")
@pytest.mark.parametrize("name", ["sqlalchemy.engine", "urllib3.connectionpool", "kombu", "twilio.http_client"])
def test_libraries_that_log_whole_messages_are_quiet(capsys: pytest.CaptureFixture[str], name: str) -> None:
    configure_logging(logging.DEBUG)
    logging.getLogger(name).info("body")
    assert lines(capsys) == []


@pytest.mark.usefixtures("_root_as_before")
def test_a_database_error_in_the_log_names_no_person(
    each_services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    """A duplicate and a null: SQLite and PostgreSQL both quote values in such errors when they are let."""
    configure_logging(logging.DEBUG)
    secret = "Siti Aminah"  # held in a local variable of the frame that fails
    with each_services.db.write() as conn:
        persons.insert(conn, each_services.sealer, _siti(), source=None, at=each_services.clock.now())
    for values in ({"language": None}, {"created_at": None}):
        try:
            with each_services.db.write() as conn:
                conn.execute(person.update().values(**values))
        except sa.exc.IntegrityError:
            logging.getLogger("worker").exception("failed")
    text = capsys.readouterr().out
    assert text.count('"exception"') == 2
    for canary in (secret, secret.split()[0], SITI.nik or "?", "081234567890", "81234567890", "1989-02-10"):
        assert canary not in text


def _siti() -> persons.Person:
    values = {name: getattr(SITI, name) for name in SITI.__slots__}
    return persons.Person(**values | {"id": "0199f0aa-0000-7000-8000-000000000001"})
