"""A picture that somebody uploaded, in memory and in a process of its own: its QR codes, or the picture drawn anew.

The picture is handed on through a pipe and stands in no file. Whatever is wrong with it ends that process alone.
"""

from __future__ import annotations

import base64
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
    texts = tuple(_asked(data, time_s)["texts"])
    if not texts:
        raise Refused("picture-no-code")
    return texts


def redraw_picture(data: bytes, *, time_s: float = _TIME_S) -> bytes:
    """The picture as a JPEG of our own making, of which nothing but its pixels is the sender's. Raises Refused as
    `read_picture` does."""
    return base64.b64decode(_asked(data, time_s, "redraw")["jpeg"])


def _asked(data: bytes, time_s: float, *deed: str) -> dict[str, Any]:
    if not data:
        raise Refused("picture-empty")
    if len(data) > LARGEST:
        raise Refused("picture-large")
    if data.startswith(b"%PDF-"):
        raise Refused("picture-pdf")
    if not _turns.acquire(timeout=_WAIT_S):
        raise Refused("picture-busy")
    try:
        said = _ask(data, time_s, *deed)
    finally:
        _turns.release()
    if "refused" in said:
        raise Refused(f"picture-{said['refused']}")
    return said


def _ask(data: bytes, time_s: float, *deed: str) -> dict[str, Any]:
    # an empty environment: no key of ours is where a hostile file could read it
    command = [sys.executable, "-I", str(_PROGRAM), *deed]
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
