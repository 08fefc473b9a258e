"""Doses and programme in, status out. Pure.

What is counted: a dose for each day, so that one which two facilities reported counts once; a dose's own number where
it has one, so that earlier doses which nobody reported count too. Whatever contradicts that is a doubt, and with a
doubt there is no date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from notifier.support.vaccination_status.programmes import COVID, Known, Programmes, Series, Span, Step

#: doses so much too early count all the same (US CDC, General Best Practice Guidelines, "grace period")
GRACE = timedelta(days=4)
_LAST = date.max


class Doubt(StrEnum):
    """Why no date can be said, and a health worker is to be asked."""

    NUMBERS = "numbers"  #: the doses' numbers contradict their days, or each other
    NO_DAY = "no-day"  #: nobody knows when it was given
    TOO_EARLY = "too-early"  #: a dose came sooner than the programme counts
    PRODUCT = "product"  #: which vaccine it was is not clear
    BIRTH_DATE = "birth-date"  #: the next dose hangs on the age, and that is not known
    TOO_OLD = "too-old"  #: past the age at which the programme gives it
    MORE_DOSES = "more-doses"  #: the record speaks of more doses than the programme has


@dataclass(frozen=True, slots=True)
class HadDose:
    """One dose that was given. `records`: how many records tell of it."""

    dose_id: str
    number: int | None
    total: int | None
    given_on: date | None
    product: str
    facility: str | None
    known: Known | None = None
    records: int = 1


@dataclass(frozen=True, slots=True)
class NextDose:
    """What may be had next. `earliest`: from this day on, in the person's own calendar; `source`: who says so."""

    series: str
    name: str
    number: int
    earliest: date
    is_booster: bool
    after: str  #: the id of the last dose that counts
    source: str


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """Where somebody stands with one vaccine. `had`: how many doses count, unreported earlier ones with them; `total`:
    how many make it complete, None where the tables do not tell; `next` None: nothing more, or a `doubt`."""

    id: str
    name: str
    doses: tuple[HadDose, ...]
    had: int
    total: int | None
    next: NextDose | None
    doubt: Doubt | None

    @property
    def is_complete(self) -> bool:
        """Whether the series is had whole; a booster may still be open."""
        return self.total is not None and self.had >= self.total and self.doubt in {None, Doubt.BIRTH_DATE}


@dataclass(frozen=True, slots=True)
class Status:
    """Everything. `others`: doses of which no table tells."""

    series: tuple[SeriesStatus, ...]
    others: tuple[HadDose, ...]
    today: date

    @property
    def due(self) -> tuple[NextDose, ...]:
        """The next doses, those that come first first."""
        found = [one.next for one in self.series if one.next is not None]
        return tuple(sorted(found, key=lambda one: (one.earliest, one.is_booster, one.series)))

    @property
    def next(self) -> NextDose | None:
        """The one that comes first; a booster only where nothing else is open."""
        due = self.due
        return next((one for one in due if not one.is_booster), due[0] if due else None)


def work_out(programmes: Programmes, doses: Iterable[HadDose], born: date | None, today: date) -> Status:
    """The status by the doses that were given; those that were withdrawn are not among them. `today`: in the person's
    calendar."""
    by_series: dict[str, list[HadDose]] = {}
    others: list[HadDose] = []
    for dose in doses:
        if dose.known is None:
            others.append(dose)
        else:
            by_series.setdefault(dose.known.series, []).append(dose)
    series = [_series(programmes, group, born, today) for group in by_series.values()]
    return Status(
        tuple(sorted(series, key=lambda one: (one.doses[-1].given_on or _LAST, one.id), reverse=True)),
        tuple(sorted(_once(others), key=_order)),
        today,
    )


def _series(programmes: Programmes, group: Sequence[HadDose], born: date | None, today: date) -> SeriesStatus:
    doses = sorted(_once(group), key=_order)
    known = [dose.known for dose in doses if dose.known is not None]
    series = programmes.series_of(known)
    had, doubt = _count(doses)
    doubt = doubt or (Doubt.PRODUCT if series is None else _too_early(series, doses, born))
    told = SeriesStatus(
        known[0].series, known[0].name, tuple(doses), had, series.total if series else None, None, doubt
    )
    if series is None or doubt is not None:
        return told
    return _with_next(replace(told, total=_registry_total(series, doses)), series, doses[-1], born, today)


