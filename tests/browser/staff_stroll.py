"""Somebody who walks over the pages of the staff face, in whatever role; what is there to be seen; and ways to pages
that take more than an address. The pages stand in staff_pages.py."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page

from linkserver import create_staff_app
from linkserver.staff.gate import TOKEN
from notifier.access import accounts, manage, second_factor, sessions, totp
from notifier.access.passwords import Passwords
from notifier.access.roles import FACILITY_ROLES, Role
from notifier.access.sessions import Stage
from notifier.core.bulks import BulkState
from notifier.core.states import CaseKind
from notifier.intake.uploads.receive import Uploader
from notifier.messages import tallies
from notifier.messages.send import Sender
from notifier.store.tables import dead_letter
from notifier.support import bulk_run, programme
from tests.browser import staff_data as data
from tests.browser.conftest import Site

LONG_TEXT = (
    "((pengirim)): Sertifikat vaksin ((inisial)) ((dosis)) sudah siap dan dapat dibuka kapan saja. Buka ((tautan)) "
    "lalu isi tanggal lahir ((inisial)). Simpan SMS ini."
)
PASSWORD, NIK = "tiga kucing oren", "3174035002890009"
WORKER, LEAD, OPERATOR, SUPERVISOR, AUDITOR, ADMIN = Role
_HASH = Passwords(memory_kib=64, passes=1)


@dataclass
class Stroll:
    """Somebody at an installation, with a browser's page; who it is changes from line to line. What each deed returns
    is nobody's: they stand side by side in the lines."""

    site: Site
    page: Page
    language: str
    _ids: dict[Role, str] = field(default_factory=dict)
    _tokens: dict[Role, str] = field(default_factory=dict)

    @cached_property
    def _cookies(self) -> Any:
        app = create_staff_app(self.site.services)
        return SecureCookieSessionInterface().get_signing_serializer(app)

    def id_of(self, role: Role) -> str:
        """The account of this role, made when it is first asked for."""
        if role not in self._ids:
            bound = role in FACILITY_ROLES
            self._ids[role] = accounts.add(
                self.site.services,
                _HASH,
                username=f"{role.value.replace('_', '.')}",
                display_name={WORKER: "Wati", LEAD: "Bu Lia", OPERATOR: "Oki"}.get(role, "Ratna"),
                password=PASSWORD,
                role=role,
                actor="test",
                facility_id=data.FACILITY if bound else None,
                facility_name=data.PLACE if bound else None,
                language=self.language,
            )
        return self._ids[role]

    def actor(self, role: Role) -> str:
        """As the audit names them."""
        return f"staff:{self.id_of(role)}"

    def be(self, role: Role | None) -> Any:
        """From now on signed in as this role; None: as nobody."""
        if role is None:
            return self._hold({"language": self.language})
        if sessions.find(self.site.services, self._tokens.get(role, "")) is None:  # a walk may have ended it
            self._tokens[role] = self._session(self.id_of(role), Stage.FULL)
        return self._hold({TOKEN: self._tokens[role]})

    def half_in(self, staff_id: str, stage: Stage) -> None:
        """From now on at one step of the sign-in."""
        token = self._session(staff_id, stage)
        if stage is Stage.ENROL:
            with self.site.services.db.write() as conn:
                second_factor.begin(conn, self.site.services, token)
        self._hold({TOKEN: token})

    def _session(self, staff_id: str, stage: Stage) -> str:
        with self.site.services.db.write() as conn:
            return sessions.start(conn, staff_id, self.site.services.clock.now(), stage=stage).token

    def _hold(self, what: dict[str, str]) -> None:
        self.page.context.clear_cookies()
        cookie = {"name": "sertilink-staff", "value": self._cookies.dumps(what), "url": self.site.staff}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]  # playwright wants its own type

    def go(self, path: str) -> Any:
        self.page.goto(path if path.startswith("http") else self.site.staff + path)

    def type(self, **words: str) -> Any:
        for name, text in words.items():
            self.page.locator(f"main [name={name}]").first.fill(text)

    def write(self, where: str, text: str) -> Any:
        self.page.locator(f"main {where}").first.fill(text)

    def click(self, where: str) -> Any:
        self.page.locator(f"main {where}").first.click()

    def choose(self, where: str, value: str) -> Any:
        self.page.locator(f"main {where}").first.select_option(value)

    def tick(self, where: str) -> Any:
        self.page.locator(f"main {where}").first.check()

    def open_all(self) -> Any:
        """Unfolds whatever is folded."""
        self.page.wait_for_load_state()  # a click waits for the first byte alone
        self.page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")

    def bring(self, content: bytes, name: str = "daftar.csv") -> Any:
        """A file, by the upload's form."""
        self.go("/uploads/new")
        self.page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
        self.click("form button.main")

    @cached_property
    def uploader(self) -> Uploader:
        return Uploader(self.id_of(WORKER), data.FACILITY)

    @cached_property
    def some(self) -> Some:
        """A place's work, made when it is first asked for."""
        return Some(self)

    @cached_property
    def whole_country(self) -> bool:
        """Whether there is as much as there may be: always, once it is asked for."""
        data.a_country(self.site.services, by=self.actor(OPERATOR))
        return True


