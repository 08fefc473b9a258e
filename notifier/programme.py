"""The programme's settings as they are in force: what was set in the browser, else the environment's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from pydantic import ValidationError

from notifier.core.clock import Clock
from notifier.core.errors import BadInput, Problem
from notifier.core.schedule import QuietHours, read_quiet_hours
from notifier.settings import PROGRAMME, ProgrammeRules, Settings
from notifier.store import programme as store
from notifier.store.engine import Database
from notifier.store.health import AWAY

#: how old a reading may be: a change is in force everywhere after this
FRESH = timedelta(seconds=5)
_LONGEST = 40  # characters of a value

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Programme:
    """What is in force. `set_here`: the names whose value was set in the browser; `texts`: the SMS texts that replace
    those of the files, by `language/kind`."""

    rules: ProgrammeRules
    quiet: QuietHours | None
    set_here: frozenset[str]
    revision: int  #: 0: nothing was ever set
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def delay_hours(self) -> float:
        return self.rules.delay_hours

    @property
    def person_daily_cap(self) -> int:
        return self.rules.person_daily_cap

    @property
    def reminders(self) -> bool:
        """Whether people are reminded of their next dose."""
        return self.rules.reminders == "on"

    @property
    def hold_after_hours(self) -> float:
        return self.rules.hold_after_hours


class ProgrammeReader:
    """Reads the database when its last reading is older than FRESH; safe to share between threads."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self._db, self._clock, self._settings = db, clock, settings
        self._kept: tuple[datetime, Programme] | None = None
        self._reading = Lock()
        self._texts: tuple[datetime, list[tuple[str, str]]] | None = None

    def read(self) -> Programme:
        """As it stood FRESH ago at most."""
        now = self._clock.now()
        kept = self._kept
        if kept is not None and timedelta(0) <= now - kept[0] < FRESH:
            return kept[1]
        if kept is not None and not self._reading.acquire(blocking=False):
            return kept[1]  # another thread is just reading; who waited here with a connection in hand would use two
        try:
            return self.read_now()
        finally:
            if kept is not None:
                self._reading.release()

    def read_now(self) -> Programme:
        """As it stands."""
        now = self._clock.now()
        with self._db.read() as conn:
            found = store.in_force(conn)
        rules = found.get(store.RULES)
        values: Mapping[str, str] = rules.value if rules else {}
        texts = {
            name.removeprefix(store.SMS): row.value["text"]
            for name, row in found.items()
            if name.startswith(store.SMS) and row.value
        }
        try:
            checked = checked_rules(self._settings, values)
        except BadInput as error:
            # written by a version with other rules: better the environment's values than no message at all
            _log.error("programme settings not usable", extra={"problems": [str(one) for one in error.problems]})
            values, checked = {}, checked_rules(self._settings, {})
        programme = Programme(
            rules=checked,
            quiet=read_quiet_hours(checked.quiet_hours),
            set_here=frozenset(values),
            revision=rules.revision if rules else 0,
            texts=texts,
        )
        self._kept = (now, programme)
        return programme

    def ever_used(self) -> list[tuple[str, str]]:
        """(language, text) of every SMS text that the programme ever wrote itself: an older SMS is still ours. None
        while the database is away."""
        now = self._clock.now()
        if self._texts is None or not timedelta(0) <= now - self._texts[0] < FRESH:
            try:
                with self._db.read() as conn:
                    rows = store.all_texts(conn)
            except AWAY as error:
                _log.error("own SMS texts not read", extra={"error": type(error).__name__})
                return []
            self._texts = (now, [(row.name.split("/")[1], row.value["text"]) for row in rows if row.value])
        return self._texts[1]


def checked_rules(settings: Settings, values: Mapping[str, str]) -> ProgrammeRules:
    """The rules with some values over the environment's. Raises BadInput, one problem a field (`range`)."""
    given: dict[str, Any] = {name: getattr(settings, name) for name in PROGRAMME} | dict(values)
    problems = [Problem(name, "range", "shorter") for name, value in values.items() if len(value) > _LONGEST]
    if problems:
        raise BadInput(problems)
    try:
        return ProgrammeRules(**given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise BadInput(Problem(str(fault["loc"][0]), "range", fault["msg"]) for fault in found) from None
