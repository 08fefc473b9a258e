"""Link tokens: one spelling each, every change refused, keys that rotate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import BadToken
from notifier.core.ids import BASE62
from notifier.core.link_tokens import TOKEN_LENGTH, LinkSigner, new_public_id, trimmed

OLD, NEW = b"old-key".ljust(32, b"-"), b"new-key".ljust(32, b"-")
SIGNER = LinkSigner([OLD, NEW])


def test_a_token_is_33_characters_of_base62_with_the_public_id_in_front() -> None:
    public_id = new_public_id()
    token = SIGNER.sign(public_id)
    assert len(token) == TOKEN_LENGTH == 33
    assert set(token) <= set(BASE62)
    assert token.startswith(public_id)
    assert SIGNER.read(token) == public_id


def test_public_ids_do_not_repeat() -> None:
    assert len({new_public_id() for _ in range(10_000)}) == 10_000


def test_every_change_of_one_character_is_refused() -> None:
    token = SIGNER.sign(new_public_id())
    for place in range(TOKEN_LENGTH):
        for ch in BASE62:
            if ch != token[place]:
                with pytest.raises(BadToken):
                    SIGNER.read(token[:place] + ch + token[place + 1 :])


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        SIGNER.read(text)


@given(st.text(alphabet=BASE62, min_size=33, max_size=33))
def test_any_word_of_the_right_shape_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        SIGNER.read(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "0",
        lambda t: t[:-1],
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.swapcase(),
        lambda t: "z" * 11 + t[11:],
        lambda t: t[:11] + "z" * 22,
    ],
)
def test_truncated_extended_and_overflowing_tokens_are_refused(change) -> None:
    with pytest.raises(BadToken):
        SIGNER.read(change(SIGNER.sign("4tiRIMr3hl6")))


def test_keys_rotate() -> None:
    public_id = new_public_id()
    before = LinkSigner([OLD]).sign(public_id)
    assert SIGNER.read(before) == public_id
    assert SIGNER.sign(public_id) == LinkSigner([NEW]).sign(public_id) != before
    with pytest.raises(BadToken):
        LinkSigner([NEW]).read(before)


def test_a_token_of_another_purpose_is_refused() -> None:
    with pytest.raises(BadToken):
        SIGNER.read(LinkSigner([OLD, NEW], salt="another purpose").sign(new_public_id()))


def test_a_genuine_token_is_found_in_a_text() -> None:
    public_id = new_public_id()
    text = f"Kemenkes: Buka https://x.id/c/{SIGNER.sign(public_id)} lalu {'a' * 33}"
    assert SIGNER.find_in(text) == public_id
    assert SIGNER.find_in("a" * 33 + " nothing") is None


@pytest.mark.parametrize("tail", [".", ",", " ", ")", "'", '"', ">", "\n", "!?."])
def test_what_phones_leave_behind_a_link_is_trimmed(tail: str) -> None:
    assert trimmed("abc" + tail) == "abc"
