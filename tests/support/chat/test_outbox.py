"""Replies: in order, each once, never after an unknown outcome; and what holds them back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.states import REPLY_MOVES, Channel, State
from notifier.gateways import Outcome, OutcomeClass, OutgoingChat, Receipt, ReceiptState
from notifier.services import Services
from notifier.store import chat_replies, counters, persons
from notifier.store.tables import chat_reply
from notifier.support import opt_out
from notifier.support.chat import outbox, work
from notifier.support.chat.outbox import Posted
from notifier.support.chat.wishes import Rooms
from tests.chatting import BUDI_NUMBER, SITI_NUMBER, Phone, siti
from tests.conftest import Build
from tests.fakes import FakeClock, FakeGateway


def states(services: Services) -> list[str]:
    with services.db.read() as conn:
        return list(conn.scalars(sa.select(chat_reply.c.status).order_by(chat_reply.c.created_at, chat_reply.c.place)))


def answers(*kinds: OutcomeClass, **more: Any) -> Any:
    """Answers in this order, then yes."""
    left = list(kinds)

    def answer(message: OutgoingChat) -> Outcome:
        kind = left.pop(0) if left else OutcomeClass.ACCEPTED
        return Outcome(kind, provider_sid="SM1" if kind is OutcomeClass.ACCEPTED else None, **more)

    return answer


@pytest.fixture
def phone(services: Services) -> Phone:
    return Phone(services)


@pytest.mark.parametrize(
    ("kind", "ends", "posts"),
    [
        (OutcomeClass.ACCEPTED, State.ACCEPTED, 1),
        (OutcomeClass.UNKNOWN, State.UNKNOWN, 1),
        (OutcomeClass.NUMBER_BAD, State.FAILED, 1),
        (OutcomeClass.OPTED_OUT, State.FAILED, 1),
        (OutcomeClass.NOT_SENT, State.ACCEPTED, 2),
        (OutcomeClass.RATE_LIMITED, State.ACCEPTED, 2),
        (OutcomeClass.SENDER_MISCONFIGURED, State.ACCEPTED, 2),
    ],
)
def test_each_outcome_ends_where_it_must(
    phone: Phone, gateway: FakeGateway, clock: FakeClock, kind: OutcomeClass, ends: State, posts: int
) -> None:
    gateway.answer_chat = answers(kind)
    phone.say("hai")
    for _ in range(3):
        clock.tick(minutes=6)
        phone.hear()
    assert states(phone.services) == [ends]
    assert len(gateway.chat) == posts


def test_a_gateway_that_raises_leaves_it_unknown(phone: Phone, gateway: FakeGateway, clock: FakeClock) -> None:
    def broken(message: OutgoingChat) -> Outcome:
        raise RuntimeError("a fault of the gateway's")

    gateway.answer_chat = broken
    phone.say("hai")
    clock.tick(minutes=10)
    phone.hear()
    assert states(phone.services) == [State.UNKNOWN]
    assert len(gateway.chat) == 1


def test_refused_buttons_come_again_as_numbers(phone: Phone, gateway: FakeGateway) -> None:
    gateway.answer_chat = answers(OutcomeClass.HOLD, http_status=400, code="63028")
    phone.say("hai")
    assert [message.is_plain for message in gateway.chat] == [False, True]
    assert states(phone.services) == [State.ACCEPTED]


def test_a_later_reply_waits_for_an_earlier_one(services: Services, gateway: FakeGateway, clock: FakeClock) -> None:
    siti(services)
    phone = Phone(services)
    phone.prove()
    gateway.answer_chat = answers(OutcomeClass.NOT_SENT)
    phone.say("1")
    assert states(services)[-2:] == [State.SCHEDULED, State.SCHEDULED]
    clock.tick(seconds=30)
    text, pdf = phone.hear()[-2:]
    assert "/c/" in text.text
    assert pdf.file_url is not None


def test_a_receipt_settles_what_nobody_could_know_forward_only(phone: Phone, gateway: FakeGateway) -> None:
    gateway.answer_chat = answers(OutcomeClass.UNKNOWN)
    phone.say("hai")
    reference = gateway.chat[0].attempt_reference
    for state, ends in (
        (ReceiptState.SENT, State.SENT),
        (ReceiptState.DELIVERED, State.DELIVERED),
        (ReceiptState.SENT, State.DELIVERED),
        (ReceiptState.FAILED, State.DELIVERED),
    ):
        assert outbox.note(phone.services, Receipt(reference, "SM9", state, state.value))
        assert states(phone.services) == [ends]
    assert not outbox.note(phone.services, Receipt("an-sms", "SM9", ReceiptState.SENT, "sent"))


def test_nothing_leaves_while_the_kill_switch_is_on(phone: Phone, gateway: FakeGateway) -> None:
    services = phone.services

    def switch(is_on: bool) -> None:
        with services.db.write() as conn:
            counters.set_switch(conn, counters.HOLD, is_on=is_on, by="test", reason="", at=services.clock.now())

    switch(True)
    phone.say("hai")
    assert gateway.chat == []
    switch(False)
    assert len(phone.hear()) == 1


def fresh_of(phone: Phone) -> tuple[outbox.Fresh, ...]:
    phone.write("hai")
    return work.read_waiting(phone.services, Rooms()).fresh


def test_a_fresh_answer_leaves_under_the_reference_that_it_was_written_with(
    each_services: Services, gateway: FakeGateway
) -> None:
    phone = Phone(replace(each_services, gateway=gateway))
    fresh = fresh_of(phone)
    going = outbox.begin_fresh(phone.services, fresh)
    assert [message.attempt_reference for _reply, message in going.ready] == [one.reference for one in fresh]
    assert outbox.begin_fresh(phone.services, fresh).ready == ()  # it is on its way
    assert outbox.begin(phone.services).claimed == 0
    assert outbox.post(phone.services, going) == Posted(1, 0)
    assert outbox.note(phone.services, Receipt(fresh[0].reference, "SM9", ReceiptState.DELIVERED, "delivered"))
    assert states(phone.services) == [State.DELIVERED]


def test_a_fresh_answer_waits_for_an_earlier_one_that_is_leaving(each_services: Services, gateway: FakeGateway) -> None:
    phone = Phone(replace(each_services, gateway=gateway))
    first = outbox.begin_fresh(phone.services, fresh_of(phone))
    second = fresh_of(phone)
    assert outbox.begin_fresh(phone.services, second).ready == ()
    outbox.post(phone.services, first)
    assert len(outbox.begin_fresh(phone.services, second).ready) == 1


def test_a_fresh_answer_of_whoever_was_faster_leaves_once(each_services: Services, gateway: FakeGateway) -> None:
    phone = Phone(replace(each_services, gateway=gateway))
    fresh = fresh_of(phone)
    gateway.answer_chat = answers(OutcomeClass.NOT_SENT)
    # another worker; it is tried again, by another name
    assert outbox.post(phone.services, outbox.begin(phone.services)) == Posted(1, 1)
    assert outbox.begin_fresh(phone.services, fresh).ready == ()


def test_a_stop_and_the_kill_switch_hold_back_a_fresh_answer(each_services: Services, gateway: FakeGateway) -> None:
    services = replace(each_services, gateway=gateway)
    phone, other = Phone(services), Phone(services, BUDI_NUMBER)
    fresh = [*fresh_of(phone), *fresh_of(other)]
    index = persons.phone_index(services.sealer, SITI_NUMBER)
    opt_out.stop(services, index, channel=Channel.WHATSAPP, source=opt_out.Source.INBOUND, actor="test")
    with services.db.write() as conn:
        counters.set_switch(conn, counters.HOLD, is_on=True, by="test", reason="", at=services.clock.now())
    assert outbox.begin_fresh(services, fresh).ready == ()
    with services.db.write() as conn:
        counters.set_switch(conn, counters.HOLD, is_on=False, by="test", reason="", at=services.clock.now())
    assert [reply.phone for reply, _message in outbox.begin_fresh(services, fresh).ready] == [BUDI_NUMBER]


def test_a_stop_holds_back_what_waits_and_begins_no_chat(phone: Phone, gateway: FakeGateway) -> None:
    services = phone.services
    phone.write("hai")
    work.read_waiting(services, Rooms())
    index = persons.phone_index(services.sealer, SITI_NUMBER)
    opt_out.stop(services, index, channel=Channel.WHATSAPP, source=opt_out.Source.INBOUND, actor="test")
    phone.hear()
    assert states(services) == [State.SUPPRESSED]
    assert phone.write("hai") == "stopped"
    assert phone.hear() == []
    opt_out.start(services, index, channel=Channel.WHATSAPP, actor="test")
    assert "Halo" in phone.say("hai")


REOPEN = ("id=HX" + "a" * 32,)


def test_past_24_hours_a_template_asks_to_write_and_the_answer_follows(
    build_services: Build, gateway: FakeGateway, clock: FakeClock
) -> None:
    services = build_services(whatsapp_reopen=REOPEN)
    phone = Phone(services)
    phone.write("1")
    work.read_waiting(services, Rooms())
    clock.tick(hours=23, minutes=58)
    [template] = phone.hear()
    assert template.reopens
    assert "Tulis nomor HP" not in template.text
    assert sorted(states(services)) == [State.ACCEPTED, State.HELD]
    clock.tick(hours=2)
    assert phone.hear() == []
    told = phone.say("hai")
    assert "Tulis nomor HP" in told
    assert "Halo" in told


def test_a_reply_later_than_a_day_is_not_sent(phone: Phone, gateway: FakeGateway, clock: FakeClock) -> None:
    phone.write("hai")
    work.read_waiting(phone.services, Rooms())
    clock.tick(hours=30)
    phone.hear()
    assert gateway.chat == []
    assert states(phone.services) in ([State.EXPIRED], [])


def test_who_died_while_sending_is_doubted_and_nothing_goes_again(
    phone: Phone, gateway: FakeGateway, clock: FakeClock
) -> None:
    phone.write("hai")
    work.read_waiting(phone.services, Rooms())
    going = outbox.begin(phone.services)
    assert len(going.ready) == 1
    clock.tick(minutes=2)
    assert phone.hear() == []
    assert states(phone.services) == [State.UNKNOWN]
    assert outbox.post(phone.services, going) == Posted()  # woken after its lease: it has not posted, and does not
    assert gateway.chat == []
    assert "Halo" in phone.say("hai")


def test_no_move_is_out_of_the_table(phone: Phone) -> None:
    with phone.services.db.write() as conn:
        with pytest.raises(ValueError, match="no such move"):
            chat_replies.finish(conn, "x", State.CLAIMED, token="x", at=phone.services.clock.now())
        with pytest.raises(ValueError, match="no such move"):
            chat_replies.stop(conn, ["x"], State.UNKNOWN, "past-due", at=phone.services.clock.now())  # type: ignore
    assert State.SCHEDULED not in REPLY_MOVES[State.UNKNOWN]


def test_many_telephones_at_once(services: Services, gateway: FakeGateway) -> None:
    phones = [Phone(services, f"+62813000001{number:02}") for number in range(25)] + [Phone(services, BUDI_NUMBER)]
    for phone in phones:
        phone.write("hai")
    work.run(services, Rooms())
    assert sorted(message.to for message in gateway.chat) == sorted(phone.number for phone in phones)
