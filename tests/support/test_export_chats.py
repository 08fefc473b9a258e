"""A person's copy has the chat with their number: moments and kinds, and what is still held of its words; nothing that
may be another's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from notifier.services import Services
from notifier.store import conversations
from notifier.store.tables import conversation
from notifier.support.chat.dialogue import Dialogue, Step
from notifier.support.privacy.export import export
from tests.builders import MadeCertificate, a_certificate
from tests.chatting import BUDI, BUDI_NUMBER, SITI_NUMBER, Phone, a_chat_under_way
from tests.losses import say_not_theirs

WHY = {"reason": "diminta di loket", "actor": "command:tester"}
PARTS = ("conversation", "chat_message", "chat_reply")


def chats(services: Services, person_id: str) -> dict[str, list[dict[str, Any]]]:
    told = {part["part"]: part["rows"] for part in export(services, person_id, **WHY)["parts"]}
    return {name: told[name] for name in PARTS}


@pytest.fixture
def mine(services: Services) -> MadeCertificate:
    return a_certificate(services)


def test_what_waits_to_be_read_and_to_be_sent_is_told_with_its_words(services: Services, mine: MadeCertificate) -> None:
    a_chat_under_way(services)
    told = chats(services, mine.person_id)
    assert [(row["kind"], row["text"]) for row in told["chat_message"]] == [("text", None), ("text", "hai")]
    assert [(row["status"], row["text"]) for row in told["chat_reply"]] == [("scheduled", "Halo")]
    assert told["conversation"][0]["last_inbound_at"].startswith("2026-11-23T03:00:00")


def test_when_all_is_read_and_sent_moments_and_kinds_stay_for_a_day(services: Services, mine: MadeCertificate) -> None:
    phone = Phone(services)
    phone.say("hai")
    told = chats(services, mine.person_id)
    assert [len(told[name]) for name in PARTS] == [1, 1, 1]
    assert [row["text"] for name in PARTS[1:] for row in told[name]] == [None, None]


WHOSE = [
    "shared number",
    "said not to be theirs",
    "another's number",
    "another's name",
    "another person",
    "asked",
    "asked before",
]


@pytest.mark.parametrize("why", WHOSE)
def test_words_that_may_be_anothers_are_never_told(services: Services, mine: MadeCertificate, why: str) -> None:
    other = a_certificate(services, person=BUDI)
    a_chat_under_way(services)
    if why == "shared number":
        a_certificate(services, person=replace(BUDI, nik=None, phone=SITI_NUMBER))
    elif why == "said not to be theirs":
        say_not_theirs(services, mine.person_id)
    else:
        stands = {
            "another's number": Dialogue(phone=BUDI_NUMBER),
            "another's name": Dialogue(whose="Budi Santoso"),
            "another person": Dialogue(person_id=other.person_id),
            "asked": Dialogue().at(Step.WHOSE),  # what is not read yet is the name
            "asked before": Dialogue().at(Step.WHOSE).at(Step.BORN, whose="Budi Santoso").afresh(),
        }
        with services.db.write() as conn:
            [row] = conn.execute(conversation.select())
            conversations.settle(conn, services.sealer, {row.id: stands[why].to_text()}, [], services.clock.now())
    told = chats(services, mine.person_id)
    assert [row["text"] for row in (*told["chat_message"], *told["chat_reply"]) if row["text"]] == []
    assert bool(told["chat_message"]) is (why != "said not to be theirs")
    assert all(not rows for rows in chats(services, other.person_id).values())
