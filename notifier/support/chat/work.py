"""The worker's part: what waits in conversations is read, each message once and in order; the new states and the
answers are written in one transaction, and the answers leave at once.

Any number of workers may do this. A conversation is held while its messages are read, so that two never read one; a
worker that dies lets go of everything it had not committed, and the next finds the same messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.engine import Connection

from notifier.core.words import known_language
from notifier.faults import FaultPoint
from notifier.services import Services
from notifier.store import chat_replies, conversations, counters, locks
from notifier.store.conversations import Message, Talk
from notifier.support.chat import grants, steps, texts
from notifier.support.chat.dialogue import Around, Dialogue, Say, Turn
from notifier.support.chat.leaving import Posts, leaving
from notifier.support.chat.outbox import Fresh
from notifier.support.chat.rooms import open_rooms
from notifier.support.chat.speech import Spoken, speak
from notifier.support.chat.wishes import Asking, Rooms, grant

#: conversations read in one transaction: a commit costs more than a step, and some wait for each other's counters
BATCH = 24
#: one worker reads at a time, so that its batches are large; the others help where somebody has waited for so long
_DUTY = 7_301_944_119  # any number that only we use, as in store.migrate
_OVERFLOW = timedelta(milliseconds=300)
#: how long a task looks on after the last message: others write soon, and a new task takes its way by the broker
PATIENCE = timedelta(milliseconds=300)
#: how long one task goes on; then others have their turn
_GO_ON = timedelta(seconds=10)
_LOOK_AGAIN_S = 0.01
_MOST_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=2)
#: wishes of one message; more would be a step that goes in circles
_MOST_WISHES = 4
_DOUBT_PERIOD = timedelta(seconds=1)
_FORGET_PERIOD = timedelta(minutes=10)
_FORGET_AT_ONCE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What a batch came to. `fresh`: the first answer of each conversation; `more`: others wait for their turn."""

    messages: int = 0
    fresh: tuple[Fresh, ...] = ()
    more: bool = False

    def __add__(self, other: Read) -> Read:
        return Read(self.messages + other.messages, self.fresh + other.fresh, self.more or other.more)


def run(
    services: Services,
    rooms: Rooms | None = None,
    patience: timedelta = timedelta(0),
    hand_over: Callable[[], object] = bool,
) -> bool:
    """Reads and answers until nothing waits and nothing came for as long as `patience`, or its time is over: whether
    something may be left. `hand_over`: wakes whoever goes on, while the last replies of this one are still leaving."""
    rooms = rooms or open_rooms(services)
    services.gateway.warm()  # before anything is claimed, as with the SMS
    _chores(services)
    with leaving(services) as posts:
        if _read_on(services, rooms, posts, patience):
            hand_over()
            return True
    return False


def _read_on(services: Services, rooms: Rooms, posts: Posts, patience: timedelta) -> bool:
    """Whether it was the time that ended it."""
    until = services.clock.now() + _GO_ON
    quiet_until = time.monotonic() + patience.total_seconds()
    with locks.duty(services.db, _DUTY) as is_on_duty:
        while services.clock.now() < until:
            age = timedelta(0) if is_on_duty() else _OVERFLOW
            read = read_waiting(services, rooms, age=age)
            posts.send(read.fresh, more=read.more)
            others = posts.send_others()  # in any case: what waits for its turn must not wait until nobody writes
            if read.messages or others:
                quiet_until = time.monotonic() + patience.total_seconds()
            elif not posts.wait(_LOOK_AGAIN_S, partial(is_waiting, services, age)):
                if time.monotonic() >= quiet_until:
                    return False
                time.sleep(_LOOK_AGAIN_S)
    return True


def is_waiting(services: Services, age: timedelta = timedelta(0)) -> bool:
    """Whether somebody wrote, at least so long ago, and nobody has read it. One small question: it is asked many times
    a second."""
    return conversations.is_any_waiting(services.db, services.clock.now() - age)


def read_waiting(services: Services, rooms: Rooms, limit: int = BATCH, age: timedelta = timedelta(0)) -> Read:
    """Reads what waits in up to `limit` conversations, for as long as `age` at least. Where one cannot be answered, the
    others of its batch are answered without it, and it is tried again later."""
    try:
        return _read(services, rooms, limit, age)
    except Exception as error:
        if limit == 1:
            raise
        _log.error("a batch of conversations failed", extra={"error": type(error).__name__})
    return sum((_read_one(services, rooms) for _ in range(limit)), Read())


def _read(services: Services, rooms: Rooms, limit: int, age: timedelta) -> Read:
    now = services.clock.now()
    with services.db.write() as conn:
        talks = conversations.take(conn, services.sealer, now - age, limit)
        if not talks:
            return Read()
        unread = conversations.unread(conn, services.sealer, [talk.id for talk in talks])
        held = _let_go(conn, talks, unread, now)
        answered = [_answered(conn, services, rooms, talk, unread[talk.id]) for talk in talks]
        read = _write(conn, services, answered, now)
        services.faults.reached(FaultPoint.CHAT_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.CHAT_AFTER_COMMIT)
    return Read(max(read.messages, 1), read.fresh, read.more or held)


