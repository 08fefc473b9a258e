"""A bulk resend at the desk: an operator makes it, a second person approves it, it is paused and cancelled half-way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.resend_filter import ResendFilter, Wanted
from notifier.core.states import State
from notifier.intake.record import Door, record
from notifier.messages.send import Sender
from notifier.store import notifications
from notifier.store.tables import notification
from notifier.support import bulk_resend, bulk_run
from tests.browser.conftest import Site, fits
from tests.builders import an_event

PASSWORD = "tiga kucing oren"
PEOPLE = 120  # more than one person may decide about alone


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    width, height = request.param
    return width, height


@pytest.fixture
def pages(browser: Browser, site: Site, size: tuple[int, int]) -> Iterator[dict[str, Page]]:
    """An operator's and a supervisor's browsers, signed in."""
    contexts, found = [], {}
    for username, role in (("oki", Role.OPERATOR), ("susi", Role.SUPERVISOR)):
        accounts.add(
            site.services,
            Passwords(memory_kib=64, passes=1),
            username=username,
            display_name=username.capitalize(),
            password=PASSWORD,
            role=role,
            actor="test",
        )
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        found[username] = page = context.new_page()
        page.goto(site.staff + "/sign-in")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Masuk").click()
        page.wait_for_url(site.staff + "/")
    yield found
    for context in contexts:
        context.close()


@pytest.fixture
def failed(site: Site) -> int:
    """Many people's messages that failed; how many."""
    for place in range(PEOPLE):
        person = {"id": f"p{place}", "nik": None, "phone": f"0812{place:08d}"}
        event = an_event(event_id=f"e{place}", dose={"id": f"d{place}"}, person=person)
        record(site.services, event, door=Door.API, actor="door:api")
    with site.services.db.write() as conn:
        conn.execute(notification.update().values(status=State.FAILED.value, reason="refused"))
    return PEOPLE


def faults(page: Page) -> list[str]:
    """Whether something sticks out to the side; test_staff_axe.py looks for the rest."""
    found: list[str] = []
    return found + ([] if fits(page) else ["sticks out"])


def test_made_approved_paused_and_cancelled_half_way_with_exact_counts(
    site: Site, pages: dict[str, Page], failed: int
) -> None:
    operator, supervisor = pages["oki"], pages["susi"]
    operator.goto(site.staff + "/resends")
    operator.get_by_role("link", name="Buat kirim ulang").click()
    operator.get_by_label("Gagal", exact=True).check()
    operator.get_by_role("button", name="Hitung dulu").click()
    expect(operator.get_by_text(f"{failed} SMS", exact=True)).to_be_visible()
    assert faults(operator) == []
    operator.get_by_role("button", name="Minta persetujuan").click()  # the browser itself asks for the reason
    operator.get_by_label("Alasan").fill("rute penyedia salah")
    operator.get_by_role("button", name="Minta persetujuan").click()
    expect(operator.get_by_text("Belum ada yang dikirim")).to_be_visible()
    reference = operator.locator("h1").inner_text()

    supervisor.goto(site.staff + f"/resends/{reference}")
    supervisor.get_by_role("link", name="Periksa dan setujui").click()
    assert faults(supervisor) == []
    supervisor.get_by_role("button", name=f"Setujui {failed} SMS").click()
    expect(supervisor.get_by_text(re.compile("Disetujui, mulai"))).to_be_visible()

    bulk_run.run(site.services)
    Sender(site.services).send_batch(50)
    operator.goto(site.staff + f"/resends/{reference}")
    expect(operator.get_by_text(f"50 dari {failed} sudah berangkat")).to_be_visible()
    assert faults(operator) == []
    _do(operator, "Jeda", "nomor salah")
    expect(operator.get_by_text(re.compile("Tidak ada yang berangkat sampai dilanjutkan")).first).to_be_visible()
    site.clock.tick(minutes=5)
    bulk_run.run(site.services)
    assert Sender(site.services).send_batch(200).claimed == 0

    supervisor.goto(site.staff + f"/resends/{reference}")
    _do(supervisor, "Batalkan", "tidak jadi", button="Batalkan yang belum berangkat")
    expect(supervisor.get_by_text(f"50 dari {failed} sudah berangkat")).to_be_visible()
    expect(supervisor.get_by_role("link", name=re.compile(r"^Dibatalkan\s*70$"))).to_be_visible()
    assert faults(supervisor) == []
    supervisor.get_by_role("link", name=re.compile(r"^Dibatalkan\s*70$")).click()
    assert faults(supervisor) == []
    site.clock.tick(hours=1)
    assert Sender(site.services).send_batch(200).claimed == 0
    with site.services.db.read() as conn:
        rows = [row for row in notifications.newest(conn, 1000) if row.bulk_id]
    assert sorted({row.status for row in rows}) == ["accepted", "cancelled"]
    assert len(rows) == failed


def _do(page: Page, title: str, reason: str, *, button: str = "") -> None:
    box = page.locator("details", has=page.locator("summary", has_text=re.compile(f"^{title}$")))
    box.locator("summary").click()
    box.get_by_label("Alasan").fill(reason)
    box.get_by_role("button", name=button or title).click()


def test_the_second_operator_is_told(site: Site, pages: dict[str, Page], failed: int) -> None:
    row = bulk_resend.create(site.services, ResendFilter(Wanted.FAILED), at=None, reason="x", actor="test")
    bulk_resend.approve(site.services, row.reference, actor="other", confirmed=failed)
    for page in pages.values():
        page.goto(site.staff + f"/resends/{row.reference}")
    _do(pages["susi"], "Jeda", "salah")
    expect(pages["susi"].get_by_text(re.compile("Tidak ada yang berangkat sampai dilanjutkan")).first).to_be_visible()
    _do(pages["oki"], "Jeda", "salah")
    expect(pages["oki"].get_by_role("alert")).to_contain_text("Keadaannya baru saja berubah")
    assert faults(pages["oki"]) == []


def test_empty_pages_and_a_schedule_from_the_first_word_to_the_yes(site: Site, pages: dict[str, Page]) -> None:
    operator, supervisor = pages["oki"], pages["susi"]
    for path in ("/resends", "/resends/new", "/resends/schedules"):
        operator.goto(site.staff + path)
        assert (path, faults(operator)) == (path, [])
    operator.goto(site.staff + "/resends/new?state=failed&code=%3F&since=2026-11-23&until=2026-11-01")
    expect(operator.get_by_role("alert")).to_be_visible()
    assert faults(operator) == []
    operator.goto(site.staff + "/resends/schedules/new")
    operator.get_by_label("Alasan").fill("tiap pagi")
    assert faults(operator) == []
    operator.get_by_role("button", name="Minta persetujuan").click()
    expect(operator.locator("h1")).to_have_text(re.compile("^[0-9A-Z]{10}$"))
    reference = operator.locator("h1").inner_text()
    supervisor.goto(site.staff + f"/resends/schedules/{reference}")
    assert faults(supervisor) == []
    supervisor.get_by_role("button", name="Setujui jadwal").click()
    expect(supervisor.get_by_text(re.compile("Berjalan lagi Selasa 24 November 09.00 WIB"))).to_be_visible()
    supervisor.goto(site.staff + "/resends/schedules")
    assert faults(supervisor) == []
