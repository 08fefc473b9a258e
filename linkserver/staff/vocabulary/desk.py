"""The operators' desk: cases, calls, work lists, dead letters."""

from __future__ import annotations

from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.core.states import CallKind, CaseKind, CaseOutcome, DeadLetterStatus
from notifier.store.work import Pile

CASES: dict[CaseKind, str] = {
    CaseKind.NOT_ME: N_("Nomor salah?"),
    CaseKind.BIRTH_DATE_REJECTED: N_("Tanggal lahir ditolak"),
    CaseKind.MISSING: N_("Sertifikat belum keluar"),
    CaseKind.ASKED: N_("Pertanyaan atau keluhan"),
}

CASE_OUTCOMES: dict[CaseOutcome, str] = {
    CaseOutcome.UNDONE: N_("Nomornya benar"),
    CaseOutcome.CONFIRMED: N_("Nomornya milik orang lain"),
    CaseOutcome.CORRECTED: N_("Datanya diperbaiki"),
    CaseOutcome.CLOSED: N_("Selesai"),
    CaseOutcome.ARRIVED: N_("Dosisnya sudah masuk"),
    CaseOutcome.NOT_FOUND: N_("Catatannya tidak ada"),
    CaseOutcome.WITHDRAWN: N_("Dibatalkan pelapor"),
    CaseOutcome.MERGED: N_("Digabung"),
}

CALLS: dict[CallKind, str] = {
    CallKind.ASKED_WHERE: N_("Menanyakan SMS atau sertifikatnya"),
    CallKind.NUMBER: N_("Nomornya lain atau salah"),
    CallKind.PERSONAL_DATA: N_("Nama, tanggal lahir, atau NIK salah"),
    CallKind.CANNOT_OPEN: N_("Tautannya tidak dapat dibuka"),
    CallKind.STOP: N_("Minta SMS dihentikan atau dijalankan lagi"),
    CallKind.NOT_ANSWERED: N_("Kami menelepon, tidak diangkat"),
    CallKind.OTHER: N_("Hal lain"),
}

PILES: dict[Pile, str] = {
    Pile.LATE: N_("Janji 48 jam hampir lewat"),
    Pile.UNKNOWN: N_("Belum pasti terkirim"),
    Pile.HELD: N_("Ditahan"),
    Pile.NUMBERS: N_("Nomor tidak ada atau salah"),
}

DEAD_LETTERS: dict[DeadLetterStatus, StateWords] = {
    DeadLetterStatus.OPEN: StateWords(N_("Menunggu"), "ask"),
    DeadLetterStatus.ACCEPTED: StateWords(N_("Diperbaiki dan diterima"), "good"),
    DeadLetterStatus.DISCARDED: StateWords(N_("Dibuang"), "off"),
}

#: through what a number came onto the list of those that get no SMS
STOP_SOURCES: dict[str, str] = {
    "link-page": N_("di halaman tautan"),
    "inbound": N_("dengan membalas STOP"),
    "provider": N_("kata penyedia SMS"),
    "operator": N_("lewat petugas"),
    "account": N_("di akun sendiri"),
}
