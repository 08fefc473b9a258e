"""What a person means who writes to our sender."""

from __future__ import annotations

import pytest

from notifier.core.opt_out_words import Meaning, meaning_of


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOP!!!", "StopAll", "stop all", "STOP SMS", "unsubscribe", "BERHENTI", "berhenti.",
     "Berhenti ya", "tolong BERHENTI pak", "Hentikan", "hentikan sms", "jangan kirim SMS lagi", "ＳＴＯＰ", "stop 🙏",
     "STOP, terima kasih"],
)  # fmt: skip
def test_these_words_stop(text: str) -> None:
    assert meaning_of(text) is Meaning.STOP


@pytest.mark.parametrize(
    "text", ["START", "start.", "UNSTOP", "MULAI", "Mulai lagi", "LANJUT", "lanjutkan", "terima sms lagi"]
)
def test_these_words_start(text: str) -> None:
    assert meaning_of(text) is Meaning.START


@pytest.mark.parametrize("text", ["HELP", "help?", "INFO", "BANTUAN", "tolong bantu", "Butuh bantuan!"])
def test_these_words_ask_for_help(text: str) -> None:
    assert meaning_of(text) is Meaning.HELP


@pytest.mark.parametrize(
    "text",
    ["", "?", "🙏", "terima kasih", "tolong", "BATAL", "batal daftar", "CANCEL", "YES", "ya", "end", "don't stop",
     "kapan vaksinasi berhenti?", "jangan berhenti", "bus stop", "mulai jam berapa", "info jadwal vaksin besok",
     "nonstop", "STOP " + "x" * 60],
)  # fmt: skip
def test_these_words_are_a_conversation(text: str) -> None:
    assert meaning_of(text) is Meaning.OTHER
