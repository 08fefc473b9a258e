"""What the workers share: counters, limits, switches, the circuit, marks, the audit, dead letters."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata
from notifier.store.types import Moment, RowId, id_column

#: the audit's rows but for the one of every event; the same words in every query, or the partial index is not used
IS_DEED = "action <> 'event.accepted'"

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

# whether the provider may be spoken to; one row a gateway, obeyed by every worker
circuit = sa.Table(
    "circuit",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),  # closed, open, probing
    sa.Column("mode", sa.String(20), nullable=False),  # auto, open, closed: what an operator pinned
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row, while closed
    sa.Column("openings", sa.Integer, nullable=False, server_default="0"),  # in a row, without a success between
    sa.Column("probe_at", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(140), nullable=False),
    sa.Column("reason", sa.String(300), nullable=False),
)

# how far this database has come, to be compared with what the workers remember: a restored copy is behind them
epoch = sa.Table(
    "epoch",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("installation", sa.String(40), nullable=False),
    sa.Column("mark", sa.BigInteger, nullable=False),
    sa.Column("marked_at", Moment, nullable=False),
    sa.Column("restored_at", Moment),
    sa.Column("restored_from", Moment),
)

# the newest count of "every accepted event has one notification or a reason"
reconciliation = sa.Table(
    "reconciliation",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("looked_at", sa.BigInteger, nullable=False),
    sa.Column("unaccounted", sa.BigInteger, nullable=False),
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
    sa.Index(
        "ix_follow_up_done",
        "done_at",
        sqlite_where=sa.text("done_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL"),
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
    sa.Index("ix_audit_at", "at", "id"),
    sa.Index("ix_audit_actor_at", "actor", "at", "id"),
    # what intake writes for each event is found newest first without it, and would pay for it
    sa.Index(
        "ix_audit_deed",
        "action",
        "at",
        "id",
        sqlite_where=sa.text(IS_DEED),
        postgresql_where=sa.text(IS_DEED),
    ),
    sa.Index(
        "ix_audit_unsealed",
        "at",
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    ),
)

# how far the chain of the audit came at a moment, under a key that is not in this database
audit_checkpoint = sa.Table(
    "audit_checkpoint",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("chain_hash", sa.LargeBinary, nullable=False),
    sa.Column("mac", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("checked_at", Moment, nullable=False, index=True),  # when the rows up to it were last held against it
    sa.Column("broken_at", sa.BigInteger),  # the position at which they did not hold
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
    sa.Column("problem_key", sa.String(64), nullable=False, server_default=""),  # the same for the same problems
    sa.Column("settled_at", Moment),
    sa.Column("settled_by", sa.String(140)),
    sa.Index(
        "ix_dead_letter_open",
        "received_at",
        "id",
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    ),
    sa.Index(
        "ix_dead_letter_settled",
        "settled_at",
        sqlite_where=sa.text("settled_at IS NOT NULL"),
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_dead_letter_problem",
        "problem_key",
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    ),
)
