"""Who may open a link: its state, the birth date, the tries for life, and the limits around them.

A forged token dies before any read of the database. Everything that a try does happens in one transaction; where any of
it cannot be done, nobody gets in.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import (
    DOWNLOADS,
    TRIES,
    Limit,
    TryLimits,
    seconds_to_wait,
    seconds_to_wait_at_link,
)
from notifier.core.errors import BadToken
from notifier.core.states import CertificateStatus, FollowUp, Reason
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import audit, certificates, follow_ups, openings, persons
from notifier.store.openings import ROBOT, OpeningKind

DOOR = "door:link"
#: looked at again after this long, an open page is a new event
PAGE_AGAIN = timedelta(minutes=10)


class LinkState(StrEnum):
    """What a token leads to."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"
    PAUSED = "paused"  #: somebody who got it said that it is not for them; until staff have looked
    LOCKED = "locked"
    UNKNOWN = "unknown"  #: forged, mangled, or of no row of ours; the three look the same


@dataclass(frozen=True, slots=True)
class Look:
    """A link as it stands now. The ids are None where it is unknown; `reason` says why it is revoked."""

    state: LinkState
    public_id: str | None = None
    certificate_id: str | None = None
    reason: Reason | None = None
    tries_left: int = 0


class Answer(StrEnum):
    """What a try came to."""

    OPENED = "opened"
    WRONG = "wrong"
    LIMITED = "limited"  #: too many tries around here; not counted against the person
    CLOSED = "closed"  #: the link is not live, see `look`


@dataclass(frozen=True, slots=True)
class Try:
    """The outcome of a try; `look` is the link after it. `proof`, where it opened, is for `look_again`."""

    answer: Answer
    look: Look
    retry_after_s: int = 0
    proof: str = field(default="", repr=False)


_PROOF_LENGTH = 16  # 64 bits; the cookie around it is signed
_UNKNOWN = Look(LinkState.UNKNOWN)


def look(services: Services, token: str) -> Look:
    """The state of the link behind a token. Reads once, writes nothing; a forged token reads nothing."""
    try:
        public_id = services.links.read(token)
    except BadToken:
        return _UNKNOWN
    return look_at(services, public_id)


def look_at(services: Services, public_id: str) -> Look:
    """The state of a link whose token was proved before."""
    return look_of(openings.look_up(services.db, public_id), services.clock.now())


def look_again(services: Services, public_id: str, proof: str) -> Look | None:
    """The state of a link that is open in a browser, with the `proof` that it was given; None where it is live and the
    birth date that opened it is not the person's any more."""
    row = openings.look_up(services.db, public_id)
    seen = look_of(row, services.clock.now())
    if row is None or seen.state is not LinkState.LIVE:
        return seen  # which says more than that the page is closed
    born = openings.birth_date(services.sealer, row)
    return seen if is_proof(services, public_id, born, proof) else None


def is_proof(services: Services, public_id: str, born: str | None, proof: str) -> bool:
    """Whether a browser's `proof` is of the birth date (YYYY-MM-DD) that the person of a link has now."""
    return hmac.compare_digest(_proof_of(services, public_id, born), proof)


def try_birth_date(
    services: Services, token: str, typed: date, *, device: str, address: str, limits: TryLimits = TRIES
) -> Try:
    """Tries a birth date at a link.

    Wrong dates are counted for the person, for life, in one conditional UPDATE; the fifth locks, and a right date then
    opens nothing. Only tokens with a valid MAC are counted anywhere.
    """
    return _try(services, token, typed.isoformat(), device=device, address=address, limits=limits)


def open_proved(
    conn: Connection,
    services: Services,
    public_id: str,
    *,
    device: str,
    at: datetime,
    actor: str,
    is_noted: bool = True,
) -> tuple[Look, str]:
    """Opens a link, where it is live, for whoever has proved the person elsewhere; `is_noted`: as any opening, where
    the certificate is what they will see. (the look, the proof for `look_again`)."""
    row = openings.find(conn, public_id, for_try=True)
    seen = look_of(row, at)
    if row is None or seen.state is not LinkState.LIVE:
        return seen, ""
    if is_noted:
        openings.add(conn, row, kind=OpeningKind.OPENED, device=device, at=at)
        _audit(conn, row, "certificate-opened", at, actor=actor)
    return seen, _proof(services, row)


def press_button(services: Services, token: str, *, device: str, address: str, limits: TryLimits = TRIES) -> Try:
    """Opens a link without a birth date. Raises ValueError unless LINK_CHECK=none."""
    if services.settings.link_check is not LinkCheck.NONE:
        raise ValueError("LINK_CHECK demands a birth date")
    return _try(services, token, None, device=device, address=address, limits=limits)


