"""What a test needs beside Python: skipped with the reason where it is missing, failed where CI demands it."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

_PORTS = {"postgres": 5432, "rabbitmq": 5672, "redis": 6379}
_CHROMIUM = ("chromium", "chromium-browser")
_POPPLER = ("pdfinfo", "pdffonts", "pdftotext", "pdftohtml", "pdftoppm", "pdfsig")
VERIFIERS = Path(__file__).parent / "verifiers"  # `npm ci --ignore-scripts` there, as .ci/run does
DEMANDED = frozenset(filter(None, os.environ.get("SERTILINK_TEST_REQUIRE", "").split(",")))


def _missing(name: str) -> str | None:
    if name == "chromium":
        return None if any(map(shutil.which, _CHROMIUM)) else "chromium is not installed"
    if name == "poppler":
        return None if all(map(shutil.which, _POPPLER)) else "poppler-utils is not installed"
    if name == "node":
        if shutil.which("node") is None:
            return "node is not installed"
        return None if (VERIFIERS / "node_modules").is_dir() else "npm ci was not run in tests/verifiers"
    try:
        socket.create_connection(("127.0.0.1", _PORTS[name]), timeout=2).close()
    except OSError:
        return f"{name} does not answer at 127.0.0.1:{_PORTS[name]}"
    return None


def require(name: str) -> None:
    """Skips the test where `name` (postgres, rabbitmq, redis, chromium, poppler, node) is missing; fails it
    where SERTILINK_TEST_REQUIRE names it."""
    reason = _missing(name)
    if reason is None:
        return
    if name in DEMANDED:
        pytest.fail(f"{reason}, and SERTILINK_TEST_REQUIRE demands it")
    pytest.skip(reason)
