"""One-time codes by the clock (RFC 6238): what any authenticator app on a phone makes. SHA-1, 6 digits, 30 seconds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

SECRET_BYTES = 20  # the length of SHA-1, as RFC 4226 asks
_STEP_S, _DIGITS = 30, 6
_DRIFT = (0, -1, 1)  # steps that a phone's clock may be wrong


def new_secret() -> bytes:
    """160 random bits."""
    return secrets.token_bytes(SECRET_BYTES)


def step_of(at: datetime) -> int:
    """The time step that a moment falls in."""
    return int(at.timestamp()) // _STEP_S


def code_of(secret: bytes, step: int) -> str:
    """The code of one time step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def matching_step(secret: bytes, code: str, at: datetime) -> int | None:
    """The time step that a typed code belongs to, at most one early or late; None for a wrong code. Blanks do not
    matter."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    now, found = step_of(at), None
    for drift in _DRIFT:  # all of them each time: how long it takes says nothing
        if hmac.compare_digest(code_of(secret, now + drift).encode(), typed) and found is None:
            found = now + drift
    return found


def as_text(secret: bytes) -> str:
    """The secret as it is typed into an app by hand: groups of four letters."""
    plain = base64.b32encode(secret).decode()
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def as_address(secret: bytes, *, issuer: str, username: str) -> str:
    """The secret as an app's QR code holds it: an `otpauth://` address."""
    issuer = issuer.replace(":", " ")
    asked = urlencode({"secret": base64.b32encode(secret).decode(), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(username, safe='')}?{asked}"
