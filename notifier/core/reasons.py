"""Why somebody does something: every deed of staff that the audit keeps has a reason."""

from __future__ import annotations

from notifier.core.errors import BadInput

MAX_REASON_LENGTH = 300


def read_reason(text: str) -> str:
    """Why somebody does something, tidied. Raises BadInput where it is empty, too long or cannot be kept."""
    cleaned = " ".join(text.replace("\0", " ").split())  # PostgreSQL takes no NUL
    if not cleaned:
        raise BadInput.of("reason", "required", "write why, in a few words and without a person's data")
    if len(cleaned) > MAX_REASON_LENGTH:
        raise BadInput.of("reason", "too-long", f"at most {MAX_REASON_LENGTH} characters")
    if any(not ch.isprintable() or 0xD800 <= ord(ch) <= 0xDFFF for ch in cleaned):
        raise BadInput.of("reason", "bad-character", "leave out what cannot be printed")
    return cleaned
