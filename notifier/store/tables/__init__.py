"""Every table. Columns that end in `_sealed` hold AES-256-GCM bytes (store.sealed), `_index` a keyed blind index.

Plain columns never hold a name, NIK, phone, birth date, message text or token.
"""

from __future__ import annotations

from notifier.store.tables.account import account_open, account_proof, account_session, otp_challenge
from notifier.store.tables.base import metadata
from notifier.store.tables.bulks import bulk, bulk_item, bulk_schedule
from notifier.store.tables.care import certificate, code, dose, event, facility, link, opening, person, person_word
from notifier.store.tables.cases import case_picture, case_step, number_pause, person_call, support_case
from notifier.store.tables.chat import caught_chat, chat_file, chat_message, chat_reply, conversation
from notifier.store.tables.corrections import correction_request
from notifier.store.tables.desk import caller_check
from notifier.store.tables.machines import idempotency, test_notification
from notifier.store.tables.mail import mail_in, mail_out, mail_taken
from notifier.store.tables.outward import registry_outbox, reminder, reminder_mark
from notifier.store.tables.people import api_key, recovery_code, session, staff
from notifier.store.tables.privacy import erased_mark
from notifier.store.tables.programme import setting_version, tally, tally_day, tally_run
from notifier.store.tables.sending import attempt, caught_sms, contact, inbound_sms, notification, receipt, suppression
from notifier.store.tables.upkeep import (
    audit,
    audit_checkpoint,
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
from notifier.store.tables.uploads import upload, upload_chunk, upload_mapping, upload_refusal

__all__ = [
    "account_open",
    "account_proof",
    "account_session",
    "api_key",
    "attempt",
    "audit",
    "audit_checkpoint",
    "bucket",
    "bulk",
    "bulk_item",
    "bulk_schedule",
    "caller_check",
    "case_picture",
    "case_step",
    "caught_chat",
    "caught_sms",
    "certificate",
    "chat_file",
    "chat_message",
    "chat_reply",
    "circuit",
    "code",
    "contact",
    "conversation",
    "correction_request",
    "counter",
    "dead_letter",
    "dose",
    "epoch",
    "erased_mark",
    "event",
    "facility",
    "follow_up",
    "idempotency",
    "inbound_sms",
    "link",
    "mail_in",
    "mail_out",
    "mail_taken",
    "metadata",
    "notification",
    "number_pause",
    "opening",
    "otp_challenge",
    "person",
    "person_call",
    "person_word",
    "receipt",
    "reconciliation",
    "recovery_code",
    "registry_outbox",
    "reminder",
    "reminder_mark",
    "session",
    "setting_version",
    "staff",
    "support_case",
    "suppression",
    "switch",
    "tally",
    "tally_day",
    "tally_run",
    "test_notification",
    "tick",
    "upload",
    "upload_chunk",
    "upload_mapping",
    "upload_refusal",
]
