"""Small things that both formats need: unpacking with a bound, base64url in its one spelling."""

from __future__ import annotations

import base64
import zlib

from notifier.certificates.codes.card import LONGEST_UNPACKED

ZLIB = zlib.MAX_WBITS
RAW_DEFLATE = -zlib.MAX_WBITS


def deflated(data: bytes, form: int) -> bytes:
    """Packed as small as it goes, as ZLIB or RAW_DEFLATE."""
    squeeze = zlib.compressobj(level=9, wbits=form)
    return squeeze.compress(data) + squeeze.flush()


def inflated(packed: bytes, form: int) -> bytes:
    """Unpacked, but never more than LONGEST_UNPACKED bytes, whatever a stranger packed. Raises ValueError."""
    stream = zlib.decompressobj(wbits=form)
    try:
        data = stream.decompress(packed, LONGEST_UNPACKED)
    except zlib.error:
        raise ValueError("not packed by DEFLATE") from None
    if not stream.eof or stream.unused_data:
        raise ValueError("too long, cut short, or something behind it")
    return data


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes of base64url in its one canonical spelling: no padding, no bits behind the last byte. Raises
    ValueError."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(raw) != text:
        raise ValueError("another spelling of the same bytes")
    return raw
