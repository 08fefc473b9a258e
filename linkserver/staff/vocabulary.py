"""The words for our codes: states, reasons, broken rules, deeds. One table each, the same words on every page.

The texts are Indonesian keys of the catalogue; a code without words is shown as it is, never hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.words import N_
from notifier.access.roles import Role
from notifier.core.bulks import BulkState, Exclusion, ScheduleState, SkipNote
from notifier.core.resend_filter import Span, Wanted
from notifier.core.states import CaseKind, CaseOutcome, State


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

REASONS: dict[str, str] = {
    "no-phone": N_("tidak ada nomor telepon"),
    "bad-phone": N_("nomor tidak dapat menerima SMS"),
    "opted-out": N_("penerima meminta berhenti menerima SMS"),
    "withdrawn": N_("dosis ditarik: salah catat atau tidak diberikan"),
    "corrected": N_("data dosis diperbaiki"),
    "superseded": N_("sudah diganti pesan yang lebih baru"),
    "link-revoked": N_("tautannya dicabut"),
    "number-changed": N_("nomor telepon diganti"),
    "deceased": N_("penerima telah meninggal"),
    "historical": N_("dosis lama yang disalin dari kartu atau catatan lain"),
    "quiet-hours": N_("menunggu jam kirim"),
    "past-due": N_("terlambat terlalu lama, petugas harus memutuskan"),
    "daily-cap": N_("batas SMS per orang per hari tercapai"),
    "operator": N_("diputuskan petugas"),
    "lease-ran-out": N_("pekerja berhenti di tengah jalan"),
    "not-sent": N_("penyedia SMS tidak terhubung, akan dicoba lagi"),
    "rate-limited": N_("penyedia SMS minta pelan-pelan, akan dicoba lagi"),
    "sender-misconfigured": N_("akun atau pengirim SMS bermasalah"),
    "outcome-unknown": N_("jawaban penyedia SMS tidak jelas"),
    "db-restored": N_("basis data dipulihkan dari salinan lama, sedang dicek ke penyedia SMS"),
    "sent-again": N_("tidak jelas terkirim, sudah dikirim ulang"),
    "left-alone": N_("tidak jelas terkirim, diputuskan tidak dikirim ulang"),
    "unreachable": N_("ponsel tidak dapat dihubungi, dicoba lagi hari ke-1, 3, dan 7"),
    "has-arrived": N_("ternyata SMS sebelumnya sudah diterima penyedia"),
    "not-unknown": N_("Nasib SMS ini sudah jelas, jadi tidak perlu diputuskan lagi."),
    "refused": N_("ditolak penyedia SMS"),
    "not-me": N_("pemilik nomor memberi tahu bahwa SMS-nya bukan untuknya"),
    "wrong-number": N_("nomornya milik orang lain; mintalah nomor yang benar"),
    "unlocked": N_("kuncinya sudah dibuka"),
    "unreadable": N_("data tersegel tidak dapat dibuka"),
    # refusals of resend and cancel
    "has-left": N_("SMS sudah telanjur dikirim, jadi tidak dapat dibatalkan."),
    "already-stopped": N_("SMS ini memang sudah tidak akan dikirim."),
    "changed-meanwhile": N_("Keadaannya baru saja berubah. Lihat lagi halaman ini."),
    "not-resendable": N_("Pesan jenis ini tidak dapat dikirim ulang."),
    "still-waiting": N_("Masih ada SMS yang menunggu untuk dosis ini. Batalkan dulu, atau tunggu sampai terkirim."),
    # refusals of what is done with cases
    "not-locked": N_("Sertifikatnya tidak terkunci."),
    "already-closed": N_("Petugas lain baru saja menutup kasus ini. Lihat di bawah apa yang dilakukan."),
    "no-pause": N_("SMS ke nomor ini tidak sedang dihentikan, jadi tidak ada yang dibatalkan."),
    "not-about-number": N_("Kasus ini bukan tentang nomor telepon."),
    "not-about-birth-date": N_("Kasus ini bukan tentang tanggal lahir."),
    "no-valid-certificate": N_("Dosis ini tidak punya sertifikat yang berlaku."),
    # refusals of what is done with bulk resends
    "nothing-to-send": N_("Tidak ada SMS yang dapat dikirim ulang dengan saringan ini."),
    "own-bulk": N_("Anda sendiri yang membuatnya. Mintalah penyelia lain menyetujui."),
    "already-decided": N_("Petugas lain baru saja memutuskan. Lihat di bawah apa yang dilakukan."),
    "count-changed": N_("Jumlahnya berubah sejak Anda lihat. Periksa jumlah yang baru, lalu setujui sekali lagi."),
}

#: (field, rule) or the rule alone; asked in this order
RULES: dict[str, str] = {
    "person.nik nik-digits": N_("NIK hanya berisi angka"),
    "person.nik nik-length": N_("NIK terdiri dari 16 angka. Hitung lagi, atau kosongkan bila belum ada"),
    "person.nik nik-placeholder": N_("Kosongkan bila belum punya NIK"),
    "person.name required": N_("Tulis nama seperti di kartu"),
    "person.birth_date required": N_("Tulis tanggal lahir: ini yang membuka sertifikat"),
    "dose.product required": N_("Tulis nama vaksinnya"),
    "dose.number required": N_("Tulis dosis keberapa, misalnya 1"),
    "person.phone required": N_("Tulis nomor ponsel, atau pilih “Tidak punya nomor”"),
    "person.phone both": N_("Hapus nomornya, atau jangan pilih “Tidak punya nomor”"),
    "phone-unreadable": N_("Tulis nomor ponsel, misalnya 0812-3456-7890"),
    "phone-undialable": N_("Tidak ada telepon dengan nomor ini. Periksa setiap angkanya bersama orangnya"),
    "phone-country": N_(
        "Nomor ini dari negara yang tidak kami layani. Minta nomor lain, atau pilih “Tidak punya nomor”"
    ),
    "phone-not-mobile": N_("Ini bukan nomor ponsel, jadi tidak dapat menerima SMS. Minta nomor lain"),
    "day-missing": N_("Tulis tanggalnya, misalnya 15"),
    "month-missing": N_("Tulis bulannya, misalnya 3 atau Maret"),
    "year-missing": N_("Tulis tahunnya, misalnya 1984"),
    "day-unreadable": N_("Tulis tanggal dari 1 sampai 31"),
    "month-unreadable": N_("Tulis bulan dari 1 sampai 12, atau namanya"),
    "year-digits": N_("Tulis tahun dengan 4 angka, misalnya 1984"),
    "date-impossible": N_("Bulan itu tidak punya tanggal ini"),
    "date-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
    "in-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
    "date-too-early": N_("Itu terlalu lama yang lalu. Periksa tahunnya"),
    "too-early": N_("Itu terlalu lama yang lalu. Periksa tahunnya"),
    "before-birth": N_("Tanggal suntikan lebih awal daripada tanggal lahir. Periksa keduanya"),
    "number": N_("Tulis angka saja, misalnya 1"),
    "dose-range": N_("Tulis angka dari 1 sampai 99"),
    "series-range": N_("Jumlah dosis tidak boleh kurang dari dosis keberapa"),
    "delay-range": N_("Tulis 0 sampai 48 jam"),
    "delay-missing": N_("Tulis berapa jam, dari 0 sampai 48"),
    "choice": N_("Pilih salah satu"),
    "recorded-before": N_("Formulir ini sudah dicatat dengan isi lain. Yang pertama tetap berlaku"),
    "too-long": N_("Terlalu panjang. Singkat sedikit"),
    "bad-character": N_("Ada huruf yang tidak dapat disimpan. Ketik ulang"),
    "reason required": N_("Tulis alasannya, cukup beberapa kata"),
    "at moment": N_("Pilih tanggal dan jamnya"),
    "in-past": N_("Waktu itu sudah lewat. Pilih waktu yang akan datang"),
    "too-late": N_("Pilih waktu dalam 60 hari ke depan"),
    "required": N_("Bagian ini harus diisi"),
    "nik-birth-date": N_("Tanggal lahir di dalam NIK berbeda dengan yang ditulis. Periksa keduanya di kartu"),
    # filters of bulk resends
    "span required": N_("Pilih hari yang dilihat setiap kali jalan"),
    "unopened-range": N_("Tulis jumlah hari dari 1 sampai 365"),
    "only-unopened": N_("Kosongkan: hanya SMS yang sampai dapat belum dibuka"),
    "before-first": N_("Hari terakhir lebih awal daripada hari pertama. Tukar keduanya"),
    "date": N_("Pilih tanggalnya, misalnya 23 November 2026"),
    "code": N_("Tulis kode penyedia SMS, misalnya 30003"),
    "both": N_("Pilih salah satu saja"),
    "never-sent": N_("Yang tidak dikirim tidak punya tanggal kirim. Pakai tanggal dosis diterima"),
    "no-fixed-days": N_("Jadwal menghitung harinya sendiri. Kosongkan tanggal ini"),
    "time": N_("Tulis jamnya, misalnya 09:00"),
    "most-range": N_("Tulis angka dari 1 sampai 9"),
}
_OTHER_RULE = N_("Periksa lagi bagian ini")

DEEDS: dict[str, str] = {
    "planned": N_("SMS dijadwalkan"),
    "replanned": N_("Waktu kirim digeser"),
    "attempt": N_("Mulai dikirim ke penyedia SMS"),
    "answer": N_("Jawaban penyedia SMS"),
    "receipt": N_("Laporan dari penyedia SMS"),
    "opened": N_("Sertifikat dibuka"),
    "wrong-date": N_("Tanggal lahir salah di halaman tautan"),
    "page": N_("Sertifikat dilihat lagi"),
    "verified": N_("Sertifikat diperiksa"),
    "pdf": N_("PDF diunduh"),
    "card": N_("PDF ukuran KTP diunduh"),
    "large": N_("PDF huruf besar diunduh"),
    "png": N_("Gambar disimpan"),
    "shc": N_("Kartu kesehatan disimpan"),
    "event-accepted": N_("Catatan dosis diterima"),
    "notification-resend": N_("Diminta kirim ulang"),
    "notification-cancel": N_("Dibatalkan"),
    "phone-revealed": N_("Nomor telepon dilihat"),
    "renewal-asked": N_("Pemegang tautan meminta tautan baru"),
    "person-locked": N_("Terkunci: tanggal lahir salah 5 kali"),
    "person-unlock": N_("Kunci dibuka"),
    "not-me-said": N_("Penerima SMS memberi tahu: ini bukan untuknya"),
    "not-me-undone": N_("Pemberitahuan itu dibatalkan di halaman tautan"),
    "birth-date-rejected": N_("Pemegang tautan melaporkan: tanggal lahirnya ditolak"),
    "birth-date-revealed": N_("Tanggal lahir dilihat"),
    "case-undone": N_("Diputuskan: nomornya benar"),
    "case-confirmed": N_("Diputuskan: nomornya milik orang lain"),
    "case-corrected": N_("Datanya diperbaiki, kasus ditutup sendiri"),
    "case-unlocked": N_("Kunci dibuka, kasus ditutup"),
    "case-closed": N_("Kasus ditutup"),
    "promise-at-risk": N_("Tidak ada jam kirim dalam 48 jam"),
    "claimed": N_("Diambil pekerja, siap dikirim"),
    **{state.value: words.text for state, words in STATES.items() if state is not State.CLAIMED},
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
    "reminder": N_("Pengingat"),
}

CASES: dict[CaseKind, str] = {
    CaseKind.NOT_ME: N_("Nomor salah?"),
    CaseKind.BIRTH_DATE_REJECTED: N_("Tanggal lahir ditolak"),
}

CASE_OUTCOMES: dict[CaseOutcome, str] = {
    CaseOutcome.UNDONE: N_("Nomornya benar"),
    CaseOutcome.CONFIRMED: N_("Nomornya milik orang lain"),
    CaseOutcome.CORRECTED: N_("Datanya diperbaiki"),
    CaseOutcome.CLOSED: N_("Selesai"),
}

ROLES: dict[Role, str] = {
    Role.HEALTH_WORKER: N_("Petugas kesehatan"),
    Role.FACILITY_LEAD: N_("Kepala fasilitas"),
    Role.OPERATOR: N_("Operator"),
    Role.SUPERVISOR: N_("Penyelia"),
    Role.AUDITOR: N_("Pemeriksa"),
    Role.ADMINISTRATOR: N_("Administrator"),
}


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


def rule_words(field: str, rule: str) -> str:
    """What to say beside a field that breaks a rule."""
    return RULES.get(f"{field} {rule}") or RULES.get(rule) or _OTHER_RULE
