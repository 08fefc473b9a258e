"""Every text of a face, as babel finds it in code and templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

ROOT = Path(__file__).resolve().parents[2]
_KEYWORDS = {**DEFAULT_KEYWORDS, "_": None, "N_": None}


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of each text below `folder`."""
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    for name, line, texts, _comments, _context in extract_from_dir(folder, methods, options, keywords=_KEYWORDS):
        for text in texts if isinstance(texts, tuple) else (texts,):
            if text:
                yield f"{name}:{line}", text
