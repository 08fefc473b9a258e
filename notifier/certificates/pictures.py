"""The QR codes of a picture that somebody uploaded: read in memory, in a process of its own, never kept.

The picture is handed on through a pipe and stands in no file. Whatever is wrong with it ends that process alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from notifier.core.errors import Refused

#: bytes of one upload
LARGEST = 8 * 1024 * 1024

_PROGRAM = Path(__file__).with_name("picture_process.py")
_TIME_S = 12.0  # on a busy machine; what it may compute is bounded by itself
_AT_ONCE = 1  # a process of ours; more, or a long wait, would take its threads from those who open certificates
_WAIT_S = 1.5
_turns = BoundedSemaphore(_AT_ONCE)


def read_picture(data: bytes, *, time_s: float = _TIME_S) -> tuple[str, ...]:
    """The texts of the picture's QR codes, none twice. Raises Refused: `picture-empty`, `picture-large`, `picture-pdf`,
    `picture-format` (no PNG, JPEG or WebP), `picture-pixels`, `picture-damaged`, `picture-no-code`, `picture-busy`."""
    if not data:
        raise Refused("picture-empty")
    if len(data) > LARGEST:
        raise Refused("picture-large")
    if data.startswith(b"%PDF-"):
        raise Refused("picture-pdf")
    if not _turns.acquire(timeout=_WAIT_S):
        raise Refused("picture-busy")
    try:
        said = _ask(data, time_s)
    finally:
        _turns.release()
    if "refused" in said:
        raise Refused(f"picture-{said['refused']}")
    texts = tuple(said["texts"])
    if not texts:
        raise Refused("picture-no-code")
    return texts


def _ask(data: bytes, time_s: float) -> dict[str, Any]:
    # an empty environment: no key of ours is where a hostile file could read it
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, timeout=time_s, check=True
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise Refused("picture-busy") from None
    except (subprocess.SubprocessError, ValueError):
        raise Refused("picture-damaged") from None  # the error would hold the picture
    return said
