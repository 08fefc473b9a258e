"""The facility's list: messages that need somebody's help are found by their dose."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEEDS_HELP = "status IN ('failed', 'undelivered', 'unknown', 'held', 'suppressed')"


def upgrade() -> None:
    op.create_index(
        "ix_notification_help",
        "notification",
        ["dose_id"],
        sqlite_where=sa.text(_NEEDS_HELP),
        postgresql_where=sa.text(_NEEDS_HELP),
    )
