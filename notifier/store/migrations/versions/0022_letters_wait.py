"""Letters that wait in the mailbox until an hour has room for another case."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail_taken", sa.Column("deferred_until", Moment()))
