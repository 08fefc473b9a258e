"""What is said, in a language, as the messages that go out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from notifier.catalogue import Catalogue
from notifier.support.chat import texts
from notifier.support.chat.dialogue import Say

#: characters of one message; the provider allows 1,600 (https://www.twilio.com/docs/api/errors/21617)
LONGEST = 1500


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message. `options` are answered by their number; `tail` stands below them. `file`: the public id of a file
    instead of a text of its own. `reopen`: says only that there is an answer (a template of the provider's)."""

    text: str = field(repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)
    tail: str = ""
    file: str = ""
    language: str = "id"
    reopen: bool = False

    def to_text(self) -> str:
        kept = {each.name: getattr(self, each.name) for each in fields(self)}  # asdict would copy each text
        return json.dumps(kept, ensure_ascii=False)

    @classmethod
    def of_text(cls, text: str) -> Spoken:
        kept = json.loads(text)
        return cls(**{**kept, "options": tuple(kept["options"])})


def speak(catalogue: Catalogue, language: str, says: Sequence[Say], values: Mapping[str, str]) -> list[Spoken]:
    """All of it in as few messages as may be: one with the texts, then one for each file."""
    blocks: list[str] = []
    options: tuple[str, ...] = ()
    tail = ""
    files = [say.file for say in says if say.file]
    for say in says:
        known = {**values, **say.values}
        said = [catalogue.say(language, text) % known for text in say.text]
        blocks.append("\n".join([*said, *say.lines]))
        options = (*say.labels, *(catalogue.say(language, option) for option in say.options)) or options
        tail = catalogue.say(language, texts.BACK) if say.back else tail
    whole = [block for block in blocks if block]
    *first, last = _pieces(whole) or [""]
    spoken = [Spoken(piece, language=language) for piece in first]
    spoken.append(Spoken(last, options, tail, language=language))
    pdf = catalogue.say(language, texts.PDF)
    return spoken + [Spoken(pdf, file=file, language=language) for file in files]


def _pieces(blocks: Sequence[str]) -> list[str]:
    """The blocks, a blank line between them, in pieces that a message holds, cut between lines."""
    pieces: list[str] = []
    for line in "\n\n".join(blocks).split("\n"):
        short = line[:LONGEST]
        if pieces and len(pieces[-1]) + 1 + len(short) <= LONGEST:
            pieces[-1] += "\n" + short
        else:
            pieces.append(short)
    return [piece.strip("\n") for piece in pieces]
