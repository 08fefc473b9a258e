"""Becomes the program that its arguments name, and dies with whoever started it (Linux), however that ends.

`python -m notifier.proof.child PARENT PROGRAM ARGUMENTS...`: a process between is needed, since the harness has
threads, and between fork and exec no Python may run in such a process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it went before we asked
            sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606  # the harness names it


if __name__ == "__main__":
    main()
