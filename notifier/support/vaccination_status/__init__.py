"""Which doses somebody has had, the series they belong to, and when the next one may be had at the earliest.

What a programme asks for stands in `programmes.toml`, each row with its source; `series` and `rules` know no vaccine by
name. Where the record leaves a doubt, nothing is promised: the dose is listed, and a health worker is to be asked.

    programmes  reads the data, and says which vaccine a dose is
    rules       doses and programme in, `Status` out; pure
    status      the same of one person on file
    calendar    the next dose as an appointment for a phone (iCalendar)
    words       the same in sentences
    reminders   an SMS on the day from which the next dose may be had
"""

from __future__ import annotations

from notifier.support.vaccination_status.calendar import next_dose_ics
from notifier.support.vaccination_status.rules import Doubt, HadDose, NextDose, SeriesStatus, Status
from notifier.support.vaccination_status.status import of_person, status_of
from notifier.support.vaccination_status.words import as_lines, doubt_words

__all__ = [
    "Doubt",
    "HadDose",
    "NextDose",
    "SeriesStatus",
    "Status",
    "as_lines",
    "doubt_words",
    "next_dose_ics",
    "of_person",
    "status_of",
]
