"""What waits for staff: cases on a list, their steps, and numbers said to be a stranger's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

_OPEN = "status = 'open'"
#: kinds of which a person, or a person's number, has one open case at most
_ONE_A_PERSON = f"{_OPEN} AND kind IN ('not-me', 'birth-date-rejected')"


def _where(predicate: str) -> dict[str, Any]:
    """A partial index; literal, since a bound parameter could not use it in a generic plan."""
    return {"sqlite_where": sa.text(predicate), "postgresql_where": sa.text(predicate)}


def _its_case() -> sa.ForeignKey:
    """A reference to the case that a row goes with."""
    return sa.ForeignKey("support_case.id", ondelete="CASCADE")


# `case` alone is a word of SQL
support_case = sa.Table(
    "support_case",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("person_id", RowId, row_of("person")),
    sa.Column("link_id", RowId, row_of("link")),
    sa.Column("facility_id", sa.String(200)),  # none: the operators' alone
    sa.Column("phone_index", sa.LargeBinary),  # the number that it is about, or that whoever reported it has
    sa.Column("status", sa.String(20), nullable=False),  # open, closed
    sa.Column("outcome", sa.String(40)),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),  # whoever it waits for should have acted by then; moves at each step
    sa.Column("closed_at", Moment),
    sa.Column("closed_by", sa.String(140)),  # an actor of the audit
    # what somebody reported from outside (support.missing, and the agents' desk)
    sa.Column("source", sa.String(20), nullable=False, server_default="link"),  # CaseSource
    sa.Column("contact_id", RowId),  # whom SMS about it go to; a row of `contact`
    sa.Column("confirmed_at", Moment),  # that number was proven by a code; before, no SMS goes to it
    sa.Column("public_id", sa.String(20)),  # in the tracker's token
    sa.Column("language", sa.String(5)),
    sa.Column("facts_sealed", sa.LargeBinary),  # JSON: who, what, where, when, as it was reported
    sa.Column("same_index", sa.LargeBinary),  # what makes two open reports one
    sa.Column("nik_index", sa.LargeBinary),  # by these an arriving dose finds its case
    sa.Column("born_index", sa.LargeBinary),  # of number and birth date together
    sa.Column("cause", sa.String(40)),  # Cause, as far as it is known
    sa.Column("waits_for", sa.String(20)),  # CaseParty: who acts next
    sa.Column("promised_at", Moment),  # what we told the person; never moves, and alarms
    sa.Column("alarmed_at", Moment),
    sa.Column("reminders", sa.Integer, nullable=False, server_default="0"),
    # the agents' desk
    sa.Column("claimed_by", RowId),  # a row of `staff`
    sa.Column("claimed_until", Moment),
    sa.Column("merged_into", RowId),  # the case that goes on in its place
    sa.Index("ix_support_case_list", "facility_id", "status", "opened_at"),
    sa.Index("ix_support_case_person_id", "person_id"),
    sa.Index(
        "uq_support_case_open",
        "person_id",
        "kind",
        unique=True,
        **_where(f"{_ONE_A_PERSON} AND phone_index IS NULL"),
    ),
    sa.Index("uq_support_case_open_number", "person_id", "kind", "phone_index", unique=True, **_where(_ONE_A_PERSON)),
    sa.Index("uq_support_case_public_id", "public_id", unique=True),
    sa.Index("uq_support_case_same", "kind", "same_index", unique=True, **_where(_OPEN)),
    sa.Index("ix_support_case_nik", "nik_index", **_where(f"{_OPEN} AND nik_index IS NOT NULL")),
    sa.Index("ix_support_case_born", "born_index", **_where(f"{_OPEN} AND born_index IS NOT NULL")),
    sa.Index("ix_support_case_number", "phone_index", **_where(f"{_OPEN} AND phone_index IS NOT NULL")),
    sa.Index("ix_support_case_due", "due_at", **_where(_OPEN)),
    sa.Index("ix_support_case_promised", "promised_at", **_where(f"{_OPEN} AND promised_at IS NOT NULL")),
    sa.Index("ix_support_case_contact", "contact_id", **_where("contact_id IS NOT NULL")),
)

# what happened to a case, one after the other; rows are only added
case_step = sa.Table(
    "case_step",
    metadata,
    id_column(),
    sa.Column("case_id", RowId, _its_case(), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),  # StepKind
    sa.Column("actor", sa.String(140), nullable=False),  # of the audit
    sa.Column("facility_id", sa.String(200)),  # where it went to
    sa.Column("detail", sa.String(60)),  # a code, such as a closing reason; never a word that somebody typed
    sa.Column("words_sealed", sa.LargeBinary),  # what was said, by the person or by staff
    sa.Index("ix_case_step_case_id_at", "case_id", "at"),
)

# a photo of the vaccination card, drawn anew by us; taken away when the case ends
case_picture = sa.Table(
    "case_picture",
    metadata,
    id_column(),
    sa.Column("case_id", RowId, _its_case(), nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("picture_sealed", sa.LargeBinary, nullable=False),  # JPEG
)

# a number that gets no SMS about one person, until it is lifted
number_pause = sa.Table(
    "number_pause",
    metadata,
    id_column(),
    sa.Column("person_id", RowId, row_of("person"), nullable=False),
    sa.Column("phone_index", sa.LargeBinary, nullable=False),
    sa.Column("case_id", RowId, row_of("support_case"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("confirmed_at", Moment),  # staff made sure: the number is a stranger's for good
    sa.Column("lifted_at", Moment),
    sa.Index(
        "uq_number_pause_open",
        "person_id",
        "phone_index",
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    ),
)

# a call with a person, noted by whoever had it; what was typed is sealed
person_call = sa.Table(
    "person_call",
    metadata,
    id_column(),
    sa.Column("person_id", RowId, row_of("person"), nullable=False, index=True),
    sa.Column("facility_id", sa.String(200)),  # whose staff had it; none: the operators'
    sa.Column("noted_by", RowId, row_of("staff"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("note_sealed", sa.LargeBinary),
    sa.Column("at", Moment, nullable=False),
)
