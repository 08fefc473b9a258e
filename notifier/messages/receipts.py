"""Delivery receipts: kept raw and sealed, applied forward only. Any order and any number of copies end the same."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.states import Reason, State, sources_of
from notifier.gateways import OutcomeClass, Receipt, ReceiptState
from notifier.services import Services
from notifier.store import attempts, notifications, suppressions

_FETCH = 200


class Applied(StrEnum):
    """What a receipt came to."""

    MOVED = "moved"
    NOTHING_NEW = "nothing-new"  #: late, or says nothing about delivery; kept as evidence
    REPEATED = "repeated"
    UNMATCHED = "unmatched"  #: names no attempt of ours; kept all the same


_STATES = {
    ReceiptState.ACCEPTED: State.ACCEPTED,
    ReceiptState.SENT: State.SENT,
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.UNDELIVERED: State.UNDELIVERED,
    ReceiptState.FAILED: State.FAILED,
}
#: a provider's refusal by receipt, in our reasons
_REASONS = {OutcomeClass.OPTED_OUT: Reason.OPTED_OUT, OutcomeClass.NUMBER_BAD: Reason.BAD_PHONE}


def apply(services: Services, receipt: Receipt) -> Applied:
    """Keeps the receipt and moves its notification where the table allows it. The gateway has checked the signature."""
    at = services.clock.now()
    with services.db.write() as conn:
        receipt_id = attempts.add_receipt(
            conn,
            services.sealer,
            attempt_reference=receipt.attempt_reference,
            provider_sid=receipt.provider_sid,
            provider_word=receipt.provider_word,
            provider_code=receipt.code,
            raw=receipt.raw,
            at=at,
        )
        if receipt_id is None:
            return Applied.REPEATED
        row = attempts.find_notification(conn, receipt.attempt_reference)
        if row is None:
            return Applied.UNMATCHED
        notifications.remember_sid(conn, [{"row_id": row.id, "new_provider_sid": receipt.provider_sid}])
        if receipt.state is None or not _move(conn, services, row, receipt, _STATES[receipt.state]):
            return Applied.NOTHING_NEW
        attempts.mark_applied(conn, receipt_id)
        return Applied.MOVED


def _move(conn: Connection, services: Services, row: notifications.Row, receipt: Receipt, new: State) -> bool:
    at = services.clock.now()
    reason = None
    if new in {State.FAILED, State.UNDELIVERED}:
        if not attempts.is_newest(conn, receipt.attempt_reference, row.id):
            return False  # an earlier try failed; a later one may still arrive
        meaning = services.gateway.explain(receipt.code) if receipt.code else None
        reason = _REASONS.get(meaning.kind, Reason.REFUSED) if meaning else Reason.REFUSED
    values: dict[str, Any] = {"provider_code": receipt.code, "left_at": row.left_at or at}
    moved = notifications.move(conn, [row.id], new, old=_old(new), at=at, reason=reason, **values)
    if moved and reason is Reason.OPTED_OUT and row.phone_index is not None:
        suppressions.add(conn, row.phone_index, reason=reason, source="provider", at=at)
    return bool(moved)


def _old(new: State) -> Collection[State]:
    """The states a receipt may move from: whatever the table says, `claimed` and `scheduled` never among them."""
    return [state for state in sources_of(new) if state in {State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT}]


def collect(services: Services) -> int:
    """Fetches receipts from a gateway that does not call us; how many."""
    waiting = services.gateway.waiting_receipts(_FETCH)
    for receipt in waiting:
        apply(services, receipt)
    return len(waiting)
