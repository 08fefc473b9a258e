"""A number that wants no more messages: by the link page, by STOP to our sender, by an operator; and back again.

The list is read again just before each message leaves (messages/gather), so that a stop also holds back what waits.
Kinds that somebody asks for and cannot do without (OTP) go all the same: KIND_RULES says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, TryLimits
from notifier.certificates.opening import DOOR as LINK_DOOR
from notifier.certificates.opening import LinkState, Look, look
from notifier.core.opt_out_words import Meaning, meaning_of
from notifier.core.states import Channel, Reason
from notifier.gateways import Inbound
from notifier.services import Services
from notifier.store import audit, inbound, openings, persons, suppressions
from notifier.store.suppressions import Source
from notifier.support.link_buttons import number_of, press

INBOUND_DOOR = "door:inbound"
STOPPED = "opt-out.stopped"
LIFTED = "opt-out.lifted"
#: answers to one number; whoever writes more is a machine, or plays, and each answer costs
MOST_ANSWERS = 5
ANSWER_WINDOW = timedelta(hours=1)


#: for the buttons of the stop page; only tokens with a valid MAC are counted
STOPS = TryLimits(
    overall=Limit("stop:all", 6_000, timedelta(minutes=1)),
    address=Limit("stop:address", 120, timedelta(minutes=10)),
    link=Limit("stop:link", 12, timedelta(minutes=10)),
)


class Standing(StrEnum):
    """What holds for the number that a link's SMS went to."""

    RECEIVES = "receives"
    STOPPED = "stopped"  #: on a link page, where it may be undone
    STOPPED_ELSEWHERE = "stopped-elsewhere"  #: by the number itself, the provider or an operator: not undone by a link
    PAUSED = "paused"  #: said not to be the person's (support.not_me)
    NO_NUMBER = "no-number"  #: no SMS with this link was ever planned


@dataclass(frozen=True, slots=True)
class NumberLook:
    """A link and its number. `standing` is None where the link is not live; `retry_after_s` where too many pressed."""

    look: Look
    standing: Standing | None = None
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a message that somebody wrote. A copy (`is_new` False) is answered like the first."""

    meaning: Meaning
    is_new: bool
    wants_answer: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One time that a number was stopped. `by` and `lifted_by` are actors of the audit."""

    channel: Channel
    source: Source
    since: datetime
    by: str
    reason: str | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None


def stop(
    services: Services, phone_index: bytes, *, channel: Channel, source: Source, actor: str, reason: str | None = None
) -> bool:
    """Puts a number on the list; False where it was there. `reason`: cleaned, without a person's data."""
    with services.db.write() as conn:
        return _stop(conn, phone_index, channel, source, actor, reason, services.clock.now())


def start(services: Services, phone_index: bytes, *, channel: Channel, actor: str, reason: str | None = None) -> bool:
    """Takes a number off the list, whoever put it there; False where it was not on it."""
    with services.db.write() as conn:
        return _start(conn, phone_index, channel, actor, reason, services.clock.now())


def lift(services: Services, row_id: str, *, reason: str, actor: str) -> bool:
    """Takes one row off the list, after the person asked for it; False where it was not on it any more."""
    now = services.clock.now()
    with services.db.write() as conn:
        row = suppressions.lift_row(conn, row_id, now)
        if row is not None:
            _audit(conn, row, LIFTED, actor, reason, now)
    return row is not None


def look_at_number(services: Services, token: str) -> NumberLook:
    """What the stop page shows. Reads only; a forged token reads nothing."""
    seen = look(services, token)
    if seen.state is not LinkState.LIVE or seen.public_id is None:
        return NumberLook(seen)
    with services.db.read() as conn:
        row = openings.find(conn, seen.public_id)
        return NumberLook(seen, _standing(conn, _number(conn, row) if row is not None else None))


def stop_by_link(services: Services, token: str, *, address: str, limits: TryLimits = STOPS) -> NumberLook:
    """No more SMS to the number that this link's SMS went to, whoever has it now; pressed twice it is one stop."""

    def deed(conn: Connection, number: _Number, at: datetime) -> None:
        added = suppressions.add(
            conn, number.phone_index, reason=Reason.OPTED_OUT, source=Source.LINK_PAGE.value, at=at
        )
        if added:
            _audit_link(conn, number, STOPPED, at)

    return _press(services, token, deed, address=address, limits=limits)


def start_by_link(services: Services, token: str, *, address: str, limits: TryLimits = STOPS) -> NumberLook:
    """Undoes a stop that was made on a link page. What the number itself wrote, or an operator was told, stays: a link
    may have been passed on."""

    def deed(conn: Connection, number: _Number, at: datetime) -> None:
        if suppressions.lift(conn, number.phone_index, at, source=Source.LINK_PAGE.value):
            _audit_link(conn, number, LIFTED, at)

    return _press(services, token, deed, address=address, limits=limits)


