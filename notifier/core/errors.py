"""The errors that rooms raise for their callers. No message here ever holds personal data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


class SertilinkError(Exception):
    """Base of every error that a door turns into an answer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where (`person.nik`), which rule (`nik-length`) and what to do instead.

    `detail` never repeats the value, since the value may be personal data.
    """

    field: str
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail} [{self.rule}]"


class BadInput(SertilinkError):
    """An input breaks at least one rule; nothing of it was written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, field: str, rule: str, detail: str) -> BadInput:
        return cls([Problem(field, rule, detail)])


class Conflict(SertilinkError):
    """The same key came before with other content (HTTP 409), or somebody else changed the row first."""


class NotFound(SertilinkError):
    """There is no such row, or the caller may not see it; the two look the same on purpose."""


class Refused(SertilinkError):
    """The state of things forbids the action; `reason` is a word a person can be shown. `not_before`: when it will be
    allowed, where it is only a matter of time."""

    def __init__(self, reason: str, *, not_before: datetime | None = None) -> None:
        self.reason = reason
        self.not_before = not_before
        super().__init__(reason)


class BadSettings(SertilinkError):
    """The settings cannot work or are not safe for this environment; each line names a setting, never its value."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class BadToken(SertilinkError):
    """A token has the wrong shape or signature. Which of the two is not said."""


class SealBroken(SertilinkError):
    """A sealed column cannot be opened: unknown key, changed bytes, or bytes moved from another row."""
