"""The second factor: codes of an app on the owner's phone, and ten recovery codes for when the phone is gone.

The secret is sealed in the account's row; while it is being set up, in the row of the session that does so. A code is
taken once: the row remembers its time step. Recovery codes have 60 random bits and are kept as a keyed index, so that
who steals the database cannot try them (docs/decisions/0023-second-factor.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.access import totp, tries
from notifier.access.sessions import ENDED, hash_of
from notifier.access.tries import Limit
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import new_id, random_letters, read_reference
from notifier.services import Services
from notifier.store import audit, staff

RECOVERY_CODES = 10
TRIES, TRIES_A_DAY, TRIES_AN_ADDRESS = 5, 20, 50
_LETTERS, _GROUP = 12, 4  # 60 bits
_PLACE, _NEW_PLACE = "staff:totp", "session:totp_new"
_DAY = timedelta(days=1)


def limits(services: Services, staff_id: str, address: str) -> list[Limit]:
    """What is counted for each code that is shown."""
    return [
        Limit(tries.named(services, "second-factor.account", staff_id), TRIES),
        Limit(tries.named(services, "second-factor.day", staff_id), TRIES_A_DAY, _DAY),
        Limit(tries.named(services, "second-factor.address", address), TRIES_AN_ADDRESS),
    ]


def begin(conn: Connection, services: Services, token: str) -> None:
    """A new secret for the session that `token` opens. Raises Refused (ENDED)."""
    hashed = hash_of(token)
    sealed = services.sealer.seal(_NEW_PLACE, hashed.hex(), totp.new_secret())
    if not staff.set_new_secret(conn, hashed, sealed):
        raise Refused(ENDED)


def being_set_up(services: Services, token: str) -> bytes | None:
    """The secret that the session is setting up; None where it is setting up none."""
    with services.db.read() as conn:
        return _new_secret(conn, services, token)


def confirm(conn: Connection, services: Services, token: str, staff_id: str, code: str, at: datetime) -> list[str]:
    """Makes the secret that is being set up the account's, once its first code shows that the phone has it; the
    recovery codes, which can be seen this once.

    Raises Refused (ENDED) where nothing is being set up, BadInput for a wrong code.
    """
    secret = _new_secret(conn, services, token)
    if secret is None:
        raise Refused(ENDED)
    step = totp.matching_step(secret, code, at)
    if step is None:
        raise BadInput.of("code", "code-wrong", "the code does not belong to this secret, or its time is past")
    sealed = services.sealer.seal(_PLACE, staff_id, secret)
    staff.update(conn, staff_id, totp_sealed=sealed, totp_step=step, totp_at=at)
    codes = new_recovery_codes(conn, services, staff_id, at)
    _audit(conn, at, "staff.second-factor-set", staff_id)
    return codes


def _new_secret(conn: Connection, services: Services, token: str) -> bytes | None:
    hashed = hash_of(token)
    sealed = staff.new_secret(conn, hashed)
    return services.sealer.open_bytes(_NEW_PLACE, hashed.hex(), sealed) if sealed is not None else None


def take_code(conn: Connection, services: Services, staff_id: str, code: str, at: datetime) -> bool:
    """Whether `code` is the phone's code of about now and was not taken before. Taken with the caller's transaction."""
    row = staff.get(conn, staff_id)
    if row is None or row.totp_sealed is None:
        return False
    step = totp.matching_step(services.sealer.open_bytes(_PLACE, staff_id, row.totp_sealed), code, at)
    return step is not None and staff.take_step(conn, staff_id, step)


def take_recovery_code(conn: Connection, services: Services, staff_id: str, code: str, at: datetime) -> bool:
    """Whether `code` is one of the account's recovery codes and was not used before. Used up with the caller's
    transaction."""
    if not staff.use_recovery_code(conn, staff_id, _index(services, staff_id, read_reference(code)), at):
        return False
    left = staff.count_recovery_codes(conn, staff_id)
    _audit(conn, at, "staff.recovery-code-used", staff_id, left=left)
    return True


def new_recovery_codes(conn: Connection, services: Services, staff_id: str, at: datetime) -> list[str]:
    """Ten new codes instead of all that there were, as they are shown once."""
    plain = [random_letters(_LETTERS) for _ in range(RECOVERY_CODES)]
    rows = [
        {"id": new_id(), "staff_id": staff_id, "code_index": _index(services, staff_id, code), "created_at": at}
        for code in plain
    ]
    staff.replace_recovery_codes(conn, staff_id, rows)
    return ["-".join(code[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP)) for code in plain]


def clear(conn: Connection, staff_id: str) -> None:
    """Takes an account's second factor and its recovery codes away. Who calls writes the audit."""
    staff.update(conn, staff_id, totp_sealed=None, totp_step=None, totp_at=None)
    staff.replace_recovery_codes(conn, staff_id, [])


def _index(services: Services, staff_id: str, code: str) -> bytes:
    return services.sealer.index("staff.recovery-code", f"{staff_id}:{code}")


def _audit(conn: Connection, at: datetime, action: str, staff_id: str, **detail: int) -> None:
    audit.write(conn, at=at, actor=f"staff:{staff_id}", action=action, subject="staff", subject_id=staff_id, **detail)
