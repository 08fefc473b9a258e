"""The programmes' tables, read from `programmes.toml` once, and which of their series a dose belongs to."""

from __future__ import annotations

import re
import tomllib
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from notifier.certificates.codes.card import Missing, NoCode
from notifier.certificates.codes.vaccines import CVX, known_vaccine

FILE = Path(__file__).with_name("programmes.toml")
COVID = "covid-19"
_SPAN = re.compile(r"(\d{1,3})([dwmy])")
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A time as programmes write it; months and years are the calendar's."""

    days: int = 0
    months: int = 0

    def after(self, day: date) -> date:
        """`day` and this on; the last day of a month that is too short. Past the calendar's end: its last day."""
        years, month = divmod(day.month - 1 + self.months, _MONTHS_A_YEAR)
        year, month = day.year + years, month + 1
        try:
            moved = day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))
            return moved + timedelta(days=self.days)
        except (ValueError, OverflowError):
            return date.max


def read_span(text: str) -> Span:
    """`28d`, `12w`, `6m`, `18y`. Raises ValueError for anything else."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"not a span: {text!r}")
    number, unit = int(match[1]), match[2]
    if unit in "dw":
        return Span(days=number * (7 if unit == "w" else 1))
    return Span(months=number * (_MONTHS_A_YEAR if unit == "y" else 1))


@dataclass(frozen=True, slots=True)
class Step:
    """One dose of a series. `interval`: since the dose before. `source`: who says so, in words."""

    source: str
    interval: Span | None = None
    minimum: Span | None = None
    age: Span | None = None
    minimum_age: Span | None = None
    oldest: Span | None = None
    is_booster: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """A vaccine's doses in their order."""

    id: str
    name: str
    steps: tuple[Step, ...]

    @property
    def total(self) -> int:
        """How many doses make it complete."""
        return sum(not step.is_booster for step in self.steps)


@dataclass(frozen=True, slots=True)
class Known:
    """What a dose is: of which series, and (COVID-19) of which product; "" where that is not clear."""

    series: str
    name: str
    product: str = ""


@dataclass(frozen=True, slots=True)
class _Covid:
    source: str
    second: Step | None  #: none: one dose makes it complete


class Programmes:
    """The tables. Raises ValueError, KeyError or TypeError where the data is not as its head says."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._sources: Mapping[str, str] = data["sources"]
        self._series = {row["id"]: self._read(row) for row in data["series"]}
        self._names = [
            (re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE), row["id"])
            for row in data["series"]
            for name in row["names"]
        ]
        self._by_cvx = {code: row["id"] for row in data["series"] for code in row["cvx"]}
        self._covid = {row["product"]: self._read_covid(row) for row in data["covid"]}
        self._boosters = tuple(replace(self._step(row), is_booster=True) for row in data["covid_booster"])

    def known(self, system: str | None, code: str | None, product: str | None) -> Known | None:
        """The series of a dose by its CVX code and the name of its product (other code systems count by the name);
        None where we know none, or where code and name contradict each other."""
        try:
            return Known(COVID, "COVID-19", known_vaccine(system, code, product).name)
        except NoCode as unknown:
            if unknown.reason is Missing.PRODUCT_UNCLEAR:
                return Known(COVID, "COVID-19")
        found = {series for pattern, series in self._names if pattern.search(product or "")}
        coded = self._by_cvx.get(code or "") if system == CVX else None
        if coded is not None:
            found.add(coded)
        if len(found) != 1 or (coded is None and system == CVX and code):
            return None  # a code that stands for something else than the name says, or for what no table has
        series = self._series[found.pop()]
        return Known(series.id, series.name)

    def series_of(self, doses: Sequence[Known]) -> Series | None:
        """The series that doses of one kind make, in their order; None where the tables do not tell. COVID-19: as many
        as the first dose's product asks for, whatever the second one's is; the interval by the dose before."""
        if doses[0].series != COVID:
            return self._series[doses[0].series]
        first = self._covid.get(doses[0].product)
        if first is None:
            return None
        before = self._covid.get(doses[-1].product)
        steps = [Step(first.source)]
        if first.second is not None:
            steps.append((before.second if before else None) or first.second)
        return Series(COVID, doses[0].name, (*steps, *self._boosters))

    def _read(self, row: Mapping[str, Any]) -> Series:
        return Series(row["id"], row["name"], tuple(self._step(step) for step in row["step"]))

    def _read_covid(self, row: Mapping[str, Any]) -> _Covid:
        step = self._step({name: value for name, value in row.items() if name not in {"product", "doses"}})
        return _Covid(step.source, step if row["doses"] > 1 else None)

    def _step(self, row: Mapping[str, Any]) -> Step:
        spans: dict[str, Any] = {name: read_span(said) for name, said in row.items() if not name.endswith("source")}
        return Step(source=self._sources[row["source"]], **spans)


@cache
def programmes() -> Programmes:
    """The tables that came with this version."""
    return Programmes(tomllib.loads(FILE.read_text(encoding="utf-8")))
