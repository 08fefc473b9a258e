"""/twilio/inbound: STOP, START and HELP by SMS and WhatsApp; only signed ones count, each once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from linkserver import create_public_app
from linkserver.words import Catalogue
from notifier.core.segments import measure
from notifier.core.states import Channel
from notifier.gateways.catcher import Catcher
from notifier.gateways.twilio import TwilioGateway
from notifier.services import Services
from notifier.settings import Settings
from notifier.store import persons, suppressions
from notifier.support.inbound import ANSWERS, answer_text
from tests.fakes import FakeClock
from tests.twilio_server import ACCOUNT_SID, AUTH_TOKEN
from tests.web.public.test_link import everything

PUBLIC_URL = "https://sertifikat.example.id"
PATH = "/twilio/inbound"
SITI = "+6281234567890"
FORM = {"MessageSid": "SM" + "1" * 32, "From": SITI, "To": "+6285100000000", "Body": "STOP"}
SMS, WHATSAPP = "", "whatsapp:"


@pytest.fixture
def wired(build_services: Any, each_database_url: str) -> Iterator[Services]:
    """With the real Twilio gateway, on either database; nothing is ever sent."""
    services = build_services(public_url=PUBLIC_URL, database_url=each_database_url)
    gateway = TwilioGateway(
        account_sid=ACCOUNT_SID,
        auth_tokens=(AUTH_TOKEN,),
        from_number="+6285100000000",
        messaging_service_sid=None,
        api_base="http://127.0.0.1:9",
        public_url=PUBLIC_URL,
        timeout_s=1.0,
        concurrency=1,
    )
    yield replace(services, gateway=gateway)
    gateway.close()


class Provider:
    """Twilio, as far as our webhook is concerned."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._app = create_public_app(services)

    def post(self, form: dict[str, str], signature: str | None = None, path: str = PATH) -> TestResponse:
        if signature is None:
            signature = RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC_URL + path, form)
        headers = {"X-Twilio-Signature": signature} if signature else {}
        return self._app.test_client().post(path, data=form, headers=headers, base_url=PUBLIC_URL)

    def hand_on(self, text: str, number: int, sender: str = SITI, **more: str) -> list[str]:
        """The messages that the answer to the `number`-th message sends back."""
        form = FORM | {"MessageSid": f"SM{number:032d}", "From": sender, "Body": text} | more
        return messages(self.post(form))

    def stopped(self, channel: Channel = Channel.SMS) -> bool:
        index = persons.phone_index(self.services.sealer, SITI)
        with self.services.db.read() as conn:
            return bool(suppressions.suppressed(conn, [index], channel=channel))


def messages(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    response = ElementTree.fromstring(answer.text)  # noqa: S314  # our own
    assert response.tag == "Response"
    assert {part.tag for part in response} <= {"Message"}
    return [part.text or "" for part in response]


@pytest.fixture
def provider(wired: Services) -> Provider:
    return Provider(wired)


@pytest.mark.parametrize(("scheme", "channel"), [(SMS, Channel.SMS), (WHATSAPP, Channel.WHATSAPP)])
@pytest.mark.parametrize(("stop", "start"), [("STOP", "START"), ("Berhenti.", "MULAI")])
def test_stop_and_start_work_in_both_languages_by_sms_and_whatsapp(
    provider: Provider, scheme: str, channel: Channel, stop: str, start: str
) -> None:
    [other] = {Channel.SMS, Channel.WHATSAPP} - {channel}
    [said] = provider.hand_on(stop, 1, scheme + SITI)
    assert "dihentikan" in said
    assert "stopped" in said
    assert (provider.stopped(channel), provider.stopped(other)) == (True, False)
    [said] = provider.hand_on(start, 2, scheme + SITI)
    assert "menerima pesan lagi" in said
    assert not provider.stopped(channel)


@pytest.mark.parametrize("word", ["HELP", "BANTUAN", "info"])
def test_help_says_whom_to_call_and_stops_nothing(provider: Provider, word: str) -> None:
    [said] = provider.hand_on(word, 1)
    assert "119" in said
    assert "BERHENTI" in said
    assert not provider.stopped()


def test_other_words_get_an_empty_answer(provider: Provider) -> None:
    assert provider.hand_on("Kapan dosis kedua?", 1) == []
    assert provider.hand_on("", 2) == []
    assert not provider.stopped()


def test_where_twilio_has_answered_we_do_not(provider: Provider) -> None:
    assert provider.hand_on("keluar", 1, OptOutType="STOP") == []
    assert provider.stopped()
    assert provider.hand_on("masuk", 2, OptOutType="START") == []
    assert not provider.stopped()


@pytest.mark.parametrize("signature", ["", "genuine", "ñ"])
def test_a_forged_stop_is_refused_and_changes_nothing(
    provider: Provider, caplog: pytest.LogCaptureFixture, signature: str
) -> None:
    before = everything(provider.services)
    assert provider.post(FORM, signature).status_code == 403
    assert everything(provider.services) == before
    assert "signature" in caplog.text


def test_a_signature_for_another_number_address_or_word_is_refused(provider: Provider) -> None:
    def sign(form: dict[str, str], path: str = PATH) -> str:
        return str(RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC_URL + path, form))

    before = everything(provider.services)
    for stolen in (
        sign(FORM | {"From": "+6281300000000"}),
        sign(FORM | {"Body": "START"}),
        sign(FORM | {"MessageSid": "SM2"}),
        sign(FORM, "/twilio/status/attempt-1"),
    ):
        assert provider.post(FORM, stolen).status_code == 403
    assert everything(provider.services) == before


