"""Every page and state of /me, and the way to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from playwright.sync_api import Page

from notifier.messages.send import Sender
from notifier.store import caught, persons, suppressions
from notifier.store.suppressions import Source
from notifier.support import follow_ups
from tests.browser.conftest import Site
from tests.builders import SITI, MadeCertificate, a_certificate

PHONE, NAME = "0812-3456-7890", "Siti Aminah"
BUDI = replace(SITI, name="Budi Santoso", nik=None, birth_date=date(1960, 3, 4))
LONG = replace(SITI, name="Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat", nik=None)
_CODE = re.compile(r"\b(\d{6})\b")


@dataclass
class Owner:
    """Somebody with a browser's page at /me, and the phone beside it. `made`: whoever is on the number. What is sent is
    waited for until its answer has come whole."""

    site: Site
    page: Page
    made: dict[str, MadeCertificate] = field(default_factory=dict)

    def family(self) -> None:
        """Siti with two doses, Budi, somebody with a long name; all on one phone."""
        services = self.site.services
        self.made = {"siti": a_certificate(services)}
        a_certificate(services, person_id=self.made["siti"].person_id, number=2, product="CoronaVac")
        self.made |= {"budi": a_certificate(services, person=BUDI), "long": a_certificate(services, person=LONG)}

    def go(self, path: str = "/me") -> None:
        self.page.goto(self.site.public + path)

    def fill(self, form: str, **values: str) -> None:
        """Types into fields, and presses the button of the form with that address, or of the one with the first."""
        for name, value in values.items():
            self.page.fill(f"[name={name}]", value)
        inside = self.page.locator(f"form:has([name={next(iter(values))}]) button")
        with self.page.expect_navigation():
            (self.page.locator(f"form[action='{form}'] button") if form else inside).first.click()

    def press(self, name: str, value: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"button[name={name}][value={value}]").first.click()

    def code(self) -> str:
        """The newest one that came to the phone."""
        services = self.site.services
        follow_ups.run(services)
        Sender(services).send_batch(10)
        with services.db.read() as conn:
            texts = [sms.text for sms in caught.newest(conn, services.sealer, 5)]
        return next(found.group(1) for text in texts if (found := _CODE.search(text)))

    def ask(self, phone: str = PHONE) -> None:
        self.site.clock.tick(minutes=13)  # each number once a minute, five an hour
        self.page.context.clear_cookies(name=re.compile("^me"))
        self.go()
        self.fill("/me", phone=phone)

    def enter(self) -> None:
        self.ask()
        self.fill("/me/code", code=self.code())

    def sign_in(self) -> None:
        self.enter()
        if self.page.url.endswith("/me/name"):
            self.fill("/me/name", name=NAME)

    def person(self, who: str, path: str = "") -> None:
        self.go(f"/me/{self.made[who].person_id}{path}")

    def date(self, day: str, month: str, year: str) -> None:
        self.fill("", day=day, month=month, year=year)

    def open(self, who: str = "siti") -> None:
        self.person(who)
        if self.page.locator("[name=day]").count():
            self.date("10", "2", "1989")

    def lock(self, who: str) -> None:
        services = self.site.services
        with services.db.write() as conn:
            for _ in range(5):
                persons.count_wrong_try(conn, self.made[who].person_id, services.clock.now())

    def blocked(self) -> None:
        """The provider says that the number wants nothing."""
        services = self.site.services
        number = persons.phone_index(services.sealer, "+6281234567890")
        with services.db.write() as conn:
            suppressions.add(
                conn,
                number,
                reason=suppressions.Reason.OPTED_OUT,
                source=Source.PROVIDER,
                at=services.clock.now(),
            )


Walk = Callable[[Owner], Any]

#: the name of each page and how to get there; one after another with the same family
PAGES: dict[str, Walk] = {
    "sign in": lambda o: o.go(),
    "no number": lambda o: (o.go(), o.fill("/me", phone="021-5551234")),
    "code": lambda o: o.ask(),
    "wrong code": lambda o: (o.ask(), o.code(), o.fill("/me/code", code="000000")),
    "no code": lambda o: (o.ask(), o.code(), o.fill("/me/code", code="12")),
    "code over": lambda o: (o.ask(), o.code(), [o.fill("/me/code", code="000000") for _ in range(5)]),
    "too soon": lambda o: (o.ask(), o.page.locator("#code-again").click()),
    "too often": lambda o: (o.ask("0813-0000-0001"), o.go(), o.fill("/me", phone="0813-0000-0001")),
    "name": lambda o: o.enter(),
    "no name": lambda o: o.fill("/me/name", name=" "),
    "wrong name": lambda o: o.fill("/me/name", name="Siti Aisyah"),
    "account": lambda o: o.sign_in(),
    "closed": lambda o: o.person("long"),
    "date missing": lambda o: (o.person("long"), o.date("32", "", "84")),
    "wrong date": lambda o: (o.person("long"), o.date("1", "1", "1990")),
    "wrong NIK": lambda o: (o.person("long"), o.fill("", nik="3174031002890001")),
    "short NIK": lambda o: (o.person("long"), o.fill("", nik="31740310")),
    "open": lambda o: o.open(),
    "open, long": lambda o: o.open("long"),
    "language": lambda o: (o.open(), o.press("language", "en")),
    "data": lambda o: o.person("siti", "/data"),
    "certificate": lambda o: (o.open(), o.page.get_by_role("button", name=re.compile("Buka|Open")).first.click()),
    "who looked": lambda o: (o.open(), o.press("show", "history")),
    "stop?": lambda o: o.go("/me/sms"),
    "stopped": lambda o: o.press("sms", "stop"),
    "start?": lambda o: o.go("/me/sms"),
    "started": lambda o: o.press("sms", "start"),
    "blocked": lambda o: (o.blocked(), o.go("/me/sms")),
    "not mine?": lambda o: o.person("budi", "/not-mine"),
    "not mine": lambda o: o.press("not-mine", "yes"),
    "not mine, undo?": lambda o: o.person("budi", "/not-mine"),
    "mine": lambda o: o.press("not-mine", "undo"),
    "locked": lambda o: (o.lock("budi"), o.person("budi")),
    "account, full": lambda o: o.go(),
    "signed out": lambda o: o.press("out", "yes"),
}
