"""The two walks in a real browser: the health worker's and the vaccinated person's."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.store import caught
from tests.browser.conftest import Phone, Site
from tests.desk import Desk

PASSWORD = "tiga kucing oren"
LONG_NAME = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"


def send(site: Site) -> None:
    Sender(site.services).send_batch(10)


def newest_link(site: Site) -> str:
    with site.services.db.read() as conn:
        [sms] = caught.newest(conn, site.services.sealer, 1)
    found = re.search(r"http\S+", sms.text)
    assert found is not None
    return found.group()


def give(phone: Phone, day: str, month: str, year: str) -> None:
    for name, value in (("day", day), ("month", month), ("year", year)):
        phone.page.fill(f"[name={name}]", value)
    phone.page.get_by_role("button", name="Buka sertifikat").click()


@pytest.mark.parametrize("name", ["Siti Aminah", "Sulastri", LONG_NAME])
def test_a_person_opens_the_link_and_keeps_the_certificate(site: Site, phone: Phone, name: str) -> None:
    Desk(site.services).record(person={"name": name})
    send(site)

    phone.page.goto(newest_link(site))
    assert phone.fits()
    assert name not in phone.page.content()
    assert len(set(phone.requests)) <= 3  # the mark is asked for twice and comes from the cache

    give(phone, "1", "1", "1990")
    expect(phone.page.get_by_role("alert")).to_contain_text("Tinggal 4 kesempatan lagi")
    phone.faults.clear()  # a browser notes the 422 of a wrong date
    give(phone, "10", "Februari", "1989")
    phone.page.wait_for_url("**/certificate/*")
    expect(phone.page.get_by_role("heading", name=name)).to_be_visible()
    assert phone.fits()
    assert phone.page.locator("svg").count() >= 1
    phone.page.reload()
    expect(phone.page.get_by_role("heading", name=name)).to_be_visible()
    with phone.page.expect_download() as download:
        phone.page.get_by_role("link", name=re.compile("Unduh PDF")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    assert name.split()[0] not in download.value.suggested_filename
    assert phone.faults == []


@pytest.mark.parametrize("path", ["/c/unknown", "/verify", "/nothing"])
def test_every_page_fits_and_speaks_english_when_asked(site: Site, phone: Phone, path: str) -> None:
    phone.page.goto(site.public + path)
    assert phone.fits()
    assert phone.page.locator("html").get_attribute("lang") == "id"
    phone.page.get_by_role("link", name="English").click()
    expect(phone.page.locator("html")).to_have_attribute("lang", "en")
    assert phone.fits()


def test_a_health_worker_enters_a_dose_and_sees_when_the_sms_goes(site: Site, phone: Phone) -> None:
    accounts.add(
        site.services,
        Passwords(memory_kib=64, passes=1),
        username="wati",
        display_name="Wati",
        password=PASSWORD,
        role=Role.HEALTH_WORKER,
        actor="test",
        facility_id="pkm-1",
        facility_name="Puskesmas Menteng",
    )
    page = phone.page
    page.goto(site.staff + "/doses/new")
    page.fill("[name=username]", "wati")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    fields = {
        "nik": "3174035002890009",
        "name": "Siti Aminah",
        "birth_day": "10",
        "birth_month": "2",
        "birth_year": "1989",
        "phone": "021 345 6789",
        "product": "CoronaVac",
        "number": "1",
    }
    for field_name, value in fields.items():
        page.fill(f"[name={field_name}]", value)
    page.get_by_role("button", name=re.compile("Periksa")).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=phone]")).to_have_value("021 345 6789")  # a landline is asked again, and kept
    assert phone.fits()

    page.fill("[name=phone]", "0812 3456 7890")
    page.get_by_role("button", name=re.compile("Periksa")).click()
    expect(page.get_by_text("0812-3456-7890").first).to_be_visible()
    assert phone.fits()
    page.get_by_role("button", name=re.compile("Sudah benar")).click()
    expect(page.get_by_text("Senin 23 November 10.10 WIB").first).to_be_visible()
    assert phone.fits()

    site.clock.tick(minutes=11)
    send(site)
    with site.services.db.read() as conn:
        assert [sms.to for sms in caught.newest(conn, site.services.sealer, 5)] == ["+6281234567890"]
