"""The facility's day in a real browser: a wrong number fixed before the SMS leaves; every page of the list and of the
corrections accessible and inside the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.store import caught
from tests.browser.conftest import Phone, Site, fits
from tests.desk import Desk
from tests.web.staff.conftest import PASSWORD, add_staff

FACILITY = "facility-1"  # of the events that tests.desk records
LONG = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of a browser."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    yield page
    context.close()


def sign_in(site: Site, page: Page, username: str, role: Role, facility_id: str | None = FACILITY) -> None:
    add_staff(site.services, username, role, facility_id)
    page.goto(site.staff + "/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(site.staff + "/")


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands, in light and dark."""
    found: list[str] = []
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    return found


def recorded(site: Site, number: int, **person: str | None) -> str:
    event = {"event_id": f"e{number}", "dose": {"id": f"d{number}"}}
    about = {"id": f"p{number}", "nik": None, "name": f"Orang {number}"} | person
    reference = Desk(site.services).record(**event, person=about).reference
    assert reference is not None
    return reference


def test_a_wrong_number_is_fixed_before_the_sms_leaves(site: Site, phone: Phone) -> None:
    page = phone.page
    sign_in(site, page, "wati", Role.HEALTH_WORKER)
    recorded(site, 1, name="Siti Aminah")
    page.goto(site.staff + "/doses")
    page.get_by_role("link", name=re.compile("^Perbaiki")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Perbaiki data")
    page.go_back()
    page.get_by_role("link", name=re.compile("^[0-9A-Z]{10}$")).click()
    page.get_by_role("link", name="Perbaiki nomor").click()
    expect(page.get_by_text("0812••••90")).to_be_visible()
    page.locator("[name=phone]").press_sequentially("021 9876 5432")
    page.get_by_label("Bertemu langsung").check()
    page.locator("[name=phone]").press("Enter")  # a landline: asked again, kept
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name=phone]")).to_have_value("021 9876 5432")
    page.fill("[name=phone]", "0812 9876 5432")
    page.locator("[name=phone]").press("Enter")
    expect(page.locator(".echo")).to_have_text("0812-9876-5432")
    page.get_by_role("button", name="Sudah benar, simpan").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Sudah diperbaiki.")
    Sender(site.services).send_batch(10)
    Sender(site.services).send_batch(10)
    with site.services.db.read() as conn:
        assert [sms.to for sms in caught.newest(conn, site.services.sealer, 5)] == ["+6281298765432"]
    assert [fault for fault in phone.faults if "422" not in fault] == []  # a browser notes what was asked again


def test_the_operators_choice_of_a_facility_is_accessible(site: Site, screen: Page) -> None:
    page = screen
    recorded(site, 1)
    sign_in(site, page, "oki", Role.OPERATOR, None)
    page.goto(site.staff + "/doses")
    assert faults(screen) == []
    page.fill("[name=find]", "nowhere")
    page.locator("[name=find]").press("Enter")
    page.wait_for_url("**find=nowhere*")
    assert faults(screen) == []
    page.fill("[name=find]", "menteng")
    page.locator("[name=find]").press("Enter")
    page.wait_for_url("**find=menteng*")
    assert faults(screen) == []
    page.get_by_role("link", name="Puskesmas Menteng").click()
    expect(page.get_by_text("Orang 1")).to_be_visible()
    assert faults(screen) == []
    page.get_by_role("link", name=re.compile("^Perbaiki")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Perbaiki data")
    assert faults(screen) == []