def record_download(
    services: Services,
    public_id: str,
    *,
    kind: OpeningKind,
    device: str,
    is_noted: bool = True,
    limit: Limit = DOWNLOADS,
) -> int:
    """Counts a file that is about to be made, and notes it where it is handed out (`is_noted`). 0, or the seconds
    to wait where too many were asked for."""
    now = services.clock.now()
    with services.db.write() as conn:
        wait = seconds_to_wait(conn, limit, public_id, now)
        row = openings.find(conn, public_id) if is_noted and not wait else None
        if row is not None:
            openings.add(conn, row, kind=kind, device=device, at=now)
    return wait


def record_view(services: Services, public_id: str, *, device: str) -> None:
    """Notes that the open page was looked at, at most once a link in PAGE_AGAIN: a refresh is no event."""
    now = services.clock.now()
    with services.db.write() as conn:
        row = openings.find(conn, public_id)
        if row is not None and not openings.seen_since(conn, row.link_id, now - PAGE_AGAIN):
            openings.add(conn, row, kind=OpeningKind.PAGE, device=device, at=now)


def _try(services: Services, token: str, typed: str | None, *, device: str, address: str, limits: TryLimits) -> Try:
    try:
        public_id = services.links.read(token)
    except BadToken:
        return Try(Answer.CLOSED, _UNKNOWN)
    now = services.clock.now()
    with services.db.write() as conn:
        wait = seconds_to_wait_at_link(conn, services.sealer, limits, public_id, address=address, at=now)
        if wait:
            return Try(Answer.LIMITED, Look(LinkState.LIVE, public_id), wait)
        row = openings.find(conn, public_id, for_try=True)
        seen = look_of(row, now)
        if row is None or seen.state is not LinkState.LIVE:
            return Try(Answer.CLOSED, seen)
        if typed is not None and not _matches(services, row, typed):
            return _wrong(conn, row, seen, device=device, at=now)
        openings.add(conn, row, kind=OpeningKind.OPENED, device=device, at=now)
        if device != ROBOT:
            certificates.mark_opened(conn, row.link_id, now)
        _audit(conn, row, "certificate-opened", now)
        return Try(Answer.OPENED, seen, proof=_proof(services, row))


def _proof(services: Services, row: sa.Row[Any]) -> str:
    return _proof_of(services, row.public_id, openings.birth_date(services.sealer, row))


def _proof_of(services: Services, public_id: str, born: str | None) -> str:
    """What a browser that opened a link keeps; tells the birth date to nobody without our key."""
    return services.sealer.index("view", f"{public_id}:{born}").hex()[:_PROOF_LENGTH]


def _matches(services: Services, row: sa.Row[Any], typed: str) -> bool:
    """A person without a birth date is opened by none."""
    born = openings.birth_date(services.sealer, row)
    return hmac.compare_digest((born or "unknown").encode(), typed.encode()) and born is not None


def _wrong(conn: Connection, row: sa.Row[Any], seen: Look, *, device: str, at: datetime) -> Try:
    openings.add(conn, row, kind=OpeningKind.WRONG_DATE, device=device, at=at)
    certificates.count_link_try(conn, row.link_id)
    tries = persons.count_wrong_try(conn, row.person_id, at)
    _audit(conn, row, "birth-date-wrong", at, tries=tries)
    if tries is None or tries >= persons.MAX_WRONG_TRIES:
        if tries is not None:
            _audit(conn, row, "person-locked", at)
            follow_ups.add(conn, FollowUp.PERSON_LOCKED, row.person_id, at=at)
        return Try(Answer.CLOSED, Look(LinkState.LOCKED, seen.public_id, seen.certificate_id))
    left = persons.MAX_WRONG_TRIES - tries
    return Try(Answer.WRONG, Look(LinkState.LIVE, seen.public_id, seen.certificate_id, tries_left=left))


def _audit(
    conn: Connection, row: sa.Row[Any], action: str, at: datetime, *, actor: str = DOOR, **detail: int | None
) -> None:
    subject, subject_id = ("person", row.person_id) if action == "person-locked" else ("link", row.link_id)
    audit.write(conn, at=at, actor=actor, action=action, subject=subject, subject_id=subject_id, **detail)


def look_of(row: sa.Row[Any] | None, now: datetime) -> Look:
    """A row of `openings.find` as it stands. What ended for good comes first; a pause and a lock come before the
    expiry, since a new link would not come or not open either."""
    if row is None:
        return _UNKNOWN
    state, reason = LinkState.LIVE, None
    if row.revoked_at is not None or row.certificate_status != CertificateStatus.VALID:
        given = row.certificate_end_reason if row.certificate_status != CertificateStatus.VALID else row.revoke_reason
        state, reason = LinkState.REVOKED, Reason(given) if given else None
    elif row.paused_at is not None:
        state = LinkState.PAUSED
    elif row.person_locked_at is not None:
        state = LinkState.LOCKED
    elif row.expires_at <= now:
        state = LinkState.EXPIRED
    left = max(0, persons.MAX_WRONG_TRIES - row.person_wrong_tries)
    return Look(state, row.public_id, row.certificate_id, reason, left)
