"""Sealed columns: AES-256-GCM with a key-id byte and AAD `table:column:row id`, and keyed blind indexes.

A sealed value is `key id (1) + nonce (12) + ciphertext + tag (16)`. The key id is the first byte of the key's SHA-256,
so a list of keys needs no numbering. The AAD ties the bytes to their row: moved elsewhere they do not open.
A blind index is an HMAC-SHA-256 under its own key, cut to 128 bits, one derived key per purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notifier.core.errors import BadSettings, SealBroken

_NONCE_BYTES = 12
_INDEX_BYTES = 16


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"sertilink data key id" + key).digest()[0]


def may_join(key: bytes, data_keys: Sequence[bytes]) -> bool:
    """Whether a data key can stand beside others: each is told by one byte in front of what it sealed, so that one new
    key in 256 for each older one cannot."""
    return _key_id(key) not in {_key_id(other) for other in data_keys}


class Sealer:
    """Seals and opens column values. `data_keys` oldest first; the newest seals, all of them open."""

    def __init__(self, data_keys: Sequence[bytes], index_key: bytes) -> None:
        if not data_keys:
            raise BadSettings(["SERTILINK_DATA_KEYS: at least one key is needed"])
        self._boxes = {_key_id(key): AESGCM(key[:32]) for key in data_keys}
        if len(self._boxes) != len(data_keys):
            raise BadSettings(["SERTILINK_DATA_KEYS: two keys share an id; replace the newest one"])
        self._newest = _key_id(data_keys[-1])
        self._index_key = index_key
        self._purpose_keys: dict[str, bytes] = {}  # derived once each: an intake asks a dozen times an event

    def seal(self, place: str, row_id: str, value: str | bytes) -> bytes:
        """The sealed form of a value for `place` (`table:column`) in one row."""
        raw = value.encode() if isinstance(value, str) else value
        nonce = os.urandom(_NONCE_BYTES)
        body = self._boxes[self._newest].encrypt(nonce, raw, f"{place}:{row_id}".encode())
        return bytes([self._newest]) + nonce + body

    def open_bytes(self, place: str, row_id: str, sealed: bytes) -> bytes:
        """The value again. Raises SealBroken for a key we do not have, changed bytes, or another place or row."""
        box = self._boxes.get(sealed[0]) if sealed else None
        if box is None:
            raise SealBroken(f"{place}: sealed by a key that is not loaded")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return box.decrypt(nonce, body, f"{place}:{row_id}".encode())
        except (InvalidTag, ValueError):
            raise SealBroken(f"{place}: changed, or moved from another row") from None

    def open(self, place: str, row_id: str, sealed: bytes) -> str:
        """`open_bytes` as text."""
        return self.open_bytes(place, row_id, sealed).decode()

    def sealed_with_newest(self, sealed: bytes) -> bool:
        """Whether a value needs no re-sealing after a rotation."""
        return sealed[:1] == bytes([self._newest])

    def index(self, purpose: str, value: str | bytes) -> bytes:
        """The blind index of a normalised value; the same value under two purposes gives unrelated bytes."""
        raw = value.encode() if isinstance(value, str) else value
        key = self._purpose_keys.get(purpose)
        if key is None:
            key = hmac.digest(self._index_key, b"sertilink index:" + purpose.encode(), hashlib.sha256)
            self._purpose_keys[purpose] = key
        return hmac.digest(key, raw, hashlib.sha256)[:_INDEX_BYTES]
