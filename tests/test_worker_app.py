"""The app that hands Services to its tasks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from notifier.services import Services
from notifier.settings import Settings
from notifier.tasks import CHAT
from notifier.worker import Ticker, create_app, send_queue
from tests.chatting import Phone
from tests.fakes import FakeClock


def test_a_child_that_was_forked_while_the_ticker_was_building_is_not_stuck(services: Services) -> None:
    building, go_on = threading.Event(), threading.Event()

    def slowly(_: Settings) -> Services:
        if not building.is_set():
            building.set()
            go_on.wait(20)
        return services

    app = create_app(services.settings, slowly)
    with ThreadPoolExecutor(2) as pool:
        ticker = pool.submit(lambda: app.services)  # holds the lock
        assert building.wait(10)
        app.forget_parent()  # what a forked child does
        child = pool.submit(lambda: app.services)
        try:
            assert child.result(timeout=10) is services
        finally:
            go_on.set()
        assert ticker.result(timeout=10) is services


def test_two_installations_on_one_broker_have_their_own_wake_ups() -> None:
    one, other = (send_queue(Settings(events_queue=name)).name for name in ("one", "other"))
    assert one != other


class Sent:
    """An app of which it is known what it sent."""

    def __init__(self, services: Services) -> None:
        self.settings, self.services = services.settings, services
        self.tasks: list[str] = []

    def send_task(self, name: str, **_more: object) -> None:
        self.tasks.append(name)


def test_somebody_who_writes_wakes_one_worker_and_another_only_if_he_waits_nevertheless(
    services: Services, clock: FakeClock
) -> None:
    seconds = [100.0]
    app = Sent(services)
    ticker = Ticker(app, seconds=lambda: seconds[0])  # type: ignore[arg-type]  # as much of it as a look needs
    ticker.look()
    assert app.tasks == []
    Phone(services).write("hai")
    ticker.look()
    assert app.tasks == [CHAT]
    seconds[0] += 0.2
    clock.tick(milliseconds=200)
    ticker.look()
    assert app.tasks == [CHAT]
    seconds[0] += 0.2
    clock.tick(milliseconds=200)
    ticker.look()
    assert app.tasks == [CHAT, CHAT]


def test_after_a_while_nobody_is_trusted_to_be_awake(services: Services, clock: FakeClock) -> None:
    seconds = [100.0]
    app = Sent(services)
    ticker = Ticker(app, seconds=lambda: seconds[0])  # type: ignore[arg-type]  # as above
    Phone(services).write("hai")
    ticker.look()
    Phone(services).hear()
    seconds[0] += 2.5
    Phone(services).write("1")
    ticker.look()
    assert app.tasks == [CHAT, CHAT]


def test_a_child_that_cannot_get_warm_says_so_and_lives(services: Services) -> None:
    def away(_: Settings) -> Services:
        raise OSError("the database is away")

    create_app(services.settings, away).warm()
    create_app(services.settings, lambda _: services).warm()
