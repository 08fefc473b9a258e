"""Ports for servers of a run's own."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

#: below those that Linux gives to outgoing connections (32768 to 60999), which could take one before it is bound
_PORTS = range(20_000, 29_990)


def free_port(in_a_row: int = 1) -> int:
    """A port of the loopback that nobody has, as are those that follow it, `in_a_row` in all."""
    while True:
        first = random.SystemRandom().choice(_PORTS)
        try:
            with ExitStack() as stack:
                for port in range(first, first + in_a_row):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
