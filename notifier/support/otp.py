"""One-time codes to a phone: whoever types what an SMS told has that phone in their hands. That alone is proved by it.

Nobody may learn whose number we know. Asking therefore does the same for every number, in the same order: it counts,
keeps a challenge, and leaves a follow-up; whether the number is on file is looked up by a worker, later (`send_code`).
Limits keep others from ringing somebody's phone and from spending our money; the one over all of it alarms.
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import CODES, CodeLimits, Limit, address_index, first_wait, seconds_left
from notifier.core.errors import BadInput
from notifier.core.ids import read_row_id
from notifier.core.one_time_codes import DIGITS
from notifier.core.phones import BadPhone, read_mobile
from notifier.core.states import FollowUp, Kind, OtpAnswer, OtpPurpose
from notifier.messages import plan
from notifier.services import Services
from notifier.store import audit, challenges, contacts, counters, follow_ups, own_corrections, persons
from notifier.store.persons import phone_index
from notifier.support.proof_of_person import persons_on

LIFE = timedelta(minutes=5)
MOST_TRIES = 5
CAPPED = "codes.capped"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """`challenge`: by which the code is checked; "" where too many were asked for, and nothing was kept: then `wait_s`
    says in how many seconds one may ask again. A `challenge` tells nobody whether a code will come."""

    challenge: str
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a try. `phone` (E.164): where it was right, the number that is proved now."""

    answer: OtpAnswer
    phone: str | None = field(default=None, repr=False)
    tries_left: int = 0


def request(
    services: Services,
    typed_phone: str,
    *,
    purpose: OtpPurpose,
    language: str,
    address: str,
    limits: CodeLimits = CODES,
) -> Asked:
    """Asks for a code to a number. `language`: that the asker reads, for the SMS; `address`: the client's.

    Raises BadInput (field `phone`; rules as core.phones) for what is no mobile number that we write to.
    """
    settings = services.settings
    try:
        phone = read_mobile(typed_phone, region=settings.country, allowed=settings.countries).e164
    except BadPhone as error:
        raise BadInput.of("phone", error.rule, error.detail) from None
    return _request(services, phone, purpose=purpose, language=language, address=address, limits=limits)


def request_again(
    services: Services, challenge: str, *, purpose: OtpPurpose, language: str, address: str, limits: CodeLimits = CODES
) -> Asked:
    """Asks for another code to the number of an earlier challenge, which stays good as long as it is. A challenge that
    is not known is answered like one too many."""
    row_id = read_row_id(challenge)
    with services.db.read() as conn:
        row = challenges.find(conn, row_id) if row_id else None
    if row is None or row.purpose != purpose:
        return Asked("", int(CODES.number.window.total_seconds()))
    phone = challenges.phone_of(services.sealer, row)
    return _request(services, phone, purpose=purpose, language=language, address=address, limits=limits)


def phone_of(services: Services, challenge: str) -> str | None:
    """The number (E.164) that a code was asked for, as it was typed, for whoever asked; None where there is no such
    challenge."""
    row_id = read_row_id(challenge)
    with services.db.read() as conn:
        row = challenges.find(conn, row_id) if row_id else None
    return None if row is None else challenges.phone_of(services.sealer, row)


def check(services: Services, challenge: str, typed: str, *, purpose: OtpPurpose) -> Checked:
    """Tries a code. Five tries in five minutes, good once: all in one conditional UPDATE, so that tries at the same
    moment pass no bound. What is not six digits is not counted. The caller bounds how often it asks."""
    row_id, digits = read_row_id(challenge), _digits(typed)
    if row_id is None:
        return Checked(OtpAnswer.OVER)
    if len(digits) != DIGITS or not digits.isdecimal():
        return Checked(OtpAnswer.UNREADABLE)
    is_right, now = services.one_time_codes.is_code(row_id, digits), services.clock.now()
    with services.db.write() as conn:
        row = challenges.count_try(conn, row_id, purpose=purpose, is_right=is_right, most=MOST_TRIES, at=now)
    if row is None:
        return Checked(OtpAnswer.OVER)
    if not is_right:
        left = MOST_TRIES - row.tries
        return Checked(OtpAnswer.WRONG if left else OtpAnswer.OVER, tries_left=left)
    return Checked(OtpAnswer.RIGHT, challenges.phone_of(services.sealer, row), MOST_TRIES - row.tries)


