"""The signature of Twilio's webhooks: HMAC-SHA1 over our public address and the sorted form, keyed by an auth token.

Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator, add_port, remove_port


def is_genuine(tokens: Sequence[str], url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether one of our tokens signed this form for this address; False without a token.

    The library computes each signature, and we compare: its own comparison is a Python loop, and it leaves out the
    address as we wrote it. Twilio signs with or without the port, so both are allowed. No way out is early.
    """
    parts = urlsplit(url)
    written = sorted({url, add_port(parts), remove_port(parts)})
    given = signature.encode()
    genuine = False
    for token in filter(None, tokens):  # anybody can sign with an empty one
        validator = RequestValidator(token)
        for address in written:
            expected = validator.compute_signature(address, form).encode()
            genuine |= hmac.compare_digest(expected, given)
    return genuine
