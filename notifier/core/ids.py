"""Identifiers: row ids, references that people read aloud, and unguessable ids for addresses."""

from __future__ import annotations

import secrets
import time
import uuid

# Crockford's base 32: no I, L, O, U, so that a reference survives a phone call.
REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10  # 50 bits
#: the first digit of the fourth group (RFC 9562: binary 10xx), for each hexadecimal digit of noise
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_ID_LENGTH = 36
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): made by us, so that a sealed column's AAD is known before the insert,
    and ordered by time, so that indexes grow at one end."""
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds & (2**48 - 1)) << 16 | 0x7 << 12 | secrets.randbits(12)
    return str(uuid.UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62)))


def new_ids(count: int) -> list[str]:
    """As many ids as `new_id` would give one by one, for a batch of rows."""
    stamp = f"{time.time_ns() // 1_000_000 & (2**48 - 1):012x}"
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    noise = secrets.token_hex(10 * count)
    ids = []
    for start in range(0, 20 * count, 20):
        bits = noise[start : start + 20]
        variant = _VARIANTS[bits[3]]
        ids.append(f"{head}{bits[:3]}-{variant}{bits[4:7]}-{bits[7:19]}")
    return ids


def read_row_id(text: str) -> str | None:
    """A row id as it stands in an address of ours; None where it is none, which PostgreSQL would not take."""
    try:
        return str(uuid.UUID(text)) if len(text) == _ID_LENGTH else None
    except ValueError:
        return None


def random_letters(length: int) -> str:
    """Letters of REFERENCE_ALPHABET, each as likely as the others: it has 32, so 5 bits of a byte choose one."""
    return "".join([REFERENCE_ALPHABET[byte & 31] for byte in secrets.token_bytes(length)])


def new_reference() -> str:
    """What operators and people quote for one notification."""
    return random_letters(REFERENCE_LENGTH)


def read_reference(text: str) -> str:
    """A reference as a person typed it: case, blanks and hyphens do not matter, nor O for 0 or I and L for 1."""
    folded = text.strip().upper().replace("-", "").replace(" ", "").replace("\0", "")  # PostgreSQL takes no NUL
    return folded.translate(str.maketrans("OIL", "011"))


def new_secret_id(bits: int = 128) -> str:
    """A random base62 word of at least `bits` bits, for addresses that must not be guessed."""
    length = -(-bits * 1000 // 5954)  # log2(62) = 5.954
    letters = ""
    while len(letters) < length:
        # of a byte's 256 values the last eight are left out, so that each letter is as likely as the others
        letters += "".join([BASE62[byte % 62] for byte in secrets.token_bytes(length + 4) if byte < 4 * 62])
    return letters[:length]
