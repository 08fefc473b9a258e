"""Codes made ahead, in small batches, for certificates whose message was accepted: the first opening finds them."""

from __future__ import annotations

import logging
from datetime import timedelta

from notifier.certificates.codes.keys import has_keys
from notifier.certificates.codes.made import codes_of
from notifier.core.errors import SertilinkError
from notifier.services import Services
from notifier.store import codes

BATCH = 200
_SETTLES = timedelta(seconds=5)  # a message that has just left is not accepted yet
_FIRST_LOOK_BACK = timedelta(days=1)

_log = logging.getLogger(__name__)


def is_due(services: Services) -> bool:
    """Whether messages have left since the last pass; one look into an index."""
    if not has_keys(services):
        return False
    now = services.clock.now()
    with services.db.read() as conn:
        return codes.has_left_since(conn, codes.mark(conn) or now - _FIRST_LOOK_BACK, now - _SETTLES)


def make_ahead(services: Services, size: int = BATCH) -> bool:
    """Makes the codes of one batch; whether more wait. What a pass misses (a message accepted late, a certificate
    without a birth date) is made at the opening. Safe to run twice at once, and to be cut short: then it runs again."""
    if not has_keys(services):
        return False
    until = services.clock.now() - _SETTLES
    with services.db.read() as conn:
        after = codes.mark(conn) or until - _FIRST_LOOK_BACK
        if not codes.has_left_since(conn, after, until):
            return False
        end = codes.end_of_batch(conn, after, until, size)
        waiting = codes.without_codes(conn, after, end)
    for certificate_id in waiting:
        try:
            codes_of(services, certificate_id)
        except SertilinkError as error:
            _log.warning("no codes", extra={"certificate": certificate_id, "error": type(error).__name__})
    with services.db.write() as conn:
        codes.move_mark(conn, end)
    return end < until
