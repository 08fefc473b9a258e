"""The rooms that a chat reaches into, in their real form: what each of them says, in the words of a chat."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.certificates.facts import dose_words
from notifier.core.causes import Fix
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CaseSource
from notifier.core.words import long_date, long_moment
from notifier.messages.plan import zone_of
from notifier.services import Services
from notifier.store import persons
from notifier.support.chat.dialogue import Came, Granted
from notifier.support.chat.questions import hand_over
from notifier.support.chat.wishes import DOOR, Missed, Rooms, Told
from notifier.support.missing.causes import Finding, causes_for
from notifier.support.missing.facts import MAX_PLACE, MAX_VACCINE, Facts
from notifier.support.missing.fixes import fix
from notifier.support.missing.reports import report
from notifier.support.missing.words import CAUSE_WORDS, FIX_WORDS, WHO_WORDS
from notifier.support.vaccination_status import as_lines, status_of

_MOST_FINDINGS = 4  # in one message; the newest doses first
_MOST_NAME = 200


def open_rooms(services: Services) -> Rooms:
    """Those that this installation has open."""
    if "cases" not in services.settings.doors:
        return Rooms(status=status)  # what is reported could not be followed
    return Rooms(status=status, missing=Missing(), desk=hand_over)


def status(conn: Connection, services: Services, person_id: str, language: str) -> Sequence[str]:
    """The doses somebody had, their series, and the next one."""
    person = persons.get(conn, services.sealer, person_id)
    today = services.clock.now().astimezone(zone_of(services, person, None)).date()
    found = status_of(conn, services, person_id, today=today)
    return as_lines(found, lambda text: services.catalogue.say(language, text), language)


class Missing:
    """support.missing, as a chat speaks of it."""

    def causes(self, services: Services, phone: str, person_id: str, language: str) -> Told | None:
        """One paragraph a dose, and what a tap can mend."""
        found = causes_for(services, phone, only={person_id})[:_MOST_FINDINGS]
        if not found:
            return None
        lines, mendable = list[str](), list[tuple[str, str]]()
        for one in found:
            lines += self._said(services, one, language)
            if one.fix in FIX_WORDS:
                mendable.append((f"{one.dose_id}:{one.fix}", self._button(services, one, language, len(found) > 1)))
        return Told(tuple(lines), tuple(mendable))

    def mend(self, services: Services, phone: str, person_id: str, finding: str) -> bool:
        """A new link that was asked for a moment ago counts as mended: it is on its way."""
        dose_id, _, wish = finding.partition(":")
        try:
            fix(services, phone=phone, person_id=person_id, dose_id=dose_id, wish=Fix(wish), by=DOOR)
        except (NotFound, Refused, ValueError):
            return False
        return True

    def report(self, services: Services, missed: Missed) -> Granted:
        """The case, or how long to wait."""
        try:
            made = report(
                services,
                _facts(services, missed),
                source=CaseSource.CHAT,
                language=missed.language,
                address=missed.address,
                is_proven=missed.is_proven,
                person_id=missed.person_id or None,
                actor=DOOR,
            )
        except Refused as refused:
            if refused.not_before is None:
                return Granted(Came.CLOSED)
            when = long_moment(refused.not_before, services.zone, missed.language)
            return Granted(Came.TOO_YOUNG, lines=(when,))
        if made.retry_after_s:
            return Granted(Came.LIMITED, wait_s=made.retry_after_s)
        return Granted(Came.DONE, id=made.reference, address=f"{services.settings.public_url}/kasus/{made.token}")

    def _said(self, services: Services, one: Finding, language: str) -> list[str]:
        title, following = (services.catalogue.say(language, text) for text in CAUSE_WORDS[one.cause])
        who = "" if one.fix else services.catalogue.say(language, WHO_WORDS[one.who_acts])
        after = f"{following % self._values(services, one, language)} {who}".strip()
        return [f"{_dose(one, language)}: {title}.", after]

    def _button(self, services: Services, one: Finding, language: str, names_dose: bool) -> str:
        said = services.catalogue.say(language, FIX_WORDS[one.fix or Fix.NEW_LINK]) % self._values(
            services, one, language
        )
        return f"{said} ({_dose(one, language)})" if names_dose else said

    def _values(self, services: Services, one: Finding, language: str) -> dict[str, str]:
        when = long_moment(one.when, ZoneInfo(one.zone), language) if one.when else ""
        return {"when": when, "number": one.number or "–", "sender": services.settings.sender_name}


def _dose(one: Finding, language: str) -> str:
    number = dose_words(one.dose_number, one.series_total, language)
    day = long_date(one.given_on, language) if one.given_on else ""
    return " · ".join(part for part in (number, one.product or "", day) if part)


def _facts(services: Services, missed: Missed) -> Facts:
    """What the report says, with who was proved as the registry has them. Raises Refused where the birth date is not
    known: whom a report is about is matched by it."""
    name, born = missed.name, missed.born
    if missed.person_id:
        with services.db.read() as conn:
            person = persons.get(conn, services.sealer, missed.person_id)
        name, born = person.name, person.birth_date
    if born is None:
        raise Refused("birth-date-unknown")
    return Facts(
        name=name[:_MOST_NAME],
        birth_date=born,
        given_on=missed.day,
        place=missed.place[:MAX_PLACE],
        phone=missed.phone,
        vaccine=missed.vaccine[:MAX_VACCINE] or None,
    )
