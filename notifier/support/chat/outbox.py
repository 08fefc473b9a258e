"""Replies leave: claimed in the order of each conversation, the attempt committed before its bytes, the outcome written
after them. The rules are those of the SMS: certainly not taken is tried again, refused for good ends, and what nobody
can know is `unknown`, which only a receipt settles. Nobody sends that one again; whoever waits for it writes once more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Channel, Reason, State
from notifier.faults import FaultPoint
from notifier.gateways import Outcome, OutcomeClass, OutgoingChat, Receipt
from notifier.messages.evidence import STATES
from notifier.services import Services
from notifier.store import chat_replies, suppressions
from notifier.store.chat_replies import REFERENCE, Added, Reply
from notifier.store.conversations import Talk
from notifier.store.health import AWAY
from notifier.store.suppressions import Source
from notifier.support.chat import files, texts
from notifier.support.chat.speech import Spoken

#: replies posted together; only these can ever be in doubt
CHUNK = 50
#: free text is taken by WhatsApp for 24 hours after a person wrote; a little less, since the post takes its time
WINDOW = timedelta(hours=24) - timedelta(minutes=5)
#: an answer that late is not worth sending
_TOO_LATE = timedelta(hours=24)
_MOST_TRIES = 8
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=10)
_MISCONFIGURED_RETRY = timedelta(minutes=5)
_WRITE_TRIES = (0.1, 0.3, 1.0, 2.0, 5.0)
#: refused as it was written: a template with buttons may be at fault, so it goes once more with numbers
_REFUSED = frozenset({OutcomeClass.PERMANENT, OutcomeClass.HOLD, OutcomeClass.SENDER_MISCONFIGURED})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Going:
    """Replies whose attempts are committed, under one lease. `claimed`: with those that were moved elsewhere."""

    token: str
    claimed: int
    ready: tuple[tuple[Reply, OutgoingChat], ...]
    begun_at: datetime


def begin(services: Services, limit: int = CHUNK) -> Going:
    """Claims what waits, and commits that it is being sent; posts nothing. Nothing goes while the kill switch is on."""
    now, token = services.clock.now(), new_id()
    with services.db.write() as conn:
        claimed = chat_replies.claim(conn, services.sealer, now, limit)
        if not claimed:
            return Going(token, 0, (), now)
        ready = [
            (reply, _outgoing(services, reply, Spoken.of_text(reply.body), chat_replies.new_reference()))
            for reply in _allowed(conn, services, claimed, now)
        ]
        until = services.db.now(conn) + timedelta(seconds=services.settings.lease_seconds)
        references = {reply.id: message.attempt_reference for reply, message in ready}
        chat_replies.begin(conn, references, token=token, until=until, at=now)
        services.faults.reached(FaultPoint.REPLY_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.REPLY_AFTER_COMMIT)
    return Going(token, len(claimed), tuple(ready), now)


@dataclass(frozen=True, slots=True)
class Posted:
    """How many replies were posted, and how many of them wait again: now with numbers, or later."""

    replies: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Fresh:
    """A reply that this worker has just written, the first of its conversation."""

    reply: Reply
    reference: str
    spoken: Spoken

    @classmethod
    def of(cls, talk: Talk, added: Added, spoken: Spoken, at: datetime) -> Fresh:
        """As it was written into a conversation at a moment."""
        reply = Reply(
            id=added.id,
            conversation_id=talk.id,
            phone=talk.phone,
            phone_index=talk.phone_index,
            body="",
            is_plain=False,
            attempts=0,
            created_at=at,
            last_inbound_at=talk.last_inbound_at,
            is_stopped=False,
        )
        return cls(reply, added.reference, spoken)


def begin_fresh(services: Services, fresh: Sequence[Fresh]) -> Going:
    """Commits that these are being sent, as `begin` does, without looking for them. What must wait is left to it."""
    now, token = services.clock.now(), new_id()
    going = [one for one in fresh if now - one.reply.last_inbound_at < WINDOW]
    if not going:
        return Going(token, 0, (), now)
    with services.db.write() as conn:
        until = services.db.now(conn) + timedelta(seconds=services.settings.lease_seconds)
        begun = chat_replies.begin_fresh(conn, [one.reply.id for one in going], token=token, until=until, at=now)
        services.faults.reached(FaultPoint.REPLY_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.REPLY_AFTER_COMMIT)
    ready = tuple(
        (one.reply, _outgoing(services, one.reply, one.spoken, one.reference)) for one in going if one.reply.id in begun
    )
    return Going(token, len(ready), ready, now)


def post(services: Services, going: Going, pause: Callable[[float], None] = time.sleep) -> Posted:
    """Posts what was begun, and writes what came of it."""
    if not going.ready:
        return Posted()
    if services.clock.now() - going.begun_at >= timedelta(seconds=services.settings.lease_seconds):
        return Posted()  # asleep since: somebody doubts these by now, and nothing of them has left or will
    answers = _send(services, [message for _reply, message in going.ready])
    services.faults.reached(FaultPoint.REPLY_ANSWERED)
    for wait in (*_WRITE_TRIES, None):
        try:
            with services.db.write() as conn:
                again = _record(conn, services, going, answers)
            return Posted(len(going.ready), again)
        except AWAY as error:
            if wait is None:
                raise
            _log.error("replies' outcomes not written yet", extra={"error": type(error).__name__})
            pause(wait)
    raise AssertionError("the last try ends above")


def note(services: Services, receipt: Receipt) -> bool:
    """Applies a receipt about a reply, forward only; False where it is about something else."""
    if not receipt.attempt_reference.startswith(REFERENCE):
        return False
    state = STATES[receipt.state] if receipt.state else State.ACCEPTED
    with services.db.write() as conn:
        reference, sid = receipt.attempt_reference, receipt.provider_sid
        chat_replies.note(conn, reference, state, sid, receipt.code, at=services.clock.now())
    return True


def _send(services: Services, messages: list[OutgoingChat]) -> list[Outcome]:
    try:
        return services.gateway.send_chat(messages)
    except Exception as error:
        # a gateway's own fault: bytes may have left, so nothing but `unknown` is honest
        _log.error("gateway raised", extra={"error": type(error).__name__, "messages": len(messages)})
        return [Outcome(OutcomeClass.UNKNOWN) for _ in messages]


def _allowed(conn: Connection, services: Services, claimed: Sequence[Reply], now: datetime) -> list[Reply]:
    """Those that may go now; the others are moved to where they wait, or end."""
    going = []
    for reply in claimed:
        spoken = Spoken.of_text(reply.body)
        is_open = now - reply.last_inbound_at < WINDOW
        if reply.is_stopped:
            chat_replies.stop(conn, [reply.id], State.SUPPRESSED, Reason.OPTED_OUT, at=now)
        elif spoken.reopen or is_open:
            going.append(reply)
        elif spoken.file or now - reply.created_at > _TOO_LATE:
            chat_replies.stop(conn, [reply.id], State.EXPIRED, Reason.PAST_DUE, at=now)
        else:
            _hold(conn, services, reply, spoken, now)
    return going


def _hold(conn: Connection, services: Services, reply: Reply, spoken: Spoken, now: datetime) -> None:
    """Past the provider's window: the answer waits until the person writes; a template asks them to."""
    chat_replies.stop(conn, [reply.id], State.HELD, Reason.PAST_DUE, at=now)
    if any(part.startswith(f"{spoken.language}=") for part in services.settings.whatsapp_reopen):
        said = Spoken(services.catalogue.say(spoken.language, texts.REOPEN), language=spoken.language, reopen=True)
        chat_replies.add_reopening(conn, services.sealer, reply, said.to_text(), at=now)


