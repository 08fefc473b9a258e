"""Bulk resends and their schedules."""

from __future__ import annotations

from linkserver.staff.vocabulary.reasons import REASONS
from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.core.bulks import BulkState, Exclusion, ScheduleState, SkipNote
from notifier.core.resend_filter import Span, Wanted

BULK_STATES: dict[BulkState, StateWords] = {
    BulkState.ASKED: StateWords(N_("Menunggu persetujuan"), "ask"),
    BulkState.RUNNING: StateWords(N_("Berjalan"), "move"),
    BulkState.PAUSED: StateWords(N_("Dijeda"), "ask"),
    BulkState.DONE: StateWords(N_("Selesai"), "good"),
    BulkState.CANCELLED: StateWords(N_("Dibatalkan"), "off"),
    BulkState.SKIPPED: StateWords(N_("Dilewati"), "off"),
}

SCHEDULE_STATES: dict[ScheduleState, StateWords] = {
    ScheduleState.ASKED: StateWords(N_("Menunggu persetujuan"), "ask"),
    ScheduleState.ACTIVE: StateWords(N_("Aktif"), "good"),
    ScheduleState.PAUSED: StateWords(N_("Dijeda"), "ask"),
    ScheduleState.ENDED: StateWords(N_("Berakhir"), "off"),
}

WANTED: dict[Wanted, str] = {
    Wanted.PROBLEM: N_("Gagal atau tidak sampai"),
    Wanted.UNDELIVERED: N_("Tidak sampai"),
    Wanted.FAILED: N_("Gagal"),
    Wanted.UNOPENED: N_("Sampai, tetapi sertifikatnya belum dibuka"),
    Wanted.SUPPRESSED: N_("Dulu tidak dikirim, mungkin kini bisa"),
}

SPANS: dict[Span, str] = {
    Span.YESTERDAY: N_("Kemarin"),
    Span.THREE_DAYS: N_("3 hari terakhir, sampai kemarin"),
    Span.SEVEN_DAYS: N_("7 hari terakhir, sampai kemarin"),
}

#: why a dose is left out of a bulk resend; the others are in REASONS
EXCLUSIONS: dict[str, str] = {
    **REASONS,
    Exclusion.SUPERSEDED: N_("sudah ada SMS yang lebih baru"),
    Exclusion.CERTIFICATE_REPLACED: N_("sertifikatnya sudah diganti"),
    Exclusion.STILL_WAITING: N_("masih ada SMS yang menunggu untuk dosis itu"),
    Exclusion.OPENED: N_("sertifikatnya sudah dibuka"),
    Exclusion.COOLDOWN: N_("baru saja menerima SMS"),
    Exclusion.OFTEN: N_("jadwal ini sudah cukup sering mengirim kepadanya"),
    Exclusion.IN_BULK: N_("sudah ada di kirim ulang massal lain"),
    SkipNote.HOLD: N_("semua pengiriman sedang ditahan"),
    SkipNote.CIRCUIT: N_("penyedia SMS sedang tidak dihubungi"),
}

#: the reasons that a filter can ask for
FILTER_REASONS = ("refused", "bad-phone", "no-phone", "wrong-number", "not-me", "opted-out", "historical")

BULK_PARTS: dict[str, StateWords] = {
    "undecided": StateWords(N_("Belum diperiksa"), "wait"),
    "planned": StateWords(N_("Terjadwal, belum berangkat"), "wait"),
    "moving": StateWords(N_("Berangkat, belum ada kabar"), "move"),
    "delivered": StateWords(N_("Sampai di ponsel"), "good"),
    "failed": StateWords(N_("Gagal atau tidak sampai"), "bad"),
    "stopped": StateWords(N_("Tidak jadi dikirim saat diperiksa terakhir"), "off"),
    "cancelled": StateWords(N_("Dibatalkan"), "off"),
    "unplanned": StateWords(N_("Dibatalkan sebelum dijadwalkan"), "off"),
    "excluded": StateWords(N_("Tidak disertakan"), "off"),
}

BULK_DEEDS: dict[str, str] = {
    "bulk.create": N_("Dibuat"),
    "bulk.approve": N_("Disetujui"),
    "bulk.pause": N_("Dijeda"),
    "bulk.resume": N_("Dilanjutkan"),
    "bulk.cancel": N_("Dibatalkan"),
    "bulk.skip": N_("Dilewati"),
    "bulk-schedule.create": N_("Dibuat"),
    "bulk-schedule.approve": N_("Disetujui"),
    "bulk-schedule.pause": N_("Dijeda"),
    "bulk-schedule.resume": N_("Dilanjutkan"),
    "bulk-schedule.end": N_("Diakhiri"),
}
