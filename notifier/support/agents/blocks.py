"""Ready-made texts for answers: those that came with the programme, and the programme's own, kept as versions.

A text is put into the answer as it stands, and read by a colleague before it is sent: nothing in it is filled in.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from notifier.core.errors import BadInput, Conflict, NotFound, Refused
from notifier.core.words import LANGUAGES
from notifier.services import TEMPLATES, Services
from notifier.store import audit, programme
from notifier.support.agents.replies import must_be_general, tidied
from notifier.support.resend import read_reason

PREFIX = "desk/"
MAX_BLOCK = 1_500
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Block:
    """One text. `own`: the programme wrote it, None where it is ours; `came`: one came with the programme."""

    language: str
    name: str
    text: str
    own: str | None
    came: bool
    revision: int

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.language}/{self.name}"


def listed(services: Services, language: str | None = None) -> list[Block]:
    """Every text that can be used, by name; in one language, or in all."""
    with services.db.read() as conn:
        stored = {key: row for key, row in programme.in_force(conn).items() if key.startswith(PREFIX)}
    files = {f"{PREFIX}{key}": text for key, text in _files().items()}
    found = [_block(key, files, stored) for key in files.keys() | stored.keys()]
    wanted = [one for one in found if one.text and language in {None, one.language}]
    return sorted(wanted, key=lambda one: (one.name, one.language != "id", one.language))


def find(services: Services, language: str, name: str) -> Block:
    """One text, also one that does not exist yet, with nothing in it. Raises NotFound for what cannot be a name."""
    if language not in LANGUAGES or not _NAME.fullmatch(name):
        raise NotFound("there is no such text")
    with services.db.read() as conn:
        stored = programme.in_force(conn)
    return _block(f"{PREFIX}{language}/{name}", {f"{PREFIX}{key}": text for key, text in _files().items()}, stored)


def save(services: Services, block: Block, typed: str, *, base: int, reason: str, actor: str) -> None:
    """Uses a text from now on. Raises BadInput (`text`, `reason`), Refused (`unchanged`), or Conflict where somebody
    else has saved meanwhile."""
    text = tidied(typed, MAX_BLOCK)
    must_be_general(services, text)
    _save(services, block, {"text": text}, base=base, reason=reason, actor=actor)


def reset(services: Services, block: Block, *, base: int, reason: str, actor: str) -> None:
    """Goes back to the text that came with the programme; one that did not is used no more. Raises as `save` does."""
    _save(services, block, {}, base=base, reason=reason, actor=actor)


def _save(services: Services, block: Block, value: dict[str, str], *, base: int, reason: str, actor: str) -> None:
    reason = read_reason(reason)
    if base == block.revision and value.get("text") == block.own:
        raise Refused("unchanged")
    at = services.clock.now()
    with services.db.write() as conn:
        if not programme.save(conn, block.key, value, base=base, by=actor, reason=reason, at=at):
            raise Conflict("somebody else has changed the text meanwhile")
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="desk-text.changed" if value else "desk-text.reset",
            subject="setting",
            subject_id=block.key,
            reason=reason,
            revision=base + 1,
            sha256=hashlib.sha256(value["text"].encode()).hexdigest() if value else None,
        )


def new_name(typed: str) -> str:
    """A name for a new text. Raises BadInput (`name`)."""
    name = "-".join(typed.split()).lower()
    if not _NAME.fullmatch(name):
        raise BadInput.of("name", "text-name", "letters, digits and hyphens")
    return name


def _block(key: str, files: dict[str, str], stored: dict[str, programme.Row]) -> Block:
    _, language, name = key.split("/")
    row = stored.get(key)
    own = row.value.get("text") if row else None
    return Block(language, name, own or files.get(key, ""), own, key in files, row.revision if row else 0)


@cache
def _files() -> dict[str, str]:
    """The texts that came with the programme, by `language/name`."""
    return {
        f"{language}/{file.stem}": file.read_text(encoding="utf-8").strip()
        for language in LANGUAGES
        for file in sorted((TEMPLATES / "mail" / language / "blocks").glob("*.txt"))
    }
