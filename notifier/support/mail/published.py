"""The facts in a letter that was written as PeduliLindungi asked for it: name, NIK, place and date of birth, telephone
number, complaint (its page of help, as the newspapers of 2021 repeat it), and where and when the dose was given.

Labels in Indonesian or English, in any order, with any mark behind them, or on a line of their own above the value.
Whatever is not understood stays in the text, which a colleague reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import date

from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput
from notifier.core.identity import MAX_NAME_LENGTH, BadNik, clean_name, read_nik
from notifier.core.phones import BadPhone, read_mobile

_MOST_LINES = 300
_LONGEST_VALUE = 300
_LONGEST_COMPLAINT = 2_000

#: labels as they are written, folded; what a label means
_LABELS: dict[str, str] = {
    label.strip(): meaning
    for meaning, labels in {
        "name": "nama lengkap/nama/nama lengkap sesuai ktp/nama sesuai ktp/nama penerima vaksin/full name/name",
        "nik": "nik/nik ktp/no nik/nomor nik/nomor ktp/no ktp/nomor induk kependudukan/nik number/id number/"
        "national id/identity number",
        "birth": "tempat tanggal lahir/tempat dan tanggal lahir/tempat tgl lahir/ttl/tempat/tanggal lahir/"
        "place and date of birth/place date of birth/date and place of birth",
        "birth_date": "tanggal lahir/tgl lahir/date of birth/birth date/dob",
        "birth_place": "tempat lahir/place of birth/birth place",
        "phone": "nomor hp/no hp/hp/nomor handphone/no handphone/handphone/nomor ponsel/no ponsel/nomor telepon/"
        "no telepon/no telp/telp/telepon/nomor wa/no wa/nomor whatsapp/nomor yang terdaftar/phone/phone number/"
        "mobile/mobile number/telephone/whatsapp",
        "complaint": "keluhan/isi keluhan/keluhan atau pertanyaan/permasalahan/masalah/kendala/complaint/problem/issue",
        "facility": "tempat vaksin/tempat vaksinasi/lokasi vaksin/lokasi vaksinasi/faskes/fasilitas kesehatan/"
        "vaccination place/place of vaccination/facility",
        "given_on": "tanggal vaksin/tanggal vaksinasi/tgl vaksin/tgl vaksinasi/vaccination date/date of vaccination",
    }.items()
    for label in labels.split("/")
    if label.strip() not in {"tempat"}
}
_LINE = re.compile(r"[\W\d_]{0,8}(?P<label>[^\W\d_][^:=]{0,60}?)\s*(?:[:=]|\s[-–—]\s)\s*(?P<value>.*)")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_DATE = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2}|[^\W\d_]{3,10})\.?\s*[-/., ]\s*(\d{4})(?!\d)")
_DATE_BACKWARDS = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_NIK = re.compile(r"(?<!\d)\d(?:[ .-]?\d){15}(?![ .-]?\d)")
_PHONE = re.compile(r"(?<![\d+])(?:\+?62|0)8\d(?:[ .-]?\d){6,10}(?!\d)")


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What a letter says about whom it is about. None where it does not say so, or not so that it can be read."""

    name: str | None = field(default=None, repr=False)
    nik: str | None = field(default=None, repr=False)
    birth_place: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)  #: E.164
    complaint: str | None = field(default=None, repr=False)
    facility: str | None = field(default=None, repr=False)
    given_on: date | None = field(default=None, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether it names a person as the format asks for."""
        return None not in (self.name, self.nik, self.birth_date, self.phone)

    @property
    def count(self) -> int:
        """How many facts were understood."""
        return sum(getattr(self, one.name) is not None for one in fields(self))


def read_facts(text: str, *, today: date, region: str, allowed: Collection[str]) -> LetterFacts:
    """The facts in a tidied text. `region` and `allowed`: as for any telephone number (core.phones)."""
    found: dict[str, str] = {}
    for meaning, value in _labelled(text):
        found.setdefault(meaning, value)
    born_in = re.split(r"[\d,]", found.get("birth", ""))[0].strip(" /-")
    values: dict[str, object] = {
        "name": _kept(found.get("name"), clean_name, MAX_NAME_LENGTH),
        "nik": _nik(found.get("nik") or text),
        "birth_place": _kept(found.get("birth_place") or born_in, clean_name, 100),
        "birth_date": _date(found.get("birth_date") or found.get("birth", ""), today),
        "phone": _phone(found.get("phone"), text, region, allowed),
        "complaint": _kept(found.get("complaint"), str.strip, _LONGEST_COMPLAINT),
        "facility": _kept(found.get("facility"), clean_name, 200),
        "given_on": _date(found.get("given_on", ""), today),
    }
    return LetterFacts(**values)  # type: ignore[arg-type]  # each as its reader gives it


def facts_of_text(text: str) -> LetterFacts:
    """Facts as `facts_text` keeps them; none of ""."""
    values = json.loads(text) if text else {}
    dates = {name: date.fromisoformat(values[name]) for name in ("birth_date", "given_on") if name in values}
    return LetterFacts(**(values | dates))


def facts_text(facts: LetterFacts) -> str:
    """Facts as they are kept, sealed: JSON without what was not understood."""
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(facts).items()}
    return json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False)


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    """(what is told, its words). A complaint goes on until the next label."""
    lines = text.split("\n")[:_MOST_LINES]
    place = 0
    while place < len(lines):
        found = _LINE.match(lines[place][: _LONGEST_VALUE * 8])
        meaning = _meaning(found["label"]) if found else _meaning(lines[place].rstrip(":= "))
        place += 1
        if meaning is None:
            continue
        value = found["value"] if found else ""
        if meaning == "complaint":
            value, place = _more(lines, place, value)
        elif not value.strip() and place < len(lines) and not _is_label(lines[place]):
            value, place = lines[place], place + 1
        if value.strip():
            yield meaning, value.strip()[:_LONGEST_COMPLAINT]


def _more(lines: list[str], place: int, value: str) -> tuple[str, int]:
    more = [value]
    while place < len(lines) and not _is_label(lines[place]):
        more.append(lines[place])
        place += 1
    return "\n".join(more), place


def _is_label(line: str) -> bool:
    found = _LINE.match(line[: _LONGEST_VALUE * 8])
    return _meaning(found["label"] if found else line.rstrip(":= ")) is not None


def _meaning(label: str) -> str | None:
    """`No. HP yang terdaftar (aktif)` is the telephone number; in two languages, `Nama / Name`, either will do."""
    if len(label) > 80:
        return None
    whole = " ".join(_NOT_LETTERS.sub(" ", label.casefold()).split())
    if whole in _LABELS:
        return _LABELS[whole]
    for half in re.split(r"[/(|]", label):
        folded = " ".join(_NOT_LETTERS.sub(" ", half.casefold()).split())
        if folded in _LABELS:
            return _LABELS[folded]
    return None


def _kept(value: str | None, tidy: Callable[[str], str], most: int) -> str | None:
    tidied = tidy(value[:most]) if value else ""
    return tidied or None


def _nik(text: str) -> str | None:
    found = _NIK.search(text[:20_000])
    try:
        return read_nik(found[0]) if found else None
    except BadNik:
        return None


def _phone(labelled: str | None, text: str, region: str, allowed: Collection[str]) -> str | None:
    for candidate in ([labelled] if labelled else []) + [match[0] for match in list(_PHONE.finditer(text))[:3]]:
        shown = _PHONE.search(candidate)
        try:
            return read_mobile(shown[0] if shown else candidate, region=region, allowed=allowed).e164
        except BadPhone:
            continue
    return None


def _date(text: str, today: date) -> date | None:
    backwards = _DATE_BACKWARDS.search(text)
    found = _DATE.search(text)
    typed = backwards.group(3, 2, 1) if backwards else found.groups() if found else None
    if typed is None:
        return None
    try:
        return read_birth_date(typed[0], typed[1], typed[2], today=today)
    except BadInput:
        return None
