"""A list from the file to its report, in a real browser; nothing sticks out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Phone, Site
from tests.uploads import HEADER, a_list, an_uploader, row, work

PASSWORD = "tiga kucing oren"
LONG_NAME = "rekap-vaksinasi-" + "puskesmas-kecamatan-menteng-" * 4 + "november.csv"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Phone]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    yield Phone(context.new_page(), [], [])
    context.close()


def sign_in(phone: Phone, site: Site) -> None:
    page = phone.page
    page.goto(site.staff + "/uploads")
    page.fill("[name=username]", "sari")
    page.fill("[name=password]", PASSWORD)
    page.locator("form button.main").click()
    page.wait_for_url(site.staff + "/uploads")


def faults(phone: Phone) -> list[str]:
    """What is wrong with the page as it stands, in the light and in the dark."""
    page = phone.page
    found: list[str] = []
    if not phone.fits():
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    return found


def stand_still(page: Page) -> None:
    """From the page that looks again every three seconds to the same one that does not."""
    page.wait_for_url("**live=1")
    page.goto(page.url.partition("?")[0])


def bring(page: Page, folder: Path, data: bytes, name: str = "daftar.csv") -> None:
    file = folder / name
    file.write_bytes(data)
    page.get_by_role("link", name="Pilih berkas CSV").click()
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Unggah dan lihat kolomnya").click()


def test_a_health_worker_uploads_a_list_and_mends_what_was_refused(site: Site, phone: Phone, tmp_path: Path) -> None:
    an_uploader(site.services)
    sign_in(phone, site)
    page = phone.page
    assert faults(phone) == []
    page.get_by_role("link", name="Pilih berkas CSV").click()
    assert faults(phone) == []
    page.goto(site.staff + "/uploads")
    bring(page, tmp_path, b"PK\x03\x04 a workbook", "daftar.xlsx")
    expect(page.locator("#file-problem")).to_contain_text("simpan sebagai CSV")
    assert faults(phone) == []
    page.goto(site.staff + "/uploads")

    header = HEADER.replace("nama", "siapa dia")
    rows = [row(1), row(2), row(3, nik="12", given_on="31/02/2026"), row(4, name="=1+1"), row(5, phone="")]
    bring(page, tmp_path, a_list(rows, header), LONG_NAME)
    expect(page.get_by_role("heading", level=1)).to_have_text("Arti setiap kolom")
    assert faults(phone) == []
    page.get_by_role("button", name="Periksa semua baris").click()
    expect(page.locator(".band.bad")).to_contain_text("Nama lengkap")
    assert faults(phone) == []
    page.get_by_label("Arti kolom siapa dia").select_option(label="Nama lengkap")
    page.get_by_role("button", name="Periksa semua baris").click()
    stand_still(page)
    assert faults(phone) == []

    work(site.services)
    page.reload()
    expect(page.locator(".said")).to_have_text("3 dosis siap dicatat. 2 baris ditolak.")
    assert faults(phone) == []
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Unduh baris yang ditolak")).click()
    text = download.value.path().read_text("utf-8-sig")
    assert ";'=1+1;" in text
    page.get_by_role("button", name="Catat 3 dosis").click()
    stand_still(page)
    page.get_by_role("button", name="Jeda").click()
    expect(page.get_by_text("Tidak ada baris lagi yang diproses")).to_be_visible()
    assert faults(phone) == []
    page.get_by_role("button", name="Lanjutkan").press("Enter")
    page.wait_for_url("**live=1")
    work(site.services)
    stand_still(page)
    expect(page.locator("main .state")).to_have_text("Selesai dicatat")
    assert faults(phone) == []
    page.get_by_role("link", name="Lihat setiap baris").click()
    assert faults(phone) == []
    page.locator("td a").first.click()
    page.wait_for_url("**/messages/*")

    page.goto(site.staff + "/uploads")
    expect(page.locator("td.name")).to_contain_text("…")
    expect(page.locator("td.name")).to_contain_text("november.csv")
    assert faults(phone) == []
    mended = text.replace(";12;", ";3174000000000003;").replace("31/02/2026", "20/02/2026").replace("'=1+1", "Budi")
    bring(page, tmp_path, mended.encode(), "ditolak.csv")
    expect(page.get_by_label("Arti kolom siapa dia")).to_have_value("name")  # as it was the last time
    page.get_by_role("button", name="Periksa semua baris").click()
    page.wait_for_url("**live=1")
    work(site.services)
    stand_still(page)
    expect(page.locator(".said")).to_have_text("2 dosis siap dicatat.")
