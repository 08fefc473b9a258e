"""One-time codes: six digits, from the keys and the challenge alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifier.core.one_time_codes import DIGITS, OneTimeCodes

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.uuids().map(str))
def test_a_code_has_six_digits_and_is_known_again(challenge: str) -> None:
    codes = OneTimeCodes([NEW])
    code = codes.code_of(challenge)
    assert len(code) == DIGITS
    assert code.isascii()
    assert code.isdigit()
    assert codes.is_code(challenge, code)


@given(st.uuids().map(str), st.text(max_size=8))
def test_nothing_else_is_the_code(challenge: str, typed: str) -> None:
    codes = OneTimeCodes([NEW])
    assert codes.is_code(challenge, typed) == (typed == codes.code_of(challenge))


def test_a_code_made_before_a_change_of_keys_still_counts_and_the_old_key_alone_makes_another() -> None:
    before, after = OneTimeCodes([OLD]), OneTimeCodes([OLD, NEW])
    assert after.is_code("a-challenge", before.code_of("a-challenge"))
    assert after.code_of("a-challenge") == OneTimeCodes([NEW]).code_of("a-challenge")
    assert not OneTimeCodes([NEW]).is_code("a-challenge", before.code_of("a-challenge"))


def test_codes_are_spread_evenly_over_their_first_digit() -> None:
    codes = OneTimeCodes([NEW])
    firsts = [codes.code_of(str(number))[0] for number in range(5_000)]
    assert all(400 < firsts.count(str(digit)) < 600 for digit in range(10))
