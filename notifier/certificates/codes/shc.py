"""SHC: a SMART Health Card: a small FHIR bundle, DEFLATE, JWS (ES256), and its digits for a QR code.

Sources: HL7, "SMART Health Cards and Links" STU 1 and "SMART Health Cards: Vaccination & Testing"; RFC 7515 (JWS). A
card has the doses of one series, as the specification wants it; what it calls optional goes first where the card would
not fit one QR code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

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
from notifier.certificates.codes.keys import PublicKeys, SigningKey
from notifier.certificates.codes.packing import RAW_DEFLATE, base64url, deflated, from_base64url, inflated
from notifier.certificates.codes.signature import is_signed, sign
from notifier.certificates.facts import CertificateFacts, DoseFacts

PREFIX = "shc:/"
MEDIA_TYPE = "application/smart-health-card"
LONGEST_JWS = 1195  # what one QR code of version 22 holds
_SIGNATURE_LENGTH = 1 + 86  # a dot and 64 bytes
_APPLE = "https://redirect.health.apple.com/SMARTHealthCard/#"
_TYPE = "https://smarthealth.cards#health-card"
_SMALLEST = ord("-")  # the lowest character of a JWS is 00
_LONGEST_LOT = 20
# "Lot #", "Bets:": the label is not the number
_LABEL = re.compile(r"\A\s*(?:lot|batch|bets)\s*(?:no|number|nomor)?\s*[:#.]\s*", re.I)
_MIDNIGHT = re.compile(r"T.*\Z")


def make_shc(facts: CertificateFacts, key: SigningKey, *, issuer_url: str, rid: str, at: datetime) -> str:
    """The JWS with all doses of the certificate's series. Raises NoCode(too-long, no-doses)."""
    return _signed(_fitting(facts, key, issuer_url=issuer_url, rid=rid, at=at)[1], key)


def shc_card(facts: CertificateFacts, key: SigningKey, *, issuer_url: str, rid: str, at: datetime) -> Card:
    """What a card made now would say. Raises NoCode."""
    return _card(_fitting(facts, key, issuer_url=issuer_url, rid=rid, at=at)[0], key.public.kid)


def _fitting(
    facts: CertificateFacts, key: SigningKey, *, issuer_url: str, rid: str, at: datetime
) -> tuple[dict[str, Any], str]:
    """The claims with as much as fits one code, and what is to be signed of them."""
    if not facts.doses:
        raise NoCode(Missing.NO_DOSES)
    for parts in (("lotNumber", "performer"), ("lotNumber",), ()):
        claims = _claims(facts, parts, issuer_url=issuer_url, rid=rid, at=at)
        head = _packed(claims, key)
        if len(head) <= LONGEST_JWS - _SIGNATURE_LENGTH:
            return claims, head
    raise NoCode(Missing.TOO_LONG)


def numeric(jws: str) -> str:
    """The digits behind `shc:/`: two for each character."""
    return "".join(f"{ord(letter) - _SMALLEST:02d}" for letter in jws)


def qr_text(jws: str) -> str:
    """What the QR code holds: a reader of QR codes takes the digits in numeric mode, 3 1/3 bits each."""
    return PREFIX + numeric(jws)


def apple_link(jws: str) -> str:
    """Apple's way into Health and Wallet. The card stands behind the `#`, so it never reaches a server."""
    return _APPLE + numeric(jws)


def card_file(jws: str) -> bytes:
    """The contents of a `.smart-health-card` file."""
    return json.dumps({"verifiableCredential": [jws]}, separators=(",", ":")).encode()


