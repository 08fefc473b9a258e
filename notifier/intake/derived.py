"""Ids made from content, where the source gives none: the same content again is the same event, and nothing happens.

HMAC-SHA-256 with a key of ours: ids are kept in the clear, and nobody may try out names and dates against them.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from notifier.intake.event import DoseData, Event, PersonData, content_bytes

_LENGTH = 32  # hexadecimal digits, 128 bits


def derived_id(hash_key: bytes, purpose: str, content: bytes) -> str:
    """32 hexadecimal digits; another purpose gives other digits for the same content."""
    message = f"sertilink.{purpose}.v1\0".encode() + content
    return hmac.new(hash_key, message, hashlib.sha256).hexdigest()[:_LENGTH]


def content_event_id(hash_key: bytes, event: Event) -> str:
    """The event id of a dose whose source counts no versions: other content is another event of the same dose."""
    return f"{event.dose.id}/content/{derived_id(hash_key, 'event', content_bytes(event))}"


def derived_dose_id(hash_key: bytes, person: PersonData | None, dose: DoseData) -> str | None:
    """The id of "this vaccine, to this person, on this day"; None where the person has neither NIK nor id.

    Name and birth date would not do: two people may share them, and one would lose a certificate.
    """
    if person is None or dose.given_on is None:
        return None
    whose = f"nik:{person.nik}" if person.nik else f"id:{person.id}" if person.id else None
    vaccine = dose.vaccine_code or dose.product
    if whose is None or vaccine is None:
        return None
    parts = [whose, dose.vaccine_system or "", vaccine.casefold(), dose.given_on.isoformat()]
    return derived_id(hash_key, "dose", json.dumps(parts).encode())
