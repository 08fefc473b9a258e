"""Signing keys: their public names, the certificate that HC1 wants of each, and rotation."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import SecretBytes

from notifier.certificates.codes.hc1 import make_hc1, read_hc1
from notifier.certificates.codes.keys import keyring, signing_key
from notifier.certificates.codes.shc import make_shc, read_shc
from notifier.core.errors import BadSettings
from notifier.services import Services
from tests.certificates.codes.codes import KEY, NOW, UVCI, facts, public_key, sample_keys


def _rsa_certificate() -> str:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RSA")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW)
    return base64.b64encode(builder.sign(key, SHA256()).public_bytes(Encoding.DER)).decode()


RSA_CERTIFICATE = _rsa_certificate()


def test_the_kid_is_the_thumbprint_that_the_specifications_example_has():
    assert [key.kid for key in sample_keys().all] == [
        "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s",
        "EBKOr72QQDcTBUuVzAzkfBTGew0ZA16GuWty64nS-sw",
    ]


def test_a_published_key_is_the_key_and_holds_nothing_private():
    jwk = KEY.public.jwk
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert public_key(jwk).spki == KEY.public.spki


def test_the_certificate_of_a_key_is_the_same_bytes_in_every_process_and_release():
    """Codes name their key by these bytes: were they to change, codes that people hold would no longer be known."""
    again = signing_key(b"a key of the tests".ljust(32, b"-"), "ID")
    assert again.public.certificate == KEY.public.certificate
    assert hashlib.sha256(KEY.public.certificate).hexdigest() == CERTIFICATE_HASH
    assert KEY.public.hc1_kid.hex() == CERTIFICATE_HASH[:16]


CERTIFICATE_HASH = "3ba8d1bc12ec3018d72bfbd5753995dc8c4a06eb61dbfd100b10c162ac9e3bc3"


def test_the_certificate_is_signed_by_its_own_key_and_names_the_country():
    certificate = x509.load_pem_x509_certificate(KEY.public.pem.encode())
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string().endswith("C=ID")
    assert certificate.not_valid_before_utc < datetime(2026, 1, 1, tzinfo=UTC) < certificate.not_valid_after_utc


def test_the_newest_key_signs_and_all_are_published(build_services):
    old, new = (SecretBytes(name.ljust(32, b"-")) for name in (b"old", b"new"))
    ring = keyring(build_services(signing_keys=(old, new)))
    assert [key.kid for key in ring.public.all] == [
        signing_key(secret.get_secret_value(), "ID").public.kid for secret in (old, new)
    ]
    assert ring.newest.public == ring.public.all[-1]


def test_a_process_without_keys_says_so(build_services):
    with pytest.raises(BadSettings, match="SIGNING_KEYS"):
        keyring(build_services(signing_keys=()))


@pytest.mark.parametrize("raw", [b"\0" * 32, b"\xff" * 32, b"a" * 33])
def test_what_is_no_private_number_of_the_curve_is_refused(build_services, raw: bytes):
    with pytest.raises(ValueError, match="P-256"):
        build_services(signing_keys=(SecretBytes(raw),))


def test_no_secret_is_shown(services: Services):
    ring = keyring(services)
    assert "signing_keys" not in repr(ring) + repr(services.settings.signing_keys)


def test_a_retired_key_signs_nothing_and_its_codes_still_hold(build_services):
    new = SecretBytes(b"new".ljust(32, b"-"))
    ring = keyring(build_services(signing_keys=(new,), retired_keys=(KEY.public.line,)))
    assert [key.kid for key in ring.public.all] == [KEY.public.kid, ring.newest.public.kid]
    assert ring.newest.public.kid != KEY.public.kid
    assert read_shc(make_shc(facts(), KEY, issuer_url="https://x", rid="r", at=NOW), ring.public).name == "Siti Aminah"
    hc1 = make_hc1(facts(), KEY, country="ID", uvci=UVCI, at=NOW)
    assert read_hc1(hc1, ring.public).key_id == KEY.public.kid


@pytest.mark.parametrize("line", ["x", "AAAA", RSA_CERTIFICATE])
def test_what_is_no_certificate_of_a_p256_key_is_refused(build_services, line: str):
    with pytest.raises(BadSettings, match="RETIRED_KEYS"):
        keyring(build_services(retired_keys=(line,)))
