"""Every public page as a cheap phone shows it: axe finds nothing, nothing sticks out, it is small, and it makes sense
without its style sheet. One browser and one installation a language; the pages stand in public_pages.py."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Site, arm, fits
from tests.browser.public_pages import PAGES, Stroll
from tests.web.public.test_history import PHONE

_AXE = "options => axe.run(document, options).then(found => found.violations.map(each => \
    `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`))"
_OUTLINE = "[...document.querySelectorAll('header, main, footer, h1, h2, h3')].map(each => each.tagName.toLowerCase())"
_LOW = "[...document.querySelectorAll('main button:not(.link), main .button')].filter(each => \
    each.getBoundingClientRect().height < 48).map(each => each.textContent)"
_CODE_ENDS = "Math.max(0, ...[...document.querySelectorAll('.certificate .qr')].map(each => \
    each.getBoundingClientRect().bottom))"
_WITHOUT_STYLE = "document.querySelectorAll('link[rel=stylesheet]').forEach(each => each.disabled = true)"
_HIDDEN = "[...document.querySelectorAll('a, button, input:not([type=hidden]), textarea, h1, h2, dt, dd')].filter( \
    each => each.getClientRects().length === 0).map(each => each.textContent)"
#: where to leave pictures to be looked at; nowhere unless asked
PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")
_MOST_BYTES, _MOST_REQUESTS, _SCREEN = 14 * 1024, 3, 740  # the last in CSS pixels


@pytest.fixture(params=["id", "en"])
def stroll(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Stroll]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, user_agent=PHONE["User-Agent"])
    context.add_cookies([{"name": "lang", "value": request.param, "url": site.public}])
    page = context.new_page()
    yield Stroll(site, page)
    context.close()


def faults(page: Page, language: str) -> list[str]:
    """What is wrong with the page as it stands."""
    arm(page)
    found = list(page.evaluate(_AXE, {}))
    if page.locator("html").get_attribute("lang") != language:
        found.append("lang")
    if not fits(page):
        found.append("sticks out")
    if page.evaluate(_CODE_ENDS) > _SCREEN:
        found.append("name, doses and code do not fit one screen")
    found += [f"low button: {words}" for words in page.evaluate(_LOW)]
    found += _misordered(page.evaluate(_OUTLINE))
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in page.evaluate(_AXE, {"runOnly": ["color-contrast"]})]
    page.emulate_media(color_scheme="light")
    page.evaluate(_WITHOUT_STYLE)
    found += [f"without style: {each}" for each in page.evaluate(_HIDDEN)]
    if not fits(page):
        found.append("without style: sticks out")
    return found


def keep_pictures(page: Page, name: str) -> None:
    """Where somebody wants to look at the pages, on a phone and on a desk."""
    if PICTURES is None:
        return
    for width, height in ((1280, 800), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=Path(PICTURES) / f"{name.replace('/', '_')}-{width}.png", full_page=True)


def _misordered(outline: list[str]) -> list[str]:
    landmarks = [name for name in outline if not name.startswith("h") or name == "header"]
    wrong = [] if landmarks == ["header", "main", "footer"] else [f"landmarks: {landmarks}"]
    if outline.count("h1") != 1:
        wrong.append("not one h1")
    if any(name == "h3" and "h2" not in outline[:place] for place, name in enumerate(outline)):
        wrong.append("h3 before h2")
    return wrong


def test_every_page_is_accessible_small_and_whole_without_its_style(stroll: Stroll) -> None:
    page = stroll.page
    language = next(str(cookie.get("value")) for cookie in page.context.cookies() if cookie.get("name") == "lang")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("framenavigated", lambda _frame: asked.clear())
    bad: dict[str, Any] = {}
    for name, walk in PAGES.items():
        walk(stroll)
        page.wait_for_load_state()
        size = len(gzip.compress(page.content().encode()))
        keep_pictures(page, f"{name}-{language}")
        wrong = faults(page, language)
        needed = set(asked)
        if len(needed) + 1 > _MOST_REQUESTS:
            wrong.append(f"{len(needed) + 1} requests")
        if size > _MOST_BYTES:
            wrong.append(f"{size} bytes")
        if wrong:
            bad[name] = wrong
    assert bad == {}
