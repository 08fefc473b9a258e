"""The intents: doses of made-up people that come in by two doors while the run goes on, and again when in doubt.

An intent counts once its event is committed, or once the broker has confirmed it. A registry that does not know, or
whose broker lost its queues, publishes again: so doses entered twice happen by themselves.
"""

from __future__ import annotations

import json
import logging
import math
import random
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from notifier.core.errors import SertilinkError
from notifier.intake import readers
from notifier.intake.record import Door, record
from notifier.proof.bench.people import events
from notifier.proof.ledger import number_key
from notifier.proof.verdict import Intent
from notifier.services import Services
from notifier.store import proof_rows
from notifier.store.health import AWAY

ACTOR = "prove"
_RECORDED = 10  # intents that come in together by record()
_PUBLISHED = 40  # and by the broker: a command a round
_BY_BROKER = 0.3  # the part of the rounds
_TWICE = 0.1  # the part that is entered twice for no reason
_WAIT_S = 0.3
_PATIENCE_S = 60.0
_COUNTRY = "+62"

_log = logging.getLogger(__name__)


@dataclass
class Feed:
    """Feeds `count` intents on a thread of its own, as far as `allow` lets it. `publish`: the command that puts a
    file's events on the stream's queue."""

    services: Services
    publish: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    count: int
    seed: int
    today: date
    intents: dict[str, Intent] = field(default_factory=dict)  #: those that count, by event id
    republished: int = 0
    _allowed: int = 0
    _losses: int = 0  # how often the broker lost its queues
    _published: dict[str, dict[str, Any]] = field(default_factory=dict)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _finishing: bool = False
    _thread: threading.Thread | None = None
    fault: BaseException | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def allow(self, share: float) -> None:
        """Lets it go as far as this share of the intents, rounded up, since something must come in before a kill."""
        with self._change:
            self._allowed = max(self._allowed, min(self.count, math.ceil(self.count * share)))
            self._change.notify_all()

    def broker_lost_all(self) -> None:
        """What was published and is not recorded yet is in doubt."""
        with self._change:
            self._losses += 1
            self._change.notify_all()

    def finish(self) -> None:
        """All may come in, and the broker is not emptied any more: the thread ends when it is done."""
        self._finishing = True
        self.allow(1.0)

    @property
    def is_done(self) -> bool:
        return self._thread is not None and not self._thread.is_alive()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        with self._change:
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    def missing(self) -> list[str]:
        """The intents that count and are not in the database (yet)."""
        with self.services.db.read() as conn:
            known = proof_rows.event_ids(conn)
        return [event_id for event_id in list(self.intents) if event_id not in known]

    def _run(self) -> None:
        try:
            self._feed()
        except BaseException as error:  # told by the harness, whose thread is another
            self.fault = error

    def _feed(self) -> None:
        rng = random.Random(self.seed)  # noqa: S311  # a seed makes a run repeatable
        people = list(events(self.count, self.today, run=f"prove-{self.seed}"))
        handled = place = 0
        while not self._stopping.is_set():
            with self._change:
                self._change.wait_for(lambda: self._has_work(place, handled))  # noqa: B023
                allowed, losses = self._allowed, self._losses
            if losses > handled:
                self._publish_again()
                handled = losses
            elif place < allowed:
                by_broker = rng.random() < _BY_BROKER
                chunk = people[place : min(place + (_PUBLISHED if by_broker else _RECORDED), allowed)]
                place += len(chunk)
                self._round(chunk, rng, by_broker=by_broker)
            else:
                return

    def _has_work(self, place: int, handled: int) -> bool:
        waits = self._allowed > place or self._losses > handled
        return waits or self._stopping.is_set() or (self._finishing and place == self.count)

    def _round(self, chunk: list[dict[str, Any]], rng: random.Random, *, by_broker: bool) -> None:
        twice = [data for data in chunk if rng.random() < _TWICE]
        if not by_broker:
            for data in [*chunk, *twice]:
                if self._until_it_works(lambda: self._record(data)):  # noqa: B023
                    self._count(data)
        elif self._publish([*chunk, *twice]):
            for data in chunk:
                self._count(data)
            self._published.update({data["event_id"]: data for data in chunk})

    def _count(self, data: dict[str, Any]) -> None:
        number = _COUNTRY + data["person"]["phone"].removeprefix("0")
        self.intents[data["event_id"]] = Intent(data["event_id"], number_key(number))

    def _record(self, data: dict[str, Any]) -> bool:
        try:
            record(self.services, readers.from_object(self.services, data), door=Door.COMMAND, actor=ACTOR)
        except AWAY:
            return False
        return True

    def _publish(self, chunk: Sequence[dict[str, Any]]) -> bool:
        """True when the broker has confirmed all of them, and has not been emptied meanwhile."""
        file = self.folder / "events.ndjson"
        file.write_text("".join(json.dumps(data) + "\n" for data in chunk), encoding="utf-8")

        def publish() -> bool:
            before = self._losses
            done = subprocess.run(  # noqa: S603  # our own command
                [*self.publish, str(file)], env=dict(self.environ), capture_output=True, check=False
            )
            return done.returncode == 0 and self._losses == before

        return self._until_it_works(publish)

    def _publish_again(self) -> None:
        found: set[str] = set()

        def look() -> bool:
            try:
                found.update(self.missing())
            except AWAY:
                return False
            return True

        self._until_it_works(look)
        again = [data for event_id, data in self._published.items() if event_id in found]
        if again:
            self.republished += len(again)
            self._publish(again)

    def _until_it_works(self, work: Callable[[], bool]) -> bool:
        """Tries again until it is done (True), or the run ends."""
        while not self._stopping.is_set():
            try:
                if work():
                    return True
            except SertilinkError as error:
                _log.error("an intent was refused", extra={"error": type(error).__name__})
                raise
            self.republished += 1
            self._stopping.wait(_WAIT_S)
        return False
