"""`staff`: the pages of the staff face over a programme of many persons, one search of each kind, dry runs of bulks,
and the check of an uploaded list."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from http.client import HTTPConnection
from io import BytesIO
from statistics import median
from urllib.parse import quote, urlencode, urlsplit

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.intake.uploads import deeds, look, steps
from notifier.intake.uploads.receive import Uploader, receive
from notifier.proof.bench import BenchFailed, Options, Row, filling, people
from notifier.proof.bench.processes import wait_until
from notifier.proof.bench.workshop import HOST, Workshop, listens, open_workshop
from notifier.proof.ports import free_port
from notifier.store import bench_population
from notifier.store.bench_population import Known

_SIZE = 20_000
_TIMES = 15
_LIST_PART = 10  # an uploaded list is a tenth of the programme
_PATIENCE_S = 120.0
_START_S = 60.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_OLDER = re.compile(r'href="([^"]*[?&;](?:before|after)=[^"]*)"')
_USERNAME = "bench"


@dataclass
class Desk:
    """Somebody signed in at the staff face, one request at a time."""

    port: int
    _cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, path: str) -> tuple[int, str]:
        """Status and page."""
        return self._ask("GET", path, None)

    def post(self, page: str, path: str, form: dict[str, str]) -> tuple[int, str]:
        """Sends a form of `page`; status and page, a redirect followed."""
        token = _TOKEN.search(self.get(page)[1])
        if token is None:
            raise BenchFailed(f"{page} has no form")
        return self._ask("POST", path, urlencode({**form, "csrf_token": token[1]}))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        line = HTTPConnection(HOST, self.port, timeout=_PATIENCE_S)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        answer = line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for set_cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        line.close()
        if answer.status in {302, 303}:
            return self._ask("GET", _target(answer.headers["Location"]), None)
        return answer.status, text


def _target(location: str) -> str:
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def run(options: Options) -> list[Row]:
    """Fills a database, then asks as an operator would. Each figure: the slowest of some, beside their median."""
    size = options.size or _SIZE
    port = free_port()
    with open_workshop(options, staff_url=f"http://{HOST}:{port}") as shop:
        options.say(f"{size:,} persons, {size * len(bench_population.KINDS):,} messages")
        begun = time.perf_counter()
        known = filling.fill(shop, size, options.workers)
        filled = time.perf_counter() - begun
        with _staff_face(shop, port) as desk:
            rows = [_measured(name, ask) for name, ask in _questions(desk, known, size)]
        rows += _check_of_a_list(shop, max(1, size // _LIST_PART))
    return [Row(f"{size:,} persons and {size * len(bench_population.KINDS):,} messages made", filled, "s"), *rows]


@contextmanager
def _staff_face(shop: Workshop, port: int) -> Iterator[Desk]:
    password = secrets.token_urlsafe(20)
    accounts.add(
        shop.services,
        Passwords(),
        username=_USERNAME,
        display_name="Bench",
        password=password,
        role=Role.ADMINISTRATOR,
        actor=people.ACTOR,
    )
    face = shop.start(
        "staff",
        "gunicorn",
        "-c",
        "python:linkserver.gunicorn_conf",
        "--bind",
        f"{HOST}:{port}",
        "linkserver.wsgi:staff()",
    )
    wait_until(lambda: listens(port), _START_S, "the staff face", [face])
    desk = Desk(port)
    status, _page = desk.post("/sign-in", "/sign-in", {"username": _USERNAME, "password": password})
    if status != 200:
        raise BenchFailed(f"the sign-in answered {status}")
    yield desk


Ask = Callable[[int], tuple[int, str]]


def _questions(desk: Desk, known: list[Known], size: int) -> Iterator[tuple[str, Ask]]:
    """What is asked, with the n-th way of asking it."""

    def get(path: str) -> Ask:
        return lambda _n: desk.get(path)

    def of(path: str) -> Ask:
        return lambda n: desk.get(path.format(reference=quote(known[n * 7 % len(known)].reference)))

    def following(path: str) -> Ask:
        """The page after a list's first one, or the list again where it has but one."""
        older = _OLDER.search(desk.get(path)[1])
        return get(unescape(older[1]) if older else path)

    def search(word: Callable[[int], str], birth_year: Callable[[int], str] = lambda _n: "") -> Ask:
        return lambda n: desk.post("/messages", "/messages", {"q": word(n), "birth_year": birth_year(n)})

    def born(n: int) -> str:
        return str(people.birth_date(n * 37 % size).year)

    for path in _PAGES:
        yield f"GET {path}", of(path) if "{" in path else get(path)
    for path in _LISTS:
        yield f"GET {path}, its next page", following(path)
    yield "search by phone", search(lambda n: people.subject("", n * 37 % size).phone)
    yield "search by NIK", search(lambda n: people.nik_of(n * 37 % size))
    yield "search by two words of a name, which many share", search(lambda n: people.name_of(n * 37 % size))
    yield "search by one word of a name, which many share", search(lambda n: people.name_of(n * 37 % size).split()[0])
    yield "search by one word and a birth year", search(lambda n: people.name_of(n * 37 % size).split()[0], born)
    yield "search by two words that many bear, and nobody both", search(lambda _n: people.NOBODY)
    for name, words in _DRY_RUNS:
        yield f"dry run of a bulk: {name}", get(f"/resends/new?{words}")
    yield "search by reference", search(lambda n: known[n % len(known)].reference)