def _once(doses: Iterable[HadDose]) -> list[HadDose]:
    """One for each day and vaccine. Two records of a day are one dose unless their numbers say otherwise."""
    kept: list[HadDose] = []
    for dose in sorted(doses, key=_told_order):  # what is kept does not hang on who reported first
        same = next((place for place, one in enumerate(kept) if _is_same(one, dose)), None)
        if same is None:
            kept.append(dose)
            continue
        first = kept[same]
        kept[same] = replace(
            first,
            known=max(first.known, dose.known, key=_clearness),
            number=first.number or dose.number,
            total=max(first.total or 0, dose.total or 0) or None,
            facility=first.facility or dose.facility,
            records=first.records + dose.records,
        )
    return kept


def _is_same(one: HadDose, other: HadDose) -> bool:
    numbers = {one.number, other.number} - {None}
    if one.given_on is None or one.given_on != other.given_on or len(numbers) > 1:
        return False
    if one.known is None or other.known is None:
        return one.known is other.known and one.product.casefold() == other.product.casefold()
    products = {one.known.product, other.known.product} - {""}
    return one.known.series == other.known.series and len(products) < 2


def _clearness(known: Known | None) -> int:
    """A record that names the product says more than one that does not."""
    return 0 if known is None else 1 + bool(known.product)


def _told_order(dose: HadDose) -> tuple[Any, ...]:
    known = (dose.known.series, dose.known.product) if dose.known else ("", dose.product)
    return (*_order(dose)[:2], *known, dose.total or 0, dose.facility or "", dose.dose_id)


def _order(dose: HadDose) -> tuple[date, int, str]:
    return dose.given_on or _LAST, dose.number or 0, dose.dose_id


def _count(doses: Sequence[HadDose]) -> tuple[int, Doubt | None]:
    """How many were had, in the order of their days, and what is wrong with that."""
    counted = 0
    doubt: Doubt | None = None
    before: date | None = None
    for dose in doses:
        counted += 1
        if dose.given_on is None:
            doubt = doubt or Doubt.NO_DAY
        elif dose.given_on == before or (dose.number is not None and dose.number < counted):
            doubt = doubt or Doubt.NUMBERS
        counted, before = max(counted, dose.number or 0), dose.given_on
    return counted, doubt


def _too_early(series: Series, doses: Sequence[HadDose], born: date | None) -> Doubt | None:
    """Whether one of them may not count. The interval only between doses that follow each other."""
    place = 0
    before: date | None = None
    for dose in doses:
        number = max(place + 1, dose.number or 0)
        step = series.steps[number - 1] if number <= len(series.steps) else None
        if step is not None and dose.given_on is not None:
            if _is_before(dose.given_on, before if number == place + 1 else None, step.minimum or step.interval):
                return Doubt.TOO_EARLY
            if _is_before(dose.given_on, born, step.minimum_age or step.age):
                return Doubt.TOO_EARLY
        place, before = number, dose.given_on
    return None


def _is_before(day: date, since: date | None, span: Span | None) -> bool:
    return since is not None and span is not None and day + GRACE < span.after(since)


def _registry_total(series: Series, doses: Sequence[HadDose]) -> int:
    """A COVID-19 record may say itself that fewer doses are enough (one after an infection)."""
    said = doses[-1].total
    number = doses[-1].number
    if series.id == COVID and said and number and number >= said:
        return min(series.total, said)
    return series.total


def _with_next(told: SeriesStatus, series: Series, last: HadDose, born: date | None, today: date) -> SeriesStatus:
    """The status with the step that follows, where the programme has one and all that it hangs on is known."""
    steps = series.steps
    if last.total is not None and last.total > len(steps) and told.had < last.total:
        return replace(told, doubt=Doubt.MORE_DOSES)
    if told.total is not None and told.had >= told.total and told.total < series.total:
        return told  # complete by the registry's word: the tables say nothing of what follows that
    if told.had >= len(steps) or last.given_on is None:
        return told
    step = steps[told.had]
    if step.is_booster and not _is_old_enough(step, last.given_on, born):
        return told
    if born is None and (step.age or step.oldest):
        return replace(told, doubt=Doubt.BIRTH_DATE)
    earliest = _earliest(step, last.given_on, born)
    if step.oldest is not None and born is not None and max(earliest, today) >= step.oldest.after(born):
        return replace(told, doubt=Doubt.TOO_OLD)
    found = NextDose(series.id, series.name, told.had + 1, earliest, step.is_booster, last.dose_id, step.source)
    return replace(told, next=found)


def _is_old_enough(step: Step, given_on: date, born: date | None) -> bool:
    """Whether a booster is offered at all when its interval is over: nobody waits years for one."""
    return step.age is None or (born is not None and step.age.after(born) <= _earliest(step, given_on, None))


def _earliest(step: Step, given_on: date, born: date | None) -> date:
    days = [step.interval.after(given_on)] if step.interval else []
    days += [step.age.after(born)] if step.age and born else []
    return max(days, default=given_on)
