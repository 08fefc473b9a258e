"""/verify in a real browser without JavaScript: every verdict fits, and axe finds nothing against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from notifier.certificates import issue
from notifier.certificates.view import verify_url
from notifier.core.states import Reason
from tests.browser.conftest import Site
from tests.builders import SITI, a_certificate
from tests.certificates.pictures import qr_picture, saved
from tests.certificates.signed import STRANGER, changed, signed

LONG = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"


@pytest.fixture(params=[(360, 740, "light"), (1280, 800, "dark")], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def faults(page: Page) -> list[str]:
    """What axe has against the page, and whether anything sticks out to the side."""
    page.wait_for_load_state()  # a click waits for the first byte alone, and axe finds no document in it
    found = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in Axe().run(page)["violations"]]
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return [*found, *(["too wide"] if page.evaluate(wide) else [])]


def pasted(page: Page, site: Site, text: str) -> str:
    page.goto(site.public + "/verify")
    page.fill("[name=n]", text)
    with page.expect_navigation():
        page.get_by_role("button", name="Periksa", exact=True).click()
    return page.locator("h1").inner_text()


def test_every_verdict_fits_and_can_be_read_by_all(site: Site, page: Page) -> None:
    services, now = site.services, site.clock.now()
    codes, foreign = signed(services, person=replace(SITI, name=LONG)), signed(services, key=STRANGER)
    replaced, revoked = a_certificate(services), a_certificate(services)
    with services.db.write() as conn:
        ids = {"person_id": replaced.person_id, "dose_id": replaced.dose_id}
        issue.replace(conn, **ids, reason=Reason.CORRECTED, at=now)
        issue.revoke(conn, revoked.dose_id, reason=Reason.WITHDRAWN, at=now)
    expected = {
        codes.made.number: "Sertifikat ini sah",
        codes.hc1: "Sertifikat ini sah",
        codes.jws: "Sertifikat ini sah",
        replaced.number: "Sertifikat ini sudah diganti",
        revoked.number: "Sertifikat ini dicabut",
        changed(codes.hc1, 80): "Kode ini palsu atau rusak",
        foreign.hc1: "Kode ini bukan dari kami",
        "0000-0000-0000": "Nomor ini tidak kami kenali",
        "x" * 200: "Tidak ada yang dapat diperiksa",
        services.link_url(codes.made.public_id): "Ini tautan pribadi",
        "https://evil.example/": "Alamat ini bukan alamat kami",
        "": "Periksa sertifikat vaksin",
    }
    for text, title in expected.items():
        assert pasted(page, site, text) == title
        assert faults(page) == [], title


def test_a_picture_is_chosen_and_checked_and_a_huge_one_is_answered_kindly(
    site: Site, page: Page, tmp_path: Path
) -> None:
    made = a_certificate(site.services)
    page.goto(site.public + "/verify")
    assert faults(page) == []
    good, huge = tmp_path / "good.png", tmp_path / "huge.jpg"
    good.write_bytes(saved(qr_picture(verify_url(site.services, made.number))))
    huge.write_bytes(bytes(20_000_000))
    for file, words in ((huge, "lebih besar dari 8 MB"), (good, "Sertifikat ini sah")):
        page.set_input_files("[name=picture]", file)
        page.get_by_role("button", name="Periksa gambar").click()
        expect(page.get_by_text(words).first).to_be_visible()
        assert faults(page) == []