def receive(services: Services, message: Inbound) -> Received:
    """Obeys STOP and START of a message whose signature was checked, once for each provider id, also from numbers that
    we do not know (yet). START lifts a provider's own block too, which the provider lifts by itself.

    `meaning` OTHER changes nothing and wants no answer: a conversation begins there.
    """
    if message.sender is None:
        return Received(Meaning.OTHER, is_new=False, wants_answer=False)
    number, at = persons.phone_index(services.sealer, message.sender), services.clock.now()
    meaning = message.provider_meaning or meaning_of(message.text)
    with services.db.write() as conn:
        is_new = inbound.insert(
            conn,
            provider_sid=message.provider_sid,
            phone_index=number,
            channel=message.channel,
            meaning=meaning,
            at=at,
        )
        if is_new and meaning is Meaning.STOP:
            _stop(conn, number, message.channel, Source.INBOUND, INBOUND_DOOR, None, at)
        elif is_new and meaning is Meaning.START:
            _start(conn, number, message.channel, INBOUND_DOOR, None, at)
        kept = inbound.get(conn, message.provider_sid)
        before = inbound.count_answerable(conn, number, after=kept.received_at - ANSWER_WINDOW, until=kept.received_at)
    meaning = Meaning(kept.meaning)
    wanted = meaning is not Meaning.OTHER and not message.is_answered and before <= MOST_ANSWERS
    return Received(meaning, is_new, wanted)


def history(services: Services, phone_index: bytes) -> list[Entry]:
    """When a number was stopped and by whom, newest first: for the operator who is asked why no SMS comes."""
    with services.db.read() as conn:
        rows = suppressions.history(conn, phone_index)
        deeds = {(deed.subject_id, deed.action): deed for deed in audit.of_subjects(conn, [row.id for row in rows])}
    entries = []
    for row in rows:
        stopped, lifted = deeds.get((row.id, STOPPED)), deeds.get((row.id, LIFTED))
        entries.append(
            Entry(
                channel=Channel(row.channel),
                source=Source(row.source),
                since=row.created_at,
                by=stopped.actor if stopped else _unwritten(row.source),
                reason=stopped.detail.get("reason") if stopped else None,
                lifted_at=row.lifted_at,
                lifted_by=(lifted.actor if lifted else LINK_DOOR) if row.lifted_at else None,
            )
        )
    return entries


@dataclass(frozen=True, slots=True)
class _Number:
    """The number behind a link, and whose link it is."""

    phone_index: bytes
    person_id: str
    link_id: str


def _press(
    services: Services,
    token: str,
    deed: Callable[[Connection, _Number, datetime], None],
    *,
    address: str,
    limits: TryLimits,
) -> NumberLook:
    def do(conn: Connection, row: sa.Row[Any], at: datetime) -> Standing:
        number = _number(conn, row)
        if number is not None:
            deed(conn, number, at)
        return _standing(conn, number)

    pressed = press(services, token, do, states={LinkState.LIVE}, address=address, limits=limits)
    return NumberLook(pressed.look, pressed.result, pressed.retry_after_s)


def _number(conn: Connection, row: sa.Row[Any]) -> _Number | None:
    phone_index = number_of(conn, row)
    return None if phone_index is None else _Number(phone_index, row.person_id, row.link_id)


def _standing(conn: Connection, number: _Number | None) -> Standing:
    if number is None:
        return Standing.NO_NUMBER
    row = suppressions.standing(conn, number.phone_index)
    if row is None:
        return Standing.RECEIVES
    return Standing.STOPPED if row.source == Source.LINK_PAGE else Standing.STOPPED_ELSEWHERE


def _stop(
    conn: Connection,
    phone_index: bytes,
    channel: Channel,
    source: Source,
    actor: str,
    reason: str | None,
    at: datetime,
) -> bool:
    added = suppressions.add(conn, phone_index, reason=Reason.OPTED_OUT, source=source.value, at=at, channel=channel)
    row = suppressions.standing(conn, phone_index, channel=channel)
    if added and row is not None:
        _audit(conn, row, STOPPED, actor, reason, at)
    return added


def _start(
    conn: Connection, phone_index: bytes, channel: Channel, actor: str, reason: str | None, at: datetime
) -> bool:
    row = suppressions.standing(conn, phone_index, channel=channel)
    if row is None or not suppressions.lift(conn, phone_index, at, channel=channel):
        return False
    _audit(conn, row, LIFTED, actor, reason, at)
    return True


def _audit(conn: Connection, row: suppressions.Row, action: str, actor: str, reason: str | None, at: datetime) -> None:
    """About the row of the list: a number may be nobody's yet, or a whole family's."""
    audit.write(
        conn,
        at=at,
        actor=actor,
        action=action,
        subject="suppression",
        subject_id=row.id,
        channel=row.channel,
        reason=reason,
    )


def _audit_link(conn: Connection, number: _Number, action: str, at: datetime) -> None:
    audit.write(
        conn,
        at=at,
        actor=LINK_DOOR,
        action=action,
        subject="person",
        subject_id=number.person_id,
        link=number.link_id,
        channel=Channel.SMS.value,
    )


def _unwritten(source: str) -> str:
    """The actor of a row whose stop has no audit row of its own."""
    return LINK_DOOR if source == Source.LINK_PAGE else audit.SYSTEM
