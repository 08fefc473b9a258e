"""Signed link tokens: itsdangerous' keys, salts and derivation under an own encoding that survives an SMS.

A token is 33 characters of base62: the link's public id (64 bits, 11 characters), then an HMAC-SHA-256 of it cut to
128 bits (22 characters; RFC 2104 section 5: at least half of the hash). No `-`, `_` or `.`: phones drop them from the
end of a link and carriers mangle `_`. One token has one spelling: itsdangerous' own base64 would accept aliases.
Expiry, revocation and generation live in the link's row.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

from itsdangerous import BadSignature

from notifier.core.errors import BadToken
from notifier.core.ids import BASE62
from notifier.core.signing import QuickSigner

PUBLIC_ID_LENGTH = 11  # 64 bits
_PUBLIC_ID_BYTES = 8
_MAC_LENGTH = 22  # 128 bits
_MAC_BYTES = 16
TOKEN_LENGTH = PUBLIC_ID_LENGTH + _MAC_LENGTH

CERTIFICATE_LINK_SALT = "sertilink.certificate-link.v1"
OBJECTION_SALT = "sertilink.number-objection.v1"
CASE_TRACKER_SALT = "sertilink.case-tracker.v1"

_DIGITS = {ch: value for value, ch in enumerate(BASE62)}
_SHAPE = re.compile(rf"[0-9A-Za-z]{{{TOKEN_LENGTH}}}", re.ASCII)
_IN_TEXT = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{TOKEN_LENGTH}}}(?![0-9A-Za-z])", re.ASCII)


def _encode(raw: bytes, length: int) -> str:
    number = int.from_bytes(raw, "big")
    out = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        out.append(BASE62[digit])
    return "".join(reversed(out))


def _decode(text: str, size: int) -> bytes:
    number = 0
    for ch in text:
        number = number * 62 + _DIGITS[ch]
    try:
        return number.to_bytes(size, "big")
    except OverflowError as error:
        raise BadSignature("shape") from error


def new_public_id() -> str:
    """A random public id for a new link."""
    return _encode(secrets.token_bytes(_PUBLIC_ID_BYTES), PUBLIC_ID_LENGTH)


class _CompactSigner(QuickSigner):
    """An itsdangerous Signer whose signature is fixed-length base62 without a separator."""

    default_digest_method = staticmethod(hashlib.sha256)
    default_key_derivation = "hmac"

    def _mac(self, value: bytes, key: bytes) -> bytes:
        return self.algorithm.get_signature(self.derive_key(key), value)[:_MAC_BYTES]

    def sign_id(self, public_id: str) -> str:
        value = _decode(public_id, _PUBLIC_ID_BYTES)
        return public_id + _encode(self._mac(value, self.secret_keys[-1]), _MAC_LENGTH)

    def unsign_id(self, token: str) -> str:
        if _SHAPE.fullmatch(token) is None:
            raise BadSignature("shape")
        public_id = token[:PUBLIC_ID_LENGTH]
        value = _decode(public_id, _PUBLIC_ID_BYTES)
        mac = _decode(token[PUBLIC_ID_LENGTH:], _MAC_BYTES)
        matches = [hmac.compare_digest(self._mac(value, key), mac) for key in reversed(self.secret_keys)]
        if not any(matches):
            raise BadSignature("mac")
        return public_id


class LinkSigner:
    """Signs and reads tokens of one purpose. `keys` oldest first; the newest signs, all of them verify."""

    def __init__(self, keys: Sequence[bytes], salt: str = CERTIFICATE_LINK_SALT) -> None:
        self._keys = list(keys)
        self._signer = _CompactSigner(self._keys, salt=salt)

    def salted(self, salt: str) -> LinkSigner:
        """The signer of another purpose with the same keys; neither reads the other's tokens."""
        return LinkSigner(self._keys, salt)

    def sign(self, public_id: str) -> str:
        """The token for a link's public id."""
        return self._signer.sign_id(public_id)

    def read(self, token: str) -> str:
        """The public id in a token. Raises BadToken for a wrong shape or MAC, without saying which."""
        try:
            return self._signer.unsign_id(token)
        except BadSignature as error:
            raise BadToken("not one of our links") from error

    def find_in(self, text: str) -> str | None:
        """The public id of the first genuine token in a text; None where there is none."""
        for match in _IN_TEXT.finditer(text):
            try:
                return self.read(match.group())
            except BadToken:
                continue
        return None


def trimmed(token: str) -> str:
    """A token without what phones and people leave at the end of a link: blanks and closing punctuation."""
    return token.rstrip(" \t\r\n.,;:!?)]}>'\"")
