"""Connections that hot statements keep for themselves: each used by one at a time, and always given back."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from notifier.store.few import Few, SqliteOne


def until_true(is_so: Callable[[], bool]) -> None:
    """Lets other threads go on until it is."""
    while not is_so():
        os.sched_yield()


class Counted:
    """One that says how many use it at once; `hold`: what its user waits for."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.hold, self.begun = hold, threading.Event()
        self.users = self.most = 0
        self.is_closed = False

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        self.users += 1
        self.most = max(self.most, self.users)
        self.begun.set()
        if self.hold is not None:
            self.hold.wait(30)
        self.users -= 1
        if text == "broken":
            raise ValueError(text)
        return [text, *values]

    def close(self) -> None:
        self.is_closed = True


def few(*some: Any, patience_s: float = 30.0) -> Few:
    return Few(some, lambda: TimeoutError("none is free"), patience_s=patience_s)


def test_many_callers_share_a_few_and_each_has_its_own_answer() -> None:
    ones = [Counted() for _ in range(3)]
    together = few(*ones)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda place: together.run("a", [place]), range(2_000)))
    assert found == [["a", place] for place in range(2_000)]
    assert max(one.most for one in ones) == 1


def test_one_that_failed_is_given_back() -> None:
    together = few(Counted())
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            together.run("broken", [])
    assert together.run("a", []) == ["a"]


def test_the_newest_is_used_first_so_that_no_more_are_opened_than_are_used_at_once() -> None:
    ones = [Counted() for _ in range(3)]
    together = few(*ones)
    for _ in range(5):
        together.run("a", [])
    assert sorted(one.most for one in ones) == [0, 0, 1]


def test_who_finds_none_free_waits_for_the_first_that_is_given_back() -> None:
    hold = threading.Event()
    one = Counted(hold)
    together = few(one)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(together.run, "a", [place]) for place in range(4)]
        assert one.begun.wait(30)
        hold.set()
        assert sorted(answer.result(30)[1] for answer in answers) == [0, 1, 2, 3]
    assert one.most == 1


def test_who_waits_too_long_is_told_and_the_others_go_on() -> None:
    hold = threading.Event()
    one = Counted(hold)
    together = few(one, patience_s=0.01)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(together.run, "a", [])
        assert one.begun.wait(30)
        with pytest.raises(TimeoutError):
            together.run("b", [])
        hold.set()
        assert first.result(30) == ["a"]
    assert together.run("c", []) == ["c"]


def test_who_waits_comes_before_whoever_gave_one_back_and_wants_it_again() -> None:
    hold, order = threading.Event(), []
    one = Counted(hold)
    together = few(one)

    def first() -> None:
        together.run("a", [])
        together.run("a", [])
        order.append("first again")

    def second() -> None:
        together.run("a", [])
        order.append("second")

    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(first)]
        assert one.begun.wait(30)
        begun.append(pool.submit(second))
        until_true(lambda: together.waiting == 1)
        hold.set()
        for each in begun:
            each.result(30)
    assert order == ["second", "first again"]
    assert together.waiting == 0


def test_closing_closes_those_that_are_free_and_the_others_when_they_are_given_back() -> None:
    hold = threading.Event()
    used, free = Counted(hold), Counted()
    together = few(free, used)  # the last is used first
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(together.run, "a", [])
        assert used.begun.wait(30)
        together.close()
        assert (used.is_closed, free.is_closed) == (False, True)
        hold.set()
        assert answer.result(30) == ["a"]
    assert used.is_closed
    assert together.run("b", []) == ["b"]  # which opens itself


def test_closing_again_and_again_breaks_nobody_s_answer(tmp_path: Path) -> None:
    ones = [SqliteOne(lambda: sqlite3.connect(tmp_path / "a.db", check_same_thread=False)) for _ in range(3)]
    together, ended = few(*ones), threading.Event()

    def close() -> None:
        while not ended.is_set():
            together.close()

    with ThreadPoolExecutor(7) as pool:
        closer = pool.submit(close)
        found = list(pool.map(lambda place: together.run("SELECT ?", [place]), range(1_000)))
        ended.set()
        closer.result(30)
    assert found == [[(place,)] for place in range(1_000)]
    together.close()


def test_a_connection_to_sqlite_that_broke_is_opened_anew(tmp_path: Path) -> None:
    opened = []

    def connect() -> sqlite3.Connection:
        opened.append(sqlite3.connect(tmp_path / "a.db", isolation_level=None))
        return opened[-1]

    one = SqliteOne(connect)
    assert opened == []
    assert one.run("SELECT ?", [7]) == [(7,)]
    assert one.run("SELECT ?", [8]) == [(8,)]
    assert len(opened) == 1
    with pytest.raises(sqlite3.OperationalError):
        one.run("SELECT nothing", [])
    assert one.run("SELECT ?", [9]) == [(9,)]
    assert len(opened) == 2
    one.close()
    with pytest.raises(sqlite3.ProgrammingError):
        opened[1].execute("SELECT 1")
    assert one.run("SELECT ?", [1]) == [(1,)]
    one.close()
