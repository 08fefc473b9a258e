"""Every text of the staff face is there in English, and every code has its words."""

from __future__ import annotations

import pytest

from linkserver.staff import vocabulary
from linkserver.words import Catalogue
from notifier.access.roles import Role
from notifier.core.states import Kind, Reason, State
from notifier.support.dose_checks import Warn
from tests.web.texts import ROOT, texts_of


@pytest.mark.parametrize("folder", ["linkserver/staff", "templates/staff"])
def test_every_text_is_there_in_english(folder: str) -> None:
    catalogue = Catalogue()
    missing = {f"{where}: {text}" for where, text in texts_of(ROOT / folder) if not catalogue.has("en", text)}
    assert missing == set()


def test_every_state_reason_kind_and_role_has_words() -> None:
    assert set(vocabulary.STATES) == set(State)
    assert {reason.value for reason in Reason} <= set(vocabulary.REASONS)
    assert {kind.value for kind in Kind} == set(vocabulary.KINDS)
    assert set(vocabulary.ROLES) == set(Role)
    assert set(vocabulary.WARNINGS) == set(Warn)


def test_the_state_words_are_those_of_the_house() -> None:
    assert {state.value: words.text for state, words in vocabulary.STATES.items()} == {
        "scheduled": "Terjadwal",
        "claimed": "Sedang dikirim",
        "sending": "Sedang dikirim",
        "accepted": "Diserahkan ke penyedia SMS",
        "sent": "Dikirim ke operator seluler",
        "delivered": "Sampai di ponsel",
        "undelivered": "Tidak sampai",
        "failed": "Gagal",
        "unknown": "Belum pasti",
        "held": "Ditahan",
        "cancelled": "Dibatalkan",
        "suppressed": "Tidak dikirim",
        "expired": "Lewat batas waktu",
    }