def _outgoing(services: Services, reply: Reply, spoken: Spoken, reference: str) -> OutgoingChat:
    return OutgoingChat(
        attempt_reference=reference,
        to=reply.phone,
        text=spoken.text,
        options=spoken.options,
        tail=spoken.tail,
        file_url=files.address_of(services, spoken.file) if spoken.file else None,
        language=spoken.language,
        is_plain=reply.is_plain,
        reopens=spoken.reopen,
    )


def _record(conn: Connection, services: Services, going: Going, answers: Sequence[Outcome]) -> int:
    """How many wait again."""
    now, again = services.clock.now(), 0
    taken: dict[str, str] = {}
    for (reply, message), outcome in zip(going.ready, answers, strict=True):
        if outcome.kind is OutcomeClass.ACCEPTED:
            taken[reply.id] = outcome.provider_sid or ""
        else:
            again += _record_one(conn, reply, message, outcome, going.token, now)
    chat_replies.accept_many(conn, taken, token=going.token, at=now)
    return again


def _record_one(
    conn: Connection, reply: Reply, message: OutgoingChat, outcome: Outcome, token: str, now: datetime
) -> bool:
    """Whether it waits again."""
    kind = outcome.kind
    if kind is OutcomeClass.UNKNOWN:
        chat_replies.finish(conn, reply.id, State.UNKNOWN, token=token, at=now, reason=Reason.OUTCOME_UNKNOWN.value)
    elif kind in _REFUSED and message.options and not message.is_plain:
        chat_replies.finish(
            conn, reply.id, State.SCHEDULED, token=token, at=now, due_at=now, is_plain=True, provider_code=outcome.code
        )
        return True
    elif (delay := _retry_after(reply, outcome)) is not None and reply.attempts < _MOST_TRIES:
        chat_replies.finish(conn, reply.id, State.SCHEDULED, token=token, at=now, due_at=now + delay)
        return True
    else:
        chat_replies.finish(
            conn, reply.id, State.FAILED, token=token, at=now, reason=Reason.REFUSED.value, provider_code=outcome.code
        )
        if kind is OutcomeClass.OPTED_OUT:
            suppressions.add(
                conn,
                reply.phone_index,
                reason=Reason.OPTED_OUT,
                source=Source.PROVIDER.value,
                at=now,
                channel=Channel.WHATSAPP,
            )
    return False


def _retry_after(reply: Reply, outcome: Outcome) -> timedelta | None:
    """When a reply that was certainly not taken is tried again; None where it was refused for good."""
    if outcome.kind is OutcomeClass.RATE_LIMITED:
        return timedelta(seconds=outcome.retry_after_s or 1.0)
    if outcome.kind in (OutcomeClass.NOT_SENT, OutcomeClass.NOT_BEGUN, OutcomeClass.TRY_LATER):
        return min(_FIRST_RETRY * (1 << min(reply.attempts, 10)), _LONGEST_RETRY)
    return _MISCONFIGURED_RETRY if outcome.kind is OutcomeClass.SENDER_MISCONFIGURED else None
