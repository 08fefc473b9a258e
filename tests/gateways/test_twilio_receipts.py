"""Twilio's status callbacks: whose signature counts, and what they say."""

from __future__ import annotations

import json

import pytest
from twilio.request_validator import RequestValidator

from notifier.gateways import BadWebhook, OutgoingSms, Receipt, ReceiptState
from notifier.gateways.twilio import TwilioGateway
from tests.gateways.conftest import PUBLIC_URL, MakeGateway
from tests.twilio_server import AUTH_TOKEN, SignedReceipt, TwilioServer

PATH = "/twilio/status/attempt-1"
FORM = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered", "To": "+6281234567890"}


def sign(form: dict[str, str], url: str = PUBLIC_URL + PATH, token: str = AUTH_TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


def read(gateway: TwilioGateway, receipt: SignedReceipt) -> Receipt:
    return gateway.read_receipt("attempt-1", receipt.path, receipt.form, receipt.signature)


def test_a_genuine_callback_is_a_receipt(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    gateway.send([OutgoingSms("attempt-1", "+6281234567890", "Halo")])
    receipt = read(gateway, twilio.receipt(twilio.messages[0], "undelivered", 30003))
    assert receipt.attempt_reference == "attempt-1"
    assert receipt.provider_sid == twilio.messages[0].sid
    assert (receipt.state, receipt.provider_word, receipt.code) == (ReceiptState.UNDELIVERED, "undelivered", "30003")


def test_the_form_is_kept_as_canonical_json(gateway: TwilioGateway) -> None:
    turned = dict(reversed(FORM.items()))
    first = gateway.read_receipt("attempt-1", PATH, FORM, sign(FORM))
    second = gateway.read_receipt("attempt-1", PATH, turned, sign(turned))
    assert first.raw == second.raw
    assert json.loads(first.raw) == FORM


def test_parameters_that_we_do_not_know_are_allowed(gateway: TwilioGateway) -> None:
    form = FORM | {"RawDlrDoneDate": "2611231200", "ErrorCode": "", "Baru": "ñ"}
    receipt = gateway.read_receipt("attempt-1", PATH, form, sign(form))
    assert (receipt.state, receipt.code) == (ReceiptState.DELIVERED, None)


def test_each_of_our_tokens_may_have_signed(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(auth_tokens=("old" * 10, AUTH_TOKEN))
    for token in ("old" * 10, AUTH_TOKEN):
        assert gateway.read_receipt("attempt-1", PATH, FORM, sign(FORM, token=token)).state is ReceiptState.DELIVERED


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_port_may_be_signed_or_not(gateway: TwilioGateway, port: str) -> None:
    signature = sign(FORM, f"{PUBLIC_URL}{port}{PATH}")
    assert gateway.read_receipt("attempt-1", PATH, FORM, signature).state is ReceiptState.DELIVERED


def test_a_local_address_with_a_port_works(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(public_url="http://127.0.0.1:8000")
    signature = sign(FORM, f"http://127.0.0.1:8000{PATH}")
    assert gateway.read_receipt("attempt-1", PATH, FORM, signature).state is ReceiptState.DELIVERED


FORGED = {
    "no signature": "",
    "a word": "genuine",
    "not ASCII": "tanda tangan ñ",
    "another token's": sign(FORM, token="f" * 32),
    "an empty token's": sign(FORM, token=""),
    "another host's": sign(FORM, f"https://jahat.example{PATH}"),
    "plain http": sign(FORM, PUBLIC_URL.replace("https", "http") + PATH),
    "another attempt's": sign(FORM, f"{PUBLIC_URL}/twilio/status/attempt-2"),
    "another form's": sign(FORM | {"MessageStatus": "failed"}),
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED)
def test_a_forged_callback_is_refused(gateway: TwilioGateway, signature: str) -> None:
    with pytest.raises(BadWebhook, match="signature"):
        gateway.read_receipt("attempt-1", PATH, FORM, signature)


@pytest.mark.parametrize("path", ["/twilio/status/attempt-2", "/twilio/inbound", "/x" + PATH, PATH + "/", ""])
def test_a_callback_for_another_attempt_is_refused(gateway: TwilioGateway, path: str) -> None:
    with pytest.raises(BadWebhook, match="address"):
        gateway.read_receipt("attempt-1", path, FORM, sign(FORM, PUBLIC_URL + path))


def test_the_query_is_part_of_what_is_signed(gateway: TwilioGateway) -> None:
    path = PATH + "?n=1"
    assert gateway.read_receipt("attempt-1", path, FORM, sign(FORM, PUBLIC_URL + path)).provider_word == "delivered"
    with pytest.raises(BadWebhook, match="signature"):
        gateway.read_receipt("attempt-1", PATH + "?n=2", FORM, sign(FORM, PUBLIC_URL + path))


def test_an_empty_token_among_ours_signs_nothing(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(auth_tokens=("", AUTH_TOKEN))
    assert gateway.read_receipt("attempt-1", PATH, FORM, sign(FORM)).state is ReceiptState.DELIVERED
    with pytest.raises(BadWebhook):
        gateway.read_receipt("attempt-1", PATH, FORM, sign(FORM, token=""))


@pytest.mark.parametrize("missing", ["MessageSid", "MessageStatus"])
@pytest.mark.parametrize("empty", [False, True])
def test_a_callback_without_sid_or_status_is_refused(gateway: TwilioGateway, missing: str, empty: bool) -> None:
    form = {name: value for name, value in FORM.items() if name != missing} | ({missing: ""} if empty else {})
    with pytest.raises(BadWebhook, match=missing):
        gateway.read_receipt("attempt-1", PATH, form, sign(form))


WORDS = {
    "accepted": "accepted", "scheduled": "accepted", "queued": "accepted", "sending": "accepted", "sent": "sent",
    "delivered": "delivered", "read": "delivered", "undelivered": "undelivered", "failed": "failed",
    "canceled": "failed", "partially_delivered": None, "receiving": None, "received": None, "a-new-word": None,
}  # fmt: skip


@pytest.mark.parametrize(("word", "state"), WORDS.items())
def test_each_of_twilios_words_has_a_state_or_says_nothing(
    gateway: TwilioGateway, word: str, state: str | None
) -> None:
    form = FORM | {"MessageStatus": word}
    receipt = gateway.read_receipt("attempt-1", PATH, form, sign(form))
    assert (receipt.state, receipt.provider_word) == (state, word)


def test_every_status_that_the_client_names_was_considered() -> None:
    from twilio.rest.api.v2010.account.message import MessageInstance

    named = {value for name, value in vars(MessageInstance.Status).items() if name.isupper()}
    assert named <= set(WORDS)


def test_twilio_keeps_no_receipts_for_us_to_fetch(gateway: TwilioGateway) -> None:
    assert gateway.waiting_receipts(10) == []
