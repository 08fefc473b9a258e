"""The worker's part: what waits in conversations is read, each message once and in order; the new states and the
answers are written in one transaction, and the answers leave at once.

Any number of workers may do this. A conversation is held while its messages are read, so that two never read one; a
worker that dies lets go of everything it had not committed, and the next finds the same messages.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from notifier.core.words import known_language
from notifier.faults import FaultPoint
from notifier.services import Services
from notifier.store import chat_replies, conversations, counters, persons
from notifier.store.conversations import Message, Talk
from notifier.support.chat import grants, outbox, steps, texts
from notifier.support.chat.dialogue import Around, Dialogue, Say, Turn
from notifier.support.chat.rooms import open_rooms
from notifier.support.chat.speech import Spoken, speak
from notifier.support.chat.wishes import Asking, Rooms, grant

#: conversations read in one transaction: a commit costs more than a step, and some wait for each other's counters
BATCH = 8
#: how long one task goes on; then others have their turn
_GO_ON = timedelta(seconds=10)
_POSTS_AT_ONCE = 4
_LOOK_AGAIN_S = 0.02
_MOST_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=2)
#: wishes of one message; more would be a step that goes in circles
_MOST_WISHES = 4
_FORGET_PERIOD = timedelta(minutes=10)
_FORGET_AT_ONCE = 500

_log = logging.getLogger(__name__)


def run(services: Services, rooms: Rooms | None = None) -> bool:
    """Reads and answers until nothing waits, or its time is over: whether something may be left."""
    rooms = rooms or open_rooms(services)
    until = services.clock.now() + _GO_ON
    flying: set[Future[int]] = set()
    _chores(services)
    with ThreadPoolExecutor(_POSTS_AT_ONCE, thread_name_prefix="chat") as pool:
        while services.clock.now() < until:
            read = read_waiting(services, rooms)
            going = outbox.begin(services) if len(flying) < _POSTS_AT_ONCE else None
            if going is not None and going.ready:
                flying.add(pool.submit(outbox.post, services, going))
            flying = {one for one in flying if not one.done()}
            if read or (going is not None and going.ready):
                continue
            if not flying:
                return False
            wait(flying, timeout=_LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
    return True


def read_waiting(services: Services, rooms: Rooms, limit: int = BATCH) -> int:
    """Reads what waits in up to `limit` conversations; how many messages. Where one cannot be answered, the others of
    its batch are answered without it, and it is tried again later."""
    try:
        return _read(services, rooms, limit)
    except Exception as error:
        if limit == 1:
            raise
        _log.error("a batch of conversations failed", extra={"error": type(error).__name__})
    return sum(_read_one(services, rooms) for _ in range(limit))


def _read(services: Services, rooms: Rooms, limit: int) -> int:
    now = services.clock.now()
    with services.db.write() as conn:
        talks = conversations.take(conn, services.sealer, now, limit)
        if not talks:
            return 0
        unread = conversations.unread(conn, services.sealer, [talk.id for talk in talks])
        read = sum(_answer(conn, services, rooms, talk, unread[talk.id]) for talk in talks) if False else 0
        answered = [_answered(conn, services, rooms, talk, unread[talk.id]) for talk in talks]
        read = _write(conn, services, answered)
        services.faults.reached(FaultPoint.CHAT_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.CHAT_AFTER_COMMIT)
    return read
