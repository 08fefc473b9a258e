"""HC1: the EU Digital COVID Certificate, schema 1.3: CBOR, signed (COSE_Sign1, ES256), zlib, base45.

Sources: eHealth Network, "Electronic Health Certificate Specification" 1.0.5 and "DCC JSON schema" 1.3; RFC 9052
(COSE), RFC 8392 (CWT), RFC 9285 (base45).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import Any

import cbor2
from base45 import b45decode, b45encode

from notifier.certificates.codes import cbor
from notifier.certificates.codes.card import (
    LONGEST_TEXT,
    BadCode,
    Card,
    CardDose,
    CodeKind,
    Distrust,
    Missing,
    NoCode,
)
from notifier.certificates.codes.keys import VALID_UNTIL, PublicKeys, SigningKey
from notifier.certificates.codes.names import name_fields
from notifier.certificates.codes.packing import ZLIB, deflated, inflated
from notifier.certificates.codes.signature import is_signed, sign
from notifier.certificates.codes.uvci import revocation_id
from notifier.certificates.codes.vaccines import COVID_19, known_vaccine, vaccine_name
from notifier.certificates.facts import CertificateFacts, DoseFacts

PREFIX = "HC1:"
#: a code that cannot be called back everywhere must end: the specification demands an end, we make a new one in time
LIFE = timedelta(days=730)
_VERSION = "1.3.0"
_COSE_SIGN1 = 18
_ALG, _KID, _ES256 = 1, 4, -7
_ISS, _EXP, _IAT, _HCERT, _DCC = 1, 4, 6, -260, 1
_LONGEST_ISSUER = 50
_DOSES = range(1, 10)
_YEARS = range(1900, 2100)


def make_hc1(facts: CertificateFacts, key: SigningKey, *, country: str, uvci: str, at: datetime) -> str:
    """The text of the QR code for the dose that the certificate was issued for; `country` is ISO 3166, two letters.

    Raises NoCode where the format demands what nobody recorded: nothing is invented, nothing is left empty.
    """
    claims = _claims(facts, country, uvci, at)
    protected = cbor2.dumps({_ALG: _ES256, _KID: key.public.hc1_kid})
    payload = cbor2.dumps(claims)
    signature = sign(key.private, _to_be_signed(protected, payload))
    message = cbor2.dumps(cbor2.CBORTag(_COSE_SIGN1, [protected, {}, payload, signature]))
    return PREFIX + str(b45encode(deflated(message, ZLIB)), "ascii")


def hc1_card(facts: CertificateFacts, *, country: str, at: datetime) -> Card:
    """What a code made now would say. Raises NoCode."""
    return _card(_claims(facts, country, "", at), "")


def _claims(facts: CertificateFacts, country: str, uvci: str, at: datetime) -> dict[Any, Any]:
    return {
        _ISS: country,
        _IAT: int(at.timestamp()),
        _EXP: int(min(at + LIFE, VALID_UNTIL).timestamp()),
        _HCERT: {_DCC: _certificate(facts, country, uvci)},
    }


def _certificate(facts: CertificateFacts, country: str, uvci: str) -> dict[str, Any]:
    if facts.birth_date.year not in _YEARS:
        raise NoCode(Missing.BIRTH_DATE_OUT_OF_RANGE)
    entry = _vaccination(facts.this_dose) | {"co": country, "is": _issuer(facts.issuer), "ci": uvci}
    return {"ver": _VERSION, "nam": name_fields(facts.name), "dob": facts.birth_date.isoformat(), "v": [entry]}


def _issuer(name: str) -> str:
    return unicodedata.normalize("NFC", name)[:_LONGEST_ISSUER].strip()


def _vaccination(dose: DoseFacts) -> dict[str, Any]:
    vaccine = known_vaccine(dose.vaccine_system, dose.vaccine_code, dose.product)
    number, total = _numbers(dose)
    return {
        "tg": COVID_19,
        "vp": vaccine.kind,
        "mp": vaccine.product,
        "ma": vaccine.holder,
        "dn": number,
        "sd": total,
        "dt": dose.given_on.isoformat(),
    }


def _numbers(dose: DoseFacts) -> tuple[int, int]:
    """`dn` and `sd`. A booster beyond the series is 3/3 after two doses, and stays 2/1 after a series of one (European
    Commission, encoding of boosters, December 2021)."""
    if dose.number is None:
        raise NoCode(Missing.NO_DOSE_NUMBER)
    if dose.series_total is None:
        raise NoCode(Missing.NO_SERIES)
    if dose.number not in _DOSES or dose.series_total not in _DOSES:
        raise NoCode(Missing.DOSE_OUT_OF_RANGE)
    one_shot = dose.series_total == 1
    return dose.number, dose.series_total if one_shot else max(dose.number, dose.series_total)


def read_hc1(text: str, keys: PublicKeys) -> Card:
    """What a code says, once its signature holds. Raises BadCode, and nothing else, whatever `text` is."""
    protected, unprotected, payload, signature = _unpacked(text)
    kid = protected.get(_KID, unprotected.get(_KID))
    if protected.get(_ALG) != _ES256 or not isinstance(kid, bytes):
        raise BadCode(Distrust.UNREADABLE)
    candidates = keys.by_hc1_kid(kid)
    if not candidates:
        raise BadCode(Distrust.UNKNOWN_KEY)
    signed = _to_be_signed(protected.raw, payload)
    signer = next((key for key in candidates if is_signed(key.key, signed, signature)), None)
    if signer is None:
        raise BadCode(Distrust.FORGED)
    try:
        return _card(cbor.loads(payload), signer.kid)
    except (cbor.BadCbor, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError):
        raise BadCode(Distrust.UNREADABLE) from None


class _Header(dict[Any, Any]):
    """A protected header with the very bytes that were signed."""

    raw: bytes


def _unpacked(text: str) -> tuple[_Header, dict[Any, Any], bytes, bytes]:
    """Protected header, unprotected header, payload, signature. Raises BadCode(unreadable)."""
    text = text.strip()
    if not text.startswith(PREFIX) or len(text) > LONGEST_TEXT or not text.isascii():
        raise BadCode(Distrust.UNREADABLE)
    try:
        parts = cbor.loads(inflated(b45decode(text.removeprefix(PREFIX)), ZLIB), tag=_COSE_SIGN1)
        raw, unprotected, payload, signature = parts
        kinds = (bytes, dict, bytes, bytes)
        if not isinstance(parts, list) or not all(map(isinstance, parts, kinds)):
            raise BadCode(Distrust.UNREADABLE)
        protected = _Header(cbor.loads(raw))
    except (ValueError, TypeError):
        raise BadCode(Distrust.UNREADABLE) from None
    protected.raw = raw
    return protected, unprotected, payload, signature


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """COSE's Sig_structure."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _card(claims: dict[Any, Any], kid: str) -> Card:
    certificate = claims[_HCERT][_DCC]
    (entry,) = certificate["v"]
    names = certificate["nam"]
    # a name too long for its own field stands transliterated alone, words parted by <
    spelled = [str(names.get(plain) or names.get(other, "")).replace("<", " ") for plain, other in _NAME_FIELDS]
    product = str(entry["mp"])
    dose = CardDose(
        given_on=date.fromisoformat(entry["dt"]),
        vaccine_code=product,
        vaccine=vaccine_name(product),
        number=int(entry["dn"]),
        series_total=int(entry["sd"]),
    )
    return Card(
        kind=CodeKind.HC1,
        name=" ".join(filter(None, spelled)),
        birth_date=date.fromisoformat(certificate["dob"]),
        doses=(dose,),
        issued_at=datetime.fromtimestamp(claims[_IAT], UTC),
        expires_at=datetime.fromtimestamp(claims[_EXP], UTC),
        identifier=str(entry["ci"]),
        revocation_id=revocation_id(str(entry["ci"])),
        key_id=kid,
    )


_NAME_FIELDS = (("gn", "gnt"), ("fn", "fnt"))
