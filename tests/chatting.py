"""A telephone with WhatsApp on it, before our receiving and reading code; the gateway is a fake that remembers."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count

from notifier.core.ids import new_id
from notifier.core.states import Channel, Said
from notifier.gateways import Inbound, OutgoingChat
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import caught_chat, chat_inbox, chat_replies, conversations, persons
from notifier.store.chat_inbox import Came, Flood, Kept
from notifier.store.persons import Person
from notifier.support import follow_ups
from notifier.support.chat import receive, work
from notifier.support.chat.dialogue import Dialogue
from notifier.support.chat.speech import Spoken
from notifier.support.chat.wishes import Rooms
from tests.builders import NIK, SITI, MadeCertificate, a_certificate
from tests.fakes import FakeClock, FakeGateway

SITI_NUMBER = "+6281234567890"
BUDI_NUMBER = "+6281300000002"
BUDI_NIK = "3174052503850002"
BUDI = replace(SITI, name="Budi Santoso", nik=BUDI_NIK, phone=BUDI_NUMBER)

_sids = count(1)


class Phone:
    """One telephone. `say` writes, lets the workers work, and answers what arrived meanwhile."""

    def __init__(self, services: Services, number: str = SITI_NUMBER, rooms: Rooms | None = None) -> None:
        assert isinstance(services.gateway, FakeGateway)
        self.services, self.gateway, self.number = services, services.gateway, number
        self.rooms = rooms or Rooms()

    def write(self, text: str = "", said: Said = Said.TEXT, sid: str | None = None) -> Kept:
        """Writes, and nobody reads it yet."""
        assert isinstance(self.services.clock, FakeClock)
        self.services.clock.tick(milliseconds=1)
        sid = sid or f"SM{next(_sids):032x}"
        return receive.receive(self.services, Inbound(sid, Channel.WHATSAPP, self.number, text, said=said))

    def hear(self) -> list[OutgoingChat]:
        """What arrives once the workers have done everything."""
        before = len(self.gateway.chat)
        work.run(self.services, self.rooms)
        follow_ups.run(self.services)
        Sender(self.services).send_batch(100)
        return [message for message in self.gateway.chat[before:] if message.to == self.number]

    def messages(self, text: str = "", said: Said = Said.TEXT) -> list[OutgoingChat]:
        self.write(text, said)
        return self.hear()

    def say(self, text: str = "", said: Said = Said.TEXT) -> str:
        """The texts that come back, as they look without buttons."""
        return "\n---\n".join(message.numbered for message in self.messages(text, said))

    def code(self, number: str | None = None) -> str:
        """The code in the newest SMS to a number."""
        to = number or self.number
        texts = [sms.text for sms in self.gateway.sent if sms.to == to]
        found = re.search(r"\b\d{6}\b", texts[-1]) if texts else None
        assert found, "no code came"
        return found[0]

    def prove(self, goal: str = "1", name: str = "Siti Aminah", nik: str = NIK) -> str:
        """From the menu to what the goal shows, with everything right."""
        self.say("hai")
        self.say(goal)
        self.say("1")
        self.say(self.code())
        self.say(name)
        return self.say(nik)


def a_chat_under_way(services: Services, number: str = SITI_NUMBER) -> None:
    """One message was answered, the answer has not left, another waits; and all of it shows on a telephone."""
    at = services.clock.now()
    for sid in ("SM1", "SM2"):
        chat_inbox.receive(services.db, services.sealer, Came(number, sid, Said.TEXT, "hai", at), Flood(9, 9))
    with services.db.write() as conn:
        [talk] = conversations.take(conn, services.sealer, at, 1)
        first = conversations.unread(conn, services.sealer, [talk.id])[talk.id][0]
        conversations.settle(conn, services.sealer, {talk.id: Dialogue().to_text()}, [first.id], at)
        chat_replies.add(conn, services.sealer, [(talk.id, first.id, Spoken("Halo").to_text())], at=at)
        caught_chat.add(conn, services.sealer, number, [caught_chat.Bubble(False, "hai")], at=at)


def a_person(services: Services, person: Person) -> str:
    """Somebody without a dose."""
    row = replace(person, id=new_id())
    with services.db.write() as conn:
        persons.insert(conn, services.sealer, row, source=None, at=services.clock.now())
    return row.id


def siti(services: Services, **dose: object) -> MadeCertificate:
    return a_certificate(services, **dose)
