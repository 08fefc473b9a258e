"""Signing in, the own account and the accounts of others as a browser shows them: nothing sticks out,
and the whole way is walked by keyboard alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from notifier.access import accounts, manage, totp
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.ids import new_id
from notifier.store import staff
from tests.browser.conftest import Site, fits

PASSWORD, OWN = "tiga kucing oren", "empat ikan biru di kolam"
_HASH = Passwords(memory_kib=64, passes=1)


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    yield page
    context.close()


def faults(page: Page) -> list[str]:
    found: list[str] = []
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    return [f"{page.url}: {each}" for each in found]


def typed(page: Page, field: str, text: str) -> None:
    """To the field by Tab alone, then the text."""
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == field:
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == field
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def entered(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_new_colleague_gets_in_by_keyboard_alone_and_no_page_has_a_fault(site: Site, page: Page) -> None:
    _, first = manage.add(site.services, _HASH, username="wati", display_name="Wati", role="operator", actor="test")
    wrong: list[str] = []

    def look() -> None:
        wrong.extend(faults(page))

    page.goto(f"{site.staff}/account")
    look()
    typed(page, "username", "wati")
    typed(page, "password", first)
    entered(page)
    look()
    typed(page, "password", OWN)
    typed(page, "again", "lain sama sekali")
    entered(page)
    look()  # with a problem beside its field
    typed(page, "password", OWN)
    typed(page, "again", OWN)
    entered(page)
    assert page.url == f"{site.staff}/account"
    look()
    typed(page, "begin-password", OWN)
    entered(page)
    look()
    secret = base64.b32decode(page.locator("code.secret").inner_text().replace(" ", ""))
    typed(page, "code", "000000")
    entered(page)
    look()
    typed(page, "code", totp.code_of(secret, totp.step_of(site.clock.now())))
    entered(page)
    assert page.locator(".codes li").count() == 10
    code = page.locator(".codes code").first.inner_text()
    look()
    page.goto(f"{site.staff}/account")
    look()
    page.get_by_role("button", name="Keluar dari semua perangkat").press("Enter")
    page.wait_for_url("**/sign-in")
    typed(page, "username", "wati")
    typed(page, "password", OWN)
    entered(page)
    look()
    typed(page, "code", "000000")
    entered(page)
    look()
    page.locator("summary").press("Enter")
    typed(page, "recovery_code", code)
    entered(page)
    assert page.url == f"{site.staff}/"
    assert wrong == []


def test_the_accounts_of_others_have_no_fault_whether_few_or_many_and_long(site: Site, page: Page) -> None:
    accounts.add(
        site.services,
        _HASH,
        username="boss",
        display_name="Boss",
        password=PASSWORD,
        role=Role.ADMINISTRATOR,
        actor="test",
    )
    page.goto(f"{site.staff}/accounts")
    page.fill("#username", "boss")
    page.fill("#password", PASSWORD)
    page.locator("#password").press("Enter")
    page.wait_for_url(f"{site.staff}/accounts")
    wrong = faults(page)
    page.goto(f"{site.staff}/accounts?active=no")
    wrong += faults(page)  # an empty list
    page.goto(f"{site.staff}/accounts/new")
    page.fill("#display_name", "Siti")
    page.fill("#username", "siti nurhaliza")
    page.check("#role")
    page.locator("#username").press("Enter")
    page.wait_for_selector(".band.bad")
    wrong += faults(page)
    page.fill("#username", "siti")
    page.check("input[value=auditor]")
    page.locator("#username").press("Enter")
    page.wait_for_selector(".said")
    wrong += faults(page)
    page.get_by_role("link", name="Sudah disampaikan, buka akunnya").click()
    page.wait_for_selector(".deeds")
    wrong += faults(page)
    page.locator("summary", has_text="Nonaktifkan akun").press("Enter")
    page.fill("#deactivate-reason", "pindah tugas")
    page.locator("#deactivate-reason").press("Enter")
    page.wait_for_selector(".band.good")
    wrong += faults(page)
    _many(site)
    page.goto(f"{site.staff}/accounts")
    assert page.locator("tbody tr").count() == manage.PAGE
    wrong += faults(page)
    page.goto(f"{site.staff}/accounts/{manage.find(site.services, 'w000.' + 'panjang' * 12)}")
    wrong += faults(page)
    assert wrong == []


def _many(site: Site) -> None:
    """More than a page, each as long as it may be."""
    with site.services.db.write() as conn:
        for number in range(manage.PAGE + 1):
            staff.insert(
                conn,
                id=new_id(),
                username=f"w{number:03}." + "panjang" * 12,
                display_name=("Nama yang sangat panjang " * 8).strip(),
                password_hash="x",
                role="facility_lead",
                facility_id="fasilitas-" + "9" * 180,
                active=number % 2 == 0,
                language="id",
                created_at=site.clock.now(),
            )
