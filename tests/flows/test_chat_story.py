"""The chat as people have it: signed webhooks into the public face, a real worker, and Twilio's own client."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pyhanko.pdf_utils.reader import PdfFileReader
from twilio.request_validator import RequestValidator

from linkserver import create_public_app
from notifier.core.phones import masked_phone, national_form
from notifier.core.states import Said
from tests.builders import SITI, a_certificate
from tests.chatting import SITI_NUMBER
from tests.installation import Installation, an_installation
from tests.polling import eventually
from tests.transcripts import FOLDER, Exchange, played, read
from tests.twilio_server import TakenMessage, TwilioServer

PUBLIC_URL = "https://sertifikat.example.id"
EXAMPLE = "0812-3456-7890"
_MEDIA = {
    Said.VOICE: "audio/ogg",
    Said.STICKER: "image/webp",
    Said.PICTURE: "image/jpeg",
    Said.FILE: "application/pdf",
}
_sids = count(1)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    server = TwilioServer()
    yield server
    server.close()


@pytest.fixture
def installed(tmp_path: Path, twilio: TwilioServer) -> Iterator[Installation]:
    with an_installation(
        "sqlite+embedded",
        tmp_path,
        LEASE_SECONDS="60",
        PUBLIC_URL=PUBLIC_URL,
        GATEWAY="twilio",
        TWILIO_ACCOUNT_SID=twilio.account_sid,
        TWILIO_AUTH_TOKEN=twilio.auth_token,
        TWILIO_FROM="+6285100000000",
        TWILIO_API_BASE=twilio.url,
        WHATSAPP_FROM="+6281110500567",
        WORKER_CONCURRENCY="4",
    ) as made:
        yield made


class Handset:
    """A telephone whose messages Twilio hands on to us, signed."""

    def __init__(self, app: Flask, twilio: TwilioServer, number: str) -> None:
        self.client, self.twilio, self.number = app.test_client(), twilio, number

    def arrived(self) -> list[TakenMessage]:
        return [one for one in list(self.twilio.messages) if one.form["To"] == f"whatsapp:{self.number}"]

    def post(self, form: dict[str, str]) -> int:
        form = {"From": f"whatsapp:{self.number}", "To": "whatsapp:+6281110500567", "Body": ""} | form
        signature = RequestValidator(self.twilio.auth_token).compute_signature(f"{PUBLIC_URL}/twilio/inbound", form)
        headers = {"X-Twilio-Signature": signature}
        return self.client.post("/twilio/inbound", data=form, headers=headers, base_url=PUBLIC_URL).status_code

    def send(self, exchange: Exchange) -> list[str]:
        before = len(self.arrived())
        form = {"MessageSid": f"SM{next(_sids):032x}"}
        if exchange.said is Said.PLACE:
            form |= {"Latitude": "-6.2", "Longitude": "106.8"}
        elif exchange.said is not Said.TEXT:
            form |= {"NumMedia": "1", "MediaContentType0": _MEDIA[exchange.said]}
        elif exchange.sends == "{code}":
            form["Body"] = eventually(self.code, 20, "no code came")
        else:
            form["Body"] = exchange.sends.replace(EXAMPLE, national_form(self.number))
        assert [self.post(form), self.post(form)] == [200, 200]  # each is handed on twice
        wanted = before + len(exchange.comes)
        eventually(lambda: len(self.arrived()) >= wanted, 20, f"no answer to {exchange.sends!r}")
        texts = [one.form.get("Body", "") for one in self.arrived()[before:]]
        own, masked = national_form(self.number), masked_phone(self.number)
        return [text.replace(own, EXAMPLE).replace(masked, masked_phone(SITI_NUMBER)) for text in texts]

    def code(self) -> str | None:
        sms = [one.form["Body"] for one in list(self.twilio.messages) if one.form["To"] == self.number]
        found = re.search(r"\b\d{6}\b", sms[-1]) if sms else None
        return found[0] if found else None


def test_every_recorded_conversation_goes_on_at_once(installed: Installation, twilio: TwilioServer) -> None:
    app = create_public_app(installed.services)
    paths = sorted(FOLDER.glob("*.txt"))
    handsets = {
        path: Handset(app, twilio, f"+62813000003{place:02}") for path, place in zip(paths, count(), strict=False)
    }
    for handset in handsets.values():
        a_certificate(installed.services, person=replace(SITI, phone=handset.number))
    installed.start("worker")

    def play(path: Path) -> tuple[list[Exchange], list[Exchange]]:
        recorded = read(path)
        return played(recorded, handsets[path].send), recorded

    with ThreadPoolExecutor(len(paths)) as pool:
        for now, recorded in pool.map(play, paths):
            assert now == recorded
    # nobody heard anything twice, though Twilio handed on each message twice
    expected = {path: sum(len(each.comes) for each in read(path)) for path in paths}
    assert {path: len(handsets[path].arrived()) for path in paths} == expected
    _the_pdf_opens(handsets[FOLDER / "certificate-id.txt"])
    _receipts_are_taken(handsets[FOLDER / "certificate-id.txt"], twilio)


def _the_pdf_opens(handset: Handset) -> None:
    [url] = [one.form["MediaUrl"] for one in handset.arrived() if "MediaUrl" in one.form]
    path = urlsplit(url).path
    assert handset.client.head(path, base_url=PUBLIC_URL).status_code == 200
    for _ in range(3):
        answer = handset.client.get(path, base_url=PUBLIC_URL)
        assert (answer.status_code, answer.content_type) == (200, "application/pdf")
        reader = PdfFileReader(io.BytesIO(answer.data))
        assert reader.root["/Pages"]["/Count"] == 1
        assert len(reader.embedded_signatures) == 1
    assert handset.client.get(path, base_url=PUBLIC_URL).status_code == 404


def _receipts_are_taken(handset: Handset, twilio: TwilioServer) -> None:
    message = handset.arrived()[0]
    receipt = twilio.receipt(message, "read")
    headers = {"X-Twilio-Signature": receipt.signature}
    assert handset.client.post(receipt.path, data=receipt.form, headers=headers, base_url=PUBLIC_URL).status_code == 204
    forged = headers | {"X-Twilio-Signature": "forged"}
    assert handset.client.post(receipt.path, data=receipt.form, headers=forged, base_url=PUBLIC_URL).status_code == 403
