"""Signing in: throttled by counters in the database, per account and per address, before any password is looked at.

The tries are counted first, in a transaction of their own, so that parallel guesses cannot slip through; a right
password gives them back, so that a hospital behind one address is not kept out by its own morning shift. Where the
database cannot count, nobody signs in.
"""

from __future__ import annotations

from datetime import timedelta

from notifier.access import sessions
from notifier.access.accounts import read_username
from notifier.access.passwords import Passwords
from notifier.core.errors import Refused
from notifier.services import Services
from notifier.store import audit, counters, staff

WINDOW = timedelta(minutes=15)
TRIES_AN_ACCOUNT = 10
TRIES_AN_ADDRESS = 50

WRONG = "wrong-name-or-password"  #: said for an unknown name, a wrong password and an ended account alike
TOO_MANY = "too-many-tries"


def sign_in(services: Services, passwords: Passwords, *, username: str, password: str, address: str) -> str:
    """The token of a new session. `address`: the client's, only ever used as a keyed index.

    Raises Refused with WRONG or TOO_MANY.
    """
    name = read_username(username)[:200]
    names = _counted(services, name, address)
    _count(services, names)
    with services.db.read() as conn:
        row = staff.find(conn, name)
    checked = passwords.check(row.password_hash if row else None, password)
    if row is None or not checked.right or not row.active:
        _remember_failure(services, row.id if row else "-")  # the same work for an unknown name
        raise Refused(WRONG)
    at = services.clock.now()
    with services.db.write() as conn:
        for counted, _ in names:
            counters.give_back(conn, counted, window=WINDOW, at=at)
        changed = {"password_hash": checked.new_hash} if checked.new_hash else {}
        staff.update(conn, row.id, last_sign_in_at=at, **changed)
        audit.write(conn, at=at, actor=f"staff:{row.id}", action="staff.signed-in", subject="staff", subject_id=row.id)
        return sessions.start(conn, row.id, at)


def _counted(services: Services, name: str, address: str) -> list[tuple[str, int]]:
    """What is counted, with its limit; under keyed indexes, since a name may be an e-mail address."""
    by_name = services.sealer.index("sign-in.account", name).hex()
    by_address = services.sealer.index("sign-in.address", address).hex()
    return [
        (f"sign-in:account:{by_name}", TRIES_AN_ACCOUNT),
        (f"sign-in:address:{by_address}", TRIES_AN_ADDRESS),
    ]


def _count(services: Services, names: list[tuple[str, int]]) -> None:
    at = services.clock.now()
    with services.db.write() as conn:
        over = [counters.hit(conn, name, window=WINDOW, at=at) > limit for name, limit in names]
    if any(over):
        raise Refused(TOO_MANY)


def _remember_failure(services: Services, staff_id: str) -> None:
    with services.db.write() as conn:
        audit.write(
            conn,
            at=services.clock.now(),
            actor=audit.SYSTEM,
            action="staff.sign-in-failed",
            subject="staff",
            subject_id=staff_id,
        )
