"""Dead letters that were kept before they were grouped by their problems get the key that a new one would have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from notifier.core.errors import Problem
from notifier.core.ids import new_id
from notifier.store import migrate
from notifier.store.engine import Database
from notifier.store.events import problem_key
from notifier.store.tables import dead_letter
from notifier.store.types import Moment, RowId
from tests.databases import postgres_database
from tests.fakes import FakeClock
from tests.requirements import require

#: the table as it was
_BEFORE = sa.table(
    "dead_letter",
    sa.column("id", RowId),
    sa.column("door", sa.String),
    sa.column("received_at", Moment),
    sa.column("problems", sa.JSON),
    sa.column("body_index", sa.LargeBinary),
    sa.column("body_sealed", sa.LargeBinary),
    sa.column("status", sa.String),
)
_PROBLEMS = [Problem("person.name", "required", "write the name"), Problem("dose.number", "number-range", "1 to 99")]


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    require("postgres")
    with postgres_database(migrated=False) as url:
        yield url


def _config(conn: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config


def test_a_letter_that_was_there_before_is_grouped_like_a_new_one(empty_database_url: str, clock: FakeClock) -> None:
    db = Database(empty_database_url, clock)
    with db.write() as conn:
        config = _config(conn)
        script = ScriptDirectory.from_config(config).get_revision("0009")
        command.upgrade(config, str(script.down_revision))
        conn.execute(
            _BEFORE.insert(),
            {
                "id": new_id(),
                "door": "stream",
                "received_at": clock.now(),
                "problems": [{"field": one.field, "rule": one.rule, "detail": one.detail} for one in _PROBLEMS],
                "body_index": b"index",
                "body_sealed": b"sealed",
                "status": "open",
            },
        )
    migrate.upgrade(db)
    with db.read() as conn:
        row = conn.execute(dead_letter.select()).one()
    assert (row.problem_key, row.status, row.settled_at) == (problem_key(_PROBLEMS[::-1]), "open", None)
    db.close()
