"""The recorded conversations, in this process; tests/flows/test_chat_story.py plays the same to a real worker."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.core.states import Said
from notifier.services import Services
from notifier.support.chat.rooms import open_rooms
from tests.builders import SITI, a_certificate
from tests.chatting import SITI_NUMBER, Phone
from tests.conftest import Build
from tests.transcripts import FOLDER, Exchange, played, read, write


@pytest.fixture
def services(build_services: Build) -> Services:
    return build_services(public_url="https://sertifikat.example.id")


def send_to(phone: Phone) -> object:
    def send(exchange: Exchange) -> list[str]:
        text = phone.code() if exchange.sends == "{code}" else exchange.sends
        said = exchange.said
        phone.services.clock.tick(seconds=3)  # type: ignore[attr-defined]
        return [message.numbered for message in phone.messages("" if said is not Said.TEXT else text, said)]

    return send


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_the_conversation_goes_as_it_was_recorded(path: Path, services: Services) -> None:
    a_certificate(services, person=replace(SITI, phone=SITI_NUMBER))
    recorded = read(path)
    now = played(recorded, send_to(Phone(services, rooms=open_rooms(services))))  # type: ignore[arg-type]
    if os.environ.get("RECORD_CHATS"):
        write(path, now)
    assert now == recorded or os.environ.get("RECORD_CHATS")
