"""What people write to our Twilio sender: whose signature counts, what it says, and the TwiML that answers."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator

from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel
from notifier.gateways import BadWebhook, Inbound
from notifier.gateways.twilio import TwilioGateway
from tests.gateways.conftest import PUBLIC_URL, MakeGateway
from tests.twilio_server import AUTH_TOKEN

PATH = "/twilio/inbound"
FORM = {"MessageSid": "SM" + "1" * 32, "From": "+6281234567890", "To": "+6285100000000", "Body": "Halo"}


def sign(form: dict[str, str], url: str = PUBLIC_URL + PATH, token: str = AUTH_TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form))


def read(gateway: TwilioGateway, **changes: str) -> Inbound:
    form = FORM | changes
    return gateway.read_inbound(PATH, form, sign(form))


def test_a_genuine_message_says_who_wrote_what(gateway: TwilioGateway) -> None:
    said = read(gateway, Body="Apa kabar?", Baru="ñ")
    assert (said.provider_sid, said.channel, said.sender) == (FORM["MessageSid"], Channel.SMS, "+6281234567890")
    assert (said.text, said.provider_meaning, said.is_answered) == ("Apa kabar?", None, False)


def test_a_message_does_not_show_its_number_or_text(gateway: TwilioGateway) -> None:
    assert "81234567890" not in repr(read(gateway, Body="Halo Siti"))
    assert "Siti" not in repr(read(gateway, Body="Halo Siti"))


@pytest.mark.parametrize(
    ("address", "channel", "number"),
    [
        ("+6281234567890", Channel.SMS, "+6281234567890"),
        ("rcs:+6281234567890", Channel.SMS, "+6281234567890"),
        ("whatsapp:+6281234567890", Channel.WHATSAPP, "+6281234567890"),
        ("TELKOMSEL", Channel.SMS, None),
        ("3636", Channel.SMS, None),
        ("messenger:12345678901", Channel.SMS, None),
        ("messenger:+6281234567890", Channel.SMS, None),
        ("whatsapp:ID.1234567890", Channel.WHATSAPP, None),
        ("+62812\n34567890", Channel.SMS, None),
    ],
)
def test_only_a_telephone_number_is_a_sender(
    gateway: TwilioGateway, address: str, channel: Channel, number: str | None
) -> None:
    said = read(gateway, From=address)
    assert (said.channel, said.sender) == (channel, number)


@pytest.mark.parametrize("word", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
def test_what_makes_twilio_block_a_number_by_sms_is_a_stop(gateway: TwilioGateway, word: str) -> None:
    for text in (word, word.lower(), f" {word.title()}\n"):
        said = read(gateway, Body=text)
        assert (said.provider_meaning, said.is_answered) == (Meaning.STOP, False)
    assert read(gateway, Body=word, From="whatsapp:+6281234567890").provider_meaning is None
    assert read(gateway, Body=f"please {word}").provider_meaning is None


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP"])
def test_what_makes_twilio_unblock_a_number_by_sms_is_a_start(gateway: TwilioGateway, word: str) -> None:
    assert read(gateway, Body=word).provider_meaning is Meaning.START


@pytest.mark.parametrize("meaning", [Meaning.STOP, Meaning.START, Meaning.HELP])
@pytest.mark.parametrize("sender", ["+6281234567890", "whatsapp:+6281234567890"])
def test_advanced_opt_out_wins_over_the_words_and_has_answered(
    gateway: TwilioGateway, meaning: Meaning, sender: str
) -> None:
    said = read(gateway, Body="kembali", OptOutType=meaning.value.upper(), From=sender)
    assert (said.provider_meaning, said.is_answered) == (meaning, True)
    other = read(gateway, Body="STOP", OptOutType="HELP")
    assert (other.provider_meaning, other.is_answered) == (Meaning.HELP, True)


def test_an_opt_out_type_of_tomorrow_leaves_it_to_the_words(gateway: TwilioGateway) -> None:
    said = read(gateway, Body="STOP", OptOutType="PAUSE")
    assert (said.provider_meaning, said.is_answered) == (Meaning.STOP, False)


FORGED = {
    "no signature": "",
    "a word": "genuine",
    "not ASCII": "tanda tangan ñ",
    "another token's": sign(FORM, token="f" * 32),
    "an empty token's": sign(FORM, token=""),
    "another host's": sign(FORM, f"https://jahat.example{PATH}"),
    "a status callback's": sign(FORM, f"{PUBLIC_URL}/twilio/status/attempt-1"),
    "another form's": sign(FORM | {"Body": "STOP"}),
    "another sender's": sign(FORM | {"From": "+6281100000000"}),
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED)
def test_a_forged_message_is_refused(gateway: TwilioGateway, signature: str) -> None:
    with pytest.raises(BadWebhook, match="signature"):
        gateway.read_inbound(PATH, FORM, signature)


@pytest.mark.parametrize("path", ["/twilio/status/attempt-1", PATH + "/", "/x" + PATH, ""])
def test_a_message_at_another_address_is_refused(gateway: TwilioGateway, path: str) -> None:
    with pytest.raises(BadWebhook, match="address"):
        gateway.read_inbound(path, FORM, sign(FORM, PUBLIC_URL + path))


def test_the_query_is_part_of_what_is_signed(gateway: TwilioGateway) -> None:
    signature = sign(FORM, f"{PUBLIC_URL}{PATH}?n=1")
    assert gateway.read_inbound(f"{PATH}?n=1", FORM, signature).text == "Halo"
    with pytest.raises(BadWebhook, match="signature"):
        gateway.read_inbound(f"{PATH}?n=2", FORM, signature)


def test_each_of_our_tokens_may_have_signed(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(auth_tokens=("old" * 10, AUTH_TOKEN))
    for token in ("old" * 10, AUTH_TOKEN):
        assert gateway.read_inbound(PATH, FORM, sign(FORM, token=token)).text == "Halo"


@pytest.mark.parametrize("name", ["MessageSid", "From"])
def test_a_message_without_id_or_sender_is_refused(gateway: TwilioGateway, name: str) -> None:
    with pytest.raises(BadWebhook, match=name):
        read(gateway, **{name: ""})


def test_an_id_that_no_column_holds_is_refused(gateway: TwilioGateway) -> None:
    with pytest.raises(BadWebhook, match="MessageSid"):
        read(gateway, MessageSid="S" * 65)


def test_the_answer_is_twiml_with_at_most_one_message(gateway: TwilioGateway) -> None:
    said = gateway.answer_inbound("A & B <c>")
    assert said.content_type == "text/xml; charset=utf-8"
    response = ElementTree.fromstring(said.body)  # noqa: S314  # our own
    assert (response.tag, [(part.tag, part.text) for part in response]) == ("Response", [("Message", "A & B <c>")])
    empty = ElementTree.fromstring(gateway.answer_inbound(None).body)  # noqa: S314
    assert (empty.tag, list(empty)) == ("Response", [])
