"""The facility's day in a real browser: a wrong number fixed before the SMS leaves; every page of the list and of the
corrections accessible and inside the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_core_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.store import caught
from tests.browser.conftest import Phone, Site
from tests.desk import Desk
from tests.web.staff.conftest import PASSWORD, add_staff

_AXE = "options => axe.run(document, options).then(found => found.violations.map(each => \
    `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
FACILITY = "facility-1"  # of the events that tests.desk records
LONG = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of a browser whose JavaScript is on: axe waits for timers. Our own pages have none."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(20_000)
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
    page.evaluate(AXE_SCRIPT)
    found = list(page.evaluate(_AXE, {}))
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in page.evaluate(_AXE, {"runOnly": ["color-contrast"]})]
    page.emulate_media(color_scheme="light")
    if not page.evaluate(_FITS):
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


def looked_at(site: Site, screen: Page, paths: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong with each page, by its name."""
    bad = {}
    for name, path in paths.items():
        screen.goto(site.staff + path)
        if found := faults(screen):
            bad[name] = found
    return bad


def test_the_list_is_accessible_and_inside_the_screen_when_empty_and_full(site: Site, screen: Page) -> None:
    sign_in(site, screen, "bu-kepala", Role.FACILITY_LEAD)
    lists = {"day": "/doses", "stage": "/doses?stage=help", "help": "/doses/help"}
    assert looked_at(site, screen, lists) == {}
    for number in range(12):
        recorded(site, number, phone=None if number % 3 else "0812-3456-7890", name=LONG if number % 2 else "Budi")
    assert looked_at(site, screen, lists) == {}


def test_every_page_of_a_correction_is_accessible_and_inside_the_screen(site: Site, screen: Page) -> None:
    page = screen
    sign_in(site, page, "bu-kepala", Role.FACILITY_LEAD)
    if page.viewport_size and page.viewport_size["width"] > 1000:
        page.get_by_role("button", name="English").click()  # one language a size
    reference = recorded(site, 1, name=LONG)
    number, data = f"/doses/{reference}/number", f"/doses/{reference}/correct"
    message = f"/messages/{reference}"
    bad = looked_at(
        site, screen, {"message": message, "number": number, "data": data, "withdraw": f"/doses/{reference}/withdraw"}
    )

    def look(name: str, at: Page = screen) -> None:
        if found := faults(at):
            bad[name] = found

    def check(path: str, at: Page = screen, **typed: str) -> None:
        at.goto(site.staff + path)
        for name, text in typed.items():
            at.fill(f"[name={name}]", text)
        if typed:
            at.locator("#checked-called-on-file").check()
        at.locator("form.stack button.main").click()

    check(number)
    look("number with problems")
    check(number, phone="0812 9876 5432")
    look("confirm a number")
    check(data, birth_year="84")
    look("data with problems")
    check(data, lot="LOT-9")
    look("confirm data")
    late = page.context.new_page()
    check(data, late, lot="LOT-10")
    page.locator("button[value=save]").click()
    look("corrected")
    late.locator("button[value=save]").click()
    look("changed meanwhile", late)
    late.close()
    Sender(site.services).send_batch(100)
    page.goto(site.staff + message)
    page.locator("summary").first.click()  # "send again" is the first of the deeds
    page.fill("#resend-reason", "sudah ditelepon")
    page.locator("button[value=preview]").click()
    look("preview of a resend")
    assert bad == {}


def test_the_operators_choice_of_a_facility_is_accessible(site: Site, screen: Page) -> None:
    page = screen
    recorded(site, 1)
    sign_in(site, page, "oki", Role.OPERATOR, None)
    page.goto(site.staff + "/doses")
    assert faults(screen) == []
    page.fill("[name=find]", "nowhere")
    page.locator("[name=find]").press("Enter")
    assert faults(screen) == []
    page.fill("[name=find]", "menteng")
    page.locator("[name=find]").press("Enter")
    assert faults(screen) == []
    page.get_by_role("link", name="Puskesmas Menteng").click()
    expect(page.get_by_text("Orang 1")).to_be_visible()
    assert faults(screen) == []
    page.get_by_role("link", name=re.compile("^Perbaiki")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Perbaiki data")
    assert faults(screen) == []
