"""What happens to the stream's messages once they are here: gathered, recorded together, and only then acknowledged.

Acknowledged after the commit; poison goes to the dead letters with its reason; a database that is away is waited for,
and the messages are given back; no exception ends the worker. A crash anywhere gives the messages out again, and the
event ids make twice once.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from kombu.message import Message

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.faults import FaultPoint, Faults, Unarmed
from notifier.intake.event import MAX_EVENT_BYTES, Event, now_as_today, read_event_json
from notifier.intake.record import Door, dead_letter, record_many
from notifier.services import Services
from notifier.settings import LinkCheck, Settings
from notifier.store.health import AWAY

ACTOR = "door:stream"
MOST = 500  # messages a batch
LINGER_S = 0.05  # the longest that a message waits for others
_MOST_FAULTS = 5
_FAULTS_KEPT = 1000

_NO_CHANNEL = object()

_log = logging.getLogger(__name__)


class Settling(Protocol):
    """How a broker is told. Both may raise where it is away; then it gives the messages out again by itself."""

    def acknowledge(self, messages: Sequence[Message], *, all_before: bool) -> None:
        """These are done. `all_before`: so is everything that was delivered before the last of them."""
        ...

    def give_back(self, messages: Sequence[Message]) -> None:
        """Puts these where they will be offered again."""
        ...


class OneByOne:
    """What each broker understands."""

    def acknowledge(self, messages: Sequence[Message], *, all_before: bool) -> None:
        for message in messages:
            message.ack()

    def give_back(self, messages: Sequence[Message]) -> None:
        for message in messages:
            message.requeue()


class BatchHandler:
    """Records messages and settles them. Never raises."""

    def __init__(
        self,
        services: Callable[[], Services],
        settings: Settings,
        stopping: threading.Event,
        settling: Settling | None = None,
        longest_wait_s: float = 30.0,
    ) -> None:
        self._services = services
        self._settings = settings
        self._stopping = stopping
        self._settling = settling or OneByOne()
        self._longest_wait_s = longest_wait_s
        self._failures = 0
        self._in_doubt: object = _NO_CHANNEL  #: a channel with something that is neither done nor given back
        self._faults: Counter[bytes] = Counter()

    def __call__(self, messages: Sequence[Message]) -> list[Message]:
        """Those that could not be given back: still ours, to be handled again while the connection holds."""
        faults: Faults = Unarmed()
        try:
            services = self._services()
            faults = services.faults
            verdicts = self._judged(services, [body_of(message) for message in messages])
        except Exception as error:  # the database is away: all of them wait
            _log.error("events not recorded yet", extra={"error": type(error).__name__, "failures": self._failures})
            verdicts = [None] * len(messages)
        paired = list(zip(messages, verdicts, strict=True))
        back = [message for message, problems in paired if problems is None]
        self._wait_after(bool(back))
        left = self.give_back(back)
        for message, problems in paired:
            if problems:
                self._reject(message)
        done = [message for message, problems in paired if problems == []]
        if done:
            all_before = done[-1].channel is not self._in_doubt
            self._told("acknowledge", lambda: self._settling.acknowledge(done, all_before=all_before))
            faults.reached(FaultPoint.STREAM_AFTER_ACK)
        return left

    def give_back(self, messages: Sequence[Message]) -> list[Message]:
        """Puts them where they will be offered again; those with which that failed."""
        if not messages or self._told("give back", lambda: self._settling.give_back(messages)):
            return []
        self._in_doubt = messages[-1].channel
        return list(messages)

    def refuse(self, message: Message, detail: str) -> list[Message]:
        """Among the dead letters with it, unread; it again, where that failed."""
        try:
            problems = self._buried(self._services(), body_of(message), [Problem("body", "unexpected", detail)])
        except Exception as error:  # as it may come while Services are built
            _log.error("dead letter not written yet", extra={"error": type(error).__name__})
            problems = None
        if problems is None:
            self._in_doubt = message.channel
            return [message]
        self._reject(message)
        return []

    def _reject(self, message: Message) -> None:
        if not self._told("reject", message.reject):
            self._in_doubt = message.channel

    def _judged(self, services: Services, bodies: Sequence[bytes]) -> list[list[Problem] | None]:
        """For each message what is wrong with it: [] where it is recorded, None where it must be offered again; what is
        wrong stands among the dead letters. Raises where nothing can be known yet."""
        verdicts: list[list[Problem] | None] = [None] * len(bodies)
        events: dict[int, Event] = {}
        for at, body in enumerate(bodies):
            read = self._read(services, body)
            if isinstance(read, Event):
                events[at] = read
            else:
                verdicts[at] = read
        verdicts_of_events = self._recorded(services, list(events.values()), [bodies[at] for at in events])
        for at, verdict in zip(events, verdicts_of_events, strict=True):
            verdicts[at] = verdict
        return [
            self._buried(services, body, problems) if problems else problems
            for body, problems in zip(bodies, verdicts, strict=True)
        ]

    def _read(self, services: Services, body: bytes) -> Event | list[Problem] | None:
        try:
            return read_event_json(
                body,
                today=now_as_today(services.clock.now()),
                require_birth_date=self._settings.link_check is not LinkCheck.NONE,
            )
        except BadInput as error:
            return list(error.problems)
        except Exception as error:
            return self._fault(body, error)

    def _recorded(
        self, services: Services, events: Sequence[Event], bodies: Sequence[bytes]
    ) -> list[list[Problem] | None]:
        """All of them in one transaction; where a fault of ours ends that, each alone: one event harms no other. Raises
        what AWAY names."""
        if not events:
            return []
        try:
            return [_problems(answer) for answer in record_many(services, events, door=Door.STREAM, actor=ACTOR)]
        except AWAY:
            raise
        except Exception as error:
            if len(events) == 1:
                return [self._fault(bodies[0], error)]
            _log.error("a batch failed, its events are tried one by one", extra={"error": type(error).__name__})
        alone = [self._recorded(services, [event], [body]) for event, body in zip(events, bodies, strict=True)]
        return [verdict for [verdict] in alone]

    def _fault(self, body: bytes, error: Exception) -> list[Problem] | None:
        """A fault that may pass, or one that this event meets each time: not for ever in the way of the others."""
        _log.error("event not recorded yet", extra={"error": type(error).__name__})
        key = hashlib.sha256(body).digest()
        if len(self._faults) > _FAULTS_KEPT:
            self._faults.clear()
        self._faults[key] += 1
        if self._faults[key] < _MOST_FAULTS:
            return None
        return [Problem("body", "unexpected", f"recording it failed {_MOST_FAULTS} times: {type(error).__name__}")]

    def _buried(self, services: Services, body: bytes, problems: list[Problem]) -> list[Problem] | None:
        try:
            dead_letter(services, door=Door.STREAM, body=body[:MAX_EVENT_BYTES], problems=problems)
        except Exception as error:
            _log.error("dead letter not written yet", extra={"error": type(error).__name__})
            return None
        _log.warning("event refused", extra={"rules": [problem.rule for problem in problems]})
        return problems

    def _wait_after(self, failed: bool) -> None:
        self._failures = self._failures + 1 if failed else 0
        if failed:
            self._stopping.wait(min(0.1 * 2 ** min(self._failures, 10), self._longest_wait_s))

    def _told(self, what: str, tell: Callable[[], object]) -> bool:
        """Whether the broker could be told. Where not, mostly the connection is gone, and with it our hold on them."""
        try:
            tell()
        except Exception as error:
            _log.error("broker not told", extra={"what": what, "error": type(error).__name__})
            return False
        return True


def body_of(message: Message) -> bytes:
    """The bytes as they came."""
    body = message.body
    return body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)


def _problems(answer: object) -> list[Problem]:
    if isinstance(answer, BadInput):
        return list(answer.problems)
    if isinstance(answer, Conflict):
        return [Problem("event_id", "conflict", str(answer))]
    return []


Handler = Callable[[Sequence[Message]], list[Message]]


class Gathering:
    """Messages that come one by one from an event loop: handled together once there are MOST of them, or LINGER_S after
    the first. `hub` is Kombu's."""

    def __init__(self, handler: Handler, hub: Any) -> None:
        self._handler = handler
        self._hub = hub
        self._held: list[Message] = []
        self._timer: Any = None

    def __call__(self, message: Message) -> None:
        self._held.append(message)
        if len(self._held) >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = self._hub.call_later(LINGER_S, self.flush)

    def flush(self) -> None:
        """Handles what is held."""
        held = self._held
        self.drop()
        if held:
            self._held = self._handler(held)
        if self._held:
            self._timer = self._hub.call_later(LINGER_S, self.flush)

    def drop(self) -> None:
        """Forgets what is held: its channel ends, and the broker gives it out again."""
        self._held = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Fetching:
    """Messages from a transport without an event loop: with the first come all that wait behind it, up to MOST."""

    def __init__(self, handler: Handler, queue: str) -> None:
        self._handler = handler
        self._queue = queue

    def __call__(self, message: Message) -> None:
        messages = [message]
        try:
            while len(messages) < MOST and (another := message.channel.basic_get(self._queue)) is not None:
                messages.append(another)
        finally:
            # also where the broker failed in between: the next read tells Celery
            self._handler(messages)

    def drop(self) -> None:
        """Holds nothing between two calls."""
