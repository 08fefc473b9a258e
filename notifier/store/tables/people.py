"""Staff, their sessions, and the keys of machines."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

staff = sa.Table(
    "staff",
    metadata,
    id_column(),
    sa.Column("username", sa.String(100), nullable=False, unique=True),
    sa.Column("display_name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(30), nullable=False),
    sa.Column("facility_id", sa.String(200)),
    sa.Column("password_hash", sa.String(300), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("time_zone", sa.String(60)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_sign_in_at", Moment),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),  # SHA-256 of 256 random bits
    sa.Column("staff_id", RowId, row_of("staff"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_seen_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
)

api_key = sa.Table(
    "api_key",
    metadata,
    id_column(),
    sa.Column("prefix", sa.String(20), nullable=False, unique=True),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),  # SHA-256 of 256 random bits
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("scopes", sa.String(300), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_used_at", Moment),
    sa.Column("revoked_at", Moment),
    sa.Column("kind", sa.String(10), nullable=False, server_default="live"),  # live; test: nothing is ever sent
    sa.Column("facility_id", sa.String(200)),  # the one whose rows it reaches; none: every facility's
    sa.Column("expires_at", Moment),
    sa.Column("successor_id", RowId),  # the key that took over when this one was rotated
    sa.Column("created_by", sa.String(140)),
    sa.Column("revoked_by", sa.String(140)),
    sa.Column("revoke_reason", sa.String(300)),
)
