"""Somebody proves that a phone is theirs: one-time codes, what a number has proved, and sessions of own accounts."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

# for every number that was typed, whether we know it or not: nobody may learn which
otp_challenge = sa.Table(
    "otp_challenge",
    metadata,
    id_column(),
    sa.Column("phone_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("used_at", Moment),
)

# somebody at this number has told this person's full name: good as long as the person has the number
account_proof = sa.Table(
    "account_proof",
    metadata,
    sa.Column("person_id", RowId, row_of("person"), primary_key=True),
    sa.Column("phone_index", sa.LargeBinary, primary_key=True, index=True),
    sa.Column("proved_at", Moment, nullable=False),
)

account_session = sa.Table(
    "account_session",
    metadata,
    id_column(),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),  # SHA-256 of 256 random bits
    sa.Column("phone_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_seen_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("ended_at", Moment),
)

# whom a session has opened by a birth date or NIK; `proof` is over once either is corrected
account_open = sa.Table(
    "account_open",
    metadata,
    sa.Column("session_id", RowId, row_of("account_session"), primary_key=True),
    sa.Column("person_id", RowId, row_of("person"), primary_key=True, index=True),
    sa.Column("proof", sa.LargeBinary, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
