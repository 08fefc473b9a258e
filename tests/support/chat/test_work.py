"""Who reads: one worker at a time, the others where somebody has waited; and who goes on when a task's time is over."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from notifier.core.states import State
from notifier.gateways import Outcome, OutcomeClass, OutgoingChat
from notifier.services import Services
from notifier.store import locks, persons
from notifier.store.tables import chat_message, chat_reply, conversation
from notifier.support.chat import work
from notifier.support.chat.leaving import Posts, leaving
from notifier.support.chat.wishes import Rooms, Told
from tests.builders import a_certificate
from tests.chatting import BUDI, BUDI_NIK, BUDI_NUMBER, Phone, siti
from tests.fakes import FakeClock, FakeGateway
from tests.support.chat.test_stories import FakeMissing

ON_DUTY = 7_301_944_119


@pytest.fixture
def phone(each_services: Services, gateway: FakeGateway) -> Phone:
    return Phone(replace(each_services, gateway=gateway))


def test_a_worker_beside_another_takes_only_what_has_waited(phone: Phone, clock: FakeClock) -> None:
    services = phone.services
    with locks.duty(services.db, ON_DUTY) as is_mine:
        assert is_mine()
        phone.write("hai")
        at_once = len(phone.hear())
        assert at_once == services.db.is_sqlite  # there, a write transaction is alone anyway
        clock.tick(milliseconds=400)
        assert at_once + len(phone.hear()) == 1  # whoever is on duty is slow, or dead
        phone.write("1")
    phone.hear()
    assert len(phone.gateway.chat) == 2


def test_a_batch_takes_those_who_waited_longest(phone: Phone, clock: FakeClock) -> None:
    other = Phone(phone.services, BUDI_NUMBER)
    phone.write("hai")
    clock.tick(milliseconds=400)
    other.write("hai")
    read = work.read_waiting(phone.services, Rooms(), age=timedelta(milliseconds=300))
    assert [one.reply.phone for one in read.fresh] == [phone.number]
    assert work.is_waiting(phone.services)
    assert not work.is_waiting(phone.services, timedelta(milliseconds=300))


def test_second_answers_do_not_wait_until_nobody_writes_any_more(phone: Phone) -> None:
    """Whoever is answered is followed by two others who write, until the second answer has left."""
    most, newcomers, mine = 3_000, itertools.count(), list[OutgoingChat]()

    def answer(message: OutgoingChat) -> Outcome:
        if message.to == phone.number:
            mine.append(message)
        for number in itertools.islice(newcomers, 0 if len(mine) >= 2 else 2):
            if number < most:
                Phone(phone.services, f"+62813{number:08}").write("hai")
        return phone.gateway.accept_chat(message)

    phone.gateway.answer_chat = answer
    phone.write("hai")
    phone.write("hai")
    for number in range(work.BATCH * 2):
        Phone(phone.services, f"+6281300001{number:03}").write("hai")
    work.run(phone.services, Rooms())
    assert len(mine) == 2
    assert 0 < next(newcomers) < most


def test_what_goes_again_with_numbers_is_looked_for_when_its_post_is_done(phone: Phone) -> None:
    def answer(message: OutgoingChat) -> Outcome:
        return phone.gateway.accept_chat(message) if message.is_plain else Outcome(OutcomeClass.PERMANENT, code="63016")

    phone.gateway.answer_chat = answer
    with leaving(phone.services) as posts:
        assert not posts.send_others()  # nothing waits, and that is known from here on
        phone.write("hai")
        read = work.read_waiting(phone.services, Rooms())
        posts.send(read.fresh, more=read.more)
        while posts.wait(0.01, bool) and posts.send_others():
            pass
    assert [message.is_plain for message in phone.gateway.chat] == [False, True]


def test_what_falls_due_later_is_looked_for_once_a_second_while_others_chat(phone: Phone, clock: FakeClock) -> None:
    seconds = [50.0]
    outcomes = [Outcome(OutcomeClass.RATE_LIMITED, retry_after_s=1.0)]
    phone.gateway.answer_chat = lambda each: outcomes.pop() if outcomes else phone.gateway.accept_chat(each)
    with ThreadPoolExecutor(1) as pool:
        posts = Posts(phone.services, pool, lambda: seconds[0])
        phone.write("hai")
        posts.send(work.read_waiting(phone.services, Rooms()).fresh, more=False)
        while posts.wait(0.01, bool):
            posts.send_others()
        clock.tick(seconds=2)
        assert not posts.send_others()
        seconds[0] += 2
        assert posts.send_others()
    assert len(phone.gateway.chat) == 2


class Broken(FakeMissing):
    """Knows no cause: it breaks."""

    def causes(self, services: Services, phone: str, person_id: str, language: str) -> Told | None:
        raise RuntimeError("a fault of ours")


class Meanwhile(logging.Handler):
    """Does something the moment a message is found not to be answered."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "a message was not answered":
            self._act()


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    handler, logger = Meanwhile(act), logging.getLogger("notifier.support.chat.work")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("failed_before", [0, 5])
def test_a_message_that_comes_while_another_is_put_off_or_given_up_is_read(
    phone: Phone, clock: FakeClock, failed_before: int
) -> None:
    siti(phone.services)
    phone.rooms = Rooms(missing=Broken())
    phone.prove("1")
    phone.write("0")
    phone.hear()
    phone.write("4")
    for _ in range(failed_before):
        work.read_waiting(phone.services, phone.rooms)
        clock.tick(minutes=5)
    with meanwhile(lambda: phone.write("0")):
        work.read_waiting(phone.services, phone.rooms)
    clock.tick(minutes=5)
    for _ in range(8):
        phone.hear()
        clock.tick(minutes=5)
    with phone.services.db.read() as conn:
        assert list(conn.scalars(sa.select(chat_message.c.id).where(chat_message.c.taken_at.is_(None)))) == []


