"""Every table. Columns that end in `_sealed` hold AES-256-GCM bytes (store.sealed), `_index` a keyed blind index.

Plain columns never hold a name, NIK, phone, birth date, message text or token.
"""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.types import Moment, RowId, id_column

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _row(name: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{name}.id")


facility = sa.Table(
    "facility",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(300)),
    sa.Column("time_zone", sa.String(60)),
)

person = sa.Table(
    "person",
    metadata,
    id_column(),
    sa.Column("source_index", sa.LargeBinary, unique=True),
    sa.Column("nik_index", sa.LargeBinary, index=True),
    sa.Column("phone_index", sa.LargeBinary, index=True),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),
    sa.Column("nik_sealed", sa.LargeBinary),
    sa.Column("birth_date_sealed", sa.LargeBinary),
    sa.Column("phone_sealed", sa.LargeBinary),
    sa.Column("phone_problem", sa.String(40)),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("time_zone", sa.String(60)),
    sa.Column("wrong_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Moment),
    sa.Column("deceased_at", Moment),
    sa.Column("recorded_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

person_word = sa.Table(
    "person_word",
    metadata,
    sa.Column("person_id", RowId, _row("person"), primary_key=True),
    sa.Column("word_index", sa.LargeBinary, primary_key=True),
    sa.Index("ix_person_word_word_index", "word_index"),
)

event = sa.Table(
    "event",
    metadata,
    id_column(),
    sa.Column("event_id", sa.String(300), nullable=False, unique=True),
    sa.Column("event_type", sa.String(20), nullable=False),
    sa.Column("content_index", sa.LargeBinary, nullable=False),
    sa.Column("door", sa.String(20), nullable=False),
    sa.Column("accepted_at", Moment, nullable=False, index=True),
    sa.Column("recorded_at", Moment),
    sa.Column("dose_id", RowId, index=True),
    sa.Column("notification_id", RowId),
    sa.Column("outcome", sa.String(30), nullable=False),
    sa.Column("reason", sa.String(40)),
)

dose = sa.Table(
    "dose",
    metadata,
    id_column(),
    sa.Column("source_id", sa.String(300), nullable=False, unique=True),
    sa.Column("person_id", RowId, _row("person"), index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("number", sa.Integer),
    sa.Column("series_total", sa.Integer),
    sa.Column("vaccine_code", sa.String(100)),
    sa.Column("vaccine_system", sa.String(200)),
    sa.Column("product", sa.String(300)),
    sa.Column("lot", sa.String(100)),
    sa.Column("given_on", sa.Date),
    sa.Column("facility_id", sa.String(200)),
    sa.Column("facility", sa.String(300)),
    sa.Column("entered_by", RowId),
    sa.Column("recorded_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_dose_facility_id_created_at", "facility_id", "created_at"),
)

certificate = sa.Table(
    "certificate",
    metadata,
    id_column(),
    sa.Column("number", sa.String(40), nullable=False, unique=True),
    sa.Column("person_id", RowId, _row("person"), nullable=False, index=True),
    sa.Column("dose_id", RowId, _row("dose"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("issued_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("end_reason", sa.String(40)),
    sa.Column("replaced_by", RowId),
    sa.Column("qr", sa.LargeBinary),
)

link = sa.Table(
    "link",
    metadata,
    id_column(),
    sa.Column("public_id", sa.String(20), nullable=False, unique=True),
    sa.Column("certificate_id", RowId, _row("certificate"), nullable=False, index=True),
    sa.Column("person_id", RowId, _row("person"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("revoke_reason", sa.String(40)),
    sa.Column("wrong_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("opened_at", Moment),
)

notification = sa.Table(
    "notification",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("parent_id", RowId),
    sa.Column("person_id", RowId, _row("person"), nullable=False, index=True),
    sa.Column("dose_id", RowId, _row("dose")),
    sa.Column("certificate_id", RowId, _row("certificate")),
    sa.Column("link_id", RowId, _row("link")),
    sa.Column("event_id", RowId, _row("event")),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("provider_code", sa.String(40)),
    sa.Column("lane", sa.String(20), nullable=False),
    sa.Column("accepted_at", Moment, nullable=False),  # when we took the event: the promise counts from here
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("planned_for", Moment, nullable=False),  # the first due_at; retries move due_at only
    sa.Column(
        "any_hour", sa.Boolean, nullable=False
    ),  # quiet hours do not hold it back (demo, what a person asked for)
    sa.Column("segments", sa.Integer, nullable=False, server_default="1"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_token", RowId),
    sa.Column("lease_until", Moment),
    sa.Column("phone_index", sa.LargeBinary),  # whom it was sent to, for the daily cap and "number changed"
    sa.Column("provider_sid", sa.String(64), index=True),
    sa.Column("left_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("requested_by", RowId),
    sa.Column("request_reason", sa.String(300)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("dose_id", "kind", "channel", "generation"),
    # literal predicates: a bound parameter cannot use a partial index in a generic plan
    sa.Index(
        "ix_notification_due",
        "lane",
        "due_at",
        sqlite_where=sa.text("status = 'scheduled'"),
        postgresql_where=sa.text("status = 'scheduled'"),
    ),
    sa.Index(
        "ix_notification_lease",
        "lease_until",
        sqlite_where=sa.text("status IN ('claimed', 'sending')"),
        postgresql_where=sa.text("status IN ('claimed', 'sending')"),
    ),
    sa.Index(
        "ix_notification_attention",
        "status",
        "updated_at",
        sqlite_where=sa.text("status IN ('unknown', 'held')"),
        postgresql_where=sa.text("status IN ('unknown', 'held')"),
    ),
    sa.Index("ix_notification_created_at", "created_at"),
    sa.Index("ix_notification_phone_index_left_at", "phone_index", "left_at"),
)

attempt = sa.Table(
    "attempt",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(40), nullable=False, unique=True),  # in the callback address
    sa.Column("notification_id", RowId, _row("notification"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("lease_token", RowId, nullable=False),
    sa.Column("gateway", sa.String(20), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    # filled once, by whoever made the attempt, even when its lease is gone
    sa.Column("finished_at", Moment),
    sa.Column("outcome", sa.String(30)),
    sa.Column("provider_sid", sa.String(64)),
    sa.Column("http_status", sa.Integer),
    sa.Column("provider_code", sa.String(40)),
)

receipt = sa.Table(
    "receipt",
    metadata,
    id_column(),
    sa.Column("attempt_reference", sa.String(40), nullable=False, index=True),
    sa.Column("provider_sid", sa.String(64), nullable=False),
    sa.Column("provider_word", sa.String(40), nullable=False),
    sa.Column("provider_code", sa.String(40), nullable=False, server_default=""),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("raw_sealed", sa.LargeBinary, nullable=False),
    sa.Column("applied", sa.Boolean, nullable=False),
    sa.UniqueConstraint("attempt_reference", "provider_sid", "provider_word", "provider_code"),
)

suppression = sa.Table(
    "suppression",
    metadata,
    id_column(),
    sa.Column("phone_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("lifted_at", Moment),
)

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
    sa.Column("staff_id", RowId, _row("staff"), nullable=False, index=True),
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
)

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),  # what is counted, with a keyed index, never a person's value
    sa.Column("window_start", Moment, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

bucket = sa.Table(
    "bucket",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("full_at", sa.Double, nullable=False),  # GCRA: theoretical arrival time, Unix seconds
)

tick = sa.Table(
    "tick",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("at", Moment, nullable=False),
)

switch = sa.Table(
    "switch",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("is_on", sa.Boolean, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(300), nullable=False),
)

follow_up = sa.Table(
    "follow_up",
    metadata,
    id_column(),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("subject_id", RowId, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("done_at", Moment),
    sa.Index(
        "ix_follow_up_due",
        "due_at",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    ),
)

audit = sa.Table(
    "audit",
    metadata,
    id_column(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(140), nullable=False),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(40), nullable=False),
    sa.Column("subject_id", sa.String(60), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    # filled by the sealer: position in the chain and SHA-256 over the row and the one before
    sa.Column("position", sa.BigInteger, unique=True),
    sa.Column("chain_hash", sa.LargeBinary),
    sa.Index("ix_audit_subject_id", "subject_id"),
    sa.Index(
        "ix_audit_unsealed",
        "at",
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    ),
)

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    id_column(),
    sa.Column("door", sa.String(20), nullable=False),
    sa.Column("received_at", Moment, nullable=False, index=True),
    sa.Column("event_id", sa.String(300)),
    sa.Column("problems", sa.JSON, nullable=False),  # field, rule, detail; never a value
    sa.Column("body_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    sa.Column("status", sa.String(20), nullable=False),
)

caught_sms = sa.Table(
    "caught_sms",
    metadata,
    id_column(),
    sa.Column("provider_sid", sa.String(64), nullable=False, unique=True),
    sa.Column("attempt_reference", sa.String(40), nullable=False, index=True),
    sa.Column("to_sealed", sa.LargeBinary, nullable=False),
    sa.Column("to_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("text_sealed", sa.LargeBinary, nullable=False),
    sa.Column("encoding", sa.String(10), nullable=False),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("caught_at", Moment, nullable=False, index=True),
    sa.Column("reported_at", Moment),  # when its receipt was fetched
)

opening = sa.Table(
    "opening",
    metadata,
    id_column(),
    sa.Column("link_id", RowId, _row("link"), nullable=False, index=True),
    sa.Column("certificate_id", RowId, _row("certificate"), nullable=False),
    sa.Column("person_id", RowId, _row("person"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),  # opened, wrong-date, page, pdf, png
    sa.Column("device", sa.String(20), nullable=False),
)
