"""What the decision and the text need to know about a chunk, in a handful of statements however large the chunk is."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import KIND_RULES, CertificateStatus, Channel, Kind
from notifier.messages.decide import Facts
from notifier.messages.plan import zone_of
from notifier.messages.text import told_dose
from notifier.services import Services
from notifier.store import (
    bulks,
    case_reports,
    cases,
    certificates,
    contacts,
    doses,
    notifications,
    own_corrections,
    persons,
    reminders,
    suppressions,
)
from notifier.store.persons import Person

_log = logging.getLogger(__name__)


class Gathered:
    """A chunk's persons, doses, links, opt-outs and what left today."""

    def __init__(self, conn: Connection, services: Services, rows: Sequence[notifications.Row], now: datetime) -> None:
        self._services = services
        self._rows = rows
        self._now = now
        known = {row.person_id for row in rows if row.person_id}
        self._people = open_each(conn, services, known)
        numbers = contacts.load(conn, services.sealer, {row.contact_id for row in rows if row.contact_id})
        self._people.update({row_id: number.as_person() for row_id, number in numbers.items()})
        missing = {row.contact_id for row in rows if row.contact_id} - numbers.keys()
        self._forgotten = missing - contacts.there(conn, missing)
        self._shots = doses.load(conn, {row.dose_id for row in rows if row.dose_id})
        self._links = certificates.load_links(conn, {row.link_id for row in rows if row.link_id})
        facilities = {shot.facility_id for shot in self._shots.values() if shot.facility_id}
        self._zones = doses.facility_zones(conn, facilities)
        self._indexes = {
            person.id: persons.phone_index(services.sealer, person.mobile)
            for person in self._people.values()
            if person and person.mobile
        }
        self._opted_out = {
            (channel, index)
            for channel in {Channel(row.channel) for row in rows}
            for index in suppressions.suppressed(conn, set(self._indexes.values()), channel=channel)
        }
        self._paused = cases.paused_numbers(conn, known)
        self._left = notifications.left_since(conn, known, now - timedelta(days=1), token=rows[0].lease_token, now=now)
        reported = {row.subject_id for row in rows if row.kind == Kind.CASE and row.subject_id}
        self._trackers = case_reports.public_ids(conn, reported) if reported else {}
        replaced = {row.subject_id for row in rows if row.kind == Kind.NUMBER and row.subject_id}
        self._objections = own_corrections.objection_ids(conn, replaced) if replaced else {}
        of_bulks = {row.bulk_id for row in rows if row.bulk_id}
        self._bulks = bulks.states_of(conn, of_bulks) if of_bulks else {}
        reminded = {row.person_id for row in rows if row.kind == Kind.REMINDER and row.person_id}
        self._changes = reminders.last_changes(conn, reminded) if reminded else {}
        self._going: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Facts]:
        for row in self._rows:
            yield self._facts(row)

    def goes(self, facts: Facts) -> None:
        """This one is sent now, so it may count for the person's later ones in the same chunk."""
        if KIND_RULES[Kind(facts.row.kind)].daily_cap:
            self._going[_whose(facts.row)] += 1

    def phone_index(self, facts: Facts) -> bytes | None:
        """The blind index of the number as it stands now."""
        return self._indexes.get(_whose(facts.row))

    def _facts(self, row: notifications.Row) -> Facts:
        whose = _whose(row)
        person = self._people.get(whose)
        shot = self._shots.get(row.dose_id)
        link = self._links.get(row.link_id)
        zone = self._services.zone
        if person is not None:
            zone = zone_of(self._services, person, self._zones.get(shot.facility_id) if shot else None)
        today = self._now.astimezone(zone).date()
        left = sum(1 for who, when in self._left if who == whose and when.astimezone(zone).date() == today)
        return Facts(
            row=row,
            person=person,
            is_forgotten=row.person_id is None and row.contact_id in self._forgotten,
            dose_status=shot.status if shot else None,
            dose_number=told_dose(Kind(row.kind), shot.number) if shot else None,
            link_public_id=link.public_id if link else None,
            link_revoked=link is not None and link.revoked_at is not None,
            certificate_valid=link is None or link.certificate_status == CertificateStatus.VALID,
            opted_out=(row.channel, self._indexes.get(whose)) in self._opted_out,
            not_me=(whose, self._indexes.get(whose)) in self._paused,
            left_today=left + self._going[whose],
            zone=zone,
            bulk_state=self._bulks.get(row.bulk_id),
            tracker_id=self._trackers.get(row.subject_id),
            objection_id=self._objections.get(row.subject_id),
            doses_changed=row.kind == Kind.REMINDER and self._has_other_doses(row, shot),
        )

    def _has_other_doses(self, row: notifications.Row, shot: Any) -> bool:
        """Whether a dose of the person came, was changed or went since a reminder was planned."""
        if shot is None or shot.person_id != row.person_id:
            return True
        changed = self._changes.get(row.person_id)
        return changed is not None and changed > row.created_at - reminders.SETTLED


def addressee(conn: Connection, services: Services, row: notifications.Row) -> Person | None:
    """Whom one message goes to, as sending sees them: the person, or a number that is no person's; None where the
    sealed columns cannot be opened, or the number is forgotten."""
    try:
        if row.person_id is None:
            number = contacts.load(conn, services.sealer, [row.contact_id]).get(row.contact_id)
            return number.as_person() if number else None
        return persons.get(conn, services.sealer, row.person_id)
    except SealBroken:
        return None


def _whose(row: notifications.Row) -> str:
    """The id of the person, or of the mere number, that a message goes to."""
    return str(row.person_id or row.contact_id)


def open_each(conn: Connection, services: Services, ids: set[str]) -> dict[str, Person | None]:
    """Persons by id; None for one whose sealed columns cannot be opened, so that the others still go."""
    try:
        return dict(persons.load(conn, services.sealer, ids))
    except SealBroken:
        opened: dict[str, Person | None] = {}
        for person_id in ids:
            try:
                opened[person_id] = persons.get(conn, services.sealer, person_id)
            except SealBroken:
                _log.error("a person's sealed columns cannot be opened", extra={"person_id": person_id})
                opened[person_id] = None
        return opened