def test_what_was_held_leaves_where_another_conversation_of_the_batch_fails(phone: Phone, clock: FakeClock) -> None:
    a_certificate(phone.services, person=BUDI)
    other = Phone(phone.services, BUDI_NUMBER, Rooms(missing=Broken()))
    other.prove("1", BUDI.name, BUDI_NIK)
    other.say("0")
    phone.say("hai")
    with phone.services.db.write() as conn:
        mine = conn.scalar(sa.select(conversation.c.id).where(conversation.c.phone_index == index_of(phone)))
        conn.execute(chat_reply.update().where(chat_reply.c.conversation_id == mine).values(status=State.HELD.value))
    phone.write("hai")
    other.write("4")
    read = work.read_waiting(phone.services, other.rooms)
    assert read.more
    with phone.services.db.read() as conn:
        assert State.HELD not in set(conn.scalars(sa.select(chat_reply.c.status)))


def index_of(phone: Phone) -> bytes:
    return persons.phone_index(phone.services.sealer, phone.number)


class RunsAway:
    """A clock on which each look costs four seconds."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self):  # type: ignore[no-untyped-def]  # as the clock's
        self._clock.tick(seconds=4)
        return self._clock.now()


def test_a_task_whose_time_is_over_hands_over_once_and_loses_nothing(phone: Phone, clock: FakeClock) -> None:
    for number in range(work.BATCH * 6):
        Phone(phone.services, f"+6281300001{number:03}").write("hai")
    woken: list[str] = []
    hurried = replace(phone.services, clock=RunsAway(clock))
    assert work.run(hurried, Rooms(), hand_over=lambda: woken.append("another"))
    assert woken == ["another"]
    assert work.is_waiting(phone.services)
    assert not work.run(phone.services, Rooms(), hand_over=lambda: woken.append("nobody"))
    assert woken == ["another"]
    assert len({message.to for message in phone.gateway.chat}) == len(phone.gateway.chat) == work.BATCH * 6
