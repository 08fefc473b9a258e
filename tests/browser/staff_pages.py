"""Every page and state of the staff face, and the way to it. A new page is one line in PAGES.

The lines are walked from first to last in one installation: the first ones find it empty, `Stroll.some` fills it with
a place's work and `Stroll.whole_country` with as much as there may be.
"""

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
from tests.uploads import HEADER, a_list, row

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

    def tick(self, where: str) -> Any:
        self.page.locator(f"main {where}").first.check()

    def open_all(self) -> Any:
        """Unfolds whatever is folded."""
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
        data.stop(services, "+6281234560007")
        for number in range(2):
            data.a_bad_event(services, event_id=f"bad-{number}", dose={"number": 0}, person={"birth_date": "10 Feb 89"})
        data.a_bad_event(services, event_id="bad-9", person={"birth_date": "1989-02-30"})
        with services.db.read() as conn:
            self.letter = str(conn.execute(dead_letter.select()).first().id)  # type: ignore[union-attr]
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
    late.locator("form[action$=pause] button").click()
    late.close()
    s.type(reason="salah")
    s.click("form[action$=pause] button")


def forged(s: Stroll) -> None:
    at(OPERATOR, "/messages")(s)
    s.page.evaluate("document.querySelector('main [name=csrf_token]').value = 'x'")
    s.type(q="x")
    s.click("form button.main, form button")


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