#: every page with a list, or with much behind it
_PAGES = (
    "/",
    "/messages",
    "/messages?state=undelivered",
    "/messages?state=delivered",
    "/messages?state=scheduled",
    "/messages?facility=facility-7",
    "/messages?state=delivered&facility=facility-7",
    "/messages?state=undelivered&facility=facility-7",
    "/messages/{reference}",
    "/persons/{reference}",
    "/doses?facility=facility-7",
    "/doses/help?facility=facility-7",
    "/work",
    "/work/unknown",
    "/work/held",
    "/work/late",
    "/work/stopped",
    "/work/dead-letters",
    "/resends",
    "/cases",
    "/uploads",
    "/audit",
    "/audit?actor=system",
    "/audit?action=link.revoked",
    "/accounts",
    "/keys",
    "/settings",
)
#: whose next page is asked for too
_LISTS = ("/messages", "/messages?facility=facility-7", "/doses/help?facility=facility-7", "/work/late", "/audit")
#: bulk resends, looked at before anything is made
_DRY_RUNS = (
    ("undelivered", "state=undelivered"),
    ("undelivered or failed at one facility", "state=problem&facility=facility-7"),
    ("delivered and not opened for 7 days", "state=unopened&unopened_days=7"),
)


def _check_of_a_list(shop: Workshop, size: int) -> list[Row]:
    """How long a list of so many rows takes from the upload until every row is checked, in one process."""
    services, port = shop.services, _uploader(shop)
    today = services.clock.now().date()
    begun = time.perf_counter()
    reference = receive(services, BytesIO(_list(size, today)), name="bench.csv", by=port)
    row = look.find(services, reference, only_facility=None).row
    deeds.name_columns(services, reference, row.columns, by=port)
    while steps.run(services):
        pass
    took = time.perf_counter() - begun
    seen = look.find(services, reference, only_facility=None).row
    if seen.checked["counts"]["good"] != size:
        raise BenchFailed(f"{seen.checked['counts']['good']} of {size} made-up rows were good")
    return [Row(f"a list of {size:,} rows, from the upload until all are checked", took, "s")]


def _uploader(shop: Workshop) -> Uploader:
    staff_id = accounts.add(
        shop.services,
        Passwords(),
        username=f"{_USERNAME}-operator",
        display_name="Bench",
        password=secrets.token_urlsafe(20),
        role=Role.OPERATOR,
        actor=people.ACTOR,
    )
    return Uploader(staff_id, None)


def _list(size: int, today: date) -> bytes:
    lines = ["nik;nama;tgl lahir;no hp;vaksin;dosis ke;tanggal vaksin;kode fasilitas"]
    for place in range(size):
        born, other = people.birth_date(place), 5_000_000 + place  # nobody whom the programme knows
        lines.append(
            f"{people.nik_of(other)};{people.name_of(place)};{people.birth_date(other):%d/%m/%Y};"
            f"0813{place % 10**8:08d};CoronaVac;1;{today:%d/%m/%Y};facility-{born.day}"
        )
    return "\r\n".join(lines).encode()


def _measured(name: str, ask: Ask) -> Row:
    """The slowest of some, beside the middle one; the first, which connects and compiles, does not count."""
    seconds = []
    for n in range(_TIMES + 1):
        begun = time.perf_counter()
        status, _page = ask(n)
        took = time.perf_counter() - begun
        if status != 200:
            raise BenchFailed(f"{name}: the staff face answered {status}")
        seconds.append(took)
    return Row(f"{name}: worst, beside the median", max(seconds[1:]) * 1000, "ms", median(seconds[1:]) * 1000)
