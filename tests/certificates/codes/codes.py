"""What the tests of the codes share: keys of their own, an invented holder, doses that HC1 can and cannot hold."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from notifier.certificates.codes.keys import PublicKey, PublicKeys, SigningKey, signing_key
from notifier.certificates.facts import CertificateFacts, DoseFacts
from tests.builders import CVX_SYSTEM, NIK, SAMPLES

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ISSUER_URL = "https://sertifikat.example.id"
KEY = signing_key(b"a key of the tests".ljust(32, b"-"), "ID")
OLD_KEY = signing_key(b"an older key of the tests".ljust(32, b"-"), "ID")
KEYS = PublicKeys([OLD_KEY.public, KEY.public])
UVCI = "URN:UVCI:01:ID:0123456789ABCDEFGHJKMNPQRS#9"


def a_dose(number: int | None = 2, **changes: Any) -> DoseFacts:
    """A dose of CoronaVac, which HC1 can say."""
    values: dict[str, Any] = {
        "number": number,
        "series_total": 2,
        "product": "CoronaVac",
        "vaccine_code": "511",
        "vaccine_system": CVX_SYSTEM,
        "lot": f"LOT-{number}",
        "given_on": date(2026, 10, number or 1),
        "facility": "Puskesmas Menteng",
    }
    return DoseFacts(**values | changes)


def facts(**changes: Any) -> CertificateFacts:
    """Both doses of Siti Aminah; `doses` and `this_dose` follow each other where only one is given."""
    own = changes.pop("this_dose", None) or a_dose()
    values: dict[str, Any] = {
        "number": "7K3M-9QXT-2B4D",
        "status": "valid",
        "issuer": "Dinas Kesehatan Contoh",
        "name": "Siti Aminah",
        "nik": NIK,
        "birth_date": date(1989, 2, 10),
        "issued_at": NOW,
        "time_zone": "Asia/Jakarta",
        "verify_host": "sertifikat.example.id",
        "doses": (a_dose(1), own),
        "this_dose": own,
    }
    return CertificateFacts(**values | changes)


def sample(name: str) -> str:
    return (SAMPLES / "shc" / name).read_text(encoding="ascii").strip()


def sample_keys() -> PublicKeys:
    """The keys of the issuer of HL7's examples; they have no HC1 certificate."""
    keys = json.loads(sample("jwks.json"))["keys"]
    return PublicKeys([public_key(jwk) for jwk in keys])


def public_key(jwk: dict[str, str], certificate: bytes = b"") -> PublicKey:
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "="), "big") for name in ("x", "y"))
    return PublicKey(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), certificate)


def signers() -> list[SigningKey]:
    return [OLD_KEY, KEY]