#: the name of each page, and how to get there
PAGES: dict[str, Way] = {
    # signing in
    "sign-in": at(None, "/sign-in"),
    "sign-in, wrong": form(None, "/sign-in", "button.main", username="x", password="y"),
    "sign-in, own password": first_password,
    "sign-in, own password wrong": lambda s: (s.type(password="pendek", again="lain"), s.click("button.main")),
    "sign-in, code": code_asked,
    "sign-in, code wrong": lambda s: (s.type(code="000000"), s.click("button.main"), s.open_all()),
    "sign-in, second factor": enrolling,
    "sign-in, recovery codes": set_up,
    "account": at(WORKER, "/account"),
    "account, wrong": form(WORKER, "/account", "form[action$=password] button", old="x", password="y", again="z"),
    "account, second factor": lambda s: (
        at(SUPERVISOR, "/account")(s),
        s.write("form[action$=second-factor] input[type=password]", PASSWORD),
        s.click("form[action$=second-factor] button"),
    ),
    "account, second factor wrong": lambda s: (s.type(code="1"), s.click("button.main")),
    "account, recovery codes": set_up,
    "account, with second factor": at(SUPERVISOR, "/account", opened=True),
    # an empty installation
    "home, empty, worker": at(WORKER, "/"),
    "home, empty": at(ADMIN, "/"),
    "doses, empty": at(WORKER, "/doses"),
    "doses, help empty": at(WORKER, "/doses/help"),
    "doses, which facility": at(OPERATOR, "/doses"),
    "messages, empty": at(OPERATOR, "/messages"),
    "uploads, empty": at(WORKER, "/uploads"),
    "work, empty": at(OPERATOR, "/work"),
    "pile, empty": at(OPERATOR, "/work/held"),
    "stopped, empty": at(OPERATOR, "/work/stopped"),
    "dead letters, empty": at(OPERATOR, "/work/dead-letters"),
    "bulks, empty": at(OPERATOR, "/resends"),
    "schedules, empty": at(OPERATOR, "/resends/schedules"),
    "cases, empty": at(LEAD, "/cases"),
    "audit, empty": at(AUDITOR, "/audit?since=2030-01-01"),
    "keys, empty": at(ADMIN, "/keys"),
    "accounts, empty": at(ADMIN, "/accounts?active=no"),
    "settings": at(ADMIN, "/settings"),
    "catcher, empty": at(OPERATOR, "/catcher"),
    # a dose is entered
    "dose": at(WORKER, "/doses/new"),
    "dose, nothing to search": form(WORKER, "/doses/new", "button[value=find]:not(.unseen)"),
    "dose, unknown": lambda s: typed_dose(s, "find"),
    "dose, wrong": lambda s: typed_dose(s, "check", phone="021 345678", number="x"),
    "dose, confirm": lambda s: typed_dose(s, "check"),
    "dose, next person": lambda s: s.click("button[value=record-next]"),
    "dose, known": lambda s: typed_dose(s, "find", name="", phone=""),
    "dose, warned": lambda s: typed_dose(s, "check", name="Budi", phone="0812 3456 7890", nik=NIK[:-1] + "8"),
    "dose, not ticked": lambda s: s.click("button[value=record]"),
    "dose, done": lambda s: (s.tick("[name=checked]"), s.click("button[value=record]")),
    "dose, print desk": lambda s: s.go(s.page.url.replace("/done/", "/") + "/print"),
    "dose, printed": lambda s: s.click("button.main"),
    "dose, no number": a_baby,
    "entry sheet": at(WORKER, "/doses/sheet"),
    # a place's work
    "home, worker": lambda s: (s.some, at(WORKER, "/")(s)),
    "home": at(ADMIN, "/"),
    "home, figures": lambda s: s.click(".figures tbody a"),
    "doses": at(LEAD, "/doses"),
    "doses, one stage": at(LEAD, "/doses?stage=help"),
    "doses, nothing at a stage": at(LEAD, "/doses?day=2026-11-01"),
    "doses, help": at(LEAD, "/doses/help"),
    "doses, facility not found": at(OPERATOR, "/doses?find=nowhere"),
    "doses, facility found": at(OPERATOR, "/doses?find=menteng"),
    "doses, of a facility": at(OPERATOR, "/doses?facility=pkm-1"),
    "number": at(LEAD, "/doses/{some.waiting}/number", opened=True),
    "number, wrong": form(LEAD, "/doses/{some.waiting}/number", "form.stack button.main", phone="021 98"),
    "number, confirm": a_new_number,
    "data": at(LEAD, "/doses/{some.waiting}/correct"),
    "data, wrong": form(LEAD, "/doses/{some.waiting}/correct", "form.stack button.main", birth_year="84"),
    "data, confirm": corrected,
    "data, saved": lambda s: s.click("button[value=save]"),
    "withdraw": at(LEAD, "/doses/{some.waiting}/withdraw"),
    "withdraw, wrong": form(LEAD, "/doses/{some.waiting}/withdraw", "form.stack button"),
    "messages": at(OPERATOR, "/messages"),
    "messages, auditor": at(AUDITOR, "/messages"),
    "messages, narrowed": at(OPERATOR, "/messages?state=failed&reason=refused&since=2026-11-23&facility=pkm-1"),
    "search, wrong": form(OPERATOR, "/messages", "form button", q="0812 00"),
    "search, nothing": form(OPERATOR, "/messages", "form button", q="Tidak Ada Namanya"),
    "search, one": form(OPERATOR, "/messages", "form button", q="0812-3456-0003"),
    "search, several": form(OPERATOR, "/messages", "form button", q="Siti Aminah"),
    "message, waiting": at(OPERATOR, "/messages/{some.waiting}", opened=True),
    "message": at(OPERATOR, "/messages/{some.message}", opened=True),
    "message, failed": at(LEAD, "/messages/{some.failed}"),
    "message, numberless": at(WORKER, "/messages/{some.numberless}"),
    "message, locked": at(OPERATOR, "/messages/{some.locked}", opened=True),
    "message, auditor": at(AUDITOR, "/messages/{some.message}"),
    "message, resend wrong": form(OPERATOR, "/messages/{some.failed}", "button[value=preview]"),
    "message, resend?": form(OPERATOR, "/messages/{some.failed}", "button[value=preview]", reason="ponsel baru"),
    "message, resent": lambda s: s.click("button[value=send]"),
    "message, cancelled": form(OPERATOR, "/messages/{some.waiting}", "form[action$=cancel] button"),
    "message, revealed": form(OPERATOR, "/messages/{some.message}", "form[action$=reveal] button"),
    "person": at(OPERATOR, "/persons/{some.message}", opened=True),
    "person, wrong": form(OPERATOR, "/persons/{some.message}", "form[action$=calls] button"),
    "print desk": at(WORKER, "/doses/{some.message}/print"),
    "uploads": at(WORKER, "/uploads"),
    "uploads, all": at(OPERATOR, "/uploads"),
    "upload, new": at(WORKER, "/uploads/new"),
    "upload, not a list": lambda s: (s.be(WORKER), s.bring(b"PK\x03\x04 a workbook", "daftar.xlsx")),
    "upload, which columns": at(WORKER, "/uploads/{some.lists[columns]}"),
    "upload, columns wrong": lambda s: s.click("form button.main"),
    "upload, checked": at(WORKER, "/uploads/{some.lists[checked]}"),
    "upload, rows": at(WORKER, "/uploads/{some.lists[recorded]}/rows"),
    "upload, recorded": at(WORKER, "/uploads/{some.lists[recorded]}"),
    "work": at(OPERATOR, "/work"),
    "work, lead": at(LEAD, "/work"),
    "pile, late": at(OPERATOR, "/work/late"),
    "pile, unknown": at(OPERATOR, "/work/unknown"),
    "pile, held": at(OPERATOR, "/work/held"),
    "pile, numbers": at(LEAD, "/work/numbers"),
    "pile, none ticked": form(OPERATOR, "/work/held", "button[value=release]", reason="jaringan pulih"),
    "stopped": at(OPERATOR, "/work/stopped"),
    "stopped, wrong": form(OPERATOR, "/work/stopped", "form button.main"),
    "dead letters": at(OPERATOR, "/work/dead-letters", opened=True),
    "dead letters, settled": at(OPERATOR, "/work/dead-letters?status=accepted"),
    "dead letter": at(OPERATOR, "/work/dead-letters/{some.letter}", opened=True),
    "dead letter, no reason": form(OPERATOR, "/work/dead-letters/{some.letter}", "form[action$=open] button"),
    "dead letter, opened": form(
        OPERATOR, "/work/dead-letters/{some.letter}", "form[action$=open] button", reason="laporan dinas"
    ),
    "dead letter, still wrong": lambda s: (
        s.write("#replay-reason", "dicek"),
        s.click("form[action$=replay] button"),
    ),
    "bulks": at(OPERATOR, "/resends"),
    "bulk, new": at(OPERATOR, "/resends/new", opened=True),
    "bulk, wrong": at(OPERATOR, "/resends/new?state=failed&code=%3F&since=2026-11-23&until=2026-11-01"),
    "bulk, nobody": at(OPERATOR, "/resends/new?state=failed&lot=none"),
    "bulk, counted": at(OPERATOR, "/resends/new?state=problem"),
    "bulk, asked": at(SUPERVISOR, "/resends/{some.asked}"),
    "bulk, approve": at(SUPERVISOR, "/resends/{some.asked}/approve"),
    "bulk, running": at(OPERATOR, "/resends/{some.bulk}", opened=True),
    "bulk, rows": at(OPERATOR, "/resends/{some.bulk}/rows?what=planned"),
    "bulk, no rows": at(OPERATOR, "/resends/{some.bulk}/rows?what=delivered"),
    "bulk, too late": a_second_too_late,
    "schedules": at(OPERATOR, "/resends/schedules"),
    "schedule, new": at(OPERATOR, "/resends/schedules/new"),
    "schedule, wrong": form(OPERATOR, "/resends/schedules/new", "form button.main", why=""),
    "schedule, asked": at(SUPERVISOR, "/resends/schedules/{some.schedule}", opened=True),
    "schedule, running": lambda s: s.click("form[action$=approve] button"),
    "cases": at(LEAD, "/cases"),
    "case, not me": at(LEAD, "/cases/{some.not_me}", opened=True),
    "case, not me, worker": at(WORKER, "/cases/{some.not_me}"),
    "case, birth date": at(LEAD, "/cases/{some.rejected}", opened=True),
    "case, wrong": form(LEAD, "/cases/{some.not_me}", "form[action$=undo] button"),
    "case, closed": form(LEAD, "/cases/{some.not_me}", "form[action$=undo] button", reason="sudah ditelepon"),
    "cases, closed": at(LEAD, "/cases?status=closed"),
    "audit": at(AUDITOR, "/audit"),
    "audit, wrong": form(AUDITOR, "/audit", ".sieve button", actor="nobody at all"),
    "accounts": at(ADMIN, "/accounts"),
    "account, not found": form(ADMIN, "/accounts", "form.search button", username="siapa"),
    "account, new": at(ADMIN, "/accounts/new"),
    "account, new wrong": form(ADMIN, "/accounts/new", "form button.main", username="siti nurhaliza"),
    "account, made": an_account,
    "account of another": lambda s: at(ADMIN, f"/accounts/{s.id_of(WORKER)}", opened=True)(s),
    "account of another, wrong": lambda s: form(
        ADMIN, f"/accounts/{s.id_of(WORKER)}", "form[action$=deactivate] button"
    )(s),
    "keys": at(ADMIN, "/keys", opened=True),
    "key, made": form(ADMIN, "/keys", "form[action$=keys] button", name="SIMPUS Menteng"),
    "key, wrong": form(ADMIN, "/keys", "form[action$=keys] button", expires="2020-01-01"),
    "API guide": at(None, "/api/docs"),
    "settings, changed": form(
        ADMIN, "/settings", "section[aria-labelledby=programme] button", delay_hours="2,5", why="bulan puasa"
    ),
    "settings, wrong": form(
        ADMIN, "/settings", "section[aria-labelledby=programme] button", delay_hours="99", person_daily_cap="banyak"
    ),
    "settings, overtaken": overtaken,
    "settings, auditor": at(AUDITOR, "/settings"),
    "text": at(ADMIN, "/settings/texts/id/certificate"),
    "text, wrong": form(
        ADMIN, "/settings/texts/id/certificate", "button[value=preview]", text="((pengirim)): klik ((tautan)). ((nama))"
    ),
    "text, looked at": form(ADMIN, "/settings/texts/id/certificate", "button[value=preview]", text=LONG_TEXT),
    "text, saved": lambda s: (s.type(reason="lebih jelas"), s.click("button[value=save]"), s.open_all()),
    "catcher": at(OPERATOR, "/catcher"),
    # what goes wrong
    "forbidden": at(WORKER, "/settings"),
    "unknown": at(WORKER, "/nowhere"),
    "unknown, nobody": at(None, "/nowhere"),
    "stale": forged,
    # as much as there may be
    "home, huge": huge(at(ADMIN, "/")),
    "home, huge, worker": at(WORKER, "/"),
    "doses, huge": at(LEAD, "/doses"),
    "doses, help, huge": at(LEAD, "/doses/help"),
    "messages, huge": at(OPERATOR, "/messages"),
    "search, huge": form(OPERATOR, "/messages", "form button", q="Raden Ajeng"),
    "message, huge": lambda s: s.click(".table a >> nth=0"),
    "person, huge": lambda s: (s.go(s.page.url.replace("/messages/", "/persons/")), s.open_all()),
    "number, huge": lambda s: s.go(s.page.url.replace("/persons/", "/doses/") + "/number"),
    "work, huge": at(OPERATOR, "/work"),
    "pile, huge": at(OPERATOR, "/work/held"),
    "stopped, huge": at(OPERATOR, "/work/stopped"),
    "dead letters, huge": at(OPERATOR, "/work/dead-letters", opened=True),
    "cases, huge": at(LEAD, "/cases"),
    "case, huge": lambda s: s.click("td a"),
    "bulks, huge": at(SUPERVISOR, "/resends"),
    "bulk, huge": lambda s: s.click("td a"),
    "audit, huge": at(AUDITOR, "/audit"),
    "keys, huge": at(ADMIN, "/keys"),
    "accounts, huge": at(ADMIN, "/accounts"),
    "account of another, huge": lambda s: s.click("td a"),
    "catcher, huge": at(OPERATOR, "/catcher"),
    "uploads, huge": lambda s: (
        s.be(WORKER),
        s.bring(a_list([row(9)], HEADER), "rekap-" * 30 + ".csv"),
        s.go("/uploads"),
    ),
}
