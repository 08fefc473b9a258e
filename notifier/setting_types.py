"""How single settings are written: lists, keys, durations, addresses. Reads no environment."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretBytes, SecretStr

KEY_BYTES = 32
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-4, D.1.2.3
_LONGEST_NUMBER = 6  # digits of a duration


def _split(value: object) -> object:
    """A comma- or line-separated list; newest last."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _keys(value: object) -> object:
    parts = _split(value)
    return tuple(_key_bytes(part) for part in parts) if isinstance(value, str) and isinstance(parts, tuple) else value


def _key_bytes(text: str) -> bytes:
    """A key as `sertilink keys new` prints it: base64url of 32 bytes."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("each key is base64url; make one with `sertilink keys new`") from error
    if len(raw) < KEY_BYTES:
        raise ValueError(f"each key has at least {KEY_BYTES} bytes; make one with `sertilink keys new`")
    return raw


def is_p256_scalar(raw: bytes) -> bool:
    """Whether 32 bytes are a private key of the curve P-256: a number from 1 to the curve's order less 1."""
    return len(raw) == KEY_BYTES and 0 < int.from_bytes(raw, "big") < _P256_ORDER


def _durations(value: object) -> object:
    if not isinstance(value, str):
        return value
    units = {"s": "seconds", "m": "minutes", "h": "hours"}
    out = []
    for part in value.split(","):
        number, unit = part.strip()[:-1], part.strip()[-1:]
        if unit not in units or not number.isdecimal() or len(number) > _LONGEST_NUMBER:
            raise ValueError("write durations as 1m,5m,15m,60m")
        out.append(timedelta(**{units[unit]: int(number)}))
    return tuple(out)


def is_plain_address(value: str) -> bool:
    """Whether `value` is http or https with a host, and perhaps a port and a path: nothing else."""
    try:
        parts = urlsplit(value)
        unwanted = parts.query or parts.fragment or parts.username or parts.password or parts.port == 0
    except ValueError:
        return False
    typed = value.isprintable() and " " not in value
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not unwanted and typed


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Keys = Annotated[tuple[SecretBytes, ...], BeforeValidator(_keys)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
Durations = Annotated[tuple[timedelta, ...], BeforeValidator(_durations)]
