"""The next doses as appointments for a phone's calendar (iCalendar, RFC 5545).

Each is a whole day: a `DATE` without a zone (RFC 5545, 3.3.4), shown as that day wherever the calendar is. A moment in
a zone would move to another day for whoever travels, and nobody has made an appointment for an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from notifier.core.errors import NotFound
from notifier.core.identity import initial_of
from notifier.core.words import DEFAULT_LANGUAGE
from notifier.services import Services
from notifier.store.persons import Person
from notifier.support.vaccination_status.rules import NextDose, Status
from notifier.support.vaccination_status.words import ASK, N_, Say, next_line

MIME = "text/calendar; charset=utf-8"
_LINE = 75  # octets, without the line break (RFC 5545, 3.1)
_MOST_TEXT = 300


def next_dose_ics(
    services: Services, person: Person, status: Status, say: Say, language: str = DEFAULT_LANGUAGE
) -> bytes:
    """A calendar with one entry for each next dose. A calendar is often shared and kept elsewhere: the title has the
    initial alone, as an SMS has. The same dose has the same UID always, so that a second download moves the first.
    Raises NotFound where no next dose can be said."""
    if not status.due:
        raise NotFound("no next dose can be said")
    stamp = services.clock.now().astimezone(UTC)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sertilink//Sertilink//ID", "CALSCALE:GREGORIAN"]
    for due in status.due:
        lines += _entry(services, person, due, status, say, language, stamp)
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) for line in lines)


def _entry(
    services: Services, person: Person, due: NextDose, status: Status, say: Say, language: str, stamp: datetime
) -> list[str]:
    day = max(due.earliest, status.today)
    initial = initial_of(person.name)
    whose = f" {initial}." if initial else ""
    title = say(N_("Vaksinasi%(whose)s, dosis %(number)s")) % {"whose": whose, "number": due.number}
    told = f"{say(due.name)}. {next_line(due, status, say, language)} {say(ASK)}"
    return [
        "BEGIN:VEVENT",
        f"UID:{_uid(services, person, due)}",
        f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escape(title)}",
        f"DESCRIPTION:{escape(told)}",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{escape(title)}",
        "TRIGGER:PT9H",  # nine in the morning of that day
        "END:VALARM",
        "END:VEVENT",
    ]


def _uid(services: Services, person: Person, due: NextDose) -> str:
    """Says nothing of the person to whoever does not hold our index key."""
    name = services.sealer.index("calendar", f"{person.id}/{due.series}/{due.number}").hex()
    return f"{name}@{urlsplit(services.settings.public_url).hostname or 'sertilink'}"


def escape(text: str) -> str:
    """TEXT as RFC 5545 (3.3.11) writes it; control characters, which it forbids, are left out."""
    text = "".join(ch for ch in text[:_MOST_TEXT].replace("\r\n", "\n") if ch == "\n" or ch.isprintable())
    for raw, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(raw, written)
    return text


def fold(line: str) -> bytes:
    """A content line with its breaks: at most 75 octets each, no letter cut in two (RFC 5545, 3.1)."""
    parts: list[bytes] = []
    current = b""
    for letter in line:
        raw = letter.encode("utf-8")
        if len(current) + len(raw) > (_LINE if not parts else _LINE - 1):  # a continuation begins with a space
            parts.append(current)
            current = b""
        current += raw
    return b"\r\n ".join([*parts, current]) + b"\r\n"
