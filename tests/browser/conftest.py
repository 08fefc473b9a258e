"""Both faces on loopback, and Debian's Chromium as a cheap phone: 360 px wide, JavaScript off."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import pytest
from axe_core_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from linkserver import create_public_app, create_staff_app
from notifier.gateways.catcher import Catcher
from notifier.services import Services
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.requirements import require

#: ms that anything is waited for: a machine may be several times slower than ours, and stand still for seconds
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Quiet(WSGIRequestHandler):
    """Werkzeug's own request line holds the path, and so the token; gunicorn's is what we ship, and it is redacted."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Site:
    """A running installation: services with a fake clock and the catcher, and the addresses of both faces."""

    services: Services
    clock: FakeClock
    public: str
    staff: str


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side, once the page has come whole: a click waits for the next page's first
    byte alone. A locator waits for a document; `page.evaluate` may come between two and find none."""
    page.wait_for_load_state()
    return bool(page.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth"))


def arm(page: Page) -> None:
    """Puts axe into the page, once it has come whole: a click waits for the next page's first byte alone, and axe
    finds no document in it."""
    page.wait_for_load_state()
    page.evaluate(AXE_SCRIPT)


@contextmanager
def bound() -> Iterator[BaseWSGIServer]:
    """A server with a port of its own; what it serves is told afterwards, since the app must know the port."""
    server = make_server("127.0.0.1", 0, Flask("unset"), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(build_services: Build, clock: FakeClock) -> Iterator[Site]:
    with ExitStack() as stack:
        public, staff = (stack.enter_context(bound()) for _ in range(2))
        addresses = [f"http://127.0.0.1:{server.server_port}" for server in (public, staff)]
        services = build_services(public_url=addresses[0], staff_url=addresses[1], mail_host="localhost")
        services = replace(services, gateway=Catcher(services.db, services.sealer, clock))
        public.app, staff.app = create_public_app(services), create_staff_app(services)
        yield Site(services, clock, *addresses)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For this package alone: while it lives its event loop runs in the main thread, and no other can."""
    require("chromium")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        chromium.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield chromium
        chromium.close()


@dataclass
class Phone:
    """A page of the browser, with what went wrong on it and what it asked for."""

    page: Page
    faults: list[str]
    requests: list[str]

    def fits(self) -> bool:
        """Whether nothing sticks out to the side."""
        return fits(self.page)


#: what a browser says of a picture that was on its way when the next page was asked for
_LEFT = "net::ERR_ABORTED"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def phone(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Phone]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
    page = context.new_page()
    faults: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda failed: None if failed.failure == _LEFT else faults.append(f"failed: {failed.url}"))
    page.on("request", lambda asked: requests.append(asked.url))
    yield Phone(page, faults, requests)
    context.close()
