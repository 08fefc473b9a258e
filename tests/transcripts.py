"""Recorded conversations: `tests/samples/chats/<name>.txt`, as the person sees them.

A line `> hai` is what the person writes; `> (voice)` is what is no text, `> {code}` the code of the newest SMS. What
stands between is what comes back, messages apart by a line `--`; `{link}` stands for an address of ours with a token,
`{reference}` for that of a case.
`RECORD_CHATS=1 pytest tests/support/chat/test_transcripts.py` records them anew; look at what changed before you keep
it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from notifier.core.states import Said

FOLDER = Path(__file__).parent / "samples" / "chats"
BETWEEN = "\n--\n"
LINK = re.compile(r"(https?://[^\s/]+)?/(?:c|m|kasus)/[0-9A-Za-z_-]+")
#: as core.ids makes them; our texts shout nowhere
REFERENCE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{10}\b")


@dataclass(frozen=True)
class Exchange:
    """One thing that the person sends, and the messages that come back."""

    sends: str
    comes: list[str]

    @property
    def said(self) -> Said:
        """Of what is no text, its kind."""
        word = self.sends.strip("()")
        return Said(word) if self.sends.startswith("(") and word in set(Said) else Said.TEXT


def read(path: Path) -> list[Exchange]:
    exchanges = []
    for part in path.read_text("utf-8").split("> ")[1:]:
        sends, _, rest = part.partition("\n")
        body = rest.strip("\n")
        exchanges.append(Exchange(sends, body.split(BETWEEN) if body else []))
    return exchanges


def plain(text: str) -> str:
    """A message as a transcript has it."""
    return REFERENCE.sub("{reference}", LINK.sub("{link}", text))


def write(path: Path, exchanges: list[Exchange]) -> None:
    text = "\n\n".join("\n".join([f"> {each.sends}", BETWEEN.join(each.comes)]) for each in exchanges)
    path.write_text(text + "\n", "utf-8")


def played(exchanges: list[Exchange], send: Callable[[Exchange], list[str]]) -> list[Exchange]:
    """Sends everything again; what came back this time."""
    return [Exchange(each.sends, [plain(text) for text in send(each)]) for each in exchanges]
