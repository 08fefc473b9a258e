"""The words of a certificate in both languages, as the templates of the sheets and the picture expect them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from notifier.certificates.facts import CertificateFacts, DoseFacts, Status, dose_words, headline, masked_nik
from notifier.certificates.glyphs import Coverage, breakable
from notifier.certificates.qr import QUIET_ZONE, QrMatrix
from notifier.core.words import LANGUAGES, clock_time, long_date

_LONGEST_IN_NAME = 20  # letters of a word that still fit one line at the size of the name
_LONGEST_IN_CELL = 18
_LONGEST_IN_LOT = 10
_LONGEST_IN_LINE = 40
_NOT_RECORDED = "—"
_DOSE = {"id": "Dosis", "en": "Dose"}
_NBSP = "\u00a0"

_HEADING = {"id": "Sertifikat Vaksinasi", "en": "Vaccination Certificate"}
_LABELS = {
    "name": {"id": "Nama", "en": "Name"},
    "doses": {"id": "Dosis", "en": "Doses"},
    "number": {"id": "Nomor sertifikat", "en": "Certificate number"},
    "check": {"id": "Periksa di", "en": "Check at"},
}
_COLUMNS = (
    _DOSE,
    {"id": "Tanggal", "en": "Date"},
    {"id": "Vaksin", "en": "Vaccine"},
    {"id": "Nomor lot", "en": "Lot number"},
    {"id": "Tempat", "en": "Place"},
)
_BIRTH_DATE = {"id": "Tanggal lahir", "en": "Date of birth"}
_NIK = {"id": "NIK", "en": "National ID number"}
_WHY = {
    "id": "Pindai kode QR atau buka alamat itu untuk melihat apakah sertifikat ini masih berlaku.",
    "en": "Scan the QR code or open that address to see whether this certificate still holds.",
}
_WARNINGS: dict[Status, dict[str, str]] = {
    "valid": {"id": "", "en": ""},
    "replaced": {
        "id": "Ada sertifikat yang lebih baru. Lembar ini tidak berlaku lagi.",
        "en": "There is a newer certificate. This sheet is no longer valid.",
    },
    "revoked": {
        "id": "Sertifikat ini ditarik oleh penerbit dan tidak berlaku lagi.",
        "en": "This certificate was withdrawn by its issuer and is no longer valid.",
    },
}
_STAMPS: dict[Status, tuple[str, ...]] = {
    "valid": (),
    "replaced": ("DIGANTI", "REPLACED"),
    "revoked": ("DICABUT", "REVOKED"),
}


@dataclass(slots=True)
class Pen:
    """Makes the text of one sheet printable and counts the characters that became a question mark."""

    coverage: Coverage
    replaced: int = 0

    def text(self, text: str, longest: int) -> str:
        """`text` as it can be printed, breakable in words of more than `longest` characters."""
        printable = self.coverage.printable(text)
        self.replaced += printable.replaced
        return breakable(printable.text, longest)

    def cell(self, text: str | None, longest: int = _LONGEST_IN_CELL) -> str:
        """A table cell; a dash where nothing was recorded."""
        return self.text(text or "", longest) or _NOT_RECORDED


def sheet_of(facts: CertificateFacts, qr: QrMatrix, pen: Pen) -> dict[str, Any]:
    """The value that the templates read as JSON: see templates/certificate/common.typ."""
    number = pen.text(facts.number, _LONGEST_IN_LINE)
    host = pen.text(facts.verify_host, _LONGEST_IN_LINE)
    return {
        "status": facts.status,
        "title": f"{_HEADING['id']} / {_HEADING['en']} {number}",
        "issuer": pen.text(facts.issuer, _LONGEST_IN_LINE),
        "mark_alt": "Lambang penerbit / Issuer's mark",
        "qr_alt": f"Kode QR untuk memeriksa sertifikat / QR code to check the certificate: {host}/verify",
        "qr_border": QUIET_ZONE / qr.side,
        "heading": _HEADING,
        "labels": _LABELS,
        "columns": _COLUMNS,
        "headline": {language: headline(facts, language) for language in LANGUAGES},
        "warning": _WARNINGS[facts.status],
        "stamp": _STAMPS[facts.status],
        "name": pen.text(facts.name, _LONGEST_IN_NAME),
        "nik": None if facts.nik is None else masked_nik(facts.nik),
        "person": _person(facts),
        "doses": [_dose(dose, pen, this=dose == facts.this_dose) for dose in facts.doses],
        "check": {language: f"{words} {host}/verify" for language, words in _LABELS["check"].items()},
        "check_at": f"{host}/verify",
        "why": _WHY,
        "number": number,
        "issued": _issued(facts),
    }


def _person(facts: CertificateFacts) -> list[dict[str, Any]]:
    """The pairs below the name; a person without a NIK has one pair less, not an empty one."""
    pairs = [{"label": _BIRTH_DATE, "value": _unbroken_dates(facts.birth_date)}]
    if facts.nik is not None:
        shown = masked_nik(facts.nik)
        pairs.append({"label": _NIK, "value": {"id": shown, "en": shown}})
    return pairs


def _dose(dose: DoseFacts, pen: Pen, *, this: bool) -> dict[str, Any]:
    code = f"Kode / Code {dose.vaccine_code}" if dose.vaccine_code else None
    named = bool(dose.product) and dose.product != dose.vaccine_code  # without a name the code stands in for it
    return {
        "this": this,
        "words": {key: dose_words(dose.number, dose.series_total, key) or _DOSE[key] for key in LANGUAGES},
        "number": _dose_number(dose),
        "date": _unbroken_dates(dose.given_on),
        "product": pen.cell(dose.product if named else code),
        "code": pen.cell(code) if named and code else None,
        "lot": pen.cell(dose.lot, _LONGEST_IN_LOT),
        "facility": pen.cell(dose.facility),
    }


def _dose_number(dose: DoseFacts) -> str:
    """2 / 2 for the table, whose heading already says what it counts."""
    if dose.number is None:
        return _NOT_RECORDED
    if dose.series_total is None or dose.number > dose.series_total:
        return str(dose.number)
    return f"{dose.number}{_NBSP}/{_NBSP}{dose.series_total}"


def _unbroken_dates(day: date) -> dict[str, str]:
    return {language: long_date(day, language).replace(" ", _NBSP) for language in LANGUAGES}


def _issued(facts: CertificateFacts) -> dict[str, str]:
    zone = ZoneInfo(facts.time_zone)
    day = facts.issued_at.astimezone(zone).date()
    times = {language: clock_time(facts.issued_at, zone, language) for language in LANGUAGES}
    return {
        "id": f"Diterbitkan {long_date(day, 'id')} pukul {times['id']}".replace(" ", _NBSP),
        "en": f"Issued {long_date(day, 'en')}, {times['en']}".replace(" ", _NBSP),
    }
