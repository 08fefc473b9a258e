"""Why somebody does something: every deed of staff that the audit keeps has a reason."""

from __future__ import annotations

from notifier.core.errors import BadInput

MAX_REASON_LENGTH = 300


def read_reason(text: str) -> str:
    """A reason, tidied. Raises BadInput where it is empty or too long."""
    cleaned = " ".join(text.replace("\0", " ").split())  # PostgreSQL takes no NUL
    if not cleaned:
        raise BadInput.of("reason", "required", "write why, in a few words and without a person's data")
    if len(cleaned) > MAX_REASON_LENGTH:
        raise BadInput.of("reason", "too-long", f"at most {MAX_REASON_LENGTH} characters")
    return cleaned
