"""Who was vaccinated, with what, and the certificate and links that say so."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

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
    sa.Column("own_language", sa.String(5)),  # the person's own choice, which no event of a registry undoes
    sa.Column("time_zone", sa.String(60)),
    sa.Column("wrong_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Moment),
    sa.Column("deceased_at", Moment),
    sa.Column("erased_at", Moment),  # nothing is left of who it was; what was given stays, as a count
    sa.Column("recorded_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

person_word = sa.Table(
    "person_word",
    metadata,
    sa.Column("person_id", RowId, row_of("person"), primary_key=True),
    sa.Column("word_index", sa.LargeBinary, primary_key=True),
    sa.Index("ix_person_word_word_index_person_id", "word_index", "person_id"),  # so that words can be intersected
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
    sa.Index(
        "ix_event_pending",
        "accepted_at",
        sqlite_where=sa.text("outcome = 'pending'"),
        postgresql_where=sa.text("outcome = 'pending'"),
    ),
)

dose = sa.Table(
    "dose",
    metadata,
    id_column(),
    sa.Column("source_id", sa.String(300), nullable=False, unique=True),
    sa.Column("person_id", RowId, row_of("person"), index=True),
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
    sa.Index(
        "ix_dose_entered_by_created_at",
        "entered_by",
        "created_at",
        sqlite_where=sa.text("entered_by IS NOT NULL"),
        postgresql_where=sa.text("entered_by IS NOT NULL"),
    ),
)

certificate = sa.Table(
    "certificate",
    metadata,
    id_column(),
    sa.Column("number", sa.String(40), nullable=False, unique=True),
    sa.Column("person_id", RowId, row_of("person"), nullable=False, index=True),
    sa.Column("dose_id", RowId, row_of("dose"), nullable=False, index=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("issued_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("end_reason", sa.String(40)),
    sa.Column("replaced_by", RowId),
    sa.Column("qr", sa.LargeBinary),
    # literal predicates: a bound parameter cannot use a partial index in a generic plan
    sa.Index(
        "ix_certificate_ended",
        "ended_at",
        sqlite_where=sa.text("status <> 'valid'"),
        postgresql_where=sa.text("status <> 'valid'"),
    ),
)

# a verifiable code, or why there is none: then `reason` stands instead of key, revocation id and text
code = sa.Table(
    "code",
    metadata,
    id_column(),
    sa.Column("certificate_id", RowId, row_of("certificate"), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),  # hc1, shc
    sa.Column("key_id", sa.String(64)),
    sa.Column("revocation_id", sa.String(64), unique=True),  # public; says nothing about the person
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),  # it says what is not so any more, though its certificate holds
    sa.Column("text_sealed", sa.LargeBinary),
    sa.Column("reason", sa.String(40)),
    sa.Index(
        "uq_code_current",
        "certificate_id",
        "kind",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index(
        "ix_code_ended",
        "ended_at",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    ),
)

link = sa.Table(
    "link",
    metadata,
    id_column(),
    sa.Column("public_id", sa.String(20), nullable=False, unique=True),
    sa.Column("certificate_id", RowId, row_of("certificate"), nullable=False, index=True),
    sa.Column("person_id", RowId, row_of("person"), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("revoke_reason", sa.String(40)),
    sa.Column("wrong_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("opened_at", Moment),
    sa.Column("paused_at", Moment),  # somebody who got it says that it is not for them
    sa.Column("printed_at", Moment),  # handed over on paper; no SMS bears it
    sa.Column("number_index", sa.LargeBinary),  # of an own account: the number that was proved; no SMS bears it
    sa.Index(
        "ix_link_number",
        "person_id",
        "number_index",
        sqlite_where=sa.text("number_index IS NOT NULL"),
        postgresql_where=sa.text("number_index IS NOT NULL"),
    ),
    sa.Index(
        "ix_link_opened",
        "certificate_id",
        sqlite_where=sa.text("opened_at IS NOT NULL"),
        postgresql_where=sa.text("opened_at IS NOT NULL"),
    ),
)

opening = sa.Table(
    "opening",
    metadata,
    id_column(),
    sa.Column("link_id", RowId, row_of("link"), index=True),  # none where only the number was checked
    sa.Column("certificate_id", RowId, row_of("certificate"), nullable=False),
    sa.Column("person_id", RowId, row_of("person"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),  # store/openings.py: OpeningKind
    sa.Column("device", sa.String(20), nullable=False),
)
