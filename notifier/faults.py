"""Fault points: the named moments at which a process may die, for `sertilink prove` and the fault tests.

In production there are none: `Unarmed` does nothing, and `check` refuses a setting that would arm them. Armed, a
process that reaches a point takes the order that lies there (a file in a shared folder) and kills or stops itself.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class FaultPoint(StrEnum):
    """Each moment around a commit or a byte where a crash must neither lose nor double anything."""

    INTAKE_BEFORE_COMMIT = "intake-before-commit"
    INTAKE_AFTER_COMMIT = "intake-after-commit"  #: recorded, not yet acknowledged to whoever sent the event
    STREAM_AFTER_ACK = "stream-after-ack"
    CLAIM_BEFORE_COMMIT = "claim-before-commit"
    CLAIM_AFTER_COMMIT = "claim-after-commit"
    SENDING_BEFORE_COMMIT = "sending-before-commit"
    SENDING_AFTER_COMMIT = "sending-after-commit"  #: the attempt is committed, no byte has left
    PROVIDER_ANSWERED = "provider-answered"  #: the answers are here, nothing of them is written
    OUTCOME_BEFORE_COMMIT = "outcome-before-commit"
    OUTCOME_AFTER_COMMIT = "outcome-after-commit"
    RECEIPT_BEFORE_COMMIT = "receipt-before-commit"
    RECEIPT_AFTER_COMMIT = "receipt-after-commit"
    TICK_BEFORE_COMMIT = "tick-before-commit"
    TICK_AFTER_COMMIT = "tick-after-commit"
    LOOKED_UP = "looked-up"  #: the provider's list is here, nothing of it is written
    LOOK_UP_BEFORE_COMMIT = "look-up-before-commit"
    LOOK_UP_AFTER_COMMIT = "look-up-after-commit"
    BULK_BEFORE_COMMIT = "bulk-before-commit"  #: a chunk of a bulk resend is planned
    BULK_AFTER_COMMIT = "bulk-after-commit"
    CHAT_BEFORE_COMMIT = "chat-before-commit"  #: messages were read, the answers are not written
    CHAT_AFTER_COMMIT = "chat-after-commit"
    REPLY_BEFORE_COMMIT = "reply-before-commit"
    REPLY_AFTER_COMMIT = "reply-after-commit"  #: the attempt is committed, no byte has left
    REPLY_ANSWERED = "reply-answered"  #: the provider has them, nothing of it is written
    REGISTRY_TOLD = "registry-told"  #: the registry has an event, and nothing of it is written


class Faults(Protocol):
    """What a use case tells that it has come to a point."""

    def reached(self, point: FaultPoint) -> None:
        """Returns, unless somebody ordered this process to die or to stop here."""
        ...


class Unarmed:
    """Nothing ever happens."""

    def reached(self, point: FaultPoint) -> None:
        """Returns."""


KILL = "kill"
STOP = "stop"


class Armed:
    """Obeys the orders in a folder. An order is a file named after its point, with the word `kill` or `stop`; whoever
    renames it first takes it, so that each order is obeyed once, by one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reached(self, point: FaultPoint) -> None:
        order = self._folder / point.value
        taken = self._folder / f"{point.value}.taken-{os.getpid()}"
        try:
            order.rename(taken)
        except OSError:
            return
        word = taken.read_text(encoding="ascii").strip()
        os.kill(os.getpid(), signal.SIGSTOP if word == STOP else signal.SIGKILL)


def arm(folder: Path, point: FaultPoint, word: str) -> None:
    """Puts an order down, whole or not at all."""
    draft = folder / f"{point.value}.draft"
    draft.write_text(word, encoding="ascii")
    draft.rename(folder / point.value)
