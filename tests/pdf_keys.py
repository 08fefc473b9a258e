"""Keys that sign PDFs, as an authority would give them out, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifier.core.pdf_keys import pem_of

FROM = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2036, 1, 1, tzinfo=UTC)
_NO_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def new_private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def a_certificate_of(
    public_key: Any,
    *,
    subject: str,
    issuer: str,
    signed_by: ec.EllipticCurvePrivateKey,
    since: datetime = FROM,
    until: datetime = UNTIL,
    authority: bool = False,
    usage: tuple[str, ...] | None = ("digital_signature", "content_commitment"),
) -> x509.Certificate:
    """A certificate; `usage` None leaves the extension out."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(since, until - timedelta(days=1)))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(**_NO_USAGE | dict.fromkeys(usage, True)), critical=True)
    return builder.sign(signed_by, hashes.SHA256())


def a_pdf_key(subject: str = "Dinas Kesehatan Contoh", **certificate: Any) -> str:
    """A key whose certificate, of `subject`, was issued by an authority that nobody knows."""
    own, authority = new_private_key(), new_private_key()
    of_own = a_certificate_of(
        own.public_key(), subject=subject, issuer="Otoritas Contoh", signed_by=authority, **certificate
    )
    return pem_of(own, of_own)


def a_chain() -> tuple[str, x509.Certificate]:
    """A key with the certificate between it and a root, and that root."""
    own, between, root = (new_private_key() for _ in range(3))
    top = a_certificate_of(
        root.public_key(), subject="Akar", issuer="Akar", signed_by=root, authority=True, usage=("key_cert_sign",)
    )
    middle = a_certificate_of(
        between.public_key(), subject="Antara", issuer="Akar", signed_by=root, authority=True, usage=("key_cert_sign",)
    )
    leaf = a_certificate_of(own.public_key(), subject="Dinas Kesehatan", issuer="Antara", signed_by=between)
    return pem_of(own, leaf, middle, top), top


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
