"""The codes page on a small screen: both codes can be scanned off the glass, the file comes, the way back works."""

from __future__ import annotations

import io
import json

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, expect

from notifier.certificates.codes.hc1 import read_hc1
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.shc import read_shc
from tests.browser.conftest import Phone, Site
from tests.browser.test_walk import LONG_NAME, give, newest_link, send
from tests.desk import Desk

_MOST_REQUESTS = 3


def scanned(code: Locator) -> str:
    """What a camera reads off the screen."""
    picture = Image.open(io.BytesIO(code.screenshot())).convert("L")
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def test_a_person_shows_the_codes_and_keeps_the_card(site: Site, phone: Phone) -> None:
    Desk(site.services).record(person={"name": LONG_NAME}, dose={"vaccine_code": "511", "product": "CoronaVac"})
    send(site)
    phone.page.goto(newest_link(site))
    give(phone, "10", "2", "1989")
    phone.page.wait_for_url("**/certificate/*")  # and what it asks for has come
    phone.requests.clear()
    phone.page.get_by_role("link", name="Kode untuk luar negeri").click()
    expect(phone.page.get_by_role("heading", name="SMART Health Card")).to_be_visible()
    assert phone.fits()
    assert len(set(phone.requests)) <= _MOST_REQUESTS
    keys = keyring(site.services).public
    hc1, shc = phone.page.locator("svg.qr").all()
    assert read_hc1(scanned(hc1), keys).doses[0].vaccine == "CoronaVac"
    assert read_shc(scanned(shc), keys).name == LONG_NAME
    with phone.page.expect_download() as download:
        phone.page.get_by_role("link", name="Unduh berkas kartu").click()
    assert download.value.suggested_filename == "kartu-vaksin.smart-health-card"
    (jws,) = json.loads(download.value.path().read_text())["verifiableCredential"]
    assert read_shc(jws, keys).name == LONG_NAME
    phone.page.get_by_role("link", name="English").click()
    expect(phone.page.get_by_role("heading", name="European Union format")).to_be_visible()
    assert phone.fits()
    phone.page.get_by_role("link", name="Back to the certificate").click()
    expect(phone.page.get_by_role("heading", name=LONG_NAME)).to_be_visible()
    assert phone.faults == []


def test_the_keys_page_fits_in_both_languages(site: Site, phone: Phone) -> None:
    phone.page.goto(site.public + "/keys")
    expect(phone.page.get_by_text(keyring(site.services).newest.public.kid)).to_be_visible()
    assert phone.fits()
    phone.page.get_by_role("link", name="English").click()
    expect(phone.page.get_by_role("heading", name="Keys to check our codes")).to_be_visible()
    assert phone.fits()
    assert phone.faults == []
