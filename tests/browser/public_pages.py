"""Every page and state of the public face, and the way to it. A new page is one line in PAGES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from playwright.sync_api import Page

from notifier.certificates import issue
from notifier.core.states import Reason
from notifier.store.persons import Person
from notifier.support.opt_out import stop_by_link
from tests.browser.conftest import Site
from tests.browser.test_walk import LONG_NAME, newest_link, send
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.desk import Desk
from tests.web.public.test_link import ended

RIGHT, WRONG = ("10", "2", "1989"), ("1", "1", "1990")


@dataclass
class Stroll:
    """Somebody at an installation, with a browser's page. Each `link` is a new person's, each `certificate` too. What
    is sent is waited for until its answer has come whole, or the next would be typed into the page before."""

    site: Site
    page: Page
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def link(self, **dose: Any) -> str:
        """A link as it stands in a new person's SMS."""
        number = next(self._numbers)
        Desk(self.site.services).record(
            event_id=f"e{number}",
            person={"id": f"p{number}", "nik": None, "phone": f"0812-3456-{number:04}"},
            dose={"id": f"d{number}"} | dose,
        )
        send(self.site)
        return newest_link(self.site)

    def certificate(self) -> MadeCertificate:
        """A certificate that no SMS told of."""
        return a_certificate(self.site.services)

    def go(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.site.public + path)

    def date(self, day: str, month: str, year: str) -> None:
        for name, value in (("day", day), ("month", month), ("year", year)):
            self.page.fill(f"[name={name}]", value)
        with self.page.expect_navigation():
            self.page.locator("main button:not(.link)").click()

    def open(self, link: str) -> str:
        """Opens a link; the view's address."""
        self.go(link)
        self.date(*RIGHT)
        self.page.wait_for_url("**/certificate/*")
        return self.page.url

    def press(self, name: str, value: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"button[name={name}][value={value}]").click()

    def type(self, name: str, text: str) -> None:
        self.page.fill(f"[name={name}]", text)
        with self.page.expect_navigation():
            self.page.locator("main form button").first.click()


Walk = Callable[[Stroll], Any]


def wrong_dates(times: int) -> Walk:
    def walk(s: Stroll) -> None:
        s.go(s.link())
        for _ in range(times):
            s.date(*WRONG)

    return walk


def pressed(name: str, *values: str) -> Walk:
    """Buttons of a link's pages, one after another."""

    def walk(s: Stroll) -> None:
        s.go(s.link())
        for value in values:
            s.press(name, value)

    return walk


def full(s: Stroll) -> None:
    """A long name, and more doses than most people ever have."""
    services = s.site.services
    made = a_certificate(services, person=_named(LONG_NAME))
    for number in range(2, 7):
        a_certificate(services, person_id=made.person_id, number=number, facility="Puskesmas Kecamatan Penjaringan")
    s.open(services.link_url(made.public_id))


def one_word(s: Stroll) -> None:
    """A name of one word, and nothing that can be left out."""
    made = a_certificate(s.site.services, person=_named("Sulastri", nik=None), lot=None, facility=None, number=None)
    s.open(s.site.services.link_url(made.public_id))


def _named(name: str, **changes: Any) -> Person:
    return replace(SITI, name=name, **changes)


def history(s: Stroll) -> None:
    view = s.open(s.link())
    s.page.request.get(view + ".pdf")
    s.go(view + "/history")


def replacing(*values: str) -> Walk:
    def walk(s: Stroll) -> None:
        s.go(s.open(s.link()) + "/history")
        for value in values:
            s.press("replace", value)

    return walk


def end_of_link(how: str) -> Walk:
    return lambda s: s.go(f"/c/{ended(s.site.services, how).token}")


def too_many(s: Stroll) -> None:
    link = s.link()
    for _ in range(13):
        stop_by_link(s.site.services, link.rpartition("/")[2], address="203.0.113.9")
    s.go(link)
    s.press("stop", "ask")
    s.press("stop", "undo")


def checked(how: str) -> Walk:
    def walk(s: Stroll) -> None:
        made, services = s.certificate(), s.site.services
        with services.db.write() as conn:
            at = services.clock.now()
            if how == "replaced":
                issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=at)
            elif how == "revoked":
                issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=at)
        s.go(f"/verify?n={made.number}")

    return walk


def no_number(s: Stroll) -> None:
    s.go(f"/c/{s.certificate().token}")
    s.press("stop", "ask")


def pasted(text: str) -> Walk:
    """`text` with LINK and HOST filled in."""

    def walk(s: Stroll) -> None:
        s.go("/asli")
        s.type("text", text.replace("LINK", s.link()).replace("HOST", s.site.public.partition("//")[2]))

    return walk


def verified(text: str) -> Walk:
    def walk(s: Stroll) -> None:
        s.go("/verify")
        s.type("n", text)

    return walk


#: the name of each page, and how to get there
PAGES: dict[str, Walk] = {
    "landing": lambda s: s.go(s.link()),
    "date missing": lambda s: (s.go(s.link()), s.date("32", "", "84")),
    "wrong date": wrong_dates(1),
    "wrong date again": wrong_dates(3),
    "last try": wrong_dates(4),
    "locked": wrong_dates(5),
    "certificate": lambda s: s.open(s.link()),
    "certificate, full": full,
    "certificate, one word": one_word,
    "codes": lambda s: s.go(s.open(s.link()) + "/codes"),
    "history": history,
    "replace?": replacing("ask"),
    "replaced": replacing("ask", "yes"),
    "view closed": lambda s: s.go("/certificate/" + "x" * 22),
    "stop?": pressed("stop", "ask"),
    "stopped": pressed("stop", "ask", "yes"),
    "receives again": pressed("stop", "ask", "yes", "undo"),
    "no number": no_number,
    "not me?": pressed("not-me", "ask"),
    "not me": pressed("not-me", "ask", "yes"),
    "not me, undone": pressed("not-me", "ask", "yes", "undo"),
    "birth date rejected": lambda s: (wrong_dates(5)(s), s.press("birth-date", "ask")),
    "renewed": lambda s: (end_of_link("expired")(s), s.press("renew", "ask")),
    "too many": too_many,
    "expired": end_of_link("expired"),
    "certificate replaced": end_of_link("replaced"),
    "withdrawn": end_of_link("withdrawn"),
    "turned off": end_of_link("turned off"),
    "unknown": lambda s: s.go("/nowhere"),
    "asli": lambda s: s.go("/asli"),
    "asli, nothing typed": pasted(""),
    "asli, genuine": pasted("LINK"),
    "asli, extra": pasted("Kirim Rp50.000 ke 1234567890 LINK"),
    "asli, fake": pasted("https://HOST.evil.example/"),
    "asli, no link": pasted("halo"),
    "keys": lambda s: s.go("/keys"),
    "verify": lambda s: s.go("/verify"),
    "verify, nothing typed": verified(""),
    "verify, unknown": verified("0000-0000-0000"),
    "verify, valid": checked("valid"),
    "verify, replaced": checked("replaced"),
    "verify, revoked": checked("revoked"),
}