def send_code(conn: Connection, services: Services, challenge_id: str, *, since: datetime) -> None:
    """Plans the SMS of a challenge, where its number is a person's or that of an open case. Any other number is sent
    nothing, and nobody is told."""
    now, row = services.clock.now(), challenges.find(conn, challenge_id)
    if row is None or row.used_at is not None or row.expires_at <= now:
        return
    phone = challenges.phone_of(services.sealer, row)
    for person in persons_on(conn, services, phone):
        persons.hold(conn, person.id)  # one who is being erased is waited for, and then has no number
    if not is_on_file(conn, services, phone):
        return
    contact = contacts.find_or_add(conn, services.sealer, phone=phone, language=row.language, at=now)
    plan.add_to_contact(conn, services, contact, Kind.OTP, subject_id=row.id, at=now)


def is_on_file(conn: Connection, services: Services, phone: str) -> bool:
    """Whether a code may be sent to a number: a person has it, an open case is told to it, or a correction that
    somebody asked for waits until it has given its code."""
    index = phone_index(services.sealer, phone)
    is_expected = challenges.has_open_case(conn, index) or own_corrections.is_waited_for(conn, index)
    return is_expected or bool(persons_on(conn, services, phone))


def overall_limits(services: Services) -> tuple[Limit, ...]:
    """How many codes may be asked for in all: CODES_A_DAY, and a quarter of them in an hour. No more SMS leave."""
    a_day = services.settings.codes_a_day
    return (
        Limit("code:asked-hour", -(-a_day // 4), timedelta(hours=1)),
        Limit("code:asked-day", a_day, timedelta(days=1)),
    )


def _request(
    services: Services, phone: str, *, purpose: OtpPurpose, language: str, address: str, limits: CodeLimits
) -> Asked:
    now, sealer = services.clock.now(), services.sealer
    number, visitor = phone_index(sealer, phone).hex(), address_index(sealer, address)
    with services.db.write() as conn:
        wait = _wait_for_all(conn, services, now) or first_wait(
            conn,
            (limits.number, number),
            (limits.number_hour, number),
            (limits.number_day, number),
            (limits.address, visitor),
            (limits.address_day, visitor),
            (limits.overall, ""),
            at=now,
        )
        wait = wait or _wait_after_all(conn, services, now)
        if wait:
            return Asked("", wait)
        challenge = challenges.add(
            conn, sealer, phone=phone, purpose=purpose, language=language, at=now, until=now + LIFE
        )
        follow_ups.add(conn, FollowUp.CODE_ASKED, challenge, at=now)
    return Asked(challenge)


def _wait_for_all(conn: Connection, services: Services, now: datetime) -> int:
    """Once the cap over all codes is reached, everybody is told so, whatever their number, and nothing is counted any
    more: nobody waits for an SMS that will not come."""
    waits = [
        seconds_left(limit, now)
        for limit in overall_limits(services)
        if counters.count_of(conn, limit.name, window=limit.window, at=now) >= limit.most
    ]
    return max(waits, default=0)


def _wait_after_all(conn: Connection, services: Services, now: datetime) -> int:
    """Counts one more code over all numbers, known or not: were those that are nobody's free, the one that fills the
    cap would tell that its number is somebody's. Operators are told once a window, with the last one."""
    for limit in overall_limits(services):
        count = counters.hit(conn, limit.name, window=limit.window, at=now)
        if count > limit.most:  # others at the same moment were faster
            return seconds_left(limit, now)
        if count == limit.most:
            audit.write(
                conn, at=now, actor=audit.SYSTEM, action=CAPPED, subject="code-cap", subject_id=limit.name, most=count
            )
            _log.error("no more one-time codes for now: somebody may be pumping SMS", extra={"most": count})
    return 0


def _digits(typed: str) -> str:
    """What a phone fills in, or somebody types in groups: blanks and hyphens do not matter, nor which digits."""
    folded = unicodedata.normalize("NFKC", typed[:40])
    return "".join(str(unicodedata.digit(ch, "")) if ch.isdigit() else ch for ch in folded if ch not in " -\t\u00a0")
