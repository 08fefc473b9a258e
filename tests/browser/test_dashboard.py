"""The start page, the settings and an SMS text as a phone and a desk show them: empty, with some days' work, with
millions. Nothing sticks out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.access.roles import Role
from notifier.support import programme, sms_texts
from tests.browser.conftest import Site, fits
from tests.browser.staff_data import days_of_work, millions
from tests.web.staff.conftest import PASSWORD, add_staff

#: where pictures are put for people to look at; none are made without it
PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_LONG = "Puskesmas Pembantu Kecamatan Kepulauan Seribu Selatan Rawat Inap Dan Persalinan Terpadu"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()


def sign_in(page: Page, site: Site, role: Role = Role.ADMINISTRATOR, facility_id: str | None = None) -> None:
    add_staff(site.services, "ratna", role, facility_id)
    page.goto(f"{site.staff}/sign-in")
    page.fill("input[name=username]", "ratna")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{site.staff}/")


def says(page: Page, words: str, where: str = "main") -> None:
    """Waits for words that can be seen."""
    expect(page.locator(where)).to_contain_text(words, use_inner_text=True)


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands."""
    found: list[str] = []
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    return [f"{name}: {each}" for each in found]


def test_an_empty_start_page_says_how_the_first_dose_comes(site: Site, page: Page) -> None:
    sign_in(page, site)
    says(page, "Dosis pertama datang dari")
    assert faults(page, "home-empty") == []


@pytest.mark.parametrize("fill", [days_of_work, millions])
def test_the_start_page(site: Site, page: Page, fill: Any) -> None:
    fill(site.services)
    sign_in(page, site)
    assert page.locator("svg[role=img] title").count() == 2
    assert faults(page, f"home-{fill.__name__}") == []
    page.click(".figures tbody tr:first-child td:nth-child(2) a")
    says(page, "Disaring dari Beranda")
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
    says(page, "Tersimpan")
    page.click("summary")
    says(page, "2.5", ".history")
    assert faults(page, "settings-history") == []
    page.fill("#delay_hours", "99")
    page.fill("#person_daily_cap", "banyak")
    page.fill("#why", "coba")
    page.click("section[aria-labelledby=programme] button")
    expect(page.locator("#person_daily_cap-problem")).to_be_visible()
    assert page.input_value("#person_daily_cap") == "banyak"
    assert faults(page, "settings-faults") == []
    programme.change(site.services, {"delay_hours": "4"}, base=1, reason="lain", actor="test")
    page.fill("#delay_hours", "3")
    page.fill("#person_daily_cap", "")
    page.fill("#why", "coba")
    page.click("section[aria-labelledby=programme] button")
    says(page, "Setelan baru saja diubah orang lain")
    assert faults(page, "settings-overtaken") == []


def test_an_sms_text_is_looked_at_before_it_is_used(site: Site, page: Page) -> None:
    sign_in(page, site)
    page.goto(f"{site.staff}/settings")
    page.click(".texts a >> nth=0")
    assert faults(page, "text-built-in") == []
    page.fill("#text", "((pengirim)): klik ((tautan)). Halo ((nama)) 😀")
    page.click("button[value=preview]")
    says(page, "Teks ini belum dapat dipakai")
    assert faults(page, "text-faults") == []
    long = "((pengirim)): Sertifikat vaksin ((inisial)) ((dosis)) sudah siap dan dapat dibuka kapan saja. Buka "
    page.fill("#text", long + "((tautan)) lalu isi tanggal lahir ((inisial)). Simpan SMS ini.")
    page.click("button[value=preview]")
    says(page, "Dua segmen")
    assert faults(page, "text-preview") == []
    page.fill("#reason", "lebih jelas")
    page.click("button[value=save]")
    says(page, "Teks tersimpan")
    one = sms_texts.find(site.services, "id", "certificate")
    assert one.own is not None
    assert one.own.startswith("((pengirim)): Sertifikat")
