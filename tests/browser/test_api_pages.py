"""The pages about the API and the audit as a phone and a desk show them: nothing sticks out, and the
keyboard alone is enough."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.access.roles import Role
from notifier.messages import audit_watch
from notifier.store import audit
from tests.browser.conftest import Site, fits
from tests.web.staff.conftest import PASSWORD, add_staff

_LONG = "Sistem Informasi Manajemen Puskesmas Kecamatan Menteng dan Sekitarnya yang Namanya Sangat Panjang"
#: where pictures of the pages are put, for people to look at; none are taken without it
_PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """An administrator's browser, signed in."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    add_staff(site.services, "budi", Role.ADMINISTRATOR, None)
    page.goto(f"{site.staff}/sign-in")
    page.fill("#username", "budi")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{site.staff}/")
    yield page
    context.close()


def _faults(page: Page, name: str) -> list[str]:
    found: list[str] = []
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    if _PICTURES:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=str(Path(_PICTURES) / f"{name}-{width}.png"), full_page=True)
    return [f"{name}: {each}" for each in found]


def _fill_keys(site: Site, count: int) -> None:
    for number in range(count):
        made = api_keys.add(
            site.services,
            name=_LONG if number % 3 == 0 else f"SIMPUS {number}",
            scopes=list(Scope),
            facility_id="facility-" + "9" * 150 if number % 4 == 0 else None,
            actor="test",
        )
        if number % 5 == 1:
            api_keys.revoke(site.services, made.prefix, reason="kunci ini bocor " * 10, actor="test")


def _fill_audit(site: Site, count: int) -> None:
    with site.services.db.write() as conn:
        for number in range(count):
            audit.write(
                conn,
                at=site.clock.now(),
                actor=("door:api", "system", "key:abcd1234", "command:root")[number % 4],
                action=("event.accepted", "notification.resend", "database.restored", "new.deed-without-words")[
                    number % 4
                ],
                subject="dose",
                subject_id="0190a1b2-0000-7000-8000-000000000000",
                reason="alasan yang panjang sekali " * 8 if number % 3 == 0 else None,
                reference="7K2M9QX4TB" if number % 2 else None,
                outcome="planned",
            )
        audit.seal(conn)
    audit_watch.watch(site.services)


def test_the_keys_are_accessible_empty_full_and_wrongly_filled_in(page: Page, site: Site) -> None:
    page.goto(f"{site.staff}/keys")
    found = _faults(page, "keys-empty")
    page.fill("#name", "SIMPUS Menteng")
    page.press("#name", "Enter")
    page.wait_for_selector(".secret")
    found += _faults(page, "keys-made")
    _fill_keys(site, 30)
    page.goto(f"{site.staff}/keys")
    for one in page.locator("summary").all():
        one.focus()
        page.keyboard.press("Enter")
    found += _faults(page, "keys-full")
    page.goto(f"{site.staff}/keys")
    for box in page.locator("input[type=checkbox]").all():
        box.uncheck()
    page.fill("#name", "SIMPUS")
    page.fill("#expires", "2020-01-01")
    page.press("#name", "Enter")
    page.wait_for_selector(".band.bad")
    found += _faults(page, "keys-wrong")
    page.click(".band.bad a")
    expect(page.locator("#scope-0:focus, #expires:focus")).to_have_count(1)
    assert found == []


def test_the_audit_is_accessible_empty_full_and_wrongly_filtered(page: Page, site: Site) -> None:
    _fill_audit(site, 120)
    page.goto(f"{site.staff}/audit")
    found = _faults(page, "audit-full")
    page.fill("#actor", "nobody at all")
    page.press("#actor", "Enter")
    page.wait_for_selector(".band.bad")
    assert page.input_value("#actor") == "nobody at all"
    found += _faults(page, "audit-wrong")
    page.goto(f"{site.staff}/audit?since=2030-01-01")
    found += _faults(page, "audit-empty")
    page.goto(f"{site.staff}/audit")
    page.select_option("#action", "event.accepted")
    page.press("#action", "Tab")
    page.keyboard.press("Enter") if page.evaluate("document.activeElement.type") == "submit" else page.click(
        ".sieve button"
    )
    page.wait_for_url("**action=event.accepted*")
    assert page.locator("tbody tr").count() == 30
    assert found == []


def test_the_guide_to_the_api_is_accessible_and_asks_for_nothing_from_elsewhere(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.staff}/api/docs")
    assert _faults(page, "docs") == []
    assert asked
    assert all(url.startswith(site.staff) for url in asked)
