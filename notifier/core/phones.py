"""Telephone numbers: which ones can receive our SMS, and how they are shown. Parsing is `phonenumbers`' own."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

# In some countries (not Indonesia) the ranges cannot be told apart.
_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_MAX_LENGTH = 40
# a label or a scheme that forms and FHIR put before the number
_LABEL = re.compile(r"\s*(?:tel|hp|no|wa|telp|phone)\b[\s.:]*", re.IGNORECASE)


class BadPhone(ValueError):
    """A number that cannot receive our SMS. `rule` says why; the number itself is not repeated."""

    def __init__(self, rule: str, detail: str) -> None:
        self.rule = rule
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Phone:
    """A mobile number of an allowed country."""

    e164: str  #: +6281234567890: what the provider is given

    @property
    def national(self) -> str:
        """0812-3456-7890: what is echoed to be read aloud."""
        return national_form(self.e164)


def read_mobile(text: str, *, region: str, allowed: Collection[str]) -> Phone:
    """`text` as a mobile number of one of the `allowed` countries (ISO 3166 codes); `region` is where 0812 is.

    Raises BadPhone with rule `phone-unreadable`, `phone-undialable`, `phone-country` or `phone-not-mobile`.
    """
    if len(text) > _MAX_LENGTH:
        raise BadPhone("phone-unreadable", "a telephone number has at most 15 digits")
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise BadPhone("phone-unreadable", "write a telephone number, for example 0812-3456-7890") from error
    kind = phonenumbers.number_type(number)  # UNKNOWN: no valid number; `is_valid_number` would look it all up again
    if number.extension or kind == PhoneNumberType.UNKNOWN:
        raise BadPhone("phone-undialable", "no telephone has this number; check each digit")
    if any(ch.isalpha() for ch in text):
        # the library drops a single letter (O for 0) and dials words: the SMS would go to a stranger
        raise BadPhone("phone-unreadable", "write a telephone number in digits, for example 0812-3456-7890")
    if phonenumbers.region_code_for_number(number) not in allowed:
        raise BadPhone("phone-country", f"SMS go only to numbers of {', '.join(sorted(allowed))}")
    if kind not in _MOBILE_TYPES:
        raise BadPhone("phone-not-mobile", "this is not a mobile number, so it cannot receive an SMS")
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def national_form(e164: str) -> str:
    """The number as people of its country write it; for screens of those who may see it."""
    return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.NATIONAL)


def masked_phone(e164: str) -> str:
    """0812••••89: enough to recognise one's own number, too little to call a stranger's."""
    digits = "".join(ch for ch in national_form(e164) if ch.isdigit())
    return digits[:4] + "••••" + digits[-2:]