class Some:
    """References of a place's work."""

    def __init__(self, stroll: Stroll) -> None:
        services, operator = stroll.site.services, stroll.actor(OPERATOR)
        sent = data.doses(services, 12)
        Sender(services).send_batch(3)
        data.ended(services, sent)
        self.message, self.failed, self.held, self.unknown = sent[0], sent[3], sent[4], sent[5]
        self.waiting = data.doses(services, 2, start=40)[0]
        self.numberless = sent[6]
        self.not_me = data.not_me(services, sent[1])
        self.rejected = data.a_case(services, sent[2], CaseKind.BIRTH_DATE_REJECTED)
        self.locked = sent[2]
        self.requests = data.requests(services, sent[7])
        self.report = data.a_report(services)
        self.letters = data.letters(services)
        data.stop(services, "+6281234560007")
        for number in range(2):
            data.a_bad_event(services, event_id=f"bad-{number}", dose={"number": 0}, person={"birth_date": "10 Feb 89"})
        data.a_bad_event(services, event_id="bad-9", person={"birth_date": "1989-02-30"})
        with services.db.read() as conn:
            self.letter = str(conn.execute(dead_letter.select()).first().id)  # type: ignore[union-attr]
        data.not_told(services, sent[0])
        self.lists = data.lists(services, stroll.uploader)
        self.bulk = data.bulk(services, BulkState.RUNNING, by=operator, count=5)
        bulk_run.run(services)
        self.asked = data.bulk(services, BulkState.ASKED, by=operator)
        self.schedule = data.schedule(services, by=operator)
        data.keys(services, 3)
        data.audited(services, 8)
        tallies.refresh(services)


Way = Callable[[Stroll], Any]


def at(role: Role | None, path: str, *, opened: bool = False) -> Way:
    """A page that stands at an address. What is in braces is one of Some's."""

    def walk(s: Stroll) -> None:
        s.be(role)
        s.go(path.format(some=s.some) if "{" in path else path)
        if opened:
            s.open_all()

    return walk


def form(role: Role | None, path: str, button: str, **words: str) -> Way:
    """What comes after a form was filled in and sent."""

    def walk(s: Stroll) -> None:
        at(role, path, opened=True)(s)
        s.page.evaluate("document.querySelectorAll('main [required]').forEach(each => each.required = false)")
        s.type(**words)
        s.click(button)
        s.page.wait_for_load_state()

    return walk


def huge(way: Way) -> Way:
    return lambda s: s.whole_country and way(s)


def first_password(s: Stroll) -> None:
    found, _ = manage.add(s.site.services, _HASH, username="baru", display_name="Baru", role="operator", actor="test")
    accounts.choose_language(s.site.services, found, s.language)
    s.half_in(found, Stage.PASSWORD)
    s.go("/sign-in/password")


def code_asked(s: Stroll) -> None:
    s.half_in(s.id_of(AUDITOR), Stage.CODE)
    s.go("/sign-in/code")


def enrolling(s: Stroll) -> None:
    s.half_in(s.id_of(AUDITOR), Stage.ENROL)
    s.go("/sign-in/second-factor")


def set_up(s: Stroll) -> None:
    """The recovery codes, once the first code was right."""
    secret = base64.b32decode(s.page.locator("code.secret").inner_text().replace(" ", ""))
    s.type(code=totp.code_of(secret, totp.step_of(s.site.clock.now())))
    s.click("button.main")


def typed_dose(s: Stroll, step: str, **changes: str) -> None:
    s.be(WORKER)
    s.go("/doses/new")
    s.type(
        **{
            "nik": NIK, "birth_day": "10", "birth_month": "2", "birth_year": "1989", "name": "Siti Aminah",
            "phone": "0812 3456 7890", "product": "CoronaVac", "number": "1", "series_total": "2",
        } | changes
    )  # fmt: skip
    s.click(f"button[value={step}]:not(.unseen)")


def corrected(s: Stroll) -> None:
    form(LEAD, "/doses/{some.waiting}/correct", "form.stack button.main", lot="LOT-9")(s)
    s.tick("#checked-called-on-file")
    s.click("form.stack button.main")


def a_new_number(s: Stroll) -> None:
    form(LEAD, "/doses/{some.waiting}/number", "#checked-called-on-file", phone="0812 9876 5432")(s)
    s.click("form.stack button.main")


def overtaken(s: Stroll) -> None:
    at(ADMIN, "/settings")(s)
    programme.change(s.site.services, {"delay_hours": "4"}, base=1, reason="lain", actor="test")
    s.type(delay_hours="3", why="coba")
    s.click("section[aria-labelledby=programme] button")


def a_second_too_late(s: Stroll) -> None:
    """The same deed twice, from two windows."""
    at(OPERATOR, "/resends/{some.bulk}", opened=True)(s)
    late = s.page.context.new_page()
    late.goto(s.page.url)
    late.locator("summary").first.click()
    late.fill("#pause-reason", "salah")
    with late.expect_navigation():
        late.locator("form[action$=pause] button").click()
    late.close()
    s.type(reason="salah")
    s.click("form[action$=pause] button")


def forged(s: Stroll) -> None:
    at(OPERATOR, "/messages")(s)
    s.page.evaluate("document.querySelector('main [name=csrf_token]').value = 'x'")
    s.type(q="x")
    s.click("form button")


def a_baby(s: Stroll) -> None:
    at(WORKER, "/doses/new")(s)
    s.type(name="Bayi Ny. Sulastri", birth_day="1", birth_month="11", birth_year="2026", product="BCG", number="1")
    s.tick("[name=no_phone]")
    s.click("button[value=check]:not(.unseen)")


def an_account(s: Stroll) -> None:
    at(ADMIN, "/accounts/new")(s)
    s.type(display_name="Siti", username="siti")
    s.tick("input[value=auditor]")
    s.click("form button.main")
