"""The start page, the settings and an SMS text as a phone and a desk show them: empty, with some days' work, with
millions. axe finds nothing, nothing sticks out, in light and dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_core_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from notifier.access.roles import Role
from notifier.core.states import Reason, State
from notifier.messages import circuit, tallies
from notifier.services import Services
from notifier.store.circuits import CircuitMode
from notifier.store.tables import facility, notification, tally, tally_run
from notifier.support import programme, resend, sms_texts
from tests.browser.conftest import Site
from tests.browser.test_axe import _AXE, _FITS
from tests.desk import Desk
from tests.web.staff.conftest import PASSWORD, add_staff

#: where pictures are put for people to look at; none are made without it
PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_LONG = "Puskesmas Pembantu Kecamatan Kepulauan Seribu Selatan Rawat Inap Dan Persalinan Terpadu"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    one = context.new_page()
    one.set_default_timeout(10_000)
    yield one
    context.close()


def sign_in(page: Page, site: Site, role: Role = Role.ADMINISTRATOR, facility_id: str | None = None) -> None:
    add_staff(site.services, "ratna", role, facility_id)
    page.goto(f"{site.staff}/sign-in")
    page.fill("input[name=username]", "ratna")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site.staff}/")


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands."""
    page.evaluate(AXE_SCRIPT)
    found: list[Any] = list(page.evaluate(_AXE, {}))
    if not page.evaluate(_FITS):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in page.evaluate(_AXE, {"runOnly": ["color-contrast"]})]
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}-dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    return [f"{name}: {each}" for each in found]


def days_of_work(services: Services) -> None:
    """Some messages of each kind, over some days."""
    desk = Desk(services)
    for place in range(24):
        names = {"id": f"person-{place}", "nik": None}
        desk.record(
            event_id=f"event-{place}",
            person=names,
            dose={"id": f"dose-{place}", "facility_id": f"pkm-{place % 3}", "facility": f"Puskesmas {place % 3}"},
        )
    ends = [State.DELIVERED] * 4 + [State.FAILED, State.UNDELIVERED, State.HELD, State.UNKNOWN, State.ACCEPTED]
    at = services.clock.now()
    with services.db.write() as conn:
        rows = conn.execute(sa.select(notification)).all()
        for place, row in enumerate(rows):
            end = [*ends, State.SCHEDULED][place % 10]
            reason = {State.FAILED: Reason.REFUSED, State.HELD: Reason.PAST_DUE, State.UNKNOWN: Reason.OUTCOME_UNKNOWN}
            moment = at - timedelta(days=place % 9)
            said = reason.get(end)
            values = {"status": end.value, "reason": said.value if said else None, "created_at": moment}
            if end is State.SCHEDULED:
                values |= {"alarmed_at": at}
            conn.execute(notification.update().where(notification.c.id == row.id).values(**values))
    tallies.refresh(services)


def millions(services: Services) -> None:
    """The same, and counts as of a whole country."""
    days_of_work(services)
    days = tallies.days_shown(services, services.clock.now())
    whats = {
        "made": 250_000, "delivered": 171_234, "accepted": 20_111, "scheduled": 33_000, "failed": 12_345,
        "undelivered": 9_876, "suppressed": 3_434, "opened": 98_765, "downloaded": 54_321,
    }  # fmt: skip
    places = ["", *(f"pkm-{place}" for place in range(100, 114))]
    rows = [
        {"facility_id": place, "day": day.day, "what": what, "reason": reason, "number": number}
        for place in places
        for day in days
        for what, number in whats.items()
        for reason in (["refused", "bad-phone", "opted-out"] if what in {"failed", "suppressed"} else [""])
    ]
    with services.db.write() as conn:
        conn.execute(tally.delete())
        conn.execute(tally.insert(), rows)
        conn.execute(facility.insert(), [{"id": f"pkm-{n}", "name": f"{_LONG} {n}"} for n in range(100, 114)])
        conn.execute(tally_run.update().values(due=1_234_567, left_5_minutes=14_321, left_hour=171_234))
    resend.hold(services, reason="penyedia SMS sedang diperbaiki sampai malam", actor="test")
    circuit.pin(services, CircuitMode.OPEN, reason="the provider asked us to", actor="door:command")


