"""Every staff page as a cheap phone and as a desk shows it: axe finds nothing, in light or in dark, nothing sticks out,
one heading says what it is. One browser and one installation a language; the pages stand in staff_pages.py.

axe looks at the pages in Indonesian: the templates are the same in both languages, and it takes most of the time. What
another language changes is how long the words are, so in English each page is looked at in both sizes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Page, ViewportSize
from werkzeug.exceptions import HTTPException

from linkserver import create_staff_app
from tests.browser.conftest import Site, arm, fits
from tests.browser.staff_pages import PAGES
from tests.browser.staff_stroll import Stroll

#: where pictures are put for people to look at; none are made without it
_PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_PHONE, _DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)
_AXE = "options => axe.run(document, options).then(found => found.violations.map(each => \
    `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"
_ALL: dict[str, Any] = {"resultTypes": ["violations"]}
#: pages that could not be reached, and nobody waits for the others
_LOST = 4
_COLOURS = _ALL | {"runOnly": ["color-contrast"]}
#: the GET routes that answer with something that is no page of ours, and what
NO_PAGE = {
    "api.notification": "JSON",
    "api.notifications": "JSON",
    "api.registry_event": "JSON",
    "api_docs.openapi": "JSON",
    "asset": "a style sheet or a picture",
    "case_reports.picture": "a picture",
    "entry_sheet.template": "CSV",
    "plain.healthz": "JSON",
    "plain.readyz": "JSON",
    "plain.robots": "text",
    "resends.report": "CSV",
    "uploads.refused": "CSV",
}


@pytest.fixture(params=["id", "en"])
def stroll(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Stroll]:
    context = browser.new_context(viewport=_PHONE if request.param == "id" else _DESK)
    page = context.new_page()
    yield Stroll(site, page, request.param)
    context.close()


def faults(page: Page, language: str) -> list[str]:
    """What is wrong with the page as it stands: on a phone in Indonesian, in light and dark; on both in English."""
    found = []
    if page.locator("html").get_attribute("lang") != ("en" if page.url.endswith("/api/docs") else language):
        found.append("lang")
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    if language == "id":
        arm(page)
        found += list(page.evaluate(_AXE, _ALL))
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {each}" for each in page.evaluate(_AXE, _COLOURS)]
        page.emulate_media(color_scheme="light")
    else:
        page.set_viewport_size(_PHONE)
        if not fits(page):
            found.append("sticks out on a phone")
        page.set_viewport_size(_DESK)
    return found


def picture(page: Page, name: str, language: str) -> None:
    """For people to look at, where they ask for it."""
    if _PICTURES:
        for size in (_PHONE, _DESK):
            page.set_viewport_size(size)
            where = Path(_PICTURES) / f"{re.sub('[^a-z]+', '-', name.lower())}-{language}-{size['width']}.png"
            page.screenshot(path=where, full_page=True)
        page.set_viewport_size(_PHONE if language == "id" else _DESK)


def endpoint_of(app: Flask, address: str) -> str | None:
    """The GET route that an address belongs to."""
    try:
        return str(app.url_map.bind("localhost").match("/" + address.split("/", 3)[3].partition("?")[0])[0])
    except HTTPException:
        return None


@pytest.mark.timeout(1800)
def test_every_page_is_accessible_and_fits_a_phone_and_a_desk(stroll: Stroll) -> None:
    page, language, app = stroll.page, stroll.language, create_staff_app(stroll.site.services)
    bad: dict[str, list[str]] = {}
    seen: set[str | None] = set()
    broken: list[int] = []
    lost = 0
    page.on(
        "response",
        lambda answer: broken.append(answer.status) if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None,
    )
    for name, way in PAGES.items():
        try:
            way(stroll)
            page.wait_for_load_state()
        except Error as error:
            bad[name] = [f"no way there, at {page.url}: {error.message[:300]}"]
            picture(page, name, language)
            lost += 1
            assert lost < _LOST, bad
            continue
        seen.add(endpoint_of(app, page.url))
        picture(page, name, language)
        if wrong := [str(status) for status in broken] or faults(page, language):
            bad[name] = wrong
        broken.clear()
    assert bad == {}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    assert pages - seen == set(NO_PAGE), "a page without a line in PAGES, or a line too many in NO_PAGE"
