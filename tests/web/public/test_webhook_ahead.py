"""A message that is kept before the framework wakes is kept and answered as the framework does it."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from linkserver.webhook_ahead import PATH
from notifier.store.tables import chat_message, inbound_sms
from tests.twilio_server import AUTH_TOKEN
from tests.web.public.test_ahead import Face
from tests.web.public.test_chat_webhook import chatting, count
from tests.web.public.test_inbound import FORM, PUBLIC_URL, SITI, WHATSAPP, Provider, provider, wired

__all__ = ["provider", "wired"]

HAI = FORM | {"Body": "hai, saya José 😀", "From": WHATSAPP + SITI, "Empty": ""}


@pytest.fixture
def face(provider: Provider) -> Face:
    return Face(chatting(provider.services))


def sign(url: str, form: dict[str, str]) -> str:
    return str(RequestValidator(AUTH_TOKEN).compute_signature(url, form))


def post(face: Face, form: dict[str, str], query: str = "", **more: object) -> TestResponse:
    headers = {"X-Twilio-Signature": sign(PUBLIC_URL + PATH + query, form)}
    return face.app.test_client().post(PATH + query, data=form, headers=headers, base_url=PUBLIC_URL, **more)


@pytest.mark.parametrize("body", ["hai", "STOP"])
def test_it_gets_the_answer_that_the_framework_gives_and_does_not_wake_it(face: Face, body: str) -> None:
    form = HAI | {"Body": body}
    ahead = post(face, form | {"MessageSid": "SM" + "a" * 32})
    assert (ahead.status_code, face.woken) == (200, 0)
    long = post(face, form | {"MessageSid": "SM" + "b" * 32}, query="?by=hand")
    assert face.woken == 1
    assert ahead.data == long.data
    for answer in (ahead, long):
        answer.headers.pop("X-Request-Id")
    assert list(ahead.headers.items()) == list(long.headers.items())


def test_it_is_kept_once_whichever_way_it_came(face: Face, provider: Provider) -> None:
    post(face, HAI)
    post(face, HAI, query="?by=hand")
    post(face, HAI)
    assert (count(provider.services, chat_message), face.woken) == (1, 1)


def test_a_forged_one_goes_the_long_way_and_changes_nothing(face: Face, provider: Provider) -> None:
    answer = face.app.test_client().post(
        PATH, data=HAI, headers={"X-Twilio-Signature": sign(PUBLIC_URL + PATH, FORM)}, base_url=PUBLIC_URL
    )
    assert (answer.status_code, face.woken) == (403, 1)
    assert count(provider.services, chat_message) == count(provider.services, inbound_sms) == 0


@pytest.mark.parametrize(
    "how",
    [
        {"content_type": "multipart/form-data"},
        {"content_type": "application/json", "data": b"{}"},
        {"data": b"Body=%ff%fe&From=" + b"x" * 100},
        {"data": b"Body=" + b"x" * 70_000},
        {"data": "Body=ä".encode()},
        {"data": b""},
    ],
)
def test_what_is_not_as_the_provider_sends_it_goes_the_long_way(
    face: Face, provider: Provider, how: dict[str, object]
) -> None:
    given = {"content_type": "application/x-www-form-urlencoded", "data": b"Body=hai"} | how
    answer = face.app.test_client().post(PATH, base_url=PUBLIC_URL, headers={"X-Twilio-Signature": "x"}, **given)
    assert answer.status_code in (403, 413)
    assert face.woken == 1
    assert count(provider.services, chat_message) == 0


def test_another_method_or_host_goes_the_long_way(face: Face) -> None:
    assert face.app.test_client().get(PATH, base_url=PUBLIC_URL).status_code in (404, 405)
    assert face.app.test_client().post(PATH, data=HAI, base_url="https://elsewhere.example").status_code == 421
    assert face.woken == 2
