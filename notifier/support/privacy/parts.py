"""The parts of what somebody is handed about themselves: what each is, in plain words, where it came from, and which of
our columns they may see of it."""

from __future__ import annotations

from dataclasses import dataclass

_REGISTRY = ("catatan vaksinasi (registri atau fasilitas)", "the vaccination registry, or the facility")
_SYSTEM = ("sistem ini", "this system")
_PROVIDER = ("penyedia SMS", "the SMS provider")
_READER = ("siapa yang membuka tautan", "whoever opened the link")
_STAFF = ("petugas", "staff")
_YOU = ("Anda, lewat halaman atau SMS", "you, by a page or an SMS")


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `table`: of the store; `columns`: those that say something to the person, in this order."""

    table: str
    what: tuple[str, str]  #: Indonesian, English
    source: tuple[str, str]
    columns: tuple[str, ...]


PARTS: tuple[Part, ...] = (
    Part(
        "dose",
        ("Dosis vaksin yang tercatat", "Doses that are recorded"),
        _REGISTRY,
        ("source_id", "status", "number", "series_total", "product", "vaccine_code", "lot", "given_on", "facility",
         "facility_id", "recorded_at", "created_at", "updated_at"),
    ),
    Part(
        "event",
        ("Kabar tentang dosis itu yang kami terima", "What we were told about those doses"),
        _REGISTRY,
        ("event_id", "event_type", "door", "accepted_at", "recorded_at", "outcome", "reason"),
    ),
    Part(
        "certificate",
        ("Sertifikat", "Certificates"),
        _SYSTEM,
        ("number", "status", "issued_at", "ended_at", "end_reason"),
    ),
    Part(
        "code",
        ("Kode yang dapat dicek di sertifikat", "Verifiable codes of the certificates"),
        _SYSTEM,
        ("kind", "made_at", "ended_at", "revocation_id"),
    ),
    Part(
        "link",
        ("Tautan ke sertifikat", "Links to the certificates"),
        _SYSTEM,
        ("created_at", "expires_at", "revoked_at", "revoke_reason", "opened_at", "paused_at", "printed_at",
         "wrong_tries"),
    ),
    Part(
        "opening",
        ("Siapa yang melihat: kapan, apa, dengan alat apa", "Who looked: when, what, with which kind of device"),
        _READER,
        ("at", "kind", "device"),
    ),
    Part(
        "notification",
        ("SMS yang dikirim atau direncanakan", "SMS that were sent or planned"),
        _SYSTEM,
        ("reference", "kind", "channel", "status", "reason", "planned_for", "left_at", "ended_at", "segments"),
    ),
    Part(
        "attempt",
        ("Percobaan mengirim", "Tries to send"),
        _PROVIDER,
        ("number", "gateway", "started_at", "finished_at", "outcome", "provider_sid", "provider_code"),
    ),
    Part(
        "receipt",
        ("Laporan terima", "Delivery receipts"),
        _PROVIDER,
        ("provider_word", "provider_code", "received_at"),
    ),
    Part(
        "support_case",
        ("Laporan dan permintaan", "Reports and requests"),
        _YOU,
        ("reference", "kind", "source", "cause", "status", "outcome", "opened_at", "due_at", "promised_at",
         "closed_at"),
    ),
    Part(
        "correction_request",
        ("Permintaan Anda untuk memperbaiki data", "Your requests to correct your data"),
        _YOU,
        ("reference", "field", "state", "proof", "asked_at", "due_at", "evidence_asked_at", "evidence_at",
         "decided_at", "decided_how", "refused_why", "objected_at"),
    ),
    Part(
        "number_pause",
        ("Nomor yang disebut bukan milik Anda", "Numbers that were said not to be yours"),
        _READER,
        ("created_at", "confirmed_at", "lifted_at"),
    ),
    Part(
        "person_call",
        ("Percakapan telepon yang dicatat", "Calls that were noted"),
        _STAFF,
        ("kind", "at"),
    ),
    Part(
        "mail_in",
        ("Surel tentang laporan itu (isinya tidak disalin di sini)", "E-mails about those reports (not copied here)"),
        _YOU,
        ("received_at", "kind", "photos", "files"),
    ),
    Part(
        "mail_out",
        ("Surel yang kami kirim tentang laporan itu", "E-mails that we sent about those reports"),
        _SYSTEM,
        ("created_at", "status", "ended_at", "returned_at"),
    ),
    Part(
        "caller_check",
        ("Pemeriksaan penelepon dengan tiga hal", "Checks of a caller by three facts"),
        _STAFF,
        ("at", "is_right"),
    ),
    Part(
        "account_proof",
        ("Akun: kapan nama lengkap Anda disebut", "Account: when your full name was told"),
        _YOU,
        ("proved_at",),
    ),
    Part(
        "account_open",
        ("Akun: kapan data Anda dibuka", "Account: when your data were opened"),
        _YOU,
        ("at",),
    ),
    Part(
        "suppression",
        ("Permintaan berhenti menerima SMS (nomor Anda sekarang)", "Refusals of SMS (of your number now)"),
        _YOU,
        ("channel", "reason", "source", "created_at", "lifted_at"),
    ),
    Part(
        "inbound_sms",
        ("SMS yang dikirim nomor Anda kepada kami (isinya tidak disimpan)",
         "SMS that your number wrote to us (their text is not kept)"),
        _YOU,
        ("channel", "meaning", "received_at"),
    ),
    Part(
        "conversation",
        ("Percakapan WhatsApp dengan nomor Anda (disimpan 24 jam)", "The WhatsApp chat with your number (24 hours)"),
        _YOU,
        ("created_at", "last_inbound_at", "ends_at"),
    ),
    Part(
        "chat_message",
        ("Pesan WhatsApp dari nomor Anda (isinya selama belum dibaca sistem)",
         "WhatsApp messages of your number (their text until it was read)"),
        _YOU,
        ("kind", "received_at", "taken_at"),
    ),
    Part(
        "chat_reply",
        ("Jawaban WhatsApp ke nomor Anda (isinya selama belum terkirim)",
         "WhatsApp answers to your number (their text until it was sent)"),
        _SYSTEM,
        ("status", "created_at", "updated_at"),
    ),
    Part(
        "reminder",
        ("Vaksin berikutnya yang akan atau sudah diingatkan lewat SMS", "Next doses that you are reminded of by SMS"),
        _SYSTEM,
        ("series", "number", "due_at", "made_at"),
    ),
    Part(
        "registry_outbox",
        ("Perbaikan data yang kami beri tahukan kepada registri", "Corrections that we told the registry of"),
        _SYSTEM,
        ("kind", "fields", "created_at", "done_at"),
    ),
    Part(
        "audit",
        ("Apa yang dilakukan, oleh siapa, dan kenapa", "What was done, by whom, and why"),
        _SYSTEM,
        ("at", "actor", "action", "subject", "detail"),
    ),
)  # fmt: skip
