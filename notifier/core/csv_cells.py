"""Cells of a table for a spreadsheet: text that a spreadsheet would take for a formula is made harmless."""

from __future__ import annotations

#: OWASP, "CSV Injection"
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet could take it for a formula; NUL bytes left out."""
    cleaned = text.replace("\0", "")
    return "'" + cleaned if cleaned.lstrip(" ").startswith(SIGNS) else cleaned
