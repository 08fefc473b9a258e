"""Uploaded lists: their states, columns and rows."""

from __future__ import annotations

from linkserver.staff.vocabulary.rules import rule_words
from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.intake.rows import FIELDS as ROW_FIELDS
from notifier.store.uploads import UploadStatus

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
    "person_id erased-person": N_("Data orang ini dihapus atas permintaannya. Hubungi petugas pusat dulu"),
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
    "personal-data": N_("Jangan memakai NIK atau nomor ponsel sebagai ID"),
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
