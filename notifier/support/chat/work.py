"""The worker's part: what waits in conversations is read, each message once and in order; the new states and the
answers are written in one transaction, and the answers leave at once.

Any number of workers may do this. A conversation is held while its messages are read, so that two never read one; a
worker that dies lets go of everything it had not committed, and the next finds the same messages.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.words import known_language
from notifier.faults import FaultPoint
from notifier.services import Services
from notifier.store import chat_replies, conversations, counters
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
_DOUBT_PERIOD = timedelta(seconds=1)
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
            # before anything is claimed: a reply may wait for one that is recorded at this very moment
            flying = {one for one in flying if not one.done()}
            read = read_waiting(services, rooms)
            going = outbox.begin(services) if len(flying) < _POSTS_AT_ONCE else None
            if going is not None and going.ready:
                flying.add(pool.submit(_post, services, going))
            if read or (going is not None and going.claimed):
                continue
            if not flying:
                return False
            # one small question now and then, while the provider takes its time
            while not wait(flying, timeout=_LOOK_AGAIN_S, return_when=FIRST_COMPLETED).done:
                if is_waiting(services):
                    break
    return True


def _post(services: Services, going: outbox.Going) -> int:
    """`outbox.post`; what it raises is said here, since nobody asks the future. Its replies are doubted later."""
    try:
        return outbox.post(services, going)
    except Exception as error:
        _log.error("replies were not recorded", extra={"error": type(error).__name__, "replies": len(going.ready)})
        return 0


def is_waiting(services: Services) -> bool:
    """Whether somebody wrote and nobody has read it. One small question: it is asked many times a second."""
    with services.db.read() as conn:
        return conversations.is_any_waiting(conn, services.clock.now())


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
        held = [talk.id for talk in talks if talk.has_held and unread[talk.id]]
        if held:
            chat_replies.let_go(conn, held, at=now)
        answered = [_answered(conn, services, rooms, talk, unread[talk.id]) for talk in talks]
        read = _write(conn, services, answered, now)
        services.faults.reached(FaultPoint.CHAT_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.CHAT_AFTER_COMMIT)
    return max(read, 1)


def _read_one(services: Services, rooms: Rooms) -> int:
    """One conversation alone; one that fails waits, longer each time, and is told so in the end."""
    now, talks, unread = services.clock.now(), list[Talk](), dict[str, list[Message]]()
    try:
        with services.db.write() as conn:
            talks = conversations.take(conn, services.sealer, now, 1)
            if not talks:
                return 0
            unread = conversations.unread(conn, services.sealer, [talks[0].id])
            return _write(conn, services, [_answered(conn, services, rooms, talks[0], unread[talks[0].id])], now)
    except Exception as error:
        waiting = unread.get(talks[0].id) if talks else None
        if not waiting:
            raise
        _log.error("a message was not answered", extra={"error": type(error).__name__, "row_id": waiting[0].id})
        with services.db.write() as conn:
            if waiting[0].failures < _MOST_FAILURES:
                until = now + _FIRST_WAIT * 2 ** waiting[0].failures
                conversations.put_off(conn, talks[0].id, waiting[0].id, until)
            else:
                _write(conn, services, [_given_up(services, talks[0], waiting)], now)
    return 0


@dataclass(frozen=True, slots=True)
class _Answered:
    """What reading one conversation came to."""

    talk_id: str
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
    return _Answered(talk.id, state, tuple(message.id for message in messages), tuple(spoken))


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
    return _Answered(talk.id, turn.state, ids, tuple((ids[0], one) for one in said))


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


def _write(conn: Connection, services: Services, answered: Sequence[_Answered], now: datetime) -> int:
    states = {one.talk_id: one.state.to_text() for one in answered}
    read = [message_id for one in answered for message_id in one.read]
    conversations.settle(conn, services.sealer, states, read, now)
    replies = [(one.talk_id, message_id, said.to_text()) for one in answered for message_id, said in one.spoken]
    chat_replies.add(conn, services.sealer, replies, at=now)
    return len(read)


def _chores(services: Services) -> None:
    """Replies whose sender died are doubted; what is older than a day goes."""
    now = services.clock.now()
    with services.db.write() as conn:
        if not counters.win_tick(conn, "chat-doubt", period=_DOUBT_PERIOD, at=now):
            return
        chat_replies.doubt(conn, services.db.lease(timedelta(0)).now, at=now)
        if counters.win_tick(conn, "chat-forget", period=_FORGET_PERIOD, at=now):
            conversations.forget(conn, now, _FORGET_AT_ONCE)
