"""The part of a page that says what somebody has had and what comes next."""

from __future__ import annotations

import re
from datetime import date

import pytest
from flask import Flask

from linkserver import create_public_app
from notifier.services import Services
from notifier.support.vaccination_status import Status, doubt_words
from tests.support.vaccination_status.test_rules import FIRST, had, status


@pytest.fixture
def app(services: Services) -> Flask:
    return create_public_app(services)


def part(app: Flask, told: Status, language: str = "id", calendar: str | None = "/me/x/next.ics") -> str:
    """The HTML of it."""
    with app.test_request_context(f"/?lang={language}"):
        macros = app.jinja_env.get_template("me/status_parts.html").module
        return str(macros.vaccination(told, doubt_words, calendar))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))  # an unbreakable space is one of them


def test_each_series_says_what_was_had_and_what_comes_next(app: Flask) -> None:
    told = status(
        had(FIRST, number=1, facility="Puskesmas <Menteng>"), had(date(2026, 1, 2), "Influenza"), had(FIRST, "MR", 1),
        born=date(2026, 1, 10),
    )  # fmt: skip
    html = part(app, told)
    assert "1 dari 2 dosis" in words(html)
    assert "dosis 2, paling cepat 30 November 2026" in words(html)
    assert "&lt;Menteng&gt;" in html
    assert "Influenza" in words(html)
    assert 'href="/me/x/next.ics"' in html
    english = words(part(app, told, "en"))
    assert "dose 2, 30 November 2026 at the earliest" in english
    assert "Measles-rubella (MR)" in english


def test_where_no_date_can_be_said_it_says_whom_to_ask_and_has_no_calendar(app: Flask) -> None:
    html = part(app, status(had(FIRST, number=1), had(FIRST, number=2)))
    assert "Tanyakan dosis berikutnya kepada petugas kesehatan" in words(html)
    assert "next.ics" not in html
    assert "Belum ada dosis yang tercatat." in words(part(app, status()))


def test_a_complete_series_says_so(app: Flask) -> None:
    html = words(part(app, status(had(date(2026, 1, 1), number=1), had(date(2026, 2, 1), number=2))))
    assert "lengkap, 2 dosis" in html
    assert "dosis tambahan, sejak 1 Mei 2026" in html
