"""Twilio's words for where a message is, in our vocabulary.

Source: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
"""

from __future__ import annotations

from types import MappingProxyType

from notifier.gateways import ReceiptState

STATUSES = MappingProxyType(
    {
        "accepted": ReceiptState.ACCEPTED,
        "scheduled": ReceiptState.ACCEPTED,
        "queued": ReceiptState.ACCEPTED,
        "sending": ReceiptState.ACCEPTED,
        "sent": ReceiptState.SENT,
        "delivered": ReceiptState.DELIVERED,
        "read": ReceiptState.DELIVERED,  # WhatsApp and RCS
        "undelivered": ReceiptState.UNDELIVERED,
        "failed": ReceiptState.FAILED,
        "canceled": ReceiptState.FAILED,
    }
)


def state_of(word: str) -> ReceiptState | None:
    """None for a word that says nothing about delivery, or that Twilio added after this was written."""
    return STATUSES.get(word.lower())
