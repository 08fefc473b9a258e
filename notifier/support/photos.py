"""Photos that people send us, of a card for example: drawn anew in a process of its own, kept by the caller, sealed.

The file that was sent is never kept and never shown: what comes out is a JPEG of our own making.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore

from notifier.core.errors import Refused

#: bytes of one upload
LARGEST = 8 * 1024 * 1024

_PROGRAM = Path(__file__).with_name("photo_process.py")
_TIME_S = 12.0  # on a busy machine; what it may compute is bounded by itself
_AT_ONCE = 1  # a process of ours; more would take the machine from those who open certificates
_WAIT_S = 1.5
_turns = BoundedSemaphore(_AT_ONCE)


def redrawn(data: bytes, *, time_s: float = _TIME_S) -> bytes:
    """The photo as a JPEG of our own, at most 1,600 pixels a side. Raises Refused: `picture-empty`, `picture-large`,
    `picture-format` (no PNG, JPEG or WebP), `picture-second-file` (it is something else besides), `picture-pixels`,
    `picture-small`, `picture-damaged`, `picture-busy`."""
    if not data:
        raise Refused("picture-empty")
    if len(data) > LARGEST:
        raise Refused("picture-large")
    if not _turns.acquire(timeout=_WAIT_S):
        raise Refused("picture-busy")
    try:
        said, _, picture = _ask(data, time_s).partition(b"\n")
    finally:
        _turns.release()
    if said != b"ok" or not picture:
        raise Refused("picture-" + (said.decode("ascii", "replace").removeprefix("refused ") or "damaged"))
    return picture


def _ask(data: bytes, time_s: float) -> bytes:
    # an empty environment: no key of ours is where a hostile file could read it
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, timeout=time_s, check=True
        )
    except subprocess.TimeoutExpired:
        raise Refused("picture-busy") from None
    except subprocess.SubprocessError:
        raise Refused("picture-damaged") from None  # the error would hold the picture
    return done.stdout
