"""The facility's day in a real browser: a wrong number fixed before the SMS leaves; every page of the list and of the
corrections accessible and inside the screen."""

from __future__ import annotations

import re

import pytest
from axe_core_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.store import caught
from tests.browser.conftest import Phone, Site
from tests.desk import Desk
from tests.web.staff.conftest import PASSWORD, add_staff

_AXE = "options => axe.run(document, options).then(found => found.violations.map(each => \
    `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"
FACILITY = "facility-1"  # of the events that tests.desk records
LONG = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"


def sign_in(site: Site, page: Page, username: str, role: Role, facility_id: str | None = FACILITY) -> None:
    add_staff(site.services, username, role, facility_id)
    page.goto(site.staff + "/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(site.staff + "/")


def faults(phone: Phone) -> list[str]:
    """What is wrong with the page as it stands, in light and dark. The pages' own scripts are off, axe's is ours."""
    page = phone.page
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate(AXE_SCRIPT)
        found += [f"{scheme} {each}" for each in page.evaluate(_AXE, {})]
    page.emulate_media(color_scheme="light")
    if not phone.fits():
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
    phone.faults.clear()  # a browser notes the 422
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
    assert phone.faults == []


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_accessible_and_inside_the_screen(site: Site, phone: Phone, language: str) -> None:
    page = phone.page
    sign_in(site, page, "bu-kepala", Role.FACILITY_LEAD)
    if language == "en":
        page.get_by_role("button", name="English").click()
    bad: dict[str, list[str]] = {}

    def look(name: str, path: str | None = None) -> None:
        if path is not None:
            page.goto(site.staff + path)
        found = faults(phone)
        if found:
            bad[name] = found

    for name, path in (("empty day", "/doses"), ("empty stage", "/doses?stage=arrived"), ("empty help", "/doses/help")):
        look(name, path)
    reference = recorded(site, 1, name=LONG)
    for number in range(2, 56):
        recorded(site, number, phone=None if number % 3 else "0812-3456-7890", name=LONG if number % 2 else "Budi")
    for name, path in (
        ("day", "/doses"),
        ("stage", "/doses?stage=help"),
        ("help", "/doses/help"),
        ("message", f"/messages/{reference}"),
        ("number", f"/doses/{reference}/number"),
        ("correct", f"/doses/{reference}/correct"),
        ("withdraw", f"/doses/{reference}/withdraw"),
    ):
        look(name, path)
    page.goto(f"{site.staff}/doses/{reference}/number")
    page.locator("form.stack button.main").click()
    look("number with problems")
    page.fill("[name=phone]", "0812 9876 5432")
    page.locator("#checked-id-card").check()
    page.locator("form.stack button.main").click()
    look("confirm a number")
    page.goto(f"{site.staff}/doses/{reference}/correct")
    page.fill("[name=birth_year]", "84")
    page.locator("form.stack button.main").click()
    look("correct with problems")
    page.goto(f"{site.staff}/doses/{reference}/correct")
    page.fill("[name=lot]", "LOT-9")
    page.locator("#checked-called-on-file").check()
    page.locator("form.stack button.main").click()
    look("confirm a correction")
    page.locator("button[value=save]").click()
    look("corrected")
    page.go_back()
    page.locator("button[value=edit]").click()
    page.fill("[name=lot]", "LOT-10")
    page.locator("form.stack button.main").click()
    look("changed meanwhile")
    Sender(site.services).send_batch(100)
    page.goto(f"{site.staff}/messages/{reference}")
    page.locator("summary").first.click()  # "send again" is the first of the deeds
    page.fill("#resend-reason", "sudah ditelepon")
    page.locator("button[value=preview]").click()
    look("preview of a resend")
    assert bad == {}


def test_the_operators_choice_of_a_facility_is_accessible(site: Site, phone: Phone) -> None:
    page = phone.page
    recorded(site, 1)
    sign_in(site, page, "oki", Role.OPERATOR, None)
    page.goto(site.staff + "/doses")
    assert faults(phone) == []
    page.fill("[name=find]", "nowhere")
    page.locator("[name=find]").press("Enter")
    assert faults(phone) == []
    page.fill("[name=find]", "menteng")
    page.locator("[name=find]").press("Enter")
    assert faults(phone) == []
    page.get_by_role("link", name="Puskesmas Menteng").click()
    expect(page.get_by_text("Orang 1")).to_be_visible()
    assert faults(phone) == []
    page.get_by_role("link", name=re.compile("^Perbaiki")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Perbaiki data")
    assert faults(phone) == []
