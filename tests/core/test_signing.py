"""The quick serializer says and refuses what itsdangerous itself does."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadSignature, URLSafeSerializer

from notifier.core.signing import QuickSerializer

OLD, NEW = b"o" * 32, b"n" * 32
HOW: dict[str, Any] = {"signer_kwargs": {"digest_method": hashlib.sha256, "key_derivation": "hmac"}}


def quick(*keys: bytes, salt: str = "views") -> QuickSerializer:
    return QuickSerializer(list(keys), salt=salt, **HOW)


def plain(*keys: bytes, salt: str = "views") -> URLSafeSerializer:
    return URLSafeSerializer(list(keys), salt=salt, **HOW)


@given(st.lists(st.text() | st.integers()))
def test_it_writes_and_reads_the_very_same(said: list[Any]) -> None:
    written = quick(OLD, NEW).dumps(said)
    assert written == plain(OLD, NEW).dumps(said)
    assert quick(OLD, NEW).loads(written) == said


def test_an_older_key_still_opens_and_the_newest_signs() -> None:
    both = quick(OLD, NEW)
    assert both.loads(plain(OLD).dumps(["a"])) == ["a"]
    assert plain(NEW).loads(both.dumps(["b"])) == ["b"]
    with pytest.raises(BadSignature):
        quick(NEW).loads(plain(OLD).dumps(["a"]))


@pytest.mark.parametrize("spoil", [lambda text: text[:-1], lambda text: "x" + text, lambda text: text.upper()])
def test_a_changed_byte_is_refused_and_what_is_right_still_opens(spoil: Any) -> None:
    serializer = quick(NEW)
    written = serializer.dumps(["abc"])
    with pytest.raises(BadSignature):
        serializer.loads(spoil(written))
    assert serializer.loads(written) == ["abc"]


def test_each_salt_is_a_key_of_its_own() -> None:
    serializer = quick(NEW)
    with pytest.raises(BadSignature):
        serializer.loads(plain(NEW, salt="other").dumps(["a"]))
    assert serializer.loads(plain(NEW, salt="other").dumps(["a"]), salt="other") == ["a"]
    assert serializer.dumps(["a"], salt="other") == plain(NEW, salt="other").dumps(["a"])
