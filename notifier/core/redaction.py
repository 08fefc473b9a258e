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
#: one link in 300 has no digit in it
_TOKEN = re.compile(r"(?<![0-9A-Za-z])(?:(?=[A-Za-z]*[0-9])[0-9A-Za-z]{21,}|[A-Za-z]{33}(?![0-9A-Za-z]))")
#: as the web server writes of what it could not read
_CLIENT = re.compile(r"\bip=[0-9A-Fa-f.:]*[0-9A-Fa-f]")
_NUMBER = re.compile(r"(?<![0-9A-Za-z.])(?:\+[0-9]{8,15}|0[0-9]{8,13}|[0-9]{16})(?![0-9A-Za-z])")

#: without one of these nothing above is found: most words that a line is made of
_PERHAPS = re.compile(r"[/%?=]|[0-9A-Za-z]{21}|[0-9]{8}")


def redacted(text: str) -> str:
    """`text` without what must not be logged. A word of more than 20 letters and digits counts as a token, as does one
    of exactly 33 letters."""
    if _PERHAPS.search(text) is None:
        return text
    text = _SECRET_PATH.sub(lambda match: match[1] + HIDDEN, text)
    if "?" in text:
        text = _QUERY.sub("?" + HIDDEN, text)
    if "ip=" in text:
        text = _CLIENT.sub("ip=" + HIDDEN, text)
    text = _TOKEN.sub(HIDDEN, text)
    return _NUMBER.sub(HIDDEN, text)
