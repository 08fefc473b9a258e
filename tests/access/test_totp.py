"""Codes by the clock, against the vectors of the RFC."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.access import totp

RFC_SECRET = b"12345678901234567890"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    """Its table has eight digits; six digits are the last six of them."""
    assert totp.code_of(RFC_SECRET, totp.step_of(at(seconds))) == code[-6:]


@pytest.mark.parametrize("drift", [-60, -30, 0, 30, 60])
def test_a_phone_may_be_one_step_early_or_late_and_no_more(drift: int) -> None:
    now = 1_800_000_000
    code = totp.code_of(RFC_SECRET, totp.step_of(at(now + drift)))
    step = totp.step_of(at(now)) + drift // 30
    assert totp.matching_step(RFC_SECRET, code, at(now)) == (step if abs(drift) <= 30 else None)


def test_a_step_begins_every_thirty_seconds() -> None:
    assert totp.step_of(at(1_799_999_999.9)) + 1 == totp.step_of(at(1_800_000_000)) == totp.step_of(at(1_800_000_029.9))


@pytest.mark.parametrize(
    "typed", ["", " ", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "\0\0\0\0\0\0", "9" * 5000]
)
def test_rubbish_is_no_code(typed: str) -> None:
    assert totp.matching_step(RFC_SECRET, typed, at(1_800_000_000)) is None


def test_blanks_within_a_code_do_not_matter() -> None:
    code = totp.code_of(RFC_SECRET, totp.step_of(at(1_800_000_000)))
    assert totp.matching_step(RFC_SECRET, f" {code[:3]} {code[3:]}\n", at(1_800_000_000))


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_an_apps_address_says_the_secret_whose_and_where(issuer: str, username: str) -> None:
    secret = totp.new_secret()
    address = totp.as_address(
        secret, issuer=issuer.encode("utf-8", "replace").decode(), username=username.encode("utf-8", "replace").decode()
    )
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert asked["secret"] == [totp.as_text(secret).replace(" ", "")]
    assert unquote(parts.path.partition(":")[2]) == username.encode("utf-8", "replace").decode()


def test_each_secret_is_another_one_of_160_bits() -> None:
    secrets = {totp.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {20}
