"""Link tokens: one spelling each, and nothing else opens."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import BadToken
from notifier.core.ids import BASE62
from notifier.core.link_tokens import PUBLIC_ID_LENGTH, TOKEN_LENGTH, LinkSigner, new_public_id, trimmed

OLD, NEW = b"o" * 32, b"n" * 32
SIGNER = LinkSigner([OLD, NEW])


def base62(number: int, length: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(length, "0")


#: what 64 random bits come to, the extremes among them
public_ids = st.integers(0, 2**64 - 1).map(lambda number: base62(number, PUBLIC_ID_LENGTH))


def refused(token: str, signer: LinkSigner = SIGNER) -> bool:
    try:
        signer.read(token)
    except BadToken:
        return True
    return False


@given(public_ids)
def test_a_token_reads_back_as_its_public_id(public_id: str) -> None:
    token = SIGNER.sign(public_id)
    assert len(token) == TOKEN_LENGTH == 33
    assert set(token) <= set(string.ascii_letters + string.digits)
    assert token.startswith(public_id)
    assert SIGNER.read(token) == public_id


def test_new_public_ids_are_all_different_and_of_one_length() -> None:
    made = {new_public_id() for _ in range(2000)}
    assert len(made) == 2000
    assert {len(public_id) for public_id in made} == {PUBLIC_ID_LENGTH}


def test_every_change_of_one_character_is_refused() -> None:
    token = SIGNER.sign(new_public_id())
    changed = [
        token[:at] + ch + token[at + 1 :] for at in range(TOKEN_LENGTH) for ch in BASE62 + "-_.=+ \n" if ch != token[at]
    ]
    assert len(changed) == TOKEN_LENGTH * (61 + 7)
    assert [other for other in changed if not refused(other)] == []


@given(public_ids, st.integers(0, TOKEN_LENGTH - 1))
def test_a_truncated_token_is_refused(public_id: str, length: int) -> None:
    assert refused(SIGNER.sign(public_id)[:length])


@given(public_ids, st.text(min_size=1, max_size=3))
def test_an_extended_token_is_refused(public_id: str, more: str) -> None:
    token = SIGNER.sign(public_id)
    assert refused(token + more)
    assert refused(more + token)


@given(public_ids)
def test_digits_of_other_scripts_are_refused(public_id: str) -> None:
    token = SIGNER.sign(public_id)
    arabic = token.translate({ord(str(n)): chr(0x0660 + n) for n in range(10)})
    wide = "".join(chr(ord(ch) + 0xFEE0) for ch in token)
    assert refused(wide)
    assert arabic == token or refused(arabic)


def test_upper_and_lower_case_are_not_the_same() -> None:
    assert refused(SIGNER.sign("4tiRIMr3hl6").swapcase())


def test_a_newline_at_the_end_is_no_part_of_a_token() -> None:
    assert refused(SIGNER.sign(new_public_id()) + "\n")


@given(st.text(max_size=60))
def test_no_text_at_all_opens(text: str) -> None:
    assert refused(text)


@given(st.text(st.sampled_from(BASE62), min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH))
def test_a_made_up_token_of_the_right_shape_is_refused(text: str) -> None:
    assert refused(text)


def test_numbers_too_large_for_either_part_are_refused() -> None:
    token = SIGNER.sign(new_public_id())
    too_large_id = base62(2**64, PUBLIC_ID_LENGTH)
    too_large_mac = base62(2**128, TOKEN_LENGTH - PUBLIC_ID_LENGTH)
    assert len(too_large_id) + len(too_large_mac) == TOKEN_LENGTH
    assert refused(too_large_id + token[PUBLIC_ID_LENGTH:])
    assert refused(token[:PUBLIC_ID_LENGTH] + too_large_mac)
    assert refused("z" * TOKEN_LENGTH)


def test_a_mac_has_one_spelling_only() -> None:
    """The same MAC plus a multiple of 2^128 would be an alias, if decoding wrapped around."""
    token = SIGNER.sign("0" * PUBLIC_ID_LENGTH)
    number = 0
    for ch in token[PUBLIC_ID_LENGTH:]:
        number = number * 62 + BASE62.index(ch)
    alias = number + 2**128
    assert alias < 62**22
    assert refused(token[:PUBLIC_ID_LENGTH] + base62(alias, 22))


@given(public_ids)
def test_the_newest_key_signs_and_every_key_reads(public_id: str) -> None:
    old_token = LinkSigner([OLD]).sign(public_id)
    assert SIGNER.read(old_token) == public_id
    assert SIGNER.sign(public_id) == LinkSigner([NEW]).sign(public_id) != old_token
    assert refused(old_token, LinkSigner([NEW]))


@given(public_ids)
def test_a_token_of_another_purpose_is_refused(public_id: str) -> None:
    assert refused(LinkSigner([NEW], salt="sertilink.other.v1").sign(public_id))


def test_the_error_says_neither_the_token_nor_what_was_wrong() -> None:
    token = SIGNER.sign(new_public_id())
    messages = set()
    for wrong in (token[:-1], token[:-1] + ("0" if token[-1] != "0" else "1")):
        with pytest.raises(BadToken) as caught:
            SIGNER.read(wrong)
        messages.add(str(caught.value))
        assert wrong not in str(caught.value)
    assert len(messages) == 1


@given(public_ids)
def test_a_genuine_token_is_found_in_a_text(public_id: str) -> None:
    token = SIGNER.sign(public_id)
    forged = LinkSigner([b"x" * 32]).sign(public_id)
    text = f"Kemenkes: https://a.example/c/{forged} Buka https://a.example/c/{token} lalu isi"
    assert SIGNER.find_in(text) == public_id


@pytest.mark.parametrize("around", ["a{}", "{}a", "0{}0", "{}{}"])
def test_a_token_inside_a_longer_word_is_not_found(around: str) -> None:
    assert SIGNER.find_in(around.replace("{}", SIGNER.sign(new_public_id()))) is None


def test_a_text_without_a_token_has_none() -> None:
    assert SIGNER.find_in("") is None
    assert SIGNER.find_in("Sertifikat vaksin siap.") is None


@pytest.mark.parametrize("tail", ["", ".", ",", ")", "> ", "...", "'\"", " \r\n", "!?", "];:"])
def test_what_phones_leave_at_the_end_of_a_link_is_trimmed(tail: str) -> None:
    public_id = new_public_id()
    assert SIGNER.read(trimmed(SIGNER.sign(public_id) + tail)) == public_id


def test_what_stands_before_a_token_is_not_trimmed() -> None:
    assert refused(trimmed(" " + SIGNER.sign(new_public_id())))
