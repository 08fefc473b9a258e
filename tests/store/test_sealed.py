"""Sealed values and blind indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import BadSettings, SealBroken
from notifier.store.sealed import Sealer

OLD, NEW, INDEX = (bytes([n]) * 32 for n in (1, 2, 3))
SEALER = Sealer([OLD], INDEX)


@given(st.text(), st.text(min_size=1))
def test_what_is_sealed_opens_in_its_own_place_only(value: str, row_id: str) -> None:
    sealed = SEALER.seal("person:name", row_id, value)
    assert SEALER.open("person:name", row_id, sealed) == value
    for place, row in (("person:nik", row_id), ("person:name", row_id + "x")):
        with pytest.raises(SealBroken):
            SEALER.open(place, row, sealed)


def test_every_changed_byte_is_refused_without_the_value() -> None:
    sealed = SEALER.seal("person:name", "1", "Siti")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealBroken) as broken:
            SEALER.open("person:name", "1", changed)
        assert "Siti" not in str(broken.value)
    for cut in range(len(sealed)):
        with pytest.raises(SealBroken):
            SEALER.open("person:name", "1", sealed[:cut])


def test_equal_values_do_not_look_equal() -> None:
    assert SEALER.seal("p:n", "1", "Siti") != SEALER.seal("p:n", "1", "Siti")


def test_a_rotated_key_still_opens_and_the_newest_seals() -> None:
    before = SEALER.seal("p:n", "1", "Siti")
    rotated = Sealer([OLD, NEW], INDEX)
    assert rotated.open("p:n", "1", before) == "Siti"
    assert not rotated.sealed_with_newest(before)
    assert rotated.sealed_with_newest(rotated.seal("p:n", "1", "Siti"))
    with pytest.raises(SealBroken):
        Sealer([NEW], INDEX).open("p:n", "1", before)


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(BadSettings):
        Sealer([OLD, OLD], INDEX)


def test_an_index_is_keyed_and_has_one_purpose() -> None:
    index = SEALER.index("phone", "+6281234567890")
    assert len(index) == 16
    assert index == Sealer([NEW], INDEX).index("phone", "+6281234567890")
    assert index != SEALER.index("person.nik", "+6281234567890")
    assert index != Sealer([OLD], NEW).index("phone", "+6281234567890")
