"""Any request to any public route: never a fault of ours, always the protection, never personal data in a log line.

The routes are the app's own url_map, so that a new one is fuzzed from its first day; hypothesis makes a failure small.
The listener of tests/conftest.py hears every line that is logged meanwhile.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkserver import create_public_app
from notifier.core.link_tokens import new_public_id
from notifier.services import Services
from tests.builders import MadeCertificate
from tests.web.public.conftest import RIGHT, Visitor
from tests.web.public.test_face import HEADERS
from tests.web.public.test_headers import OTHERWISE

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "WEIRD")
FIELDS = ("day", "month", "year", "stop", "renew", "not-me", "birth-date", "replace", "text", "n", "code", "lang", "x")
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json", "text/plain", "")
NAMES = ("User-Agent", "Accept-Encoding", "Accept-Language", "Sec-Fetch-Site", "X-Forwarded-For", "Range", "Referer")
_ODD = (
    "",
    "%00",
    "%ff",
    "..",
    ".",
    "'",
    "<b>",
    "%F0%9F%98%80",
    "%0d%0aX: y",
    "ask",
    "yes",
    "undo",
    "1",
    "-1",
    "9" * 40,
)


class Known:
    """What a request may truthfully name: filled in once there is a certificate."""

    def __init__(self, services: Services, made: MadeCertificate, visitor: Visitor) -> None:
        opened = visitor.post(f"/c/{made.token}", RIGHT)
        self.cookie = opened.headers["Set-Cookie"].partition(";")[0]
        self.words = [
            made.token,
            services.links.sign(new_public_id()),
            opened.location.rpartition("/")[2],
            made.number,
            *RIGHT.values(),
        ]


def a_word(known: Known) -> st.SearchStrategy[str]:
    printable = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: quote(text, safe=""))
    return st.one_of(st.sampled_from(known.words), st.sampled_from(_ODD), printable)


def a_pair(known: Known) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(FIELDS), a_word(known)).map("=".join)


def a_path(rules: list[str], data: st.DataObject, known: Known) -> str:
    rule = data.draw(st.sampled_from(rules), "rule")
    path = re.sub("<[^>]+>", lambda _: data.draw(a_word(known), "argument"), rule)
    tail = data.draw(st.sampled_from(["", "", "", "/", ".", "%20", "//", "/../", ";x"]), "tail")
    query = data.draw(st.lists(a_pair(known), max_size=3), "query")
    return path + tail + ("?" + "&".join(query) if query else "")


def some_headers(data: st.DataObject, known: Known) -> dict[str, str]:
    plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    headers = data.draw(st.dictionaries(st.sampled_from(NAMES), plain, max_size=3), "headers")
    cookies = [known.cookie, known.cookie[:-3], known.cookie + "x", "certificate=", "lang=en", "lang=../x", "=;="]
    return headers | {"Cookie": data.draw(st.sampled_from(cookies), "cookie")}


def answer(client: FlaskClient, data: st.DataObject, known: Known) -> None:
    rules = [rule.rule for rule in client.application.url_map.iter_rules()]
    path, method = a_path(rules, data, known), data.draw(st.sampled_from(METHODS), "method")
    body = data.draw(st.one_of(st.lists(a_pair(known), max_size=5).map("&".join).map(str.encode), st.binary()), "body")
    kind = data.draw(st.sampled_from(KINDS), "content type")
    response = client.open(path, method=method, data=body, content_type=kind, headers=some_headers(data, known))
    assert response.status_code < 500
    for name, value in HEADERS.items():
        # which route may say which is tested in test_headers.py
        assert response.headers.get(name) in {value, *(more[name] for more in OTHERWISE.values() if name in more)}


def test_no_request_makes_a_fault_of_ours(
    services: Services, visitor: Visitor, made: MadeCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    known = Known(services, made, visitor)
    client = create_public_app(services).test_client(use_cookies=False)

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        answer(client, data, known)

    fuzz()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
