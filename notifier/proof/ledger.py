"""The provider's durable ledger: one JSON line for each message that it took, one for each word that it said later
about one, and one for each that it refused for good. It is the truth that a run of `sertilink prove` is judged by.

Everybody in it is made up by the run, so numbers and texts may stand in it: after a restart the provider must still
list its messages.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from notifier.core.link_tokens import PUBLIC_ID_LENGTH, TOKEN_LENGTH

_LINK = re.compile(rf"/c/([0-9A-Za-z]{{{PUBLIC_ID_LENGTH}}})[0-9A-Za-z]{{{TOKEN_LENGTH - PUBLIC_ID_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Taken:
    """One accepted submission. `at`: Unix seconds. `attempt`: our reference, from the callback's address. `link`: the
    public id in the text. `number`: SHA-256 of the E.164 number."""

    sid: str
    at: float
    attempt: str
    link: str
    number: str
    to: str
    body: str
    callback: str


@dataclass
class Ledger:
    """What was read: submissions in the order they came, the words said about each SID, and the attempts that were
    refused for good."""

    taken: list[Taken] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def add(self, line: dict[str, Any]) -> None:
        """Takes one line in."""
        if "word" in line:
            self.words.setdefault(str(line["sid"]), []).append(str(line["word"]))
        elif "refused" in line:
            self.refused.add(str(line["refused"]))
        else:
            self.taken.append(Taken(**line))


def number_key(number: str) -> str:
    """How a number in E.164 is named in the ledger."""
    return hashlib.sha256(number.encode()).hexdigest()


def link_in(body: str) -> str:
    """The public id of the link in a text; empty where there is none."""
    found = _LINK.search(body)
    return found[1] if found else ""


def read(path: Path) -> Ledger:
    """The ledger in a file; empty where there is none. A last line without its end was never answered: not read."""
    ledger = Ledger()
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            ledger.add(json.loads(line))
    return ledger


class LedgerFile:
    """The file as the provider writes it: a line is on the disk when `keep` returns. Many callers share one fsync."""

    def __init__(self, path: Path) -> None:
        self.ledger = read(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, _whole_lines(path))
        self._waiting: list[bytes] = []
        self._flushed: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, *lines: dict[str, Any]) -> None:
        """Adds lines; returns when they are on the disk. Raises OSError where they cannot be written."""
        self._waiting.extend(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        flushed = self._flushed
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(flushed)
        for line in lines:
            self.ledger.add(line)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._flushed is not None:
                lines, flushed = b"".join(self._waiting), self._flushed
                self._waiting, self._flushed = [], None
                try:
                    await loop.run_in_executor(None, self._to_disk, lines)
                except OSError as error:
                    flushed.set_exception(error)
                else:
                    flushed.set_result(None)
        finally:
            self._writer = None

    def _to_disk(self, lines: bytes) -> None:
        left = memoryview(lines)
        while left:
            left = left[os.write(self._file, left) :]
        os.fsync(self._file)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)


def _whole_lines(path: Path) -> int:
    """The length of the file up to its last whole line."""
    return path.read_bytes().rfind(b"\n") + 1


def taken_line(sid: str, at: float, form: dict[str, str]) -> dict[str, Any]:
    """The line of a message that is taken, from its form."""
    to, body, callback = form.get("To", ""), form.get("Body", ""), form.get("StatusCallback", "")
    return asdict(Taken(sid, at, attempt_in(callback), link_in(body), number_key(to), to, body, callback))


def attempt_in(callback: str) -> str:
    """Our reference in a callback's address."""
    return callback.rpartition("/")[2]


def grouped(taken: Iterable[Taken], key: Any) -> dict[str, list[Taken]]:
    """The submissions by whatever `key` says of each."""
    found: dict[str, list[Taken]] = {}
    for one in taken:
        found.setdefault(key(one), []).append(one)
    return found
