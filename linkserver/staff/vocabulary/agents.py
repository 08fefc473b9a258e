"""The agents' desk: letters, and what is said of them."""

from __future__ import annotations

from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.core.states import LetterKind, LetterState

LETTER_STATES: dict[LetterState, StateWords] = {
    LetterState.WAITING: StateWords(N_("Menunggu dikirim"), "wait"),
    LetterState.SENDING: StateWords(N_("Sedang dikirim"), "move"),
    LetterState.SENT: StateWords(N_("Diserahkan ke server surel"), "good"),
    LetterState.FAILED: StateWords(N_("Ditolak server surel"), "bad"),
    LetterState.UNKNOWN: StateWords(N_("Belum pasti terkirim"), "ask"),
    LetterState.LEFT_ALONE: StateWords(N_("Belum pasti, tidak dikirim lagi"), "off"),
}

LETTER_KINDS: dict[LetterKind, str] = {
    LetterKind.WRITTEN: N_("Ditulis seseorang"),
    LetterKind.BULK: N_("Milis atau iklan"),
    LetterKind.AUTOMATIC: N_("Ditulis program"),
    LetterKind.RETURNED: N_("Surel kami yang kembali"),
}