def test_an_empty_start_page_says_how_the_first_dose_comes(site: Site, page: Page) -> None:
    sign_in(page, site)
    assert "Dosis pertama datang dari" in page.inner_text("main")
    assert faults(page, "home-empty") == []


@pytest.mark.parametrize("fill", [days_of_work, millions])
def test_the_start_page(site: Site, page: Page, fill: Any) -> None:
    fill(site.services)
    sign_in(page, site)
    assert page.locator("svg[role=img] title").count() == 2
    assert faults(page, f"home-{fill.__name__}") == []
    page.click(".figures tbody tr:first-child td:nth-child(2) a")
    assert "Disaring dari Beranda" in page.inner_text("main")
    assert faults(page, f"messages-{fill.__name__}") == []


def test_a_facilitys_start_page(site: Site, page: Page) -> None:
    days_of_work(site.services)
    sign_in(page, site, Role.HEALTH_WORKER, "pkm-1")
    assert page.locator("svg[role=img] title").count() == 1
    assert faults(page, "home-facility") == []


def test_the_settings_with_history_and_faults(site: Site, page: Page) -> None:
    sign_in(page, site)
    page.goto(f"{site.staff}/settings")
    assert faults(page, "settings") == []
    page.fill("#delay_hours", "2,5")
    page.fill("#quiet_hours", "21:00-07:00")
    page.fill("#why", "bulan puasa")
    page.click("section[aria-labelledby=programme] button")
    assert "Tersimpan" in page.inner_text("main")
    page.click("summary")
    assert "2.5" in page.inner_text(".history")
    assert faults(page, "settings-history") == []
    page.fill("#delay_hours", "99")
    page.fill("#person_daily_cap", "banyak")
    page.fill("#why", "coba")
    page.click("section[aria-labelledby=programme] button")
    assert page.input_value("#person_daily_cap") == "banyak"
    assert faults(page, "settings-faults") == []
    programme.change(site.services, {"delay_hours": "4"}, base=1, reason="lain", actor="test")
    page.fill("#delay_hours", "3")
    page.fill("#person_daily_cap", "")
    page.fill("#why", "coba")
    page.click("section[aria-labelledby=programme] button")
    assert "Setelan baru saja diubah orang lain" in page.inner_text("main")
    assert faults(page, "settings-overtaken") == []


def test_an_sms_text_is_looked_at_before_it_is_used(site: Site, page: Page) -> None:
    sign_in(page, site)
    page.goto(f"{site.staff}/settings")
    page.click(".texts a >> nth=0")
    assert faults(page, "text-built-in") == []
    page.fill("#text", "((pengirim)): klik ((tautan)). Halo ((nama)) 😀")
    page.click("button[value=preview]")
    assert "Teks ini belum dapat dipakai" in page.inner_text("main")
    assert faults(page, "text-faults") == []
    long = "((pengirim)): Sertifikat vaksin ((inisial)) ((dosis)) sudah siap dan dapat dibuka kapan saja. Buka "
    page.fill("#text", long + "((tautan)) lalu isi tanggal lahir ((inisial)). Simpan SMS ini.")
    page.click("button[value=preview]")
    assert "Dua segmen" in page.inner_text("main")
    assert faults(page, "text-preview") == []
    page.fill("#reason", "lebih jelas")
    page.click("button[value=save]")
    assert "Teks tersimpan" in page.inner_text("main")
    one = sms_texts.find(site.services, "id", "certificate")
    assert one.own is not None
    assert one.own.startswith("((pengirim)): Sertifikat")
