"""A page that is filled in is the page that its template writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from linkserver import create_public_app
from linkserver.blanks import Blank
from linkserver.certificate_page import CertificatePage
from notifier.certificates.facts import CertificateFacts, DoseFacts
from notifier.certificates.qr import make_qr
from notifier.services import Services
from tests.certificates.samples import QR_TEXT, certificate_facts

QR = make_qr(QR_TEXT)
WORDS = st.text(min_size=1, max_size=50) | st.sampled_from(["<b>&amp;</b>", "\x020\x03", "\x027\x03 %s {{ x }}", "0"])
DOSES = st.builds(
    DoseFacts,
    number=st.none() | st.integers(1, 9),
    series_total=st.none() | st.integers(1, 4),
    product=st.just("") | WORDS,
    vaccine_code=st.none(),
    lot=st.none() | WORDS,
    given_on=st.dates(date(1950, 1, 1), date(2030, 1, 1)),
    facility=st.none() | WORDS,
    vaccine_system=st.none(),
)


@pytest.fixture
def page(services: Services) -> CertificatePage:
    return CertificatePage(create_public_app(services), 0)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=WORDS, doses=st.lists(DOSES, min_size=1, max_size=5), nik=st.none() | st.just("3174031002890001"))
def test_any_page_is_what_its_template_writes(
    page: CertificatePage, name: str, doses: list[DoseFacts], nik: str | None
) -> None:
    facts = certificate_facts(name=name, nik=nik, doses=tuple(doses), this_dose=doses[0])
    for code in ("id", "en"):
        page.own(code, "a_view-of_another", _other(facts), QR)  # so that the form is there, where the shape is the same
        own = page.own(code, "the_view", facts, QR)
        assert own == page.written(code, page.texts(code, "the_view", facts, QR), len(name) > 36, QR.side)


def _other(facts: CertificateFacts) -> CertificateFacts:
    """Somebody else's, of the same shape."""
    return replace(facts, name="x" * len(facts.name), birth_date=date(1999, 9, 9), number="9999-9999-9999")


def test_each_value_is_escaped_wherever_its_mark_stands() -> None:
    blank = Blank(["one", "", "three"], lambda marks: f"<p>{marks[0]}-{marks[2]}-{marks[0]}|{marks[1]}|</p>")
    assert blank.filled(["<", "", "&"]) == Markup("<p>&lt;-&amp;-&lt;||</p>")
    assert blank.filled(["\x022\x03", "", "b"]) == Markup("<p>\x022\x03-b-\x022\x03||</p>")
