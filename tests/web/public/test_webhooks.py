"""The provider's receipts: only signed ones count, each once."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.services import Services
from notifier.store.tables import receipt
from tests.web.public.conftest import Visitor

FORM = {"MessageSid": "SM1", "MessageStatus": "delivered"}
GENUINE = {"X-Twilio-Signature": "genuine"}


def kept(services: Services) -> list[tuple[str, str]]:
    with services.db.read() as conn:
        return [(row.attempt_reference, row.provider_word) for row in conn.execute(sa.select(receipt))]


def test_a_signed_receipt_is_kept_once_however_often_it_comes(services: Services, visitor: Visitor) -> None:
    answers = [visitor.post("/twilio/status/ATTEMPT1", FORM, headers=GENUINE) for _ in range(3)]
    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b"")] * 3
    assert kept(services) == [("ATTEMPT1", "delivered")]


def test_a_forged_or_unsigned_receipt_changes_nothing(services: Services, visitor: Visitor) -> None:
    for headers in ({}, {"X-Twilio-Signature": "forged"}):
        assert visitor.post("/twilio/status/ATTEMPT1", FORM, headers=headers).status_code == 403
    assert kept(services) == []


def test_a_signed_receipt_of_an_unknown_reference_is_no_error(services: Services, visitor: Visitor) -> None:
    assert visitor.post("/twilio/status/NOBODY", FORM, headers=GENUINE).status_code == 204


def test_a_large_body_is_not_read(services: Services, visitor: Visitor) -> None:
    answer = visitor.post("/twilio/status/ATTEMPT1", FORM | {"x": "y" * 17_000}, headers=GENUINE)
    assert answer.status_code == 413
    assert kept(services) == []


def test_only_posts_are_receipts(visitor: Visitor) -> None:
    assert visitor.get("/twilio/status/ATTEMPT1").status_code == 405
