"""What a person means who writes to our sender: stop, start, help, or something else. Pure, in Indonesian and English.

A whole message counts, never a word inside a sentence: "kapan vaksinasi berhenti?" stops nothing. Politeness around the
word is taken off first. BATAL and CANCEL are not ours: in a chat they take back the last step or an appointment.
What a provider itself acts upon (CANCEL by SMS) comes from its gateway.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Meaning(StrEnum):
    """What a message asks of us."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


_LONGEST = 60  # characters; whoever writes more tells a story
_NO_WORD = re.compile(r"[\W_]+")
#: taken off before the comparison
_POLITE = frozenset({
    "tolong", "mohon", "please", "pls", "ya", "yah", "dong", "deh", "pak", "bu", "kak", "min", "terima", "kasih",
    "makasih", "thanks", "now",
})  # fmt: skip
_WORDS = {
    Meaning.STOP: (
        "stop", "stopall", "stop all", "stop semua", "stop sms", "stop pesan", "stop wa", "stop whatsapp",
        "unsubscribe", "optout", "opt out", "unreg",
        "berhenti", "berhenti sms", "berhenti pesan", "berhenti berlangganan", "hentikan", "hentikan sms",
        "hentikan pesan", "setop", "setop sms", "jangan kirim lagi", "jangan kirim sms", "jangan kirim sms lagi",
        "jangan kirim pesan", "jangan kirim pesan lagi", "jangan sms", "jangan sms lagi",
    ),
    Meaning.START: (
        "start", "start sms", "unstop", "optin", "opt in", "subscribe",
        "mulai", "mulai lagi", "mulai sms", "lanjut", "lanjutkan", "lanjutkan sms", "kirim lagi", "kirim sms lagi",
        "terima lagi", "terima sms", "terima sms lagi", "terima pesan lagi",
    ),
    Meaning.HELP: ("help", "info", "bantuan", "bantu", "butuh bantuan"),
}  # fmt: skip
_MEANINGS = {words: meaning for meaning, phrases in _WORDS.items() for words in phrases}


def meaning_of(text: str) -> Meaning:
    """The meaning of a whole message, whatever its case, punctuation and blanks."""
    if len(text) > _LONGEST:
        return Meaning.OTHER
    words = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()
    plain = " ".join(words)
    terse = " ".join(word for word in words if word not in _POLITE)
    return _MEANINGS.get(plain) or _MEANINGS.get(terse) or Meaning.OTHER
