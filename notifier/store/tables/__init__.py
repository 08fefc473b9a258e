"""Every table. Columns that end in `_sealed` hold AES-256-GCM bytes (store.sealed), `_index` a keyed blind index.

Plain columns never hold a name, NIK, phone, birth date, message text or token.
"""

from __future__ import annotations

from notifier.store.tables.base import metadata
from notifier.store.tables.bulks import bulk, bulk_item, bulk_schedule
from notifier.store.tables.care import certificate, code, dose, event, facility, link, opening, person, person_word
from notifier.store.tables.cases import number_pause, support_case
from notifier.store.tables.people import api_key, session, staff
from notifier.store.tables.sending import attempt, caught_sms, inbound_sms, notification, receipt, suppression
from notifier.store.tables.upkeep import (
    audit,
    bucket,
    circuit,
    counter,
    dead_letter,
    epoch,
    follow_up,
    reconciliation,
    switch,
    tick,
)

__all__ = [
    "api_key",
    "attempt",
    "audit",
    "bucket",
    "bulk",
    "bulk_item",
    "bulk_schedule",
    "caught_sms",
    "certificate",
    "circuit",
    "code",
    "counter",
    "dead_letter",
    "dose",
    "epoch",
    "event",
    "facility",
    "follow_up",
    "inbound_sms",
    "link",
    "metadata",
    "notification",
    "number_pause",
    "opening",
    "person",
    "person_word",
    "receipt",
    "reconciliation",
    "session",
    "staff",
    "support_case",
    "suppression",
    "switch",
    "tick",
]
