"""The words for our codes: states, reasons, broken rules, deeds. One table each, the same words on every page.

The texts are Indonesian keys of the catalogue; a code without words is shown as it is, never hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.words import N_
from notifier.access.api_keys import KeyState, Scope
from notifier.access.roles import Role
from notifier.core.bulks import BulkState, Exclusion, ScheduleState, SkipNote
from notifier.core.resend_filter import Span, Wanted
from notifier.core.states import CallKind, CaseKind, CaseOutcome, DeadLetterStatus, State
from notifier.intake.rows import FIELDS as ROW_FIELDS
from notifier.store.uploads import UploadStatus
from notifier.store.work import Pile
from notifier.support.corrections import CheckedHow, Consequence
from notifier.support.dose_checks import Warn
from notifier.support.facility_day import Stage


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
    "unchanged": N_("Tidak ada yang berubah, jadi tidak ada yang disimpan."),
    "no-valid-certificate": N_("Dosis ini tidak punya sertifikat yang berlaku."),
    # refusals of what is done with accounts
    "own-account": N_("Ini akun Anda sendiri. Minta administrator lain, atau buka Akun saya."),
    "last-administrator": N_("Ini administrator aktif yang terakhir. Tambah atau aktifkan administrator lain dulu."),
    "account-changed": N_("Administrator lain baru saja mengubah akun ini. Lihat keadaannya di bawah, lalu ulangi."),
    "account-as-it-is": N_("Akun ini memang sudah begitu, jadi tidak ada yang diubah."),
    "second-factor-required": N_("Di sini setiap petugas memakai langkah kedua, jadi tidak dapat dimatikan."),
    "too-many-tries": N_("Terlalu banyak percobaan. Tunggu 15 menit, lalu coba lagi."),
    # refusals of what the facility does
    "resent-lately": N_(
        "Orang ini baru saja, atau sebentar lagi, menerima kiriman ulang. Jaraknya paling sedikit 15 menit."
    ),
    "resent-enough": N_("Orang ini sudah cukup banyak dikirimi ulang pada hari itu."),
    "no-links": N_("Tidak ada tautan yang masih hidup, jadi tidak ada yang dimatikan."),
    # refusals of the print desk
    "person-locked": N_("Sertifikatnya terkunci karena tanggal lahir salah 5 kali. Buka kuncinya dulu, lalu cetak."),
    "print-limit": N_("Hari ini sudah 5 lembar dibuat untuk dosis ini. Lembar terakhir tetap berlaku."),
    # refusals of what is done with uploaded lists
    "upload-changed": N_("Keadaan daftar ini baru saja berubah, mungkin oleh rekan Anda. Yang terbaru ada di bawah."),
    "pause-first": N_("Daftar ini sedang dicatat. Jeda dulu, baru hentikan."),
    # refusals of the work lists and dead letters
    "not-there": N_("Tidak ada lagi, atau milik fasilitas lain."),
    "settled-meanwhile": N_("Petugas lain baru saja menyelesaikan kiriman ini. Lihat di bawah apa yang dilakukan."),
    # refusals of what is done with bulk resends
    "nothing-to-send": N_("Tidak ada SMS yang dapat dikirim ulang dengan saringan ini."),
    "own-bulk": N_("Anda sendiri yang membuatnya. Mintalah penyelia lain menyetujui."),
    "already-decided": N_("Petugas lain baru saja memutuskan. Lihat di bawah apa yang dilakukan."),
    "count-changed": N_("Jumlahnya berubah sejak Anda lihat. Periksa jumlah yang baru, lalu setujui sekali lagi."),
    # refusals of what is done with API keys
    "not-live": N_("Kunci ini sudah tidak berlaku."),
    "rotated-before": N_("Petugas lain baru saja mengganti kunci ini. Penggantinya ada di daftar."),
    "made-before": N_(
        "Formulir ini sudah membuat satu kunci. Bila rahasianya terlewat, cabut kunci itu lalu buat lagi."
    ),
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
    "q required": N_("Tulis nama, nomor ponsel, NIK, nomor acuan, atau nomor sertifikat"),
    "no-words": N_("Tulis satu kata dari namanya, paling sedikit dua huruf"),
    "unknown-facility": N_("Tidak ada fasilitas dengan kode atau nama ini. Tulis satu kata dari namanya saja"),
    "row none-chosen": N_("Centang paling sedikit satu baris"),
    "asked required": N_("Centang ini bila orangnya sendiri yang meminta"),
    "kind required": N_("Pilih perihal teleponnya"),
    "note too-long": N_("Singkat catatannya, paling banyak 300 huruf"),
    "long-number": N_("Hapus NIK, nomor telepon, dan tanggal dari catatan ini"),
    "event_id conflict": N_("Kode kejadian ini sudah dipakai untuk isi yang lain. Tulis kode yang baru"),
    "personal-data": N_("Kode ini memuat NIK atau nomor telepon. Ganti dengan kode lain"),
    "unknown-field": N_("Tidak ada isian bernama ini. Hapus"),
    "json": N_("Ini bukan JSON yang utuh"),
    "encoding": N_("Tulisannya bukan UTF-8"),
    "duplicate-key": N_("Satu isian tertulis dua kali. Hapus salah satunya"),
    "too-large": N_("Terlalu panjang"),
    "unexpected": N_("Sudah dicoba berkali-kali dan selalu gagal; beri tahu pengelola sistem"),
    "unknown-actor": N_(
        "Tidak ada petugas atau kunci dengan nama itu, atau ada lebih dari satu. Tulis nama penggunanya"
    ),
    "unknown-subject": N_("Tidak ditemukan. Tulis nomor acuan, awalan kunci, atau nama pengguna"),
    "day": N_("Pilih tanggalnya"),
    "before-since": N_("Tanggal akhir lebih awal daripada tanggal awal"),
    "cursor": N_("Alamat halamannya rusak. Mulai lagi dari yang terbaru"),
    "scopes required": N_("Pilih paling sedikit satu hak"),
    "name required": N_("Tulis nama sistem yang memakai kunci ini"),
    "expiry": N_("Pilih tanggal yang akan datang, paling lama sepuluh tahun lagi"),
    "overlap": N_("Pilih 0 sampai 90 hari"),
    "required": N_("Bagian ini harus diisi"),
    "nik-to-search": N_("Tulis NIK untuk mencari, atau isi sendiri nama dan nomornya di bawah"),
    "delay_hours range": N_("Tulis 0 sampai 48 jam, misalnya 2 atau 0,5"),
    "quiet_hours range": N_("Tulis misalnya 20:00-08:00, atau off bila SMS boleh dikirim kapan saja"),
    "person_daily_cap range": N_("Tulis angka dari 1 sampai 1000, misalnya 3"),
    "hold_after_hours range": N_("Tulis jumlah jam dari 1 sampai 8760, misalnya 72"),
    "nik-birth-date": N_("Tanggal lahir di dalam NIK berbeda dengan yang ditulis. Periksa keduanya di kartu"),
    "username": N_("Pakai 3 sampai 100 huruf kecil, angka, titik, tanda hubung, atau alamat surel"),
    "username-taken": N_("Nama pengguna ini sudah dipakai. Pilih yang lain"),
    "facility_id required": N_("Peran ini terikat pada fasilitas. Tulis kodenya"),
    "facility-unknown": N_("Fasilitas ini belum dikenal. Periksa kodenya; bila memang baru, tulis juga namanya"),
    "password-short": N_("Pakai paling sedikit 12 huruf; satu kalimat boleh"),
    "password-long": N_("Pakai paling banyak 200 huruf"),
    "password-common": N_("Banyak orang memakai kata sandi ini. Pilih yang lain"),
    "password-username": N_("Jangan pakai nama pengguna di dalam kata sandi"),
    "password-same": N_("Pilih kata sandi yang lain dari sebelumnya"),
    "password-differs": N_("Kedua kata sandi berbeda. Ketik lagi keduanya"),
    "password-wrong": N_("Ini bukan kata sandi yang Anda pakai untuk masuk. Ketik lagi"),
    "code code-wrong": N_("Kode ini tidak cocok atau sudah dipakai. Ketik kode yang tampil sekarang di aplikasi"),
    "recovery_code code-wrong": N_("Kode pemulihan ini tidak cocok atau sudah dipakai. Pakai kode yang lain"),
    "checked choice": N_("Pilih bagaimana orangnya diperiksa"),
    "checked_words required": N_("Tulis bagaimana diperiksa, cukup beberapa kata"),
    "nothing-changed": N_("Semuanya sama dengan yang tercatat. Ubah dulu yang salah"),
    "number-same": N_(
        "Nomor ini sama dengan yang tercatat. Untuk mengirim lagi ke nomor yang sama, pakai “Kirim ulang”"
    ),
    "person-differs": N_(
        "Dari nama, tanggal lahir, NIK hanya satu dapat diganti: dua berarti orang lain. Tarik dosis ini, catat lagi"
    ),
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
OTHER_RULE = N_("Periksa lagi bagian ini")

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
    "link-printed": N_("Lembar dengan tautan dicetak"),
    "case-undone": N_("Diputuskan: nomornya benar"),
    "case-confirmed": N_("Diputuskan: nomornya milik orang lain"),
    "case-corrected": N_("Datanya diperbaiki, kasus ditutup sendiri"),
    "case-unlocked": N_("Kunci dibuka, kasus ditutup"),
    "case-closed": N_("Kasus ditutup"),
    "nik-revealed": N_("NIK dilihat"),
    "link-replaced": N_("Pemegang tautan mematikan tautan lama dan meminta yang baru"),
    "link-paused": N_("Tautan dihentikan sementara"),
    "opt-out-stopped": N_("SMS ke nomor ini dihentikan atas permintaan"),
    "opt-out-lifted": N_("SMS ke nomor ini dijalankan lagi"),
    "notification-leave-unknown": N_("Diputuskan: tidak dikirim ulang"),
    "call": N_("Telepon"),
    "promise-at-risk": N_("Tidak ada jam kirim dalam 48 jam"),
    "dose-corrected": N_("Data diperbaiki petugas"),
    "dose-withdrawn": N_("Dosis ditarik petugas"),
    "dose-revealed": N_("Data orang dilihat untuk diperbaiki"),
    "link-revoked": N_("Tautan dimatikan petugas"),
    "claimed": N_("Diambil pekerja, siap dikirim"),
    **{state.value: words.text for state, words in STATES.items() if state is not State.CLAIMED},
    "api-key-added": N_("Kunci API dibuat"),
    "api-key-rotated": N_("Kunci API diganti"),
    "api-key-revoked": N_("Kunci API dicabut"),
    "audit-exported": N_("Jejak audit diunduh"),
    "birth-date-wrong": N_("Tanggal lahir salah di halaman tautan"),
    "certificate-opened": N_("Sertifikat dibuka"),
    "circuit-closed": N_("Penyedia SMS terhubung lagi"),
    "circuit-open": N_("Pengiriman dijeda: penyedia SMS bermasalah"),
    "circuit-probing": N_("Sambungan ke penyedia SMS dicoba lagi"),
    "circuit-pin-auto": N_("Sambungan ke penyedia SMS diatur otomatis lagi"),
    "circuit-pin-open": N_("Sambungan ke penyedia SMS diputus petugas"),
    "circuit-pin-closed": N_("Sambungan ke penyedia SMS dipaksa petugas"),
    "provider-unknown-code": N_("Kode yang belum kami kenal dari penyedia SMS"),
    "provider-sender-misconfigured": N_("Akun atau pengirim SMS bermasalah"),
    "outcome-unknown-expired": N_("Nasib SMS tidak jelas sampai batas waktunya"),
    "outcome-unknown-ask": N_("Nasib SMS tidak jelas: petugas harus memutuskan"),
    "outcome-unknown-never": N_("Nasib SMS tidak jelas: tidak dikirim ulang"),
    "outcome-unknown-resend-after": N_("Nasib SMS tidak jelas: dikirim ulang sesuai aturan"),
    "database-restored": N_("Basis data dipulihkan dari salinan"),
    "events-reconciled": N_("Semua catatan dosis dihitung ulang"),
    "link-renewal-asked": N_("Pemegang tautan meminta tautan baru"),
    "staff-added": N_("Akun petugas dibuat"),
    "staff-deactivated": N_("Akun petugas dinonaktifkan"),
    "staff-password-set": N_("Kata sandi petugas diganti"),
    "staff-sign-in-failed": N_("Gagal masuk"),
    "staff-signed-in": N_("Masuk"),
    "staff-signed-out": N_("Keluar"),
    "staff-signed-out-everywhere": N_("Keluar dari semua perangkat"),
    "switch-hold": N_("Semua SMS ditahan"),
    "switch-release": N_("SMS dilepas lagi"),
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

#: what can be corrected
FIELDS: dict[str, str] = {
    "name": N_("Nama lengkap"),
    "nik": N_("NIK"),
    "birth_date": N_("Tanggal lahir"),
    "phone": N_("Nomor ponsel"),
    "product": N_("Vaksin"),
    "vaccine_code": N_("Kode vaksin"),
    "lot": N_("Nomor batch"),
    "number": N_("Dosis ke"),
    "series_total": N_("dari berapa dosis"),
    "given_on": N_("Tanggal suntikan"),
}

CHECKED: dict[CheckedHow, str] = {
    CheckedHow.ID_CARD: N_("Bertemu langsung, dengan KTP atau kartu keluarga"),
    CheckedHow.CALLED: N_("Ditelepon di nomor yang tercatat"),
    CheckedHow.OTHER: N_("Cara lain"),
}

CONSEQUENCES: dict[Consequence, str] = {
    Consequence.WAITING: N_("SMS-nya belum dikirim. Yang dikirim nanti sudah yang benar."),
    Consequence.HELD: N_("SMS-nya ditahan. Setelah diperbaiki, tetap menunggu keputusan petugas."),
    Consequence.CORRECTION: N_(
        "SMS-nya sudah dikirim. Sertifikat baru dibuat, tautan lama langsung mati, dan SMS perbaikan dikirim."
    ),
    Consequence.NEW_LINK: N_("Satu SMS dengan tautan baru dikirim. Tautan yang sudah ada di nomor lama langsung mati."),
    Consequence.NO_SMS: N_("Sertifikatnya diperbaiki. SMS tidak dikirim."),
}

STAGES: dict[Stage, str] = {
    Stage.ALL: N_("Semua"),
    Stage.WAITING: N_("Menunggu atau di jalan"),
    Stage.ARRIVED: N_("Sampai"),
    Stage.HELP: N_("Perlu dibantu"),
}


DEVICES: dict[str, str] = {
    "phone": N_("Ponsel"),
    "tablet": N_("Tablet"),
    "computer": N_("Komputer"),
    "robot": N_("Program otomatis"),
    "other": N_("Perangkat lain"),
}

#: what is checked with the person before a dose is recorded
WARNINGS: dict[Warn, str] = {
    Warn.NOT_CHECKED: N_(
        "Terlalu banyak pencarian dalam satu jam, jadi NIK ini tidak dapat dibandingkan. Dosis tetap dapat dicatat."
    ),
    Warn.NIK_BIRTH_DATE: RULES["nik-birth-date"],
    Warn.NIK_OTHER_BIRTH_DATE: N_("NIK ini sudah tercatat dengan tanggal lahir lain. Periksa keduanya di kartu"),
    Warn.NIK_NEAR: N_("NIK ini mirip NIK orang lain yang sudah tercatat. Cocokkan setiap angkanya dengan kartu"),
    Warn.DOSE_TODAY: N_(
        "Orang ini sudah punya dosis pada tanggal suntikan itu: dicatat %(time)s di %(facility)s. Tanyakan apakah ini"
        " suntikan yang sama"
    ),
    Warn.NAME_DIFFERS: N_("Orang ini tercatat dengan nama lain. Nama yang Anda tulis akan dipakai di sertifikatnya"),
    Warn.NUMBER_SHARED: N_("Nomor ini dipakai %(count)s orang lain. Tanyakan apakah ini benar nomor keluarganya"),
    Warn.NUMBER_CHANGES: N_(
        "Nomor yang tercatat, %(old)s, diganti dengan nomor ini. Tautan yang dikirim ke nomor lama tidak berlaku lagi"
    ),
    Warn.NUMBER_STOPPED: N_(
        "Nomor ini meminta tidak dikirimi SMS, jadi SMS tidak akan sampai. Minta nomor lain, atau cetak lembarnya"
    ),
    Warn.NUMBER_REPORTED: N_(
        "Pemilik nomor ini pernah memberi tahu bahwa SMS-nya bukan untuk orang ini. Minta nomor lain, atau cetak"
        " lembarnya"
    ),
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

#: what a number of the start page leads to that is no state (store.desk.WHICH)
WHICH: dict[str, str] = {
    "due": N_("Sudah waktunya dikirim"),
    "risk": N_("Hampir lewat 48 jam"),
    "opened": N_("Dibuka penerima"),
    "downloaded": N_("Diunduh penerima"),
}

#: what is wrong with an SMS text of the programme's own (messages.own_text); %(what)s is what broke the rule
SMS_FAULTS: dict[str, str] = {
    "empty": N_("Tulis isi SMS-nya."),
    "length": N_("Terlalu panjang. Paling banyak %(what)s huruf."),
    "gsm7": N_("Huruf ini membuat SMS jauh lebih mahal. Ganti dengan huruf biasa: %(what)s"),
    "placeholder": N_("Tidak ada isian bernama ((%(what)s)). Pakai yang ada di daftar saja."),
    "brackets": N_("Ada tanda (( atau )) yang tidak berpasangan."),
    "sender": N_("Sebut pengirimnya satu kali dengan ((pengirim)), supaya penerima tahu siapa yang menulis."),
    "link-once": N_("Tautan harus ada tepat satu kali: ((tautan))"),
    "link-space": N_("Beri spasi sebelum dan sesudah ((tautan)). Tanpa spasi, ponsel salah membaca tautannya."),
    "no-link": N_("SMS jenis ini tidak membawa tautan. Hapus ((tautan))."),
    "digits": N_("Jangan tulis nomor telepon, NIK, atau tanggal lahir: %(what)s"),
    "address": N_("Jangan tulis alamat lain. Hanya ((tautan)) yang boleh dibuka penerima: %(what)s"),
    "click": N_("Jangan menyuruh “klik”: begitulah bunyi SMS penipuan. Tulis misalnya “Buka”. Ditemukan: %(what)s"),
    "urgent": N_("Jangan mendesak: begitulah bunyi SMS penipuan. Ditemukan: %(what)s"),
    "segments": N_("Jadi %(what)s segmen SMS. Paling banyak 2; singkat lagi."),
}


#: who does things, by what stands before the colon of an actor
ACTORS: dict[str, str] = {
    "staff": N_("Petugas"),
    "key": N_("Kunci API"),
    "door": N_("Halaman publik atau pintu masuk data"),
    "command": N_("Perintah di server"),
    "system": N_("Sistem"),
}

#: what deeds are about
SUBJECTS: dict[str, str] = {
    "notification": N_("Pesan"),
    "dose": N_("Dosis"),
    "person": N_("Orang"),
    "case": N_("Kasus"),
    "staff": N_("Akun petugas"),
    "api-key": N_("Kunci API"),
    "certificate": N_("Sertifikat"),
    "link": N_("Tautan"),
    "suppression": N_("Nomor yang berhenti"),
    "switch": N_("Sakelar pengiriman"),
    "circuit": N_("Sambungan penyedia SMS"),
    "audit": N_("Jejak audit"),
    "database": N_("Basis data"),
    "reconciliation": N_("Hitung ulang"),
}

KEY_STATES: dict[KeyState, StateWords] = {
    KeyState.LIVE: StateWords(N_("Berlaku"), "good"),
    KeyState.ENDING: StateWords(N_("Segera berakhir"), "move"),
    KeyState.EXPIRED: StateWords(N_("Berakhir"), "off"),
    KeyState.REVOKED: StateWords(N_("Dicabut"), "off"),
}

SCOPES: dict[Scope, str] = {
    Scope.VACCINATIONS_WRITE: N_("Mencatat dosis"),
    Scope.NOTIFICATIONS_READ: N_("Melihat nasib SMS"),
    Scope.NOTIFICATIONS_ACT: N_("Mengirim ulang dan membatalkan SMS"),
}


def rule_words(field: str, rule: str) -> str:
    """What to say beside a field that breaks a rule."""
    return RULES.get(f"{field} {rule}") or RULES.get(rule) or OTHER_RULE


UPLOADS: dict[UploadStatus, StateWords] = {
    UploadStatus.COLUMNS: StateWords(N_("Menunggu arti kolom"), "ask"),
    UploadStatus.CHECKING: StateWords(N_("Sedang diperiksa"), "move"),
    UploadStatus.CHECKED: StateWords(N_("Sudah diperiksa, belum dicatat"), "ask"),
    UploadStatus.RECORDING: StateWords(N_("Sedang dicatat"), "move"),
    UploadStatus.DONE: StateWords(N_("Selesai dicatat"), "good"),
    UploadStatus.CANCELLED: StateWords(N_("Dihentikan"), "off"),
    UploadStatus.EXPIRED: StateWords(N_("Terhapus setelah 7 hari"), "off"),
}

#: what became of a row that was recorded
RECORDED: dict[str, str] = {
    "planned": N_("SMS dijadwalkan"),
    "suppressed": N_("Dicatat tanpa SMS"),
    "updated": N_("Dosis diperbaiki"),
    "corrected": N_("Dosis diperbaiki, SMS baru dijadwalkan"),
    "unchanged": N_("Sudah tercatat, tidak ada yang berubah"),
    "stale": N_("Sudah ada catatan yang lebih baru"),
    "withdrawn": N_("Dosis ditarik"),
    "repeated": N_("Sudah pernah dicatat"),
}

#: what the columns of an uploaded list mean
COLUMNS: dict[str, str] = {
    "name": N_("Nama lengkap"),
    "nik": N_("NIK"),
    "birth_date": N_("Tanggal lahir"),
    "phone": N_("Nomor ponsel"),
    "product": N_("Nama vaksin"),
    "lot": N_("Nomor batch"),
    "dose_number": N_("Dosis ke"),
    "series_total": N_("Jumlah dosis"),
    "given_on": N_("Tanggal suntikan"),
    "facility": N_("Nama fasilitas"),
    "facility_id": N_("Kode fasilitas"),
    "vaccine_code": N_("Kode vaksin"),
    "vaccine_system": N_("Sistem kode vaksin"),
    "language": N_("Bahasa SMS"),
    "time_zone": N_("Zona waktu"),
    "delay_hours": N_("Jeda SMS, dalam jam"),
    "person_id": N_("ID orang di sistem asal"),
    "dose_id": N_("ID dosis di sistem asal"),
    "event_id": N_("ID kejadian di sistem asal"),
    "event_type": N_("Jenis kejadian"),
}
_ROW = N_("Seluruh baris")

#: rules that only rows of files and files themselves break; asked before RULES
ROW_RULES: dict[str, str] = {
    "nik nik-digits": N_(
        "NIK hanya berisi angka. Bila tampil seperti 3,17E+15, ubah format kolomnya menjadi teks lalu ketik ulang"
    ),
    "person_id person-differs": N_("Orang ini sudah tercatat dengan data lain. Perbaiki satu hal saja, lalu yang lain"),
    "dose_id required": N_("Isi NIK, atau ID orang, atau ID dosis"),
    "name required": N_("Tulis namanya"),
    "phone number-shortened": N_("Angkanya terpotong. Ubah format kolomnya menjadi teks, lalu ketik ulang nomornya"),
    "date": N_("Tulis tanggal seperti 23/11/2026 atau 2026-11-23"),
    "formula": N_("Hapus tanda = + - atau @ di awal isinya"),
    "quotes": N_("Ada tanda kutip yang tidak ditutup di baris ini"),
    "line-end": N_("Ada ganti baris di dalam sel. Hapus, atau simpan ulang sebagai CSV"),
    "too-few-cells": N_("Jumlah selnya kurang dari jumlah kolom di baris pertama"),
    "too-many-cells": N_("Jumlah selnya lebih dari jumlah kolom di baris pertama"),
    "encoding": N_("Ada huruf yang tidak terbaca. Simpan berkas sebagai CSV UTF-8"),
    "line-too-long": N_("Baris ini terlalu panjang. Mungkin ada tanda kutip yang tidak ditutup"),
    "other-facility": N_("Dosis ini milik fasilitas lain. Unggah hanya dosis fasilitas Anda"),
    "dose-twice": N_("Dosis ini sudah ada di baris lain dengan isi yang berbeda. Sisakan satu"),
    "conflict": N_("ID kejadian ini sudah dipakai untuk isi lain. Beri ID yang baru"),
    "time-zone": N_("Tulis Asia/Jakarta, Asia/Makassar, atau Asia/Jayapura"),
    "language": N_("Tulis id atau en"),
    "personal-data": N_("Jangan memakai NIK atau nomor telepon sebagai ID"),
    "event-type": N_("Tulis recorded, corrected, atau entered_in_error"),
    "column-missing": N_("Pilih kolom mana yang memuat ini"),
    "duplicate-column": N_("Dipilih untuk lebih dari satu kolom. Sisakan satu"),
    # of the file
    "file required": N_("Pilih berkasnya dulu"),
    "spreadsheet-file": N_("Ini berkas Excel atau ZIP. Buka di Excel, lalu simpan sebagai CSV, dan unggah CSV-nya"),
    "not-csv": N_("Ini bukan berkas CSV. Di Excel: Simpan sebagai, lalu pilih CSV UTF-8"),
    "json-file": N_("Ini berkas JSON. Di sini hanya CSV; JSON dikirim lewat API"),
    "empty-file": N_("Berkas ini kosong"),
    "no-rows": N_("Hanya ada judul kolom, tidak ada baris di bawahnya"),
    "header-missing": N_("Baris pertama harus berisi judul kolom, misalnya Nama, NIK, Tanggal lahir"),
    "header-encoding": N_("Judul kolomnya tidak terbaca. Simpan berkas sebagai CSV UTF-8"),
    "header-quotes": N_("Ada tanda kutip yang tidak ditutup di judul kolom"),
    "header-line-end": N_("Baris-barisnya tidak terbaca. Simpan ulang sebagai CSV"),
    "header-too-long": N_("Satu judul kolom terlalu panjang. Singkat dulu"),
    "header-too-many-columns": N_("Paling banyak 100 kolom. Hapus kolom yang tidak perlu"),
    "too-large": N_("Paling besar 40 MB. Bagi menjadi beberapa berkas"),
    "too-many-rows": N_("Paling banyak 200.000 baris. Bagi menjadi beberapa berkas"),
    "file-damaged": N_("Berkasnya terpotong atau rusak. Unggah sekali lagi"),
}


def row_rule_words(field: str, rule: str) -> str:
    """What to say of a row, or a column, of an uploaded list that breaks a rule. `field`: our column."""
    found = ROW_RULES.get(f"{field} {rule}") or ROW_RULES.get(rule)
    return found or rule_words(ROW_FIELDS.get(field, field), rule)


def place_words(field: str) -> str:
    """Where in a row something is wrong."""
    return COLUMNS.get(field, _ROW)


def has_words(field: str, rule: str) -> bool:
    """Whether we have own words for a broken rule."""
    return f"{field} {rule}" in RULES or rule in RULES
