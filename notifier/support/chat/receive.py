"""A message came: it is kept, sealed and once, before the provider hears that we have it. A worker reads it.

What a machine, or somebody who plays, writes too fast is not kept beyond a limit: the first message too many is
answered, the rest of the minute is not.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from notifier.certificates.limits import Limit
from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel, Said
from notifier.gateways import Inbound
from notifier.services import Services
from notifier.store import conversations, counters, persons, suppressions

#: messages of one number; a person who types fast writes twenty in a minute
FLOOD = Limit("chat:number", 30, timedelta(minutes=1))
FLOOD_DAY = Limit("chat:number-day", 400, timedelta(days=1))
#: what a message may hold; a longer one is told to be shorter
_LONGEST = 2_000


class Received(StrEnum):
    """What became of a message."""

    KEPT = "kept"
    REPEATED = "repeated"
    FLOOD = "flood"  #: not kept
    STOPPED = "stopped"  #: its number told us to stop
    NOT_OURS = "not-ours"  #: no chat: by SMS, from no telephone number, or the door is shut


def is_chat(services: Services, message: Inbound, meaning: Meaning) -> bool:
    """Whether a message goes on, or begins, a conversation."""
    by_whatsapp = message.channel is Channel.WHATSAPP and message.sender is not None
    return services.settings.chats and by_whatsapp and meaning is Meaning.OTHER and not message.is_answered


def receive(services: Services, message: Inbound) -> Received:
    """Keeps a message whose signature was checked. One transaction."""
    if message.sender is None or message.channel is not Channel.WHATSAPP:
        return Received.NOT_OURS
    now = services.clock.now()
    number = persons.phone_index(services.sealer, message.sender)
    with services.db.write() as conn:
        if conversations.is_known(conn, message.provider_sid):
            return Received.REPEATED
        if suppressions.standing(conn, number, channel=Channel.WHATSAPP) is not None:
            return Received.STOPPED
        kind, text = message.said, message.text[:_LONGEST]
        counts = [
            (limit.most, counters.hit(conn, f"{limit.name}:{number.hex()}", window=limit.window, at=now))
            for limit in (FLOOD, FLOOD_DAY)
        ]
        if any(count > most + 1 for most, count in counts):
            return Received.FLOOD
        if any(count == most + 1 for most, count in counts):
            kind, text = Said.FLOOD, ""
        is_new = conversations.receive(
            conn,
            services.sealer,
            phone=message.sender,
            provider_sid=message.provider_sid,
            kind=kind,
            text=text,
            at=now,
        )
    return Received.KEPT if is_new else Received.REPEATED
