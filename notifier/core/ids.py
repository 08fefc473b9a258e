"""Identifiers: row ids, references that people read aloud, and unguessable ids for addresses."""

from __future__ import annotations

import secrets
import time
import uuid

# Crockford's base 32: no I, L, O, U, so that a reference survives a phone call.
REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10  # 50 bits
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): made by us, so that a sealed column's AAD is known before the insert,
    and ordered by time, so that indexes grow at one end."""
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds & (2**48 - 1)) << 16 | 0x7 << 12 | secrets.randbits(12)
    return str(uuid.UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62)))


def new_reference() -> str:
    """What operators and people quote for one notification."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))


def read_reference(text: str) -> str:
    """A reference as a person typed it: case, blanks and hyphens do not matter, nor O for 0 or I and L for 1."""
    folded = text.strip().upper().replace("-", "").replace(" ", "")
    return folded.translate(str.maketrans("OIL", "011"))


def new_secret_id(bits: int = 128) -> str:
    """A random base62 word of at least `bits` bits, for addresses that must not be guessed."""
    length = -(-bits * 1000 // 5954)  # log2(62) = 5.954
    return "".join(secrets.choice(BASE62) for _ in range(length))
