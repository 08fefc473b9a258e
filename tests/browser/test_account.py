"""/me in a real browser: the walk of an owner without JavaScript, and each page looked at by axe."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.account_pages import NAME, PAGES, Owner
from tests.browser.conftest import Phone, Site
from tests.browser.test_axe import faults
from tests.web.public.test_history import PHONE

#: a folder for pictures of each page, to be looked at
_PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_LANGUAGES = ["id", "en"] if _PICTURES else ["id"]  # that each text has its English tests/web/test_words.py looks at
_MOST_BYTES, _MOST_REQUESTS = 14 * 1024, 5


def test_an_owner_goes_all_the_way_without_javascript(site: Site, phone: Phone) -> None:
    owner, page = Owner(site, phone.page), phone.page
    owner.family()
    owner.sign_in()
    expect(page.get_by_role("link", name="S. A. Buka dengan tanggal lahir")).to_be_visible()
    assert NAME not in page.content()
    page.get_by_role("link", name="S. A. Buka dengan tanggal lahir").click()
    owner.date("10", "Februari", "1989")
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    assert phone.fits()
    page.get_by_role("button", name="Buka sertifikat Dosis 2 CoronaVac").click()
    page.wait_for_url("**/certificate/*")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Unduh PDF")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    owner.person("siti", "/data")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("Unduh data")).click()
    assert download.value.suggested_filename == "data-vaksin-saya.json"
    owner.go()
    page.get_by_role("button", name="Keluar").click()
    expect(page.get_by_text("Anda sudah keluar")).to_be_visible()
    owner.person("siti")
    assert page.url == site.public + "/me"
    assert [fault for fault in phone.faults if not fault.endswith("/data")] == []  # a download ends what asked for it


@pytest.mark.parametrize("language", _LANGUAGES)
def test_every_page_is_accessible_small_and_whole(site: Site, browser: Browser, language: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, user_agent=PHONE["User-Agent"])
    context.add_cookies([{"name": "lang", "value": language, "url": site.public}])
    page = context.new_page()
    owner = Owner(site, page)
    owner.family()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("framenavigated", lambda _frame: asked.clear())
    bad: dict[str, Any] = {}
    for name, walk in PAGES.items():
        walk(owner)
        page.wait_for_load_state()
        _keep_picture(owner, f"{language}-{name}")
        size = len(gzip.compress(page.content().encode()))
        wrong = faults(page, language)
        wrong += [f"{size} bytes"] if size > _MOST_BYTES else []
        wrong += [f"{len(set(asked)) + 1} requests"] if len(set(asked)) + 1 > _MOST_REQUESTS else []
        if wrong:
            bad[name] = wrong
    context.close()
    assert bad == {}


def _keep_picture(owner: Owner, name: str) -> None:
    if _PICTURES:
        for width, height in ((360, 740), (1280, 800)):
            owner.page.set_viewport_size({"width": width, "height": height})
            owner.page.screenshot(path=Path(_PICTURES) / f"{name.replace('?', '')}-{width}.png", full_page=True)
        owner.page.set_viewport_size({"width": 360, "height": 740})
