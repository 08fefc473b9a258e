"""The key that signs PDFs: which PEM texts are taken, and that a refusal never quotes one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifier.core.pdf_keys import BadPdfKey, new_pdf_key, pem_of, read_pdf_key
from tests.pdf_keys import a_certificate_of, a_chain, a_pdf_key, new_private_key

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


def refusal(text: str) -> str:
    with pytest.raises(BadPdfKey) as refused:
        read_pdf_key(text)
    assert refused.value.__cause__ is None
    return str(refused.value)


def parts(text: str) -> list[str]:
    """The PEM blocks of a text."""
    return [block + "\n" for block in text.split("\n-----BEGIN ", 1)[0:1]] + [
        "-----BEGIN " + block for block in text.split("\n-----BEGIN ")[1:]
    ]


def test_the_key_s_own_certificate_is_found_wherever_it_stands() -> None:
    text, _ = a_chain()
    key, leaf, middle, root = parts(text)
    for order in ((key, leaf, middle, root), (root, middle, leaf, key), (middle, key, root, leaf)):
        read = read_pdf_key("# a remark\r\n" + "\r\n".join(order))
        assert read.certificate.subject.rfc4514_string() == "CN=Dinas Kesehatan"
        assert len(read.above) == 2


def test_a_key_as_older_programs_write_it_is_read() -> None:
    own = new_private_key()
    certificate = a_certificate_of(own.public_key(), subject="S", issuer="I", signed_by=own)
    old = own.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    assert b"EC PRIVATE KEY" in old
    read = read_pdf_key(old.decode() + certificate.public_bytes(PEM).decode())
    assert read.certificate == certificate


@pytest.mark.parametrize("usage", [("digital_signature",), ("content_commitment",), None])
def test_a_certificate_that_may_sign_is_taken(usage: tuple[str, ...] | None) -> None:
    assert not read_pdf_key(a_pdf_key(usage=usage)).made_by_us


def test_a_certificate_that_may_not_sign_is_refused() -> None:
    assert "key usage" in refusal(a_pdf_key(usage=("key_agreement",)))


@pytest.mark.parametrize("text", ["", "rubbish", "-----BEGIN PRIVATE KEY-----", "\0" * 100, "-" * 200_000])
def test_what_holds_no_key_is_refused(text: str) -> None:
    assert "one private key" in refusal(text)


def test_two_private_keys_are_refused() -> None:
    assert "one private key" in refusal(a_pdf_key() + a_pdf_key())


def test_a_key_without_its_certificate_is_refused() -> None:
    mine, other = parts(a_pdf_key()), parts(a_pdf_key())
    assert "certificate of this private key" in refusal(mine[0])
    assert "certificate of this private key" in refusal(mine[0] + other[1])


def test_a_changed_certificate_or_key_cannot_be_read() -> None:
    key, certificate = parts(a_pdf_key())
    assert "certificate cannot be read" in refusal(key + certificate.replace("MI", "!!", 1))
    assert "private key cannot be read" in refusal(key.replace("MI", "AA", 1) + certificate)


def test_a_key_with_a_password_is_refused() -> None:
    own = new_private_key()
    sealed = own.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret"))
    assert "password" in refusal(sealed.decode() + parts(a_pdf_key())[1])


def test_only_p_256_signs() -> None:
    certificate = parts(a_pdf_key())[1]
    for other in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        pem = other.private_bytes(PEM, PKCS8, serialization.NoEncryption()).decode()
        assert "P-256" in refusal(pem + certificate)


def test_a_made_key_says_that_it_is_ours_and_lasts() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    made = read_pdf_key(new_pdf_key(now))
    assert made.made_by_us
    assert made.certificate.not_valid_before_utc < now
    assert made.expires_at.year == 2036
    assert "Sertilink" in made.certificate.subject.rfc4514_string()
    assert new_pdf_key(now) != new_pdf_key(now)


def test_a_key_does_not_show_itself() -> None:
    key = read_pdf_key(a_pdf_key())
    assert "PrivateKey" not in repr(key)
    assert read_pdf_key(pem_of(key.private_key, key.certificate)).certificate == key.certificate
