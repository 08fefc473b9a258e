"""Messages to a number that is no person's: whoever reports something, or proves that a phone is theirs."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("phone_index", name=op.f("uq_contact_phone_index")),
    )
    op.create_index(op.f("ix_contact_used_at"), "contact", ["used_at"])
    op.add_column("notification", sa.Column("contact_id", RowId))
    op.add_column("notification", sa.Column("subject_id", RowId))
    _allow_nobody()
    there = sa.text("contact_id IS NOT NULL")
    op.create_index(
        "ix_notification_contact_id", "notification", ["contact_id"], sqlite_where=there, postgresql_where=there
    )


def _allow_nobody() -> None:
    """A message may be about no person. SQLite cannot drop a NOT NULL; a copy of the table would break the references
    to it inside the transaction, so its text is changed, as https://www.sqlite.org/lang_altertable.html section 7 tells
    for changes that leave what is stored as it is."""
    conn = op.get_bind()
    if conn.dialect.name != "sqlite":
        op.alter_column("notification", "person_id", existing_type=RowId, nullable=True)
        return
    table = {"name": "notification"}
    text = conn.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = :name"), table)
    changed = text.replace("person_id CHAR(32) NOT NULL", "person_id CHAR(32)", 1)
    if changed == text:
        raise RuntimeError("the table notification is not as 0001 made it")
    version = conn.scalar(sa.text("PRAGMA schema_version"))
    conn.exec_driver_sql("PRAGMA writable_schema=ON")
    update = sa.text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = :name")
    conn.execute(update, {**table, "sql": changed})
    conn.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    conn.exec_driver_sql("PRAGMA writable_schema=OFF")
