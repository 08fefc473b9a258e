"""Who reads: one worker at a time, the others where somebody has waited; and who goes on when a task's time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.services import Services
from notifier.store import locks
from notifier.support.chat import work
from notifier.support.chat.wishes import Rooms
from tests.chatting import BUDI_NUMBER, Phone
from tests.fakes import FakeClock, FakeGateway

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
