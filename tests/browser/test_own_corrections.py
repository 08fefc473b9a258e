"""A correction on a cheap phone: without JavaScript from the account to the new certificate, and what becomes of the
old link; and with axe looking at every page that there is on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.core.errors import Refused
from notifier.core.states import CertificateStatus
from notifier.messages.send import Sender
from notifier.store import caught, own_corrections, persons
from notifier.store.tables import certificate
from notifier.support import follow_ups, not_me
from notifier.support.own_corrections import review
from tests.browser.conftest import Site, arm, fits
from tests.builders import NIK
from tests.desk import Desk
from tests.support.test_photos import a_photo

_PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_AXE = "options => axe.run(document, options).then(found => found.violations.map(each => \
    `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"
_MOST_BYTES = 14 * 1024


class Walker:
    """Somebody with a phone; each page is looked at once it is there."""

    def __init__(self, site: Site, page: Page, *, with_axe: bool) -> None:
        self.site, self.page, self.with_axe = site, page, with_axe
        self.bad: dict[str, list[str]] = {}

    def at(self, name: str) -> None:
        """Looks at the page as it stands."""
        page = self.page
        wrong = []
        if self.with_axe:
            arm(page)
            wrong += page.evaluate(_AXE, {"resultTypes": ["violations"]})
        if not fits(page):
            wrong.append("sticks out")
        if len(page.content().encode()) > _MOST_BYTES:
            wrong.append("large")
        if page.locator("h1").count() != 1:
            wrong.append("not one h1")
        if wrong:
            self.bad[name] = wrong
        if _PICTURES and self.with_axe:
            for width, height in ((1280, 800), (360, 740)):
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=Path(_PICTURES) / f"own-{name}-{width}.png", full_page=True)

    def go(self, path: str, name: str) -> None:
        self.page.goto(path if path.startswith("http") else self.site.public + path)
        self.at(name)

    def send(self, name: str, button: str, /, **typed: str) -> None:
        """Fills a form in and sends it."""
        for field, text in typed.items():
            self.page.fill(f"main [name={field}]", text)
        self.page.get_by_role("button", name=button, exact=True).first.click()
        self.at(name)

    def follow(self, link: str, name: str) -> None:
        self.page.get_by_role("link", name=re.compile(link)).first.click()
        self.at(name)

    def sms(self, pattern: str) -> str:
        """What the newest SMS that fits says."""
        follow_ups.run(self.site.services)
        Sender(self.site.services).send_batch(100)
        with self.site.services.db.read() as conn:
            texts = [sms.text for sms in caught.newest(conn, self.site.services.sealer, 20)]
        return next(found.group(1) for text in texts if (found := re.search(pattern, text)))


@pytest.fixture(params=["axe"])
def walker(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Walker]:
    with_axe = request.param == "axe"  # which runs in the page, and needs it to have scripts
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=with_axe)
    page = context.new_page()
    yield Walker(site, page, with_axe=with_axe)
    context.close()


def signed_in(walker: Walker) -> None:
    """From the door of the account to the page of a person who is open in it."""
    page = walker.page
    page.fill("main [name=phone]", "0812-3456-7890")
    page.locator("main button").first.click()
    page.wait_for_selector("main [name=code]")
    page.fill("main [name=code]", walker.sms(r"\b(\d{6})\b"))
    page.locator("main button").first.click()
    page.fill("main [name=name]", "Siti Amniah")
    page.locator("main button").first.click()
    page.get_by_role("link", name=re.compile("^S\\.")).click()
    walker.send("person", "Buka", day="10", month="2", year="1989")


@pytest.mark.parametrize("walker", ["no scripts"], indirect=True)
def test_a_correction_from_the_request_to_the_new_certificate(walker: Walker, site: Site) -> None:
    Desk(site.services).record(person={"name": "Siti Amniah"})
    old_link = walker.sms(r"(http\S+/c/\S+)")
    with site.services.db.read() as conn:
        old_number = conn.execute(certificate.select()).one().number
    walker.page.goto(site.public + "/me")
    signed_in(walker)
    walker.follow("Perbaiki nama", "corrections")
    walker.follow("Perbaiki nama", "field-name")
    walker.send("field-wrong", "Kirim permintaan", value="Siti 2")
    walker.send("done", "Kirim permintaan", value="Siti Aminah")
    expect(walker.page.get_by_role("heading", name="Data sudah diperbaiki")).to_be_visible()

    new_link = walker.sms(r"diperbarui. Buka (http\S+/c/\S+)")
    walker.go(old_link, "old-link")
    expect(walker.page.get_by_role("heading", name="Sertifikat ini sudah diganti")).to_be_visible()
    walker.go(f"/verify?n={old_number}", "verify-old")
    expect(walker.page.locator("main")).to_contain_text("diganti")
    walker.page.goto(new_link)
    walker.send("certificate", "Buka sertifikat", day="10", month="2", year="1989")
    expect(walker.page.get_by_role("heading", name="Siti Aminah")).to_be_visible()
    assert walker.bad == {}


def test_a_request_that_is_reviewed_and_a_new_number(walker: Walker, site: Site) -> None:
    services = site.services
    Desk(services).record(person={"name": "Siti Amniah"})
    walker.page.goto(site.public + "/me")
    signed_in(walker)
    walker.follow("Perbaiki nama", "corrections")
    walker.follow("Perbaiki nama", "field-name")
    walker.send("field-name-wrong", "Kirim permintaan", value="Siti 2")
    walker.send("done", "Kirim permintaan", value="Siti Aminah")
    walker.follow("Lihat sertifikat baru", "person-again")
    walker.follow("Perbaiki nama", "corrections-done")
    walker.follow("Perbaiki tanggal lahir", "field-birth-date")
    walker.send("field-birth-date-wrong", "Kirim permintaan", day="40", month="2", year="89")
    walker.send("request", "Kirim permintaan", day="11", month="2", year="1989")
    with services.db.read() as conn:
        [row] = own_corrections.listed(conn, state=None, facility_id=None, limit=2)
    review.ask_evidence(services, row.reference, only_facility=None, reason="akta", actor="test")
    walker.page.reload()
    walker.at("evidence")
    walker.page.set_input_files("#picture", {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"})
    walker.send("evidence-wrong", "Kirim foto")
    walker.page.set_input_files("#picture", {"name": "akta.jpg", "mimeType": "image/jpeg", "buffer": a_photo()})
    walker.send("evidence-sent", "Kirim foto")

    walker.follow("Kembali", "corrections-open")
    walker.follow("Ganti nomor ponsel", "field-phone")
    walker.send("number-code", "Kirim kode ke nomor baru", value="0812-9876-5432")
    code = walker.sms(r"\b(\d{6})\b")
    walker.send("number-code-wrong", "Ganti nomor saya", code="111111" if code != "111111" else "222222")
    walker.send("number-changed", "Ganti nomor saya", code=code)
    walker.go(walker.sms(r"(http\S+/me/no/\w+)"), "objection")
    walker.send("objected", "Ini bukan permintaan saya")
    decide = partial(review.approve, services, row.reference, only_facility=None, reason="akta cocok", actor="test")
    with pytest.raises(Refused, match="proof-over"):  # until somebody has looked whose the new number is
        decide()
    with services.db.write() as conn:
        number = persons.phone_index(services.sealer, "+6281298765432")
        not_me.unpause(conn, row.person_id, number, at=services.clock.now(), actor="test")
    decide()
    with services.db.read() as conn:
        ends = [one.status for one in conn.execute(certificate.select())]
    assert sorted(ends) == [CertificateStatus.REPLACED, CertificateStatus.REPLACED, CertificateStatus.VALID]
    assert walker.bad == {}


def test_whoever_lost_the_number(walker: Walker, site: Site) -> None:
    Desk(site.services).record()
    walker.go("/me/lost", "lost")
    walker.send("lost-wrong", "Kirim permintaan", nik="12")
    wanted = {"name": "Siti Aminah", "nik": NIK, "day": "10", "month": "2", "year": "1989"}
    walker.send("lost-asked", "Kirim permintaan", phone="0812-9876-5432", **wanted)
    walker.follow("Isi kode", "number")
    walker.send("number-wrong", "Kirim kode ke nomor baru", reference="x", phone="1")
    assert walker.bad == {}
