"""The certificate identifier of an HC1 code: random, with the check character that the EU's Annex 2 describes."""

from __future__ import annotations

import hashlib

from notifier.core.ids import random_letters

_CHECKED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"
_OPAQUE_LETTERS = 26  # 130 bits
_HASH_BYTES = 16


def new_uvci(country: str) -> str:
    """URN:UVCI:01:ID:...#X; says the country and nothing else."""
    text = f"URN:UVCI:01:{country}:{random_letters(_OPAQUE_LETTERS)}"
    return f"{text}#{check_character(text)}"


def check_character(text: str) -> str:
    """Luhn mod N over the 38 characters that a UVCI may have. Raises ValueError for any other."""
    base = len(_CHECKED)
    total, factor = 0, 2
    for letter in reversed(text):
        high, low = divmod(_CHECKED.index(letter) * factor, base)
        total += high + low
        factor = 3 - factor
    return _CHECKED[-total % base]


def revocation_id(uvci: str) -> str:
    """How the revocation list names a code: the first 128 bits of the SHA-256 of its `ci`, in hexadecimal."""
    return hashlib.sha256(uvci.encode()).digest()[:_HASH_BYTES].hex()
