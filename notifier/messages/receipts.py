"""Delivery receipts: kept raw and sealed, applied forward only. Any order and any number of copies end the same."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.states import State
from notifier.faults import FaultPoint
from notifier.gateways import Receipt, ReceiptState
from notifier.messages import evidence
from notifier.messages.evidence import Evidence
from notifier.services import Services
from notifier.store import attempts
from notifier.store.notifications import Row

_FETCH = 200


class Applied(StrEnum):
    """What a receipt came to."""

    MOVED = "moved"
    NOTHING_NEW = "nothing-new"  #: late, or says no more than we know; kept as evidence
    REPEATED = "repeated"
    UNMATCHED = "unmatched"  #: names no attempt of ours; kept all the same


def apply(services: Services, receipt: Receipt) -> Applied:
    """Keeps the receipt and moves its notification where the table allows it. The gateway has checked the signature."""
    with services.db.write() as conn:
        _stand_in_line(conn, services, receipt)
        applied = _apply(conn, services, receipt)
        services.faults.reached(FaultPoint.RECEIPT_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.RECEIPT_AFTER_COMMIT)
    return applied


def _apply(conn: Connection, services: Services, receipt: Receipt) -> Applied:
    row = attempts.find_notification(conn, receipt.attempt_reference)
    moves = row is not None and evidence.may_settle(row, _state(receipt))
    receipt_id = attempts.add_receipt(
        conn,
        services.sealer,
        attempt_reference=receipt.attempt_reference,
        provider_sid=receipt.provider_sid,
        provider_word=receipt.provider_word,
        provider_code=receipt.code,
        # a message whose number is kept no more (erased, or too old) brings it back through no receipt
        raw=b"" if row is not None and row.phone_index is None else receipt.raw,
        at=services.clock.now(),
        applied=moves,
    )
    if receipt_id is None:
        return Applied.REPEATED
    if row is None:
        return Applied.UNMATCHED
    if _settle(conn, services, row, receipt):
        return Applied.MOVED
    if moves:
        attempts.mark_not_applied(conn, receipt_id)  # something else was faster
    return Applied.NOTHING_NEW


def _stand_in_line(conn: Connection, services: Services, receipt: Receipt) -> None:
    """A bad end may plan another generation, which stands in line with events; before any row is touched."""
    if receipt.state in {ReceiptState.FAILED, ReceiptState.UNDELIVERED}:
        row = attempts.find_notification(conn, receipt.attempt_reference)
        if row is not None:
            evidence.hold_line(conn, services, row, State.FAILED)


def _settle(conn: Connection, services: Services, row: Row, receipt: Receipt) -> bool:
    state = _state(receipt)
    if state in {State.FAILED, State.UNDELIVERED} and not attempts.is_newest(conn, receipt.attempt_reference, row.id):
        return False  # an earlier try failed; a later one may still arrive
    return evidence.settle(conn, services, row, Evidence(state, receipt.provider_sid, receipt.code))


def _state(receipt: Receipt) -> State:
    """Where the provider has the message. Even a word that says nothing about delivery comes signed, with an id of the
    provider's, for a reference that we gave to one submission alone: so that one was taken."""
    return evidence.STATES[receipt.state] if receipt.state else State.ACCEPTED


def collect(services: Services) -> int:
    """Fetches receipts from a gateway that does not call us; how many."""
    waiting = services.gateway.waiting_receipts(_FETCH)
    for receipt in waiting:
        apply(services, receipt)
    return len(waiting)
