"""Every route that takes a token: what is no token of ours looks like a well-signed unknown one, and reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from notifier.core.ids import BASE62
from notifier.core.link_tokens import new_public_id
from notifier.services import Services
from tests.builders import MadeCertificate
from tests.web.public.conftest import RIGHT, NewVisitor, Visitor, told
from tests.web.public.test_headers import rules
from tests.web.public.test_link import NoDatabase

#: the answers of every form there is, all at once and none
FORMS = ({}, RIGHT, RIGHT | dict.fromkeys(("stop", "renew", "not-me", "birth-date"), "yes"))


def other(ch: str) -> str:
    return BASE62[(BASE62.index(ch) + 1) % len(BASE62)]


def forged(token: str) -> Iterator[str]:
    """What could be taken for a token, as it stands in an address."""
    yield token[:-1] + other(token[-1])  # a wrong MAC
    yield other(token[0]) + token[1:]  # another link's id
    yield token[:11] + token[11:].swapcase()
    yield token.swapcase()
    yield token.lower()
    yield token.upper()
    yield token[:-1]
    yield token[1:]
    yield token[:11]
    yield token[:11] + "0" * 22
    yield "0" + token  # a number has many spellings in base 62 with zeros before it
    yield token + "0"
    yield token + token
    yield token[:11] + "." + token[11:]
    yield token.replace(token[5], f"%25{ord(token[5]):x}", 1)  # encoded twice
    for tail in ("x", "-", "_", "~", "=", "%00", "%0B", "%C2%A0", "%E2%80%8B", "%EF%BC%8E", "*"):
        yield token + tail
    for head in ("%20", ".", "%00", "%EF%BB%BF"):
        yield head + token
    yield quote("".join(chr(ord(ch) + 0xFEE0) for ch in token))  # the same letters, full width
    yield "%ff%fe"
    yield "z" * 33
    yield "A" * 1500
    yield "'%20OR%201=1--"


def token_rules(visitor: Visitor) -> list[str]:
    """Those of certificates' links: reports, files and objections have tokens and tests of their own."""
    found = [rule.rule for rule in rules(visitor.client.application) if "token" in rule.arguments]
    return [rule for rule in found if rule.startswith("/c/")]


def filled(rule: str, token: str) -> str:
    return rule.replace("<path:token>", token).replace("<token>", token)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_forged_tokens_get_the_answer_of_an_unknown_one_and_reach_no_database(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate, method: str
) -> None:
    blind = new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises
    unknown = services.links.sign(new_public_id())
    checked = 0
    for rule in token_rules(visitor):
        for form in FORMS if method == "POST" else ({},):
            expected = told(visitor.client.open(filled(rule, unknown), method=method, data=form or None))
            assert expected[0] == 404
            for token in forged(made.token):
                answer = blind.client.open(filled(rule, token), method=method, data=form or None)
                assert told(answer) == expected, (rule, token)
                checked += 1
    assert checked >= 2 * len(list(forged(made.token)))


def test_the_routes_with_tokens_are_found_by_themselves(visitor: Visitor) -> None:
    assert {"/c/<path:token>", "/c/<token>/stop"} <= set(token_rules(visitor))


def test_a_real_token_makes_that_fake_complain(
    services: Services, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    blind = new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises
    assert blind.get(f"/c/{made.token}").status_code == 500


def test_an_address_that_is_encoded_once_is_the_same_address(visitor: Visitor, made: MadeCertificate) -> None:
    encoded = "".join(f"%{ord(ch):02x}" for ch in made.token)
    assert told(visitor.get(f"/c/{encoded}")) == told(visitor.get(f"/c/{made.token}"))
