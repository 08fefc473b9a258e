"""Corrections that people ask for of their own data."""

from __future__ import annotations

from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.core.own_corrections import Field, How, Proof, RefusedWhy, RequestState
from notifier.core.small_changes import NameChange, NikChange

REQUEST_STATES: dict[RequestState, StateWords] = {
    RequestState.UNPROVEN: StateWords(N_("Belum terbukti"), "off"),
    RequestState.NUMBER: StateWords(N_("Menunggu kode dari nomor baru"), "move"),
    RequestState.REVIEW: StateWords(N_("Menunggu keputusan"), "ask"),
    RequestState.EVIDENCE: StateWords(N_("Menunggu foto kartu"), "move"),
    RequestState.DONE: StateWords(N_("Diperbaiki"), "good"),
    RequestState.REFUSED: StateWords(N_("Tidak disetujui"), "off"),
    RequestState.WITHDRAWN: StateWords(N_("Ditarik orangnya"), "off"),
    RequestState.EXPIRED: StateWords(N_("Lewat waktu"), "off"),
}

PROOFS: dict[Proof, str] = {
    Proof.NONE: N_("belum ada: nomor yang tercatat hilang"),
    Proof.OTP: N_("kode ke nomor yang tercatat, lalu tanggal lahir atau NIK"),
    Proof.FACE: N_("tatap muka, dengan kartu"),
}

HOWS: dict[How, str] = {
    How.RULE: N_("oleh aturan: hanya salah ketik"),
    How.NUMBER: N_("dengan kode dari nomor baru"),
    How.REVIEW: N_("oleh petugas"),
}

REFUSED_WHYS: dict[RefusedWhy, str] = {
    RefusedWhy.NO_MATCH: N_("Yang ditunjukkan berbunyi lain"),
    RefusedWhy.UNREADABLE: N_("Foto kartu tidak terbaca"),
    RefusedWhy.NOT_PROVED: N_("Tidak ada yang menunjukkan bahwa ini benar"),
    RefusedWhy.OTHER_PERSON: N_("Ini menjadi orang lain"),
}

#: what the rule says about how far a wish is, by field
CHANGES: dict[Field, dict[str, str]] = {
    Field.NAME: {
        NameChange.WRITING: N_("Hanya cara menulis: huruf besar, spasi, gelar, ejaan lama."),
        NameChange.SLIP: N_("Hanya salah ketik satu huruf."),
        NameChange.OTHER: N_("Nama lain. Pastikan ini bukan orang lain."),
    },
    Field.NIK: {
        NikChange.PROVED: N_(
            "Satu angka salah di bagian tanggal lahir; kini cocok dengan tanggal lahir yang tercatat."
        ),
        NikChange.NEAR: N_("Berbeda satu angka. Bisa jadi NIK saudara atau tetangga: periksa kartunya."),
        NikChange.OTHER: N_("NIK yang sama sekali lain. Periksa kartunya."),
    },
}
