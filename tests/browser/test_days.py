"""The operator's tomorrow in a real browser: an SMS that is sent again at nine, by the clock on the wall of the office,
leaves at that minute and not before, and its link opens. The other days of the roles are walked beside their pages:
test_dose_entry.py, test_facility_day.py (a wrong number before it leaves), test_operator_desk.py (found by phone, a
dead letter), test_bulk.py (approved by a second person, paused, cancelled half-way)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.store import caught
from tests.browser.conftest import Phone, Site
from tests.browser.test_walk import PASSWORD, give, newest_link
from tests.desk import Desk

#: nine in the morning in Jakarta, the day after the fake clock's Monday
NINE = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def sent(site: Site) -> int:
    """How many SMS the catcher has, once the workers have come by."""
    Sender(site.services).send_batch(10)
    with site.services.db.read() as conn:
        return len(caught.newest(conn, site.services.sealer, 10))


def test_an_sms_goes_again_tomorrow_at_nine_and_not_a_minute_before(site: Site, phone: Phone) -> None:
    page, clock = phone.page, site.clock
    accounts.add(
        site.services,
        Passwords(memory_kib=64, passes=1),
        username="oki",
        display_name="Oki",
        password=PASSWORD,
        role=Role.OPERATOR,
        actor="test",
    )
    Desk(site.services).record(person={"name": "Siti Aminah"})
    assert sent(site) == 1
    first = newest_link(site)
    clock.tick(minutes=30)

    page.goto(site.staff + "/messages")
    page.fill("[name=username]", "oki")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    page.fill("[name=q]", "0812 3456 7890")
    page.get_by_role("button", name="Cari").click()
    page.get_by_role("link", name="Siti Aminah").click()
    page.wait_for_url("**/persons/*")
    page.get_by_role("link", name=re.compile("^[0-9A-Z]{10}$")).first.click()
    page.wait_for_url("**/messages/*")
    page.get_by_text("Kirim ulang", exact=True).last.click()
    page.check("[name=when][value=at]")
    page.fill("#at", "2026-11-24T09:00")
    page.fill("#resend-reason", "ponsel baru, minta besok pagi")
    page.get_by_role("button", name="Periksa dulu").click()
    expect(page.get_by_text("Selasa 24 November 09.00 WIB")).to_be_visible()
    assert sent(site) == 1  # looked at, and nothing else
    page.get_by_role("button", name="Ya, jadwalkan kirim ulang").click()
    expect(page.get_by_role("status")).to_contain_text("Selasa 24 November 09.00 WIB")
    expect(page.locator("h1 + .state")).to_have_text("Terjadwal")
    address = page.url

    clock.tick(seconds=(NINE - timedelta(minutes=1) - clock.now()).total_seconds())
    assert sent(site) == 1
    clock.tick(minutes=1)
    assert clock.now() == NINE
    assert sent(site) == 2
    again = newest_link(site)
    assert again != first

    page.goto(address)  # the session is over by then
    page.fill("[name=username]", "oki")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    expect(page.locator("h1 + .state")).to_have_text("Diserahkan ke penyedia SMS")
    expect(page.get_by_text("24 November 2026 09.00 WIB").first).to_be_visible()
    page.goto(again)
    give(phone, "10", "2", "1989")
    expect(page.get_by_role("heading", name="Siti Aminah")).to_be_visible()
    assert phone.faults == []
