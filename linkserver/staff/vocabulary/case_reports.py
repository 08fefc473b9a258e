"""Reports of a missing certificate: causes, steps, who has them, why they are closed."""

from __future__ import annotations

from linkserver.words import N_
from notifier.core.causes import Cause
from notifier.core.states import CaseParty, CaseSource, CloseReason, StepKind

CAUSES: dict[Cause, str] = {
    Cause.NOT_ENTERED: N_("Belum dicatat fasilitas, sudah lebih dari 10 hari"),
    Cause.TOO_YOUNG: N_("Belum 2 hari"),
    Cause.STILL_YOUNG: N_("Belum dicatat fasilitas, belum 10 hari"),
    Cause.SCHEDULED: N_("SMS sudah dijadwalkan"),
    Cause.QUIET_HOURS: N_("SMS menunggu jam kirim"),
    Cause.ON_ITS_WAY: N_("SMS sedang dalam perjalanan"),
    Cause.DELIVERED: N_("SMS sudah sampai"),
    Cause.OPENED: N_("Sertifikat sudah dibuka"),
    Cause.NUMBER_FAILED: N_("SMS tidak sampai di nomornya"),
    Cause.NUMBER_BAD: N_("Nomornya tidak dapat menerima SMS"),
    Cause.NUMBER_DIFFERS: N_("Tercatat dengan nomor lain"),
    Cause.OPTED_OUT: N_("Nomornya minta berhenti menerima SMS"),
    Cause.NOT_ME: N_("Dijeda: disebut bukan untuk nomor ini"),
    Cause.LOCKED: N_("Terkunci"),
    Cause.WITHDRAWN: N_("Dosisnya ditarik"),
    Cause.CORRECTED: N_("Datanya diperbaiki, SMS baru dikirim"),
    Cause.HELD: N_("SMS ditahan"),
    Cause.PROVIDER_TROUBLE: N_("Pengiriman SMS terganggu"),
    Cause.UNKNOWN_OUTCOME: N_("Belum pasti terkirim"),
    Cause.HISTORICAL: N_("Catatan lama, tanpa SMS"),
    Cause.LATE: N_("SMS tidak terkirim pada waktunya"),
}

STEPS: dict[StepKind, str] = {
    StepKind.REPORTED: N_("Dilaporkan"),
    StepKind.JOINED: N_("Dilaporkan lagi"),
    StepKind.CONFIRMED: N_("Nomor pelapor dipastikan"),
    StepKind.TO_FACILITY: N_("Kepada fasilitas"),
    StepKind.TO_OPERATORS: N_("Kepada operator"),
    StepKind.REMINDED: N_("Fasilitas diingatkan"),
    StepKind.OVERDUE: N_("Janji lewat"),
    StepKind.ENTERED: N_("Jawaban: dosisnya sudah dicatat"),
    StepKind.NOT_OURS: N_("Jawaban: bukan di sini"),
    StepKind.NOT_FOUND: N_("Jawaban: catatannya tidak ada"),
    StepKind.PERHAPS_ARRIVED: N_("Ada dosis yang mungkin dimaksud. Bandingkan"),
    StepKind.ARRIVED: N_("Dosisnya masuk"),
    StepKind.WORD: N_("Keterangan pelapor"),
    StepKind.NOTE: N_("Catatan petugas"),
    StepKind.REPLY: N_("Jawaban kepada pelapor"),
    StepKind.CLAIMED: N_("Diambil petugas"),
    StepKind.HANDED_OVER: N_("Diserahkan kepada petugas lain"),
    StepKind.WITHDRAWN: N_("Dibatalkan pelapor"),
    StepKind.MERGED: N_("Digabung"),
    StepKind.CLOSED: N_("Ditutup"),
    StepKind.RETURNED: N_("Surel kami kembali: tidak sampai"),
    StepKind.CALLER_CHECKED: N_("Penelepon dikenali dengan tiga hal"),
    StepKind.UNMERGED: N_("Dipisahkan lagi"),
}

#: why a dose may be the reported one
DOUBTS: dict[str, str] = {
    "other-number": N_("tercatat dengan nomor lain"),
    "other-day": N_("diberikan pada hari lain"),
    "other-name": N_("atas nama depan yang lain, mungkin saudaranya"),
}

PARTIES: dict[CaseParty, str] = {
    CaseParty.FACILITY: N_("jawaban fasilitas"),
    CaseParty.OPERATORS: N_("operator"),
    CaseParty.REPORTER: N_("keterangan pelapor"),
}

CLOSE_REASONS: dict[CloseReason, str] = {
    CloseReason.NO_RECORD: N_("Fasilitas tidak menemukan catatannya"),
    CloseReason.NO_DETAILS: N_("Keterangannya terlalu sedikit"),
    CloseReason.SENT_ELSEWHERE: N_("Sertifikatnya sudah ada atau sudah diserahkan"),
    CloseReason.NOT_GIVEN: N_("Dosisnya tidak diberikan"),
    CloseReason.ABUSE: N_("Penyalahgunaan"),
}

CASE_SOURCES: dict[CaseSource, str] = {
    CaseSource.LINK: N_("halaman tautan"),
    CaseSource.WEB: N_("halaman “Sertifikat belum keluar”"),
    CaseSource.CHAT: "WhatsApp",
    CaseSource.CALL: N_("telepon"),
    CaseSource.EMAIL: N_("surel"),
}
