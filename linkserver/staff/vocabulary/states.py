"""States and kinds of messages, and what a provider answered."""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.words import N_
from notifier.core.states import State


@dataclass(frozen=True, slots=True)
class StateWords:
    """How a state is shown. `tone`: which dot: wait, move, good, bad, ask, off."""

    text: str
    tone: str


#: LOOK, "Staff face"; claimed and sending are one to a reader
STATES: dict[State, StateWords] = {
    State.SCHEDULED: StateWords(N_("Terjadwal"), "wait"),
    State.CLAIMED: StateWords(N_("Sedang dikirim"), "move"),
    State.SENDING: StateWords(N_("Sedang dikirim"), "move"),
    State.ACCEPTED: StateWords(N_("Diserahkan ke penyedia SMS"), "move"),
    State.SENT: StateWords(N_("Dikirim ke operator seluler"), "move"),
    State.DELIVERED: StateWords(N_("Sampai di ponsel"), "good"),
    State.UNDELIVERED: StateWords(N_("Tidak sampai"), "bad"),
    State.FAILED: StateWords(N_("Gagal"), "bad"),
    State.UNKNOWN: StateWords(N_("Belum pasti"), "ask"),
    State.HELD: StateWords(N_("Ditahan"), "ask"),
    State.CANCELLED: StateWords(N_("Dibatalkan"), "off"),
    State.SUPPRESSED: StateWords(N_("Tidak dikirim"), "off"),
    State.EXPIRED: StateWords(N_("Lewat batas waktu"), "off"),
}

OUTCOMES: dict[str, str] = {
    "accepted": N_("diterima"),
    "not-sent": N_("tidak terkirim, dicoba lagi"),
    "not-begun": N_("belum sempat dikirim, dicoba lagi"),
    "rate-limited": N_("diminta pelan-pelan, dicoba lagi"),
    "permanent": N_("ditolak untuk seterusnya"),
    "number-bad": N_("nomor tidak dapat menerima SMS"),
    "opted-out": N_("penerima minta berhenti"),
    "sender-misconfigured": N_("akun atau pengirim bermasalah"),
    "hold": N_("kode yang belum kami kenal, ditahan"),
    "unknown": N_("tidak jelas diterima atau tidak"),
    "recorded": N_("dosis dicatat"),
    "corrected": N_("dosis diperbaiki"),
    "entered_in_error": N_("dosis ditarik"),
    "delivered": N_("sampai di ponsel"),
    "undelivered": N_("tidak sampai"),
    "failed": N_("gagal"),
    "sent": N_("dikirim ke operator seluler"),
    "queued": N_("antre di penyedia"),
}

KINDS: dict[str, str] = {
    "certificate": N_("Sertifikat"),
    "correction": N_("Perbaikan"),
    "renewal": N_("Tautan baru"),
    "lock": N_("Kunci"),
    "otp": N_("Kode OTP"),
    "case": N_("Kasus"),
    "request": N_("Kabar permintaan"),
    "number": N_("Nomor diganti"),
    "reminder": N_("Pengingat"),
}

#: what a number of the start page leads to that is no state (store.desk.WHICH)
WHICH: dict[str, str] = {
    "due": N_("Sudah waktunya dikirim"),
    "risk": N_("Hampir lewat 48 jam"),
    "opened": N_("Dibuka penerima"),
    "downloaded": N_("Diunduh penerima"),
}
