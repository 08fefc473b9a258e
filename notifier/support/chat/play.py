"""The catcher's telephones: somebody plays a person who writes to us. Local only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from notifier.core.phones import read_mobile
from notifier.core.states import Channel, Said
from notifier.gateways import Inbound
from notifier.services import Services
from notifier.store import caught, caught_chat
from notifier.store.caught import CaughtSms
from notifier.store.caught_chat import Bubble
from notifier.support import inbound

_NEWEST_SMS = 3


@dataclass(frozen=True, slots=True)
class Played:
    """A telephone as it looks: the chat on it, oldest first, and the newest SMS. `waits`: what was written last is not
    answered yet."""

    phone: str = field(repr=False)
    bubbles: list[Bubble] = field(repr=False)
    sms: list[CaughtSms] = field(repr=False)

    @property
    def waits(self) -> bool:
        return bool(self.bubbles) and not self.bubbles[-1].is_ours


def read_number(services: Services, typed: str) -> str:
    """A number as somebody typed it. Raises BadPhone."""
    settings = services.settings
    return read_mobile(typed, region=settings.country, allowed=settings.countries).e164


def look(services: Services, phone: str) -> Played:
    """A telephone."""
    with services.db.read() as conn:
        bubbles = caught_chat.of_phone(conn, services.sealer, phone)
        return Played(phone, bubbles, caught.to_number(conn, services.sealer, phone, _NEWEST_SMS))


def phones(services: Services) -> list[str]:
    """The telephones that were played last."""
    with services.db.read() as conn:
        return caught_chat.phones(conn, services.sealer)


def write(services: Services, phone: str, text: str, said: Said = Said.TEXT) -> None:
    """Writes from a telephone, through the same code that a provider's webhook reaches."""
    at = services.clock.now()
    with services.db.write() as conn:
        shown = text if said is Said.TEXT else f"[{said}]"
        caught_chat.add(conn, services.sealer, phone, [Bubble(False, shown)], at=at)
    message = Inbound("SM" + secrets.token_hex(16), Channel.WHATSAPP, phone, text, said=said)
    answer = inbound.take(services, message, services.catalogue)
    if answer is not None:
        with services.db.write() as conn:
            caught_chat.add(conn, services.sealer, phone, [Bubble(True, answer)], at=services.clock.now())
