"""The catcher behaves like a provider: it names what it took, and its receipts are never lost."""

from __future__ import annotations

import pytest

from notifier.core.states import State
from notifier.gateways import BadWebhook, OutcomeClass, OutgoingSms, ReceiptState
from notifier.gateways.catcher import Catcher
from notifier.messages import receipts
from notifier.services import Services
from notifier.store import caught

SMS = [OutgoingSms(f"attempt-{n}", "+6281234567890", f"Kemenkes: SMS {n} €") for n in range(3)]


@pytest.fixture
def catcher(each_services: Services) -> Catcher:
    return Catcher(each_services.db, each_services.sealer, each_services.clock)


def test_what_is_caught_can_be_read_and_looked_up(each_services: Services, catcher: Catcher) -> None:
    outcomes = catcher.send(SMS)
    assert {outcome.kind for outcome in outcomes} == {OutcomeClass.ACCEPTED}
    assert len({outcome.provider_sid for outcome in outcomes}) == 3
    with each_services.db.read() as conn:
        kept = caught.newest(conn, each_services.sealer, 10)
    assert {sms.text for sms in kept} == {sms.text for sms in SMS}
    found = catcher.look_up("+6281234567890")
    assert {message.provider_sid for message in found} == {outcome.provider_sid for outcome in outcomes}
    assert catcher.look_up("+6281200000000") == []


def test_receipts_are_handed_out_until_they_are_kept(each_services: Services, catcher: Catcher) -> None:
    catcher.send(SMS)
    fetched = catcher.waiting_receipts(10)
    assert {receipt.state for receipt in fetched} == {ReceiptState.DELIVERED}
    assert len(catcher.waiting_receipts(10)) == 3  # whoever had them was killed

    receipts.apply(each_services, fetched[0])
    waiting = {receipt.attempt_reference for receipt in catcher.waiting_receipts(10)}
    assert waiting == {receipt.attempt_reference for receipt in fetched[1:]}
    for receipt in fetched:
        receipts.apply(each_services, receipt)
    assert catcher.waiting_receipts(10) == []


def test_no_webhook_is_the_catcher_s(catcher: Catcher) -> None:
    with pytest.raises(BadWebhook):
        catcher.read_receipt("attempt-1", "/twilio/status/attempt-1", {"MessageStatus": State.DELIVERED}, "signature")
