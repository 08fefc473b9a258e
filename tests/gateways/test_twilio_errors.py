"""Twilio's error codes as data."""

from __future__ import annotations

import re

import pytest

from notifier.gateways import ErrorMeaning, OutcomeClass
from notifier.gateways.twilio import TwilioGateway
from notifier.gateways.twilio.errors import ERRORS, UNCLEAR_ON_CREATE, explain

#: which class the codes have that decide most: whoever changes one of these decides about people's messages
DECIDED = {
    OutcomeClass.RATE_LIMITED: "20429 20503 21611 30022 63017 63018",
    OutcomeClass.UNKNOWN: "20500",
    OutcomeClass.TRY_LATER: "30001 30003 30008 30017 30036 30410 30500",
    OutcomeClass.NUMBER_BAD: "21211 21217 21604 21614 21635 30005 30006 63003 63024",
    OutcomeClass.PERMANENT: "21612 30004 30007 63032 63033",
    OutcomeClass.OPTED_OUT: "21610 63014",
    OutcomeClass.HOLD: "21602 21617 21655 21656 63005 63013 63016 63021 63027 63028 63041",
    OutcomeClass.SENDER_MISCONFIGURED: (
        "20003 20006 21401 21408 21606 21609 21701 21702 21703 21704 21705 30002 30018 30024 30032 63001 63007 63038"
    ),
}


@pytest.mark.parametrize(("kind", "codes"), DECIDED.items())
def test_each_documented_code_has_its_class(kind: OutcomeClass, codes: str) -> None:
    assert {code: found.kind if (found := explain(code)) else None for code in codes.split()} == dict.fromkeys(
        codes.split(), kind
    )


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row.code)
def test_each_row_tells_what_it_means_what_to_do_and_where_it_stands(row: ErrorMeaning) -> None:
    assert re.fullmatch(r"[1-9][0-9]{4}", row.code)
    assert row.source == f"https://www.twilio.com/docs/api/errors/{row.code}"
    for sentence in (row.meaning, row.advice):
        assert re.fullmatch(r"[A-Z].+[.]", sentence)
        assert len(sentence) <= 250


def test_no_code_stands_twice() -> None:
    codes = [row.code for row in ERRORS]
    assert len(codes) == len(set(codes))


def test_an_error_never_means_taken_or_never_connected() -> None:
    assert not {row.kind for row in ERRORS} & {OutcomeClass.ACCEPTED, OutcomeClass.NOT_SENT}


def test_a_code_that_is_unclear_on_create_is_explained_too() -> None:
    assert all(explain(code) for code in UNCLEAR_ON_CREATE)


def test_the_gateway_explains_its_codes(gateway: TwilioGateway) -> None:
    found = gateway.explain("21610")
    assert found is not None
    assert found.kind is OutcomeClass.OPTED_OUT
    assert gateway.explain("29999") is None
