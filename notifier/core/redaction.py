"""What a log line may not say: tokens, views, file tickets, query strings, phone numbers, NIKs.

The last net under "personal data never reaches a log": it works on the finished line, whoever wrote it (a server, a
library, a traceback). Code of ours still never logs such a value.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

#: paths whose next part is a secret or leads to a person
_SECRET_PATH = re.compile(r"(?i)((?:/|%2f)(?:c|certificate|m|kasus)(?:/|%2f)+)[^\s\"'<>?#/]+")
_QUERY = re.compile(r"\?[^\s\"'<>]+")
_TOKEN = re.compile(r"(?<![0-9A-Za-z])(?=[A-Za-z]*[0-9])[0-9A-Za-z]{21,}")
_NUMBER = re.compile(r"(?<![0-9A-Za-z.])(?:\+[0-9]{8,15}|0[0-9]{8,13}|[0-9]{16})(?![0-9A-Za-z])")


def redacted(text: str) -> str:
    """`text` without what must not be logged. A word of more than 20 letters and digits counts as a token."""
    text = _SECRET_PATH.sub(lambda match: match[1] + HIDDEN, text)
    text = _QUERY.sub("?" + HIDDEN, text)
    text = _TOKEN.sub(HIDDEN, text)
    return _NUMBER.sub(HIDDEN, text)
