"""The one place where a test may wait: for another process, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")
#: deadlines are written for an idle machine; a busy one is given so many times as long, which costs nothing
PATIENCE = 5


def eventually(check: Callable[[], T], seconds: float = 10.0, message: str = "it did not happen") -> T:
    """Ask `check` until its answer is true and return that answer; fail with `message` when the time is up."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            pytest.fail(f"{message} (within {seconds} s; last answer: {answer!r})")
        pause.wait(0.02)
