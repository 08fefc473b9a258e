"""Messages of a chat at Twilio: addresses, buttons, files, templates; and what comes in."""

from __future__ import annotations

import json

import pytest

from notifier.core.states import Channel, Said
from notifier.gateways import OutcomeClass, OutgoingChat
from notifier.gateways.twilio import TwilioGateway, WhatsApp
from notifier.gateways.twilio.whatsapp import form_of
from tests import twilio_server
from tests.gateways.conftest import PUBLIC_URL, MakeGateway
from tests.gateways.test_twilio_inbound import read
from tests.twilio_server import TwilioServer

CHOICES, REOPEN = "HX" + "a" * 32, "HX" + "b" * 32
SENDER = WhatsApp("+6281110500567", {2: CHOICES}, {"id": REOPEN})
MESSAGE = OutgoingChat("chat-1", "+6281234567890", "Pilih satu.", ("Unduh", "Batal"), "Balas 0 untuk kembali.")


def form(message: OutgoingChat, sender: WhatsApp = SENDER) -> dict[str, object]:
    return form_of(sender, message, f"{PUBLIC_URL}/twilio/status/chat-1")


def changed(**values: object) -> OutgoingChat:
    return OutgoingChat(**({name: getattr(MESSAGE, name) for name in MESSAGE.__dataclass_fields__} | values))  # type: ignore


def test_buttons_are_a_content_template_with_the_texts_as_variables() -> None:
    posted = form(MESSAGE)
    assert (posted["to"], posted["from_"]) == ("whatsapp:+6281234567890", "whatsapp:+6281110500567")
    assert posted["content_sid"] == CHOICES
    variables = json.loads(str(posted["content_variables"]))
    assert variables == {"1": "Pilih satu.\n\nBalas 0 untuk kembali.", "2": "Unduh", "3": "Batal"}
    assert "body" not in posted


@pytest.mark.parametrize(
    "message",
    [
        changed(is_plain=True),
        changed(options=("a", "b", "c")),  # no template has three
        changed(options=("Unduh sertifikat vaksin", "b")),  # longer than a button
        changed(text="x" * 1020),
    ],
)
def test_without_a_template_that_fits_the_options_are_numbers(message: OutgoingChat) -> None:
    posted = form(message)
    assert str(posted["body"]).endswith("Balas 0 untuk kembali.")
    assert f"1. {message.options[0]}\n2. b" in str(posted["body"]) or "1. Unduh\n2. Batal" in str(posted["body"])
    assert "content_sid" not in posted


def test_a_file_comes_by_its_address() -> None:
    posted = form(changed(options=(), tail="", file_url="https://x/m/y"))
    assert (posted["media_url"], posted["body"]) == (["https://x/m/y"], "Pilih satu.")


def test_after_24_hours_only_the_approved_template_goes() -> None:
    posted = form(changed(reopens=True))
    assert posted["content_sid"] == REOPEN
    assert not {"body", "content_variables", "media_url"} & posted.keys()


def test_a_chat_goes_through_the_api_and_each_outcome_is_its_own(make_gateway: MakeGateway) -> None:
    server = TwilioServer()
    gateway = make_gateway(api_base=server.url, whatsapp_sender=SENDER)
    server.mode_to["whatsapp:+6281300000001"] = twilio_server.refuse(400, 63016)
    server.mode_to["whatsapp:+6281300000002"] = twilio_server.ACCEPT_THEN_500
    numbers = ("+6281234567890", "+6281300000001", "+6281300000002")
    outcomes = gateway.send_chat([changed(to=number, attempt_reference=f"chat-{number}") for number in numbers])
    assert outcomes[0].kind is OutcomeClass.ACCEPTED
    assert outcomes[1].kind not in (OutcomeClass.ACCEPTED, OutcomeClass.UNKNOWN)
    assert outcomes[2].kind is OutcomeClass.UNKNOWN
    assert server.messages[0].form["ContentSid"] == CHOICES
    assert server.messages[0].form["StatusCallback"].startswith(f"{PUBLIC_URL}/twilio/status/chat-")
    gateway.close()
    server.close()


def test_without_a_number_of_ours_nothing_is_posted(gateway: TwilioGateway) -> None:
    assert [one.kind for one in gateway.send_chat([MESSAGE])] == [OutcomeClass.SENDER_MISCONFIGURED]


WHATSAPP = {"From": "whatsapp:+6281234567890"}


@pytest.mark.parametrize(
    ("more", "said", "text"),
    [
        ({"Body": "hai"}, Said.TEXT, "hai"),
        ({"Body": "Unduh", "ButtonPayload": "1"}, Said.TEXT, "1"),
        ({"Body": "Status", "ListId": "2", "ListTitle": "Status"}, Said.TEXT, "2"),
        ({"Body": "hai", "ButtonPayload": "hapus semua"}, Said.TEXT, "hai"),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "audio/ogg; codecs=opus"}, Said.VOICE, ""),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "image/webp"}, Said.STICKER, ""),
        ({"Body": "ini", "NumMedia": "1", "MediaContentType0": "image/jpeg"}, Said.PICTURE, "ini"),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "video/mp4"}, Said.PICTURE, ""),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "application/pdf"}, Said.FILE, ""),
        ({"Body": "", "NumMedia": "1"}, Said.FILE, ""),
        ({"Body": "", "Latitude": "-6.2", "Longitude": "106.8"}, Said.PLACE, ""),
    ],
)
def test_what_came_is_told_by_its_kind(gateway: TwilioGateway, more: dict[str, str], said: Said, text: str) -> None:
    message = read(gateway, **(WHATSAPP | more))
    assert (message.channel, message.said, message.text) == (Channel.WHATSAPP, said, text)
