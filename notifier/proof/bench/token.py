"""`token`: what a link's token costs, beside a bare HMAC."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from statistics import median

from notifier.core.errors import BadToken
from notifier.core.link_tokens import LinkSigner, new_public_id
from notifier.proof.bench import BenchFailed, Options, Row
from notifier.proof.bench.figures import timed

_SIZE = 2_000
_ROUNDS = 9
_KEY_BYTES = 32
_SIGNED_BYTES = 8  # of a public id


def run(options: Options) -> list[Row]:
    """Microseconds, medians of rounds that alternate, so that a busy moment hits all alike."""
    count = options.size or _SIZE
    key = secrets.token_bytes(_KEY_BYTES)
    one, three = LinkSigner([key]), LinkSigner([secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_KEY_BYTES), key])
    ids = [new_public_id() for _ in range(count)]
    tokens = [one.sign(public_id) for public_id in ids]
    forged = [token[:-1] + ("0" if token[-1] != "0" else "1") for token in tokens]
    raw = [secrets.token_bytes(_SIGNED_BYTES) for _ in range(count)]
    works: dict[str, Callable[[], object]] = {
        "hmac": lambda: [hmac.digest(key, value, hashlib.sha256) for value in raw],
        "sign": lambda: [one.sign(public_id) for public_id in ids],
        "read": lambda: [one.read(token) for token in tokens],
        "read of three": lambda: [three.read(token) for token in tokens],
        "forged": lambda: all(_refuses(one, token) for token in forged),
        "no token": lambda: all(_refuses(one, "robots.txt") for _ in ids),
    }
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_ROUNDS + 1):
        for name, work in works.items():
            took[name] += timed(work, 1)
    each = {name: median(rounds[1:]) / count * 1e6 for name, rounds in took.items()}
    floor = each["hmac"]
    return [
        Row("sign a token, beside a bare HMAC-SHA-256", each["sign"], "µs", floor),
        Row("read a token, one key", each["read"], "µs", floor),
        Row("read a token, three keys", each["read of three"], "µs", floor),
        Row("refuse a forged token", each["forged"], "µs", floor),
        Row("refuse what has no token's shape", each["no token"], "µs", floor),
    ]


def _refuses(signer: LinkSigner, token: str) -> bool:
    try:
        signer.read(token)
    except BadToken:
        return True
    raise BenchFailed("a forged token was read")
