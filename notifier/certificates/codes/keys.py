"""The keys that sign codes: P-256, several at a time, oldest first, the newest signs (SIGNING_KEYS).

Of a key that signs no more the public half stays (RETIRED_KEYS): its private half can be destroyed, its codes hold.

A public key has two names. `kid` is its RFC 7638 thumbprint, as SMART Health Cards demand. `hc1_kid` is the first 8
bytes of the SHA-256 of its X.509 certificate, as the EU's specification demands; the certificate (DSC) is self-signed,
which that specification allows, and made from nothing but key and country, so that every process makes the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretBytes

from notifier.certificates.codes.packing import base64url
from notifier.core.errors import BadSettings
from notifier.services import Services
from notifier.settings import Settings

HC1_KID_BYTES = 8
_CURVE = ec.SECP256R1()
_COORDINATE = 32
#: fixed, since a certificate of another day would be another `hc1_kid`; no code outlives its end
_VALID_FROM = datetime(2021, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class PublicKey:
    """What everybody may know of a signing key. `certificate` is the DSC, as DER."""

    key: ec.EllipticCurvePublicKey = field(repr=False)
    certificate: bytes = field(repr=False)

    @cached_property
    def kid(self) -> str:
        """The RFC 7638 thumbprint: SHA-256 over the required members in order, base64url."""
        members = {name: self.jwk_members[name] for name in ("crv", "kty", "x", "y")}
        return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())

    @cached_property
    def hc1_kid(self) -> bytes:
        """The first 8 bytes of the SHA-256 of the DSC. Not unique by nature: a reader tries every key that has it."""
        return hashlib.sha256(self.certificate).digest()[:HC1_KID_BYTES]

    @cached_property
    def jwk_members(self) -> dict[str, str]:
        """Curve and point, as JWK spells them."""
        point = self.key.public_numbers()
        x, y = (base64url(value.to_bytes(_COORDINATE, "big")) for value in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The key as it stands in /.well-known/jwks.json."""
        return self.jwk_members | {"kid": self.kid, "use": "sig", "alg": "ES256"}

    @cached_property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER: what Web Crypto imports."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @cached_property
    def line(self) -> str:
        """The DSC on one line, as RETIRED_KEYS takes it."""
        return base64.b64encode(self.certificate).decode("ascii")

    @cached_property
    def pem(self) -> str:
        """The DSC as PEM, for whoever keeps a list of certificates."""
        return x509.load_der_x509_certificate(self.certificate).public_bytes(Encoding.PEM).decode("ascii")


@dataclass(frozen=True)
class SigningKey:
    """A private key with its public half."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    public: PublicKey


class PublicKeys:
    """The keys whose codes are ours, oldest first."""

    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self.all = tuple(keys)

    def by_kid(self, kid: str) -> PublicKey | None:
        """The key of a SMART Health Card."""
        return next((key for key in self.all if key.kid == kid), None)

    def by_hc1_kid(self, kid: bytes) -> tuple[PublicKey, ...]:
        """The keys of an HC1 code; by the specification all of them are to be tried."""
        return tuple(key for key in self.all if key.hc1_kid == kid)


@dataclass(frozen=True)
class Keyring:
    """The newest key signs; `public` also has the older ones, whose codes stay valid."""

    newest: SigningKey
    public: PublicKeys


def signing_key(scalar: bytes, country: str) -> SigningKey:
    """The key of a 32-byte private scalar. Raises ValueError where it is none of P-256."""
    private = ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE)
    return SigningKey(private, PublicKey(private.public_key(), _certificate(private, country)))


def retired_key(line: str) -> PublicKey:
    """The key of a certificate that `PublicKey.line` gave, whose private half is gone. Raises ValueError."""
    certificate = base64.b64decode(line, validate=True)
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a key of P-256")
    return PublicKey(key, certificate)


def keyring(services: Services) -> Keyring:
    """The installation's keys. Raises BadSettings in a process that holds none."""
    return keyring_of(services.settings)


def keyring_of(settings: Settings) -> Keyring:
    """The keys of settings. Raises BadSettings."""
    return _keyring(settings.signing_keys, settings.retired_keys, settings.country)


def has_keys(services: Services) -> bool:
    """Whether this process can sign codes at all."""
    return bool(services.settings.signing_keys)


@lru_cache(maxsize=4)
def _keyring(secrets: tuple[SecretBytes, ...], retired: tuple[str, ...], country: str) -> Keyring:
    if not secrets:
        raise BadSettings(["SERTILINK_SIGNING_KEYS: not loaded in this process"])
    keys = [signing_key(secret.get_secret_value(), country) for secret in secrets]
    try:
        old = [retired_key(line) for line in retired]
    except ValueError:
        raise BadSettings(["SERTILINK_RETIRED_KEYS: write the lines that `sertilink keys public` prints"]) from None
    each = {key.kid: key for key in (*old, *(key.public for key in keys))}  # one that is in both lists counts once
    return Keyring(keys[-1], PublicKeys(list(each.values())))


def _certificate(private: ec.EllipticCurvePrivateKey, country: str) -> bytes:
    """The self-signed DSC: the same bytes for the same key and country (RFC 6979 signature, fixed dates, serial number
    from the key)."""
    public = private.public_key()
    digest = hashlib.sha256(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).digest()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Sertilink DSC {digest[:8].hex()}"),
        ]
    )
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=public)
        .serial_number(int.from_bytes(digest[:16], "big") >> 1 | 1)
        .not_valid_before(_VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)  # digital signature alone
    )
    return builder.sign(private, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
