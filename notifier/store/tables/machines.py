"""What the API keeps for its callers: answers to be replayed, and messages of test keys, which nothing else reads."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

# a request with an Idempotency-Key: who is at work on it, then what it was answered
idempotency = sa.Table(
    "idempotency",
    metadata,
    id_column(),
    sa.Column("key_index", sa.LargeBinary, nullable=False, unique=True),  # of the API key and its Idempotency-Key
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),  # keyed: method, address, media type, body
    sa.Column("worker", RowId, nullable=False, unique=True),  # the request that may write the answer
    sa.Column("busy_until", Moment, nullable=False),
    sa.Column("answer_sealed", sa.LargeBinary),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

# what a test key posted: apart from every table that a person, a sender or a statistic could meet
test_notification = sa.Table(
    "test_notification",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("api_key_id", RowId, row_of("api_key"), nullable=False),
    sa.Column("event_index", sa.LargeBinary, nullable=False),
    sa.Column("content_index", sa.LargeBinary, nullable=False),
    sa.Column("dose_index", sa.LargeBinary, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("script", sa.String(20), nullable=False),  # support/magic_numbers.py
    sa.Column("reason", sa.String(40)),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("cancelled_at", Moment),
    sa.Column("cancel_reason", sa.String(40)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.UniqueConstraint("api_key_id", "event_index", "generation"),
    sa.Index("ix_test_notification_dose_index", "api_key_id", "dose_index"),
    sa.Index("ix_test_notification_created_at", "api_key_id", "created_at", "id"),
)
