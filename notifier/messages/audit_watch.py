"""What upkeep does about the audit: chains new rows, signs where the chain stands, and checks old rows again, so that
each is held against its checkpoint once a day."""

from __future__ import annotations

import logging

from notifier.services import Services
from notifier.store import audit_chain

_log = logging.getLogger(__name__)


def watch(services: Services) -> None:
    """Adds a checkpoint where one is due, and checks one old segment again. One caller at a time (the tick)."""
    _sign(services)
    _check_again(services)


def _sign(services: Services) -> None:
    at = services.clock.now()
    with services.db.read() as conn:
        until = audit_chain.next_checkpoint(conn, at)
        if until is None:
            return
        found = audit_chain.check_segment(conn, services.sealer, until)
    with services.db.write() as conn:
        audit_chain.add_checkpoint(conn, services.sealer, found, until=until, at=at)
    if found.holds:
        # the log goes to another machine: this line is an anchor for `sertilink audit verify --anchor`
        _log.info("audit checkpoint", extra={"anchor": anchor_text(until, found.head)})
    else:
        _warn(found)


def _check_again(services: Services) -> None:
    at = services.clock.now()
    with services.db.read() as conn:
        row = audit_chain.oldest_check(conn, at)
        if row is None:
            return
        found = audit_chain.recheck(conn, services.sealer, row)
    with services.db.write() as conn:
        audit_chain.checked(conn, row.position, found.broken_at, at)
    if not found.holds:
        _warn(found)


def _warn(found: audit_chain.Verdict) -> None:
    _log.error("the audit's chain is broken", extra={"position": found.broken_at, "fault": found.fault})


def anchor_text(position: int, head: bytes) -> str:
    """A place in the chain, to be written down: `120:0a1b2c3d-...`, in groups that a log's redaction leaves alone."""
    digits = head.hex()
    return f"{position}:" + "-".join(digits[start : start + 8] for start in range(0, len(digits), 8))


def read_anchor(text: str) -> tuple[int, bytes]:
    """`anchor_text` again. Raises ValueError."""
    position, colon, digits = text.strip().partition(":")
    head = bytes.fromhex(digits.replace("-", ""))
    if not colon or len(head) != 32 or not position.isascii() or not position.isdecimal():
        raise ValueError("an anchor is a position, a colon and 64 hexadecimal digits")
    return int(position), head
