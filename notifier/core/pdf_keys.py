"""The key that signs PDFs: one PEM text with an EC P-256 private key, its certificate, and those above it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<kind>(?:EC |RSA |ENCRYPTED )?PRIVATE KEY)-----.*?-----END (?P=kind)-----", re.DOTALL
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_LONGEST = 64 * 1024
_OURS = "Sertilink, local installation"  # whoever sees this name in a PDF reader knows what it is worth
_LIFE = timedelta(days=3650)


class BadPdfKey(ValueError):
    """The PEM text cannot sign PDFs; the message says why, and holds nothing of the text."""


@dataclass(frozen=True, slots=True)
class PdfKey:
    """A key that can sign. `certificate` is the key's own, `above` the ones between it and a root, in no order."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]

    @property
    def expires_at(self) -> datetime:
        """When the certificate ends; aware, in UTC."""
        return self.certificate.not_valid_after_utc

    @property
    def made_by_us(self) -> bool:
        """Whether `sertilink up` made it: nobody outside this machine has a reason to trust it."""
        names = self.certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return any(name.value == _OURS for name in names)


def read_pdf_key(text: str) -> PdfKey:
    """The key in `text`. Which certificate is the key's own is told by its public key, so their order does not matter.

    :raises BadPdfKey: not one plain P-256 private key, or no certificate of it that may sign documents.
    """
    private_key = _private_key(text)
    certificates = [_certificate(part) for part in _CERTIFICATE.findall(text[:_LONGEST])]
    own = [one for one in certificates if one.public_key() == private_key.public_key()]
    if not own:
        raise BadPdfKey("put the certificate of this private key into the same PEM text")
    if not _may_sign(own[0]):
        raise BadPdfKey("the certificate's key usage allows no signatures (digitalSignature or contentCommitment)")
    return PdfKey(private_key, own[0], tuple(one for one in certificates if one not in own))


def new_pdf_key(now: datetime) -> str:
    """A PEM text for one machine: a fresh key and a certificate that it signed itself. Production refuses it."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _OURS),
            x509.NameAttribute(NameOID.COMMON_NAME, "Contoh, bukan untuk dipercaya / Sample, not to be trusted"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(_SIGNS_DOCUMENTS, critical=True)
        .sign(private_key, hashes.SHA256())
    )
    return pem_of(private_key, certificate)


def pem_of(private_key: ec.EllipticCurvePrivateKey, *certificates: x509.Certificate) -> str:
    """The PEM text that `read_pdf_key` reads."""
    key = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join([key, *(one.public_bytes(serialization.Encoding.PEM) for one in certificates)]).decode("ascii")


def _private_key(text: str) -> ec.EllipticCurvePrivateKey:
    found = list(_PRIVATE_KEY.finditer(text[:_LONGEST]))
    if len(found) != 1:
        raise BadPdfKey("write one PEM text with one private key and its certificate; see docs/pdf.md")
    try:
        key = serialization.load_pem_private_key(found[0][0].encode(), password=None)
    except TypeError:
        raise BadPdfKey("the private key has a password; store it without one, readable by the service alone") from None
    except Exception:  # whatever the library raises; its text may quote the key
        raise BadPdfKey("the private key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadPdfKey("the private key must be an EC key on P-256 (prime256v1)")
    return key


def _certificate(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.public_key()
    except Exception:  # whatever the library raises
        raise BadPdfKey("a certificate cannot be read") from None
    return certificate


def _may_sign(certificate: x509.Certificate) -> bool:
    """RFC 5280: a certificate without the extension may do everything."""
    try:
        usage = certificate.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:  # extensions that cannot be read
        return False
    return isinstance(usage, x509.KeyUsage) and (usage.digital_signature or usage.content_commitment)


_SIGNS_DOCUMENTS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
