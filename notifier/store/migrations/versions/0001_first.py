"""The first shape: events, persons, doses, certificates, links, notifications and what stands around them."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", RowId, nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=300), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_table(
        "audit",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.String(length=140), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_position")),
    )
    op.create_index("ix_audit_subject_id", "audit", ["subject_id"], unique=False)
    op.create_index(
        "ix_audit_unsealed",
        "audit",
        ["at"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "bucket",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("full_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bucket")),
    )
    op.create_table(
        "caught_sms",
        sa.Column("id", RowId, nullable=False),
        sa.Column("provider_sid", sa.String(length=64), nullable=False),
        sa.Column("attempt_reference", sa.String(length=40), nullable=False),
        sa.Column("to_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("to_index", sa.LargeBinary(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("encoding", sa.String(length=10), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("caught_at", Moment(), nullable=False),
        sa.Column("reported_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caught_sms")),
        sa.UniqueConstraint("provider_sid", name=op.f("uq_caught_sms_provider_sid")),
    )
    op.create_index(op.f("ix_caught_sms_attempt_reference"), "caught_sms", ["attempt_reference"], unique=False)
    op.create_index(op.f("ix_caught_sms_caught_at"), "caught_sms", ["caught_at"], unique=False)
    op.create_index(op.f("ix_caught_sms_to_index"), "caught_sms", ["to_index"], unique=False)
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("window_start", Moment(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", "window_start", name=op.f("pk_counter")),
    )
    op.create_index(op.f("ix_counter_expires_at"), "counter", ["expires_at"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("id", RowId, nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("event_id", sa.String(length=300), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("body_index", sa.LargeBinary(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sa.UniqueConstraint("body_index", name=op.f("uq_dead_letter_body_index")),
    )
    op.create_index(op.f("ix_dead_letter_received_at"), "dead_letter", ["received_at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", RowId, nullable=False),
        sa.Column("event_id", sa.String(length=300), nullable=False),
        sa.Column("event_type", sa.String(length=20), nullable=False),
        sa.Column("content_index", sa.LargeBinary(), nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", Moment(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=True),
        sa.Column("dose_id", RowId, nullable=True),
        sa.Column("notification_id", RowId, nullable=True),
        sa.Column("outcome", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_event_id")),
    )
    op.create_index(op.f("ix_event_accepted_at"), "event", ["accepted_at"], unique=False)
    op.create_index(op.f("ix_event_dose_id"), "event", ["dose_id"], unique=False)
    op.create_table(
        "facility",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index(
        "ix_follow_up_due",
        "follow_up",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", RowId, nullable=False),
        sa.Column("source_index", sa.LargeBinary(), nullable=True),
        sa.Column("nik_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("nik_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_problem", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("wrong_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_at", Moment(), nullable=True),
        sa.Column("deceased_at", Moment(), nullable=True),
        sa.Column("recorded_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("source_index", name=op.f("uq_person_source_index")),
    )
    op.create_index(op.f("ix_person_nik_index"), "person", ["nik_index"], unique=False)
    op.create_index(op.f("ix_person_phone_index"), "person", ["phone_index"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", RowId, nullable=False),
        sa.Column("attempt_reference", sa.String(length=40), nullable=False),
        sa.Column("provider_sid", sa.String(length=64), nullable=False),
        sa.Column("provider_word", sa.String(length=40), nullable=False),
        sa.Column("provider_code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("raw_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint(
            "attempt_reference",
            "provider_sid",
            "provider_word",
            "provider_code",
            name=op.f("uq_receipt_attempt_reference_provider_sid_provider_word_provider_code"),
        ),
    )
    op.create_index(op.f("ix_receipt_attempt_reference"), "receipt", ["attempt_reference"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", RowId, nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("facility_id", sa.String(length=200), nullable=True),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_sign_in_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_username")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("lifted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_phone_index"), "suppression", ["phone_index"], unique=False)
    op.create_table(
        "switch",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switch")),
    )
    op.create_table(
        "tick",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tick")),
    )
    op.create_table(
        "dose",
        sa.Column("id", RowId, nullable=False),
        sa.Column("source_id", sa.String(length=300), nullable=False),
        sa.Column("person_id", RowId, nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("series_total", sa.Integer(), nullable=True),
        sa.Column("vaccine_code", sa.String(length=100), nullable=True),
        sa.Column("vaccine_system", sa.String(length=200), nullable=True),
        sa.Column("product", sa.String(length=300), nullable=True),
        sa.Column("lot", sa.String(length=100), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=True),
        sa.Column("facility_id", sa.String(length=200), nullable=True),
        sa.Column("facility", sa.String(length=300), nullable=True),
        sa.Column("entered_by", RowId, nullable=True),
        sa.Column("recorded_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_dose_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dose")),
        sa.UniqueConstraint("source_id", name=op.f("uq_dose_source_id")),
    )
    op.create_index("ix_dose_facility_id_created_at", "dose", ["facility_id", "created_at"], unique=False)
    op.create_index(op.f("ix_dose_person_id"), "dose", ["person_id"], unique=False)
    op.create_table(
        "person_word",
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("word_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_word_person_id")),
        sa.PrimaryKeyConstraint("person_id", "word_index", name=op.f("pk_person_word")),
    )
    op.create_index("ix_person_word_word_index", "person_word", ["word_index"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_session_staff_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_staff_id"), "session", ["staff_id"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", RowId, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("dose_id", RowId, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("issued_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("end_reason", sa.String(length=40), nullable=True),
        sa.Column("replaced_by", RowId, nullable=True),
        sa.Column("qr", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_certificate_dose_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_certificate_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_index(op.f("ix_certificate_dose_id"), "certificate", ["dose_id"], unique=False)
    op.create_index(op.f("ix_certificate_person_id"), "certificate", ["person_id"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", RowId, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("certificate_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("revoke_reason", sa.String(length=40), nullable=True),
        sa.Column("wrong_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_link_certificate_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_link_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("public_id", name=op.f("uq_link_public_id")),
    )
    op.create_index(op.f("ix_link_certificate_id"), "link", ["certificate_id"], unique=False)
    op.create_index(op.f("ix_link_person_id"), "link", ["person_id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("parent_id", RowId, nullable=True),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("dose_id", RowId, nullable=True),
        sa.Column("certificate_id", RowId, nullable=True),
        sa.Column("link_id", RowId, nullable=True),
        sa.Column("event_id", RowId, nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("provider_code", sa.String(length=40), nullable=True),
        sa.Column("lane", sa.String(length=20), nullable=False),
        sa.Column("accepted_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("planned_for", Moment(), nullable=False),
        sa.Column("any_hour", sa.Boolean(), nullable=False),
        sa.Column("segments", sa.Integer(), server_default="1", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_token", RowId, nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("provider_sid", sa.String(length=64), nullable=True),
        sa.Column("left_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("requested_by", RowId, nullable=True),
        sa.Column("request_reason", sa.String(length=300), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_notification_certificate_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_notification_dose_id")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_notification_event_id")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_notification_link_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notification_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "dose_id", "kind", "channel", "generation", name=op.f("uq_notification_dose_id_kind_channel_generation")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_notification_reference")),
    )
    op.create_index(
        "ix_notification_attention",
        "notification",
        ["status", "updated_at"],
        unique=False,
        sqlite_where=sa.text("status IN ('unknown', 'held')"),
        postgresql_where=sa.text("status IN ('unknown', 'held')"),
    )
    op.create_index("ix_notification_created_at", "notification", ["created_at"], unique=False)
    op.create_index(
        "ix_notification_due",
        "notification",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'scheduled'"),
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_index(
        "ix_notification_lease",
        "notification",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("status IN ('claimed', 'sending')"),
        postgresql_where=sa.text("status IN ('claimed', 'sending')"),
    )
    op.create_index(op.f("ix_notification_person_id"), "notification", ["person_id"], unique=False)
    op.create_index("ix_notification_phone_index_left_at", "notification", ["phone_index", "left_at"], unique=False)
    op.create_index(op.f("ix_notification_provider_sid"), "notification", ["provider_sid"], unique=False)
    op.create_table(
        "opening",
        sa.Column("id", RowId, nullable=False),
        sa.Column("link_id", RowId, nullable=False),
        sa.Column("certificate_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("device", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_opening_certificate_id")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_opening_link_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_opening_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
    )
    op.create_index(op.f("ix_opening_link_id"), "opening", ["link_id"], unique=False)
    op.create_index(op.f("ix_opening_person_id"), "opening", ["person_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("notification_id", RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lease_token", RowId, nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.Column("provider_sid", sa.String(length=64), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("provider_code", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], name=op.f("fk_attempt_notification_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("reference", name=op.f("uq_attempt_reference")),
    )
    op.create_index(op.f("ix_attempt_notification_id"), "attempt", ["notification_id"], unique=False)
