"""What the programme set in the browser, with its history; and the counts behind the dashboard."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata
from notifier.store.types import Moment

# every version that was ever saved; the newest of a name is in force. Two who save the same revision: one wins
setting_version = sa.Table(
    "setting_version",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),  # "rules", or "sms/id/certificate"
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.JSON, nullable=False),  # what is set here; what is left out comes from elsewhere
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(140), nullable=False),
    sa.Column("reason", sa.String(300), nullable=False),
)

# how many messages of a day (the one on which they were made) and facility stand where
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("facility_id", sa.String(200), primary_key=True),  # "": all, those without a facility among them
    sa.Column("day", sa.Date, primary_key=True),  # in the programme's zone
    sa.Column("what", sa.String(20), primary_key=True),  # store/tallies.py: a state, or what came after
    sa.Column("reason", sa.String(40), primary_key=True),  # "": none
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Index("ix_tally_what_day", "what", "day"),
)

tally_day = sa.Table(
    "tally_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("counted_at", Moment, nullable=False),
)

# the newest count: one row
tally_run = sa.Table(
    "tally_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("counted_at", Moment),  # when the newest count began
    sa.Column("due", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("left_5_minutes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("left_hour", sa.BigInteger, nullable=False, server_default="0"),
)
