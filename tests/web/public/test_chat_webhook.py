"""/twilio/inbound by WhatsApp: what is kept for a worker, and what goes on as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import sqlalchemy as sa

from linkserver import create_public_app
from notifier.services import Services
from notifier.store.tables import chat_message, conversation, inbound_sms
from tests.canaries import PHONE_TAIL
from tests.fakes import FakeClock
from tests.web.public.test_inbound import FORM, PUBLIC_URL, SITI, WHATSAPP, Provider, provider, wired
from tests.web.public.test_link import everything

__all__ = ["provider", "wired"]


def chatting(services: Services, **changes: object) -> Services:
    """The same with a number of ours at WhatsApp, or with other settings."""
    update = {"whatsapp_from": "+6281110500567"} | changes
    return replace(services, settings=services.settings.model_copy(update=update))


def count(services: Services, table: sa.Table) -> int:
    with services.db.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_message_is_kept_sealed_and_answered_with_nothing(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    assert chat.hand_on("NIK saya 3174031002890009, Siti Aminah", 1, WHATSAPP + SITI) == []
    rows = repr(everything(provider.services))
    assert "3174031002890009" not in rows
    assert "Aminah" not in rows
    assert PHONE_TAIL not in rows
    assert count(provider.services, chat_message) == 1


def test_copies_at_once_are_one_message(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    form = FORM | {"Body": "hai", "From": WHATSAPP + SITI}
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: chat.post(form), range(24))} == {200}
    assert count(provider.services, chat_message) == 1
    before = everything(provider.services)
    assert chat.post(form).status_code == 200
    assert everything(provider.services) == before


def test_different_messages_at_once_are_one_conversation(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: chat.hand_on("hai", number, WHATSAPP + SITI), range(20)))
    assert (count(provider.services, chat_message), count(provider.services, conversation)) == (20, 1)


def test_stop_is_obeyed_before_a_chat_and_a_stopped_number_is_told_how_to_start(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    [said] = chat.hand_on("STOP", 1, WHATSAPP + SITI)
    assert "dihentikan" in said
    [said] = chat.hand_on("hai", 2, WHATSAPP + SITI)
    assert "MULAI" in said
    assert "START" in said
    assert count(provider.services, chat_message) == 0
    [said] = chat.hand_on("mulai", 3, WHATSAPP + SITI)
    assert chat.hand_on("hai", 4, WHATSAPP + SITI) == []
    assert count(provider.services, chat_message) == 1


def test_an_sms_and_a_shut_door_begin_no_chat(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    assert chat.hand_on("hai", 1) == []
    assert chat.hand_on("hai", 2, WHATSAPP + "ID.1234567890") == []
    shut = Provider(chatting(provider.services, doors=("link", "verify")))
    assert shut.hand_on("hai", 3, WHATSAPP + SITI) == []
    assert count(provider.services, chat_message) == 0
    assert count(provider.services, inbound_sms) == 2


def test_a_forged_message_is_kept_nowhere(provider: Provider) -> None:
    chat = Provider(chatting(provider.services))
    before = everything(provider.services)
    form = FORM | {"Body": "hai", "From": WHATSAPP + SITI}
    assert chat.post(form, "forged").status_code == 403
    assert everything(provider.services) == before


def test_the_catcher_s_face_takes_no_webhook(services: Services, clock: FakeClock) -> None:
    client = create_public_app(services).test_client()
    form = FORM | {"Body": "hai", "From": WHATSAPP + SITI}
    assert client.post("/twilio/inbound", data=form, base_url=PUBLIC_URL).status_code in (403, 421)
    assert count(services, chat_message) == 0