def test_a_replayed_stop_answers_the_same_and_changes_nothing(provider: Provider, clock: FakeClock) -> None:
    first = provider.post(FORM)
    before = everything(provider.services)
    clock.tick(days=1)
    again = provider.post(FORM)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert everything(provider.services) == before


def test_a_stop_replayed_after_a_start_changes_nothing(provider: Provider, clock: FakeClock) -> None:
    provider.post(FORM)
    clock.tick(minutes=1)
    provider.post(FORM | {"MessageSid": "SM2", "Body": "MULAI"})
    before = everything(provider.services)
    assert provider.post(FORM).status_code == 200
    assert everything(provider.services) == before
    assert not provider.stopped()


def test_fifty_posts_of_one_stop_make_one_row_each(provider: Provider) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: provider.post(FORM), range(50)))
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
    with provider.services.db.read() as conn:
        index = persons.phone_index(provider.services.sealer, SITI)
        assert len(suppressions.history(conn, index)) == 1
    assert len([row for row in everything(provider.services) if FORM["MessageSid"] in row]) == 1


def test_a_stop_from_no_telephone_number_is_answered_with_nothing(provider: Provider) -> None:
    before = everything(provider.services)
    assert provider.hand_on("STOP", 1, "TELKOMSEL") == []
    assert everything(provider.services) == before


def test_a_large_body_is_not_read_but_a_long_message_is(provider: Provider) -> None:
    before = everything(provider.services)
    assert provider.post(FORM | {"Body": "x" * 70_000}).status_code == 413
    assert everything(provider.services) == before
    assert provider.hand_on("😀" * 4_096, 1, WHATSAPP + SITI) == []


def test_only_posts_are_messages(provider: Provider) -> None:
    before = everything(provider.services)
    assert provider._app.test_client().get(PATH + "?Body=STOP", base_url=PUBLIC_URL).status_code == 405
    assert everything(provider.services) == before


def test_the_catcher_takes_no_message(services: Services) -> None:
    catcher = Catcher(services.db, services.sealer, services.clock)
    caught = Provider(replace(services, gateway=catcher))
    client = caught._app.test_client()
    assert client.post(PATH, data=FORM, headers={"X-Twilio-Signature": "genuine"}).status_code == 403


@pytest.mark.parametrize("meaning", ANSWERS)
def test_each_answer_is_one_segment_in_two_languages(meaning: Any) -> None:
    settings = Settings(sender_name="K" * 11, help_phone="0800-1234-5678-90")
    text = answer_text(Catalogue(), settings, meaning)
    assert (measure(text).encoding, measure(text).segments) == ("GSM-7", 1)
    assert text.count(" / ") == 1
