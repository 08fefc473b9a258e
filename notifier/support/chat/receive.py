"""A message came: it is kept, sealed and once, before the provider hears that we have it. A worker reads it.

What a machine, or somebody who plays, writes too fast is not kept beyond a limit: the first message too many is
answered, the rest of the minute is not.
"""

from __future__ import annotations

from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel
from notifier.gateways import Inbound
from notifier.services import Services
from notifier.store import chat_inbox
from notifier.store.chat_inbox import Came, Flood, Kept

#: messages of one number; a person who types fast writes twenty in a minute
FLOOD = Flood(in_minute=30, in_day=400)
#: what a message may hold; a longer one is told to be shorter
_LONGEST = 2_000


def is_chat(services: Services, message: Inbound, meaning: Meaning) -> bool:
    """Whether a message goes on, or begins, a conversation."""
    by_whatsapp = message.channel is Channel.WHATSAPP and message.sender is not None
    return services.settings.chats and by_whatsapp and meaning is Meaning.OTHER and not message.is_answered


def receive(services: Services, message: Inbound) -> Kept:
    """Keeps a message whose signature was checked, of a telephone number."""
    if message.sender is None:
        raise ValueError("sender: a message of nobody's")
    came = Came(
        phone=message.sender,
        provider_sid=message.provider_sid,
        kind=message.said,
        text=message.text[:_LONGEST].replace("\0", " "),  # which PostgreSQL keeps nowhere
        at=services.clock.now(),
    )
    return chat_inbox.receive(services.db, services.sealer, came, FLOOD)
