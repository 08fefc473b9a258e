"""The health worker's minute in a real browser: by the keyboard alone, from the sign-in to the next person."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.certificates.opening import LinkState, look
from tests.browser.conftest import Phone, Site
from tests.browser.test_walk import PASSWORD

NIK = "3174035002890009"


def add_worker(site: Site) -> None:
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


def type_on(page: Page, *words: str) -> None:
    """What fingers do: a word, and Tab to the next field."""
    for word in words:
        if word:
            page.keyboard.type(word)
        page.keyboard.press("Tab")


def at_field(page: Page, name: str) -> None:
    """A field has the focus, once the page is there whole: what is typed may go on to any of its fields."""
    expect(page.locator(f"[name={name}]")).to_be_focused()
    page.wait_for_load_state()


def at_button(page: Page, words: str) -> None:
    expect(page.get_by_role("button", name=words)).to_be_focused()
    page.wait_for_load_state()


def sign_in_by_keyboard(page: Page, site: Site) -> None:
    page.goto(site.staff + "/doses/new")
    at_field(page, "username")
    type_on(page, "wati")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(site.staff + "/doses/new")


def enter_first(page: Page) -> None:
    """A person nobody knows, up to the page that reads back; the form must be fresh."""
    at_field(page, "nik")
    type_on(page, NIK, "10", "2")
    page.keyboard.type("1989")
    page.keyboard.press("Enter")  # goes on: the search
    expect(page.get_by_text("Belum tercatat dengan NIK")).to_be_visible()
    at_field(page, "name")
    type_on(page, "Siti Aminah", "081234567890", "", "CoronaVac", "BX-2201", "1")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator(".last-four b")).to_have_text("7890")


def test_a_worker_enters_two_doses_by_the_keyboard_alone(site: Site, phone: Phone) -> None:
    page = phone.page
    add_worker(site)
    sign_in_by_keyboard(page, site)
    enter_first(page)
    assert phone.fits()
    expect(page.get_by_text("Dijadwalkan: 23 November 2026 10.10 WIB")).to_be_visible()
    at_button(page, "Simpan dan orang berikutnya")
    page.keyboard.press("Enter")

    page.wait_for_url("**/doses/new?saved=*")
    expect(page.get_by_text("Senin 23 November 10.10 WIB")).to_be_visible()
    expect(page.locator("[name=product]")).to_have_value("CoronaVac")
    expect(page.locator("[name=lot]")).to_have_value("BX-2201")
    expect(page.locator("[name=name]")).to_have_value("")
    assert phone.fits()

    site.clock.tick(hours=23)
    sign_in_by_keyboard(page, site)  # the session is over by then
    at_field(page, "nik")
    type_on(page, NIK, "10", "2")
    page.keyboard.type("1989")
    page.keyboard.press("Enter")
    expect(page.get_by_text("0812••••90").first).to_be_visible()
    assert "Siti" not in page.content()
    at_field(page, "number")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator(".echo")).to_have_text("0812••••90")
    assert phone.fits()
    at_button(page, "Simpan dan orang berikutnya")
    page.keyboard.press("Tab")
    at_button(page, "Sudah benar, jadwalkan SMS")
    page.keyboard.press("Enter")
    page.wait_for_url("**/doses/done/*")
    expect(page.get_by_role("heading", name="Dosis dicatat")).to_be_visible()
    assert phone.faults == []


def test_what_is_wrong_has_the_focus_and_what_looks_wrong_needs_a_tick(site: Site, phone: Phone) -> None:
    page = phone.page
    add_worker(site)
    sign_in_by_keyboard(page, site)
    enter_first(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/doses/new?saved=*")
    at_field(page, "nik")
    type_on(page, NIK[:-1] + "8", "10", "2", "1989", "", "Budi", "0213456789", "", "", "", "1", "")
    page.locator("button.main").press("Enter")
    at_field(page, "phone")  # a landline
    page.keyboard.press("Control+a")
    page.keyboard.type("081298765432")
    page.keyboard.press("Enter")
    expect(page.get_by_text("NIK ini mirip NIK orang lain")).to_be_visible()
    at_field(page, "checked")
    page.locator("button.main").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("beri tanda di kotak ini")
    at_field(page, "checked")
    assert phone.fits()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/doses/new?saved=*")


def test_the_code_on_paper_is_read_by_a_camera_and_opens(site: Site, phone: Phone) -> None:
    page = phone.page
    add_worker(site)
    sign_in_by_keyboard(page, site)
    enter_first(page)
    page.get_by_role("button", name="Sudah benar, jadwalkan SMS").press("Enter")
    page.get_by_role("link", name="Cetak lembar bertautan").press("Enter")
    page.wait_for_url("**/print")
    at_button(page, "Buat lembar")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sertifikat vaksin S. dosis 1")).to_be_visible()
    assert phone.fits()
    assert "Siti" not in page.locator(".sheet").inner_text()
    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()
    seen = Image.open(io.BytesIO(page.locator(".qr").screenshot()))
    [code] = zxingcpp.read_barcodes(seen)
    assert code.text.startswith(site.public + "/c/")
    assert look(site.services, code.text.rpartition("/")[2]).state is LinkState.LIVE
    page.goto(code.text)
    for name, value in (("day", "10"), ("month", "2"), ("year", "1989")):
        page.fill(f"[name={name}]", value)
    page.get_by_role("button", name="Buka sertifikat").click()
    expect(page.get_by_role("heading", name="Siti Aminah")).to_be_visible()


def test_the_entry_sheet_prints_on_one_page(site: Site, phone: Phone) -> None:
    page = phone.page
    add_worker(site)
    sign_in_by_keyboard(page, site)
    page.goto(site.staff + "/doses/sheet")
    assert phone.fits()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 1
    assert b"/MediaBox [0 0 841" in pdf.replace(b"\n", b" ")
