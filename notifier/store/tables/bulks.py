"""Bulk resends: who asked for what, the doses that it is about, and the schedules that make one a day.

What became of the new messages stands in their own rows (`notification.bulk_id`), so that no count can drift.
"""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

bulk_schedule = sa.Table(
    "bulk_schedule",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False),  # core.bulks.ScheduleState
    sa.Column("filter", sa.JSON, nullable=False),  # core.resend_filter, days as spans
    sa.Column("time_of_day", sa.String(5), nullable=False),  # 09:00 on the programme's clock
    sa.Column("most_per_person", sa.Integer, nullable=False),  # over the schedule's whole life
    sa.Column("reason", sa.String(300), nullable=False),
    sa.Column("made_by", sa.String(140), nullable=False),  # an actor of the audit
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("approved_by", sa.String(140)),
    sa.Column("approved_at", Moment),
    sa.Column("next_at", Moment),  # the next run; none while it waits for approval, is paused or ended
    sa.Column("ended_at", Moment),
    sa.Index("ix_bulk_schedule_created_at", "created_at"),
    sa.Index(
        "ix_bulk_schedule_next",
        "next_at",
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    ),
)

bulk = sa.Table(
    "bulk",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False),  # core.bulks.BulkState
    sa.Column("filter", sa.JSON, nullable=False),
    sa.Column("expected", sa.Integer, nullable=False),  # what was counted when it was made, or approved
    sa.Column("reason", sa.String(300), nullable=False),
    sa.Column("made_by", sa.String(140), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("approved_by", sa.String(140)),
    sa.Column("approved_at", Moment),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("schedule_id", RowId, row_of("bulk_schedule")),
    sa.Column("schedule_day", sa.Date),
    sa.Column("note", sa.String(40)),  # why a day of a schedule was left out
    # how far the gathering has come, in the order of notification ids; then when it was through
    sa.Column("cursor", RowId),
    sa.Column("gathered_at", Moment),
    sa.Column("ended_at", Moment),
    # the worker that has it, and when somebody should look again
    sa.Column("look_at", Moment, nullable=False),
    sa.Column("lease_token", RowId),
    sa.Column("lease_until", Moment),
    # one a day, however many workers come at once
    sa.UniqueConstraint("schedule_id", "schedule_day"),
    sa.Index("ix_bulk_created_at", "created_at"),
    # literal predicates: a bound parameter cannot use a partial index in a generic plan
    sa.Index(
        "ix_bulk_running",
        "look_at",
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    ),
)

# one dose is in a bulk once
bulk_item = sa.Table(
    "bulk_item",
    metadata,
    sa.Column("bulk_id", RowId, row_of("bulk"), primary_key=True),
    sa.Column("dose_id", RowId, primary_key=True),
    sa.Column("notification_id", RowId, nullable=False),  # the message that it answers
    sa.Column("state", sa.String(20), nullable=False),  # core.bulks.ItemState
    sa.Column("reason", sa.String(40)),  # why it was left out
    sa.Column("not_before", Moment, nullable=False),  # the start, or the next allowed hour where the person lives
    sa.Column("new_notification_id", RowId),
    sa.Index("ix_bulk_item_state", "bulk_id", "state", "reason", "dose_id"),
    sa.Index(
        "ix_bulk_item_waiting",
        "bulk_id",
        "not_before",
        "dose_id",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    ),
)
