"""The states of a bulk resend, of the doses in it, and of a schedule that makes one a day."""

from __future__ import annotations

from enum import StrEnum


class BulkState(StrEnum):
    ASKED = "asked"  #: waits for a second person
    RUNNING = "running"  #: goes by itself from its start time on
    PAUSED = "paused"  #: nothing of it leaves
    DONE = "done"  #: nothing of it waits any more
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  #: a schedule's day on which nothing could be sent


#: may still send something
ACTIVE = frozenset({BulkState.ASKED, BulkState.RUNNING, BulkState.PAUSED})


class ItemState(StrEnum):
    WAITING = "waiting"  #: not decided yet
    PLANNED = "planned"  #: a new message was planned; its row says what became of it
    EXCLUDED = "excluded"  #: left out, with the reason


class ScheduleState(StrEnum):
    ASKED = "asked"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Exclusion(StrEnum):
    """Why a dose is left out, where no Reason says it already."""

    SUPERSEDED = "superseded"  #: a later message about the dose has been sent
    CERTIFICATE_REPLACED = "certificate-replaced"
    STILL_WAITING = "still-waiting"  #: a message about the dose is on its way
    OPENED = "has-opened"  #: somebody has seen the certificate
    COOLDOWN = "cooldown"  #: the person got an SMS just now
    OFTEN = "often-enough"  #: the schedule has sent the person as many as it may
    IN_BULK = "in-bulk"  #: another bulk has it


class SkipNote(StrEnum):
    """Why a schedule's day was left out."""

    HOLD = "hold"  #: the kill switch was on
    CIRCUIT = "circuit"  #: the provider was not spoken to
