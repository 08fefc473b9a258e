"""Locks on things that have no row yet, and the rehearsal that writes nothing: on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from notifier.services import Services
from notifier.store import counters, locks
from notifier.store.rehearsal import Rehearsal
from tests.fakes import FakeClock

WINDOW = timedelta(minutes=1)


def test_two_callers_with_the_same_keys_in_other_orders_never_wait_for_each_other_crosswise(
    each_services: Services,
) -> None:
    first, second = (locks.dose_key(each_services.sealer, name) for name in ("dose-1", "dose-2"))
    start = Barrier(2)
    held: list[int] = []

    def take(keys: tuple[bytes, ...]) -> None:
        for _ in range(50):
            start.wait(timeout=60)
            with each_services.db.write() as conn:
                locks.hold(conn, *keys)
                held.append(len(held))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take, [(first, second), (second, first)]))
    assert held == list(range(100))  # a deadlock would have ended one of them with an error


def test_a_lock_ends_with_its_transaction_however_that_ends(each_services: Services) -> None:
    key = locks.dose_key(each_services.sealer, "dose-1")
    for _ in range(2):
        try:
            with each_services.db.write() as conn:
                locks.hold(conn, key, key)
                raise LookupError
        except LookupError:
            pass

    def again() -> bool:
        with each_services.db.write() as conn:
            locks.hold(conn, key)
            return True

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(again).result(timeout=20)


def test_two_doses_have_two_keys_that_do_not_show_them(each_services: Services) -> None:
    keys = {locks.dose_key(each_services.sealer, name) for name in ("3174031002890009", "dose-1", "dose-2")}
    assert len(keys) == 3
    assert not any(b"3174031002890009" in key or b"dose" in key for key in keys)


def test_a_duty_is_one_callers_until_it_ends(each_services: Services) -> None:
    db = each_services.db
    with locks.duty(db, 41) as first, locks.duty(db, 41) as second, locks.duty(db, 42) as of_another_kind:
        assert first()
        assert first()
        assert second() is db.is_sqlite  # there, a write transaction is alone anyway
        assert of_another_kind()
    with locks.duty(db, 41) as heir:
        assert heir()


def test_a_duty_goes_over_when_its_holder_lets_go(each_services: Services) -> None:
    db = each_services.db
    with locks.duty(db, 41) as second:
        with locks.duty(db, 41) as first:
            assert first()
        assert second()


def test_a_rehearsal_sees_what_it_writes_and_leaves_nothing(each_services: Services, clock: FakeClock) -> None:
    rehearsal = Rehearsal(each_services.db)
    for _ in range(2):
        with rehearsal.write() as conn:
            assert counters.hit(conn, "x", window=WINDOW, at=clock.now()) == 1
            assert counters.hit(conn, "x", window=WINDOW, at=clock.now()) == 2
    with each_services.db.write() as conn:
        assert counters.hit(conn, "x", window=WINDOW, at=clock.now()) == 1


def test_a_transaction_that_raises_writes_nothing(each_services: Services, clock: FakeClock) -> None:
    try:
        with each_services.db.write() as conn:
            counters.set_switch(conn, "hold", is_on=True, by="me", reason="why", at=clock.now())
            raise LookupError
    except LookupError:
        pass
    with each_services.db.read() as conn:
        assert counters.get_switch(conn, "hold") is None
