"""The operator's desk: names found by several words, work lists, dead letters that are settled, calls that are noted."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BAD_NUMBER = "status IN ('suppressed', 'failed') AND reason IN ('no-phone', 'bad-phone', 'wrong-number')"


def upgrade() -> None:
    op.drop_index("ix_person_word_word_index", table_name="person_word")
    op.create_index("ix_person_word_word_index_person_id", "person_word", ["word_index", "person_id"])
    op.create_index("ix_dose_facility_id_person_id", "dose", ["facility_id", "person_id"])
    _index_where("ix_notification_waiting", "notification", ["accepted_at"], "status IN ('scheduled', 'held')")
    _index_where("ix_notification_bad_number", "notification", ["updated_at"], _BAD_NUMBER)
    _index_where("ix_suppression_open", "suppression", ["created_at"], "lifted_at IS NULL")
    _settle_dead_letters()
    _create_person_call()


def _settle_dead_letters() -> None:
    op.add_column("dead_letter", sa.Column("problem_key", sa.String(64), nullable=False, server_default=""))
    op.add_column("dead_letter", sa.Column("settled_at", Moment()))
    op.add_column("dead_letter", sa.Column("settled_by", sa.String(140)))
    letter = sa.table("dead_letter", sa.column("id", RowId), sa.column("problems", sa.JSON), sa.column("problem_key"))
    conn = op.get_bind()
    for row in conn.execute(sa.select(letter.c.id, letter.c.problems)).all():
        conn.execute(letter.update().where(letter.c.id == row.id).values(problem_key=_key_of(row.problems)))
    _index_where("ix_dead_letter_open", "dead_letter", ["received_at", "id"], "status = 'open'")
    _index_where("ix_dead_letter_problem", "dead_letter", ["problem_key"], "status = 'open'")


def _key_of(problems: list[dict[str, str]]) -> str:
    """As store.dead_letters made it when this was written."""
    rules = sorted({(one["field"], one["rule"]) for one in problems})
    return hashlib.sha256(json.dumps(rules).encode()).hexdigest()


def _create_person_call() -> None:
    op.create_table(
        "person_call",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("facility_id", sa.String(200)),
        sa.Column("noted_by", RowId, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary()),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_call_person_id")),
        sa.ForeignKeyConstraint(["noted_by"], ["staff.id"], name=op.f("fk_person_call_noted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_call")),
    )
    op.create_index(op.f("ix_person_call_person_id"), "person_call", ["person_id"])


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