def _claims(
    facts: CertificateFacts, parts: Sequence[str], *, issuer_url: str, rid: str, at: datetime
) -> dict[str, Any]:
    resources = [_patient(facts), *(_immunization(dose, parts) for dose in facts.doses)]
    entries = [{"fullUrl": f"resource:{place}", "resource": resource} for place, resource in enumerate(resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {
        "iss": issuer_url,
        "nbf": int(at.timestamp()),
        "vc": {"type": [_TYPE], "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle}, "rid": rid},
    }


def _patient(facts: CertificateFacts) -> dict[str, Any]:
    """The name in one piece, which the vaccination profile wants of names that are not easily split."""
    return {
        "resourceType": "Patient",
        "name": [{"text": facts.name}],
        "birthDate": facts.birth_date.isoformat(),
    }


def _immunization(dose: DoseFacts, parts: Sequence[str]) -> dict[str, Any]:
    optional: dict[str, Any] = {}
    lot = _LABEL.sub("", dose.lot or "")
    if lot and len(lot) <= _LONGEST_LOT:  # a lot number cut short would be another one
        optional["lotNumber"] = lot
    if dose.facility:
        optional["performer"] = [{"actor": {"display": dose.facility}}]
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": _vaccine_code(dose),
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": dose.given_on.isoformat(),
        **{name: value for name, value in optional.items() if name in parts},
    }


def _vaccine_code(dose: DoseFacts) -> dict[str, Any]:
    if dose.vaccine_code and dose.vaccine_system:
        return {"coding": [{"system": dose.vaccine_system, "code": dose.vaccine_code}]}
    return {"text": dose.product}


def _packed(claims: dict[str, Any], key: SigningKey) -> str:
    """Header and payload, as JWS spells them."""
    header = {"zip": "DEF", "alg": "ES256", "kid": key.public.kid}
    return f"{base64url(_json(header))}.{base64url(deflated(_json(claims), RAW_DEFLATE))}"


def _signed(head: str, key: SigningKey) -> str:
    return f"{head}.{base64url(sign(key.private, head.encode('ascii')))}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read_shc(given: str, keys: PublicKeys) -> Card:
    """What a card says, once its signature holds: `given` is `shc:/...`, a JWS, or the text of a `.smart-health-card`
    file, of which the first card is read. Raises BadCode, and nothing else, whatever `given` is."""
    header, payload, signature, signed = _parts(_jws_of(given.strip()))
    if header.get("alg") != "ES256" or header.get("zip") != "DEF" or not isinstance(header.get("kid"), str):
        raise BadCode(Distrust.UNREADABLE)
    key = keys.by_kid(header["kid"])
    if key is None:
        raise BadCode(Distrust.UNKNOWN_KEY)
    if not is_signed(key.key, signed, signature):
        raise BadCode(Distrust.FORGED)
    try:
        return _card(_object(inflated(payload, RAW_DEFLATE)), key.kid)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError):
        raise BadCode(Distrust.UNREADABLE) from None


def _jws_of(text: str) -> str:
    if len(text) > LONGEST_TEXT or not text.isascii():
        raise BadCode(Distrust.UNREADABLE)
    if text.startswith("{"):
        try:
            text = _object(text)["verifiableCredential"][0]
        except (KeyError, TypeError, IndexError, ValueError):
            raise BadCode(Distrust.UNREADABLE) from None
        return text if isinstance(text, str) else ""
    if not text.startswith(PREFIX):
        return text
    digits = text.removeprefix(PREFIX)
    if len(digits) % 2 or not digits.isdigit():  # a part of a card that was split over several codes has slashes
        raise BadCode(Distrust.UNREADABLE)
    return "".join(chr(int(digits[at : at + 2]) + _SMALLEST) for at in range(0, len(digits), 2))


def _parts(jws: str) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    """Header, payload, signature, and the bytes that were signed. Raises BadCode(unreadable)."""
    try:
        head, body, tail = jws.split(".")
        return (
            _object(from_base64url(head)),
            from_base64url(body),
            from_base64url(tail),
            f"{head}.{body}".encode("ascii"),
        )
    except ValueError:
        raise BadCode(Distrust.UNREADABLE) from None


def _object(text: str | bytes) -> dict[str, Any]:
    """A JSON object, strictly: no key twice, no NaN. Raises ValueError."""
    try:
        found = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")  # one kind of error for everything unreadable
    return found


def _without_doubles(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError("a key twice")
        found[key] = value
    return found


def _refused(_name: str) -> Any:
    raise ValueError("not a number of JSON")


def _card(claims: dict[str, Any], kid: str) -> Card:
    credential = claims["vc"]
    resources = [entry["resource"] for entry in credential["credentialSubject"]["fhirBundle"]["entry"]]
    (patient,) = [resource for resource in resources if resource["resourceType"] == "Patient"]
    given = [resource for resource in resources if resource["resourceType"] == "Immunization"]
    rid = str(credential["rid"]) if "rid" in credential else None
    return Card(
        kind=CodeKind.SHC,
        name=_name(patient["name"][0]),
        birth_date=date.fromisoformat(patient["birthDate"]),
        doses=tuple(map(_dose, given)),
        issued_at=datetime.fromtimestamp(claims["nbf"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC) if "exp" in claims else None,
        identifier=rid,
        revocation_id=rid,
        key_id=kid,
    )


def _name(name: dict[str, Any]) -> str:
    if isinstance(name.get("text"), str):
        return str(name["text"])
    return " ".join(map(str, [*name.get("given", []), *filter(None, [name.get("family")])]))


def _dose(resource: dict[str, Any]) -> CardDose:
    concept = resource["vaccineCode"]
    coding = concept.get("coding", [{}])[0]
    performers = resource.get("performer", [])
    return CardDose(
        given_on=date.fromisoformat(_MIDNIGHT.sub("", resource["occurrenceDateTime"])),
        vaccine_code=coding.get("code"),
        vaccine=concept.get("text") or coding.get("display"),
        lot=resource.get("lotNumber"),
        facility=performers[0]["actor"].get("display") if performers else None,
    )
