"""`sertilink bench`: each figure beside its floor, all of one run.

One module a bench, with `run(options) -> list[Row]`. Everything happens in a temporary folder, on a database and on
queues of the run's own; processes are started by command line and driven from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from notifier.core.errors import SertilinkError

#: name -> what it measures, in the order of --help
BENCHES: dict[str, str] = {
    "intake": "events recorded by `dose import` and from the stream, beside raw inserts",
    "claim": "claiming 100 of few and of many, beside a bare SELECT; an idle tick",
    "dispatch": "messages handed over, beside a bare HTTP client, one task a message, and tasks that do nothing",
    "lanes": "how long fresh doses wait while a bulk goes out",
    "link": "the page behind a link, beside a hello-world",
    "pdf": "a certificate's PDFs, signed, and picture, beside an empty sheet",
    "staff": "every page of the staff face, the searches and a bulk's dry run, over many persons",
    "support": "a chat's steps from the webhook to the reply, and finding why a certificate did not come",
    "token": "signing and reading a link's token, beside a bare HMAC",
}


#: what `dispatch` may be cut down to; all but the last where nothing is said
PARTS = ("plain", "floor", "naive", "nothing", "receipts", "arrivals")


class BenchFailed(SertilinkError):
    """A measurement could not be made; the message says why, for whoever started it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `floor`: what the same run measured for less work, or for another design; `ratio`: value / floor."""

    case: str
    value: float
    unit: str
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None


@dataclass(frozen=True)
class Options:
    """How a bench is run. What is None, or empty, is the bench's own choice, small enough for about a minute."""

    environ: Mapping[str, str] = field(repr=False)  #: of the caller; our settings in it are left out
    database: str | None = field(default=None, repr=False)  #: a PostgreSQL server; None: SQLite
    broker: str | None = field(default=None, repr=False)  #: None: the embedded one
    size: int | None = None
    workers: int = 2
    parts: tuple[str, ...] = ()  #: of PARTS
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)  #: for the processes; without the prefix
    say: Callable[[str], None] = lambda _line: None  #: hears what is going on

    def has(self, part: str) -> bool:
        """Whether a part of the bench is wanted."""
        return part in (self.parts or PARTS[:-1])


def run(name: str, options: Options) -> list[Row]:
    """Runs one bench. Raises BenchFailed, KeyError for a name that does not exist."""
    if name not in BENCHES:
        raise KeyError(name)
    bench = cast(Callable[[Options], Sequence[Row]], import_module(f"{__name__}.{name}").run)
    return list(bench(options))
