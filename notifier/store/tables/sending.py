"""The messages: schedule, attempts, receipts, who must get none, and what people wrote to us."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

_BAD_NUMBER = "status IN ('suppressed', 'failed') AND reason IN ('no-phone', 'bad-phone', 'wrong-number')"
#: states that few of millions stand in, so that their rows are found by an index
_RARE = sa.text("status IN ('failed', 'undelivered', 'unknown', 'held', 'cancelled', 'suppressed', 'expired')")

notification = sa.Table(
    "notification",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("parent_id", RowId),
    sa.Column("person_id", RowId, row_of("person"), index=True),  # none: it goes to a number (`contact_id`)
    sa.Column("dose_id", RowId, row_of("dose")),
    sa.Column("certificate_id", RowId, row_of("certificate")),
    sa.Column("link_id", RowId, row_of("link")),
    sa.Column("event_id", RowId, row_of("event")),
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
    sa.Column("provider_sid", sa.String(64)),
    sa.Column("left_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("requested_by", RowId),
    sa.Column("request_reason", sa.String(300)),
    sa.Column("retries", sa.Integer, nullable=False, server_default="0"),  # generations before it that did not arrive
    sa.Column("look_ups", sa.Integer, nullable=False, server_default="0"),  # of an unknown outcome, at the provider
    sa.Column("look_up_at", Moment),  # the next one; none: an operator decides
    sa.Column("alarmed_at", Moment),  # when we said that the promise is at risk
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("bulk_id", RowId),  # the bulk resend that planned it
    sa.Column("contact_id", RowId),  # the number that it goes to, where it is about no person
    sa.Column("subject_id", RowId),  # what else it tells about: a case, a one-time code
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
    sa.Index(
        "ix_notification_look_up",
        "look_up_at",
        sqlite_where=sa.text("status = 'unknown'"),
        postgresql_where=sa.text("status = 'unknown'"),
    ),
    sa.Index(
        "ix_notification_alarmed",
        "status",
        sqlite_where=sa.text("alarmed_at IS NOT NULL"),
        postgresql_where=sa.text("alarmed_at IS NOT NULL"),
    ),
    # for the staff's work lists: what still waits, by the promise's clock, and whose number cannot be used
    sa.Index(
        "ix_notification_waiting",
        "accepted_at",
        sqlite_where=sa.text("status IN ('scheduled', 'held')"),
        postgresql_where=sa.text("status IN ('scheduled', 'held')"),
    ),
    sa.Index(
        "ix_notification_bad_number",
        "updated_at",
        sqlite_where=sa.text(_BAD_NUMBER),
        postgresql_where=sa.text(_BAD_NUMBER),
    ),
    sa.Index("ix_notification_created_at", "created_at"),
    sa.Index(
        "ix_notification_left",
        "left_at",
        sqlite_where=sa.text("left_at IS NOT NULL"),
        postgresql_where=sa.text("left_at IS NOT NULL"),
    ),
    sa.Index("ix_notification_phone_index_left_at", "phone_index", "left_at"),
    sa.Index(  # the facility's list of what needs somebody's help
        "ix_notification_help",
        "dose_id",
        sqlite_where=sa.text("status IN ('failed', 'undelivered', 'unknown', 'held', 'suppressed')"),
        postgresql_where=sa.text("status IN ('failed', 'undelivered', 'unknown', 'held', 'suppressed')"),
    ),
    sa.Index(
        "ix_notification_bulk",
        "bulk_id",
        "status",
        "id",
        sqlite_where=sa.text("bulk_id IS NOT NULL"),
        postgresql_where=sa.text("bulk_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_notification_ended",
        "ended_at",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_notification_contact_id",
        "contact_id",
        sqlite_where=sa.text("contact_id IS NOT NULL"),
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    ),
    sa.Index("ix_notification_rare", "status", "created_at", "id", sqlite_where=_RARE, postgresql_where=_RARE),
)

# a number that somebody asked us to write to, whoever it is
contact = sa.Table(
    "contact",
    metadata,
    id_column(),
    sa.Column("phone_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False, index=True),  # when a message to it was planned last
)

attempt = sa.Table(
    "attempt",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(40), nullable=False, unique=True),  # in the callback address
    sa.Column("notification_id", RowId, row_of("notification"), nullable=False, index=True),
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
    sa.Index("ix_receipt_received_at", "received_at"),
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
    sa.Index(
        "uq_suppression_phone_index_channel",
        "phone_index",
        "channel",
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    ),
    sa.Index(
        "ix_suppression_open",
        "created_at",
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    ),
)

# what people wrote to our sender: the provider's id, so that a copy changes nothing; never the text
inbound_sms = sa.Table(
    "inbound_sms",
    metadata,
    id_column(),
    sa.Column("provider_sid", sa.String(64), nullable=False, unique=True),
    sa.Column("phone_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("meaning", sa.String(20), nullable=False),  # stop, start, help, other
    sa.Column("received_at", Moment, nullable=False),
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
