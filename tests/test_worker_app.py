"""The app that hands Services to its tasks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from notifier.services import Services
from notifier.settings import Settings
from notifier.worker import create_app, send_queue


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
