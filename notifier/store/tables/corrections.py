"""What people ask to have corrected of their own data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

_OPEN = "decided_at IS NULL"


def _where(predicate: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(predicate), "postgresql_where": sa.text(predicate)}


correction_request = sa.Table(
    "correction_request",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("person_id", RowId, row_of("person")),  # none: nothing has proved yet whose request it is
    sa.Column("claimed_id", RowId, row_of("person")),  # whom NIK and birth date of an unproven one fit; never told
    sa.Column("facility_id", sa.String(200)),  # whose list it is on; none: the operators' alone
    sa.Column("field", sa.String(20), nullable=False),  # core.own_corrections.Field
    sa.Column("state", sa.String(20), nullable=False),  # RequestState
    sa.Column("proof", sa.String(20), nullable=False),  # Proof
    sa.Column("door", sa.String(20), nullable=False),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("value_sealed", sa.LargeBinary),  # what it shall be
    sa.Column("old_sealed", sa.LargeBinary),  # what stood there when it was asked
    sa.Column("claim_sealed", sa.LargeBinary),  # who they said they are, where nothing proved it
    sa.Column("number_index", sa.LargeBinary),  # of a new number whose code is waited for; else of the one that asked
    sa.Column("change", sa.String(20)),  # how far it is: a NameChange or NikChange
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),  # who or what it waits for should have come by then
    sa.Column("reminded_at", Moment),
    sa.Column("proved_at", Moment),
    sa.Column("evidence_asked_at", Moment),
    sa.Column("evidence_at", Moment),
    sa.Column("evidence_sealed", sa.LargeBinary),  # a JPEG of our own making; gone once it is decided
    sa.Column("decided_at", Moment),
    sa.Column("decided_by", sa.String(140)),  # an actor of the audit
    sa.Column("decided_how", sa.String(20)),  # How
    sa.Column("refused_why", sa.String(20)),  # RefusedWhy
    sa.Column("objection_id", sa.String(20), unique=True),  # in the token that the old number was sent
    sa.Column("objection_until", Moment),
    sa.Column("objected_at", Moment),
    sa.Index("uq_correction_request_open", "person_id", "field", unique=True, **_where(_OPEN)),
    sa.Index("ix_correction_request_list", "facility_id", "asked_at", "id", **_where(_OPEN)),
    sa.Index("ix_correction_request_waits", "asked_at", "id", **_where(_OPEN)),
    sa.Index("ix_correction_request_person_id", "person_id", "asked_at"),
    sa.Index("ix_correction_request_decided_at", "decided_at"),
    sa.Index("ix_correction_request_claimed_id", "claimed_id", **_where("claimed_id IS NOT NULL")),
    sa.Index("ix_correction_request_number", "number_index", **_where("number_index IS NOT NULL")),
)
