"""Indexes that intake pays for at every event, and that no page needs: one goes, one keeps to the rare rows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a person has few doses: they are found by the person, and a facility's by the index on its days
    op.drop_index("ix_dose_facility_id_person_id", table_name="dose")
    op.drop_index("ix_audit_action_at", table_name="audit")
    deeds = sa.text("action <> 'event.accepted'")
    op.create_index("ix_audit_deed", "audit", ["action", "at", "id"], sqlite_where=deeds, postgresql_where=deeds)
