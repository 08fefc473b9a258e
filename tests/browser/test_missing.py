"""A missing certificate from report to closed case, on a cheap phone without JavaScript; each page looked at by axe."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.core.ids import new_secret_id
from notifier.core.states import State
from notifier.messages.send import Sender
from notifier.store import caught, doses
from notifier.store.tables import notification
from notifier.support import follow_ups
from tests.browser.conftest import Site
from tests.browser.test_axe import faults
from tests.desk import Desk

#: a folder, to look at each page as a picture
PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
NAME = "Raden Ajeng Siti Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat"


@dataclass
class Walker:
    """Somebody with a phone; `wrong`: what was found on the pages, by their names."""

    site: Site
    page: Page
    checker: Page  #: with JavaScript, which axe is written in; it is handed what the phone shows
    language: str = "id"
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def work(self) -> None:
        """What the workers do in a second."""
        follow_ups.run(self.site.services)
        Sender(self.site.services).send_batch(100)

    def sms(self) -> str:
        with self.site.services.db.read() as conn:
            return caught.newest(conn, self.site.services.sealer, 1)[0].text

    def code(self) -> str:
        self.work()
        found = re.search(r"\b\d{6}\b", self.sms())
        assert found is not None
        return found.group()

    def go(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.site.public + path)

    def fill(self, **typed: str) -> None:
        for name, text in typed.items():
            self.page.fill(f"[name={name}]", text)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words).first.click()

    def look(self, name: str) -> None:
        """The page at hand, by axe and as a picture."""
        self.page.wait_for_load_state()  # a click waits for its first byte alone
        if PICTURES:
            for width, height in ((1280, 800), (360, 740)):
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.screenshot(path=str(Path(PICTURES) / f"{name}-{self.language}-{width}.png"), full_page=True)
        self.checker.goto(self.site.public + "/robots.txt")
        self.checker.set_content(self.page.content(), wait_until="load")
        found = faults(self.checker, self.language)
        if found:
            self.wrong[name] = found

    def begin(self, number: str) -> None:
        self.go("/kasus")
        self.fill(phone=number)
        with self.page.expect_navigation():
            self.page.locator("main form button").first.click()


@pytest.fixture
def walker(browser: Browser, site: Site) -> Iterator[Walker]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    checks = browser.new_context(viewport={"width": 360, "height": 740})
    yield Walker(site, context.new_page(), checks.new_page())
    context.close()
    checks.close()


REPORT = {
    "name": NAME,
    "day": "10",
    "month": "Februari",
    "year": "1989",
    "place": "Puskesmas Menteng",
    "given_day": "13",
    "given_month": "11",
    "given_year": "2026",
    "words": "Di kartu tertulis dosis 1, " + new_secret_id()[:8],
}


def a_card(folder: Path) -> Path:
    from PIL import Image

    file = folder / "kartu.png"
    Image.new("RGB", (300, 200), (240, 240, 220)).save(file)
    return file


def test_from_report_to_closed_case(walker: Walker, tmp_path: Path) -> None:
    site, page = walker.site, walker.page
    with site.services.db.write() as conn:
        doses.remember_facility(conn, "facility-1", "Puskesmas Menteng")
    walker.go("/kasus")
    walker.look("start")
    walker.begin("021 345 6789")
    walker.look("start-wrong")
    walker.begin("0857 0000 1111")
    walker.look("code")
    walker.work()
    walker.fill(code="123456")
    walker.press("Cari sebabnya")
    walker.look("code-wrong")
    page.get_by_role("link", name="Lapor tanpa kode").click()
    walker.look("report")
    walker.press("Kirim laporan")
    walker.look("report-wrong")
    walker.fill(**REPORT)
    page.set_input_files("[name=picture]", a_card(tmp_path))
    walker.press("Kirim laporan")
    page.wait_for_url(re.compile(r"/kasus/\w{33}$"))
    walker.look("tracker-unproven")
    site.clock.tick(minutes=2)
    walker.press("Kirim kode ke nomor ini")
    walker.look("tracker-code")
    walker.fill(code=walker.code())
    walker.press("Pastikan nomor")
    expect(page.get_by_text("Diteruskan ke fasilitas tempat vaksin")).to_be_visible()
    walker.look("tracker")
    walker.work()
    assert page.url in walker.sms()

    Desk(site.services).record(
        person={"name": NAME, "nik": None, "phone": "0857-0000-1111"}, dose={"given_on": "2026-11-13"}
    )
    walker.work()
    page.reload()
    expect(page.get_by_text("Dosisnya sudah tercatat. Buka tautan")).to_be_visible()
    walker.look("tracker-closed")
    assert walker.wrong == {}


def causes_page(walker: Walker, make: Callable[[Desk], object]) -> None:
    walker.site.clock.tick(minutes=2)
    make(Desk(walker.site.services))
    walker.begin("0812 3456 7890")
    walker.fill(code=walker.code())
    walker.page.locator("main form button").first.click()
    walker.look("who")
    walker.page.locator("main form button").first.click()
    walker.look("who-missing")
    walker.fill(day="10", month="2", year="1989")
    walker.page.locator("main form button").first.click()
    walker.page.wait_for_url("**/kasus/sebab")
    walker.look("causes")
    walker.page.locator("main form button").first.click()
    walker.look("causes-mended")


def test_the_cause_and_what_mends_it_in_english(walker: Walker) -> None:
    walker.page.context.add_cookies([{"name": "lang", "value": "en", "url": walker.site.public}])
    walker.language = "en"
    desk = Desk(walker.site.services)
    for place in range(3):
        desk.record(
            event_id=f"e{place}",
            dose={"id": f"d{place}", "number": place + 1, "series_total": None, "given_on": f"2026-11-0{place + 1}"},
        )
    walker.work()
    with walker.site.services.db.write() as conn:
        arrived = {"status": State.DELIVERED.value, "ended_at": walker.site.clock.now()}
        conn.execute(notification.update().values(**arrived))
    causes_page(walker, lambda desk: desk.record(event_id="e9", dose={"id": "d9"}, notify={"delay_hours": 5}))
    walker.go("/kasus/lapor")
    walker.fill(**(REPORT | {"given_day": "22"}))
    walker.page.locator("main form button").first.click()
    walker.look("young")
    assert walker.wrong == {}
