"""One-time codes of six digits: derived from our keys and a random id, so that nothing of a code is kept anywhere.

HOTP's truncation (RFC 4226 section 5.3) of HMAC-SHA-256 over the id. Whoever reads the database learns no code; how
often one may be tried, and until when, stands in the row of the id.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

DIGITS = 6
_SALT = b"sertilink.one-time-code.v1"


class OneTimeCodes:
    """Makes and checks codes. `keys` oldest first; the newest makes, all of them check."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [hmac.digest(key, _SALT, hashlib.sha256) for key in keys]

    def code_of(self, challenge_id: str) -> str:
        """The code of a challenge, six ASCII digits."""
        return _truncated(self._keys[-1], challenge_id)

    def is_code(self, challenge_id: str, typed: str) -> bool:
        """Whether `typed`, digits only, is the code of a challenge. Takes as long for a wrong one."""
        given = typed.encode("utf-8", "replace")
        matches = [hmac.compare_digest(_truncated(key, challenge_id).encode(), given) for key in self._keys]
        return any(matches)


def _truncated(key: bytes, challenge_id: str) -> str:
    mac = hmac.digest(key, challenge_id.encode(), hashlib.sha256)
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)
