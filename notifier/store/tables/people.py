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
    # the password was made for them and opens nothing but the page to choose an own one, until this moment
    sa.Column("first_password_until", Moment),
    sa.Column("totp_sealed", sa.LargeBinary),  # the second factor's secret; none: no second factor
    sa.Column("totp_step", sa.BigInteger),  # of the last code that was accepted: no code is taken twice
    sa.Column("totp_at", Moment),  # since when
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # moves with each deed of an administrator
    sa.Index("ix_staff_role_username", "role", "username"),
    sa.Index("ix_staff_facility_id_username", "facility_id", "username"),
)

# kept as a keyed index of owner and code; each is good for one sign-in
recovery_code = sa.Table(
    "recovery_code",
    metadata,
    id_column(),
    sa.Column("staff_id", RowId, row_of("staff"), nullable=False),
    sa.Column("code_index", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.UniqueConstraint("staff_id", "code_index"),
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
    sa.Column("stage", sa.String(20), nullable=False, server_default="full"),  # what is still to be shown or done
    sa.Column("device", sa.String(20)),  # phone, tablet, computer: never what tells one from another
    sa.Column("totp_new_sealed", sa.LargeBinary),  # a second factor that is being set up
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