def _read_one(services: Services, rooms: Rooms) -> Read:
    """One conversation alone; one that fails waits, longer each time, and is told so in the end."""
    now, talks, unread = services.clock.now(), list[Talk](), dict[str, list[Message]]()
    try:
        with services.db.write() as conn:
            talks = conversations.take(conn, services.sealer, now, 1)
            if not talks:
                return Read()
            unread = conversations.unread(conn, services.sealer, [talks[0].id])
            held = _let_go(conn, talks, unread, now)
            read = _write(conn, services, [_answered(conn, services, rooms, talks[0], unread[talks[0].id])], now)
            return replace(read, more=read.more or held)
    except Exception as error:
        waiting = unread.get(talks[0].id) if talks else None
        if not waiting:
            raise
        _log.error("a message was not answered", extra={"error": type(error).__name__, "row_id": waiting[0].id})
        with services.db.write() as conn:
            return _failed(conn, services, talks[0], waiting[0], now)


def _failed(conn: Connection, services: Services, talk: Talk, first: Message, now: datetime) -> Read:
    """Another transaction than the one that failed: more may have been written meanwhile, or another worker may have
    answered."""
    conversations.hold(conn, talk.id)
    waiting = conversations.unread(conn, services.sealer, [talk.id])[talk.id]
    if not waiting or waiting[0].id != first.id:
        return Read()
    if first.failures >= _MOST_FAILURES:
        return _write(conn, services, [_given_up(services, talk, waiting)], now)
    conversations.put_off(conn, talk.id, first.id, now + _FIRST_WAIT * 2**first.failures)
    return Read()


def _let_go(conn: Connection, talks: Sequence[Talk], unread: dict[str, list[Message]], now: datetime) -> bool:
    """What was held until somebody writes again may leave, where they have; whether there was any."""
    held = [talk.id for talk in talks if talk.has_held and unread[talk.id]]
    if held:
        chat_replies.let_go(conn, held, at=now)
    return bool(held)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What reading one conversation came to."""

    talk: Talk
    state: Dialogue
    read: tuple[str, ...]
    spoken: tuple[tuple[str, Spoken], ...]  #: (message that it answers, what is said)


def _answered(conn: Connection, services: Services, rooms: Rooms, talk: Talk, messages: Sequence[Message]) -> _Answered:
    """Goes through the unread messages of a conversation, one step each."""
    around = _around(services, rooms, talk)
    state = _state_of(talk, around)
    asking = Asking.inside(conn, services, rooms, talk.phone)
    spoken: list[tuple[str, Spoken]] = []
    for message in messages:
        turn = _turn(asking, state, message, around)
        state = turn.state
        said = speak(services.catalogue, state.language, turn.says, around.values)
        spoken += [(message.id, one) for one in said]
    if messages:
        state = replace(state, said_at=around.now.timestamp())
    return _Answered(talk, state, tuple(message.id for message in messages), tuple(spoken))


def _turn(asking: Asking, state: Dialogue, message: Message, around: Around) -> Turn:
    """One message's step, with what comes of its wishes."""
    turn = steps.hear(state, message.kind, message.text, around)
    says = list(turn.says)
    for _ in range(_MOST_WISHES):
        if turn.wish is None:
            break
        turn = grants.granted(turn.state, turn.wish, grant(asking, turn.state, turn.wish), around)
        says += turn.says
    return Turn(turn.state, tuple(says))


def _given_up(services: Services, talk: Talk, waiting: Sequence[Message]) -> _Answered:
    """What cannot be answered is not answered for ever: the person begins again at the menu."""
    around = _around(services, Rooms(), talk)
    turn = steps.menu(Dialogue(), Say((texts.BUSY,)))
    said = speak(services.catalogue, turn.state.language, turn.says, around.values)
    ids = tuple(message.id for message in waiting)
    return _Answered(talk, turn.state, ids, tuple((ids[0], one) for one in said))


def _around(services: Services, rooms: Rooms, talk: Talk) -> Around:
    settings = services.settings
    values = {
        "issuer": settings.issuer_name,
        "help": settings.help_phone,
        "email": settings.help_email,
    }
    if "me" in settings.doors:
        values["me"] = f"{settings.public_url}/me"
    return Around(services.clock.now(), talk.phone, values, has_desk=rooms.desk is not None)


def _state_of(talk: Talk, around: Around) -> Dialogue:
    """Where the conversation stood; after a day it begins anew, in the language that was chosen."""
    state = Dialogue() if talk.state is None else Dialogue.of_text(talk.state)
    is_over = around.now.timestamp() - state.said_at > conversations.LIFE.total_seconds()
    return Dialogue(language=known_language(state.language)) if is_over else state


def _write(conn: Connection, services: Services, answered: Sequence[_Answered], now: datetime) -> Read:
    states = {one.talk.id: one.state.to_text() for one in answered}
    read = [message_id for one in answered for message_id in one.read]
    conversations.settle(conn, services.sealer, states, read, now)
    said = [(one.talk, message_id, spoken) for one in answered for message_id, spoken in one.spoken]
    replies = [(talk.id, message_id, spoken.to_text()) for talk, message_id, spoken in said]
    fresh: dict[str, Fresh] = {}
    for added, (talk, _message_id, spoken) in zip(
        chat_replies.add(conn, services.sealer, replies, at=now), said, strict=True
    ):
        fresh.setdefault(talk.id, Fresh.of(talk, added, spoken, now))
    return Read(len(read), tuple(fresh.values()), len(fresh) < len(said))


def _chores(services: Services) -> None:
    """Replies whose sender died are doubted; what is older than a day goes."""
    now = services.clock.now()
    with services.db.write() as conn:
        if not counters.win_tick(conn, "chat-doubt", period=_DOUBT_PERIOD, at=now):
            return
        chat_replies.doubt(conn, services.db.lease(timedelta(0)).now, at=now)
        if counters.win_tick(conn, "chat-forget", period=_FORGET_PERIOD, at=now):
            conversations.forget(conn, now, _FORGET_AT_ONCE)
