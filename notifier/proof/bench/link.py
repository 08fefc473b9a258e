"""`link`: the page behind a link on a real web process, beside a hello-world under the same server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from notifier.proof.bench import BenchFailed, Options, Row, people
from notifier.proof.bench.figures import quantile
from notifier.proof.bench.loopback import Line, Load, Reply, measure, measure_paced
from notifier.proof.bench.processes import Memory, Process, rss_mb, tree, wait_until
from notifier.proof.bench.workshop import HOST, Workshop, listens, open_workshop
from notifier.proof.ports import free_port
from notifier.store import bench_rows
from notifier.store.bench_rows import Made

_SIZE = 1_500
_MOST_OPENED = 2_500  # the public face takes 6,000 birth dates a minute, whoever asks
_WARM_UP = 100
_ROUNDS = 7
_START_S = 30.0
_HELLO = """from flask import Flask

app = Flask("hello")


@app.get("/")
def hello():
    return "Hello, world"
"""

Work = Callable[[Line], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """An opened certificate in somebody's browser."""

    path: str
    cookie: str
    place: int


def run(options: Options) -> list[Row]:
    """Floor and pages take turns on the same machine; each link is opened once, by another address."""
    size = options.size or _SIZE
    with open_workshop(options, proxy_hops="1") as shop:
        made = people.waiting(shop.services, size)
        _settle(shop)
        web = shop.web()
        with _hello(shop) as (hello, hello_port), Memory([web.pid]) as memory:
            _warm_up(shop, made, hello_port)
            start = memory.worst()[2]
            floor, landing, forged = [], [], []
            for _ in range(_ROUNDS):
                floor.append(measure(hello_port, [_get("/", 200)] * size))
                landing.append(measure(shop.web_port, [_get(_path(shop, one), 200) for one in made]))
                forged.append(measure(shop.web_port, [_get(f"/c/{'0' * 33}", 404)] * size))
            views: list[View] = []
            opening = measure(
                shop.web_port, [_open(shop, one, place, views) for place, one in enumerate(made[:_MOST_OPENED])]
            )
            _settle(shop)
            look = [_look(view) for view in views]
            pages = []
            for _ in range(_ROUNDS):
                floor.append(measure(hello_port, [_get("/", 200)] * size))
                pages.append(measure(shop.web_port, look))
            half = measure_paced(shop.web_port, look, _middle(pages).rate / 2)
            hello_mb = max(map(rss_mb, tree(hello.pid)))
        worst = memory.worst()
    hello_rate, (page, refused, shown) = _middle(floor), (_middle(landing), _middle(forged), _middle(pages))
    return [
        Row("GET /c/<token>, beside a hello-world", page.rate, "requests/s", hello_rate.rate),
        *_times("GET /c/<token>", page, hello_rate),
        Row("GET of a forged token, beside a hello-world", refused.rate, "requests/s", hello_rate.rate),
        Row("GET /certificate/<view>, beside a hello-world", shown.rate, "requests/s", hello_rate.rate),
        *_times("GET /certificate/<view>", shown, hello_rate),
        Row("GET /certificate/<view> at half that rate: p99", quantile(half.seconds, 0.99) * 1000, "ms"),
        Row("birth date, 303, certificate: people a second", opening.rate, "people/s", hello_rate.rate),
        *_times("birth date, 303, certificate", opening, None),
        Row("largest web process: start", start, "MB", hello_mb or None),
        Row("largest web process: most", worst[2], "MB", hello_mb or None),
    ]


def _settle(shop: Workshop) -> None:
    """What a database does behind the back of a measurement after so many writes."""
    with shop.services.db.read() as conn:
        bench_rows.settle_statistics(conn)


def _middle(loads: list[Load]) -> Load:
    """The median round."""
    return sorted(loads, key=lambda load: load.rate)[len(loads) // 2]


def _times(what: str, load: Load, floor: Load | None) -> list[Row]:
    return [
        Row(
            f"{what}: {name}",
            quantile(load.seconds, part) * 1000,
            "ms",
            quantile(floor.seconds, part) * 1000 if floor else None,
        )
        for name, part in (("median", 0.5), ("p99", 0.99))
    ]


@contextmanager
def _hello(shop: Workshop) -> Iterator[tuple[Process, int]]:
    """The smallest Flask application under our own server settings."""
    port = free_port()
    (shop.folder / "hello.py").write_text(_HELLO, encoding="utf-8")
    command = ("gunicorn", "-c", "python:linkserver.gunicorn_conf", "--chdir", str(shop.folder))
    hello = shop.start("hello", *command, "--bind", f"{HOST}:{port}", "hello:app")
    wait_until(lambda: listens(port), _START_S, "the hello-world", [hello])
    yield hello, port


def _warm_up(shop: Workshop, made: list[Made], hello_port: int) -> None:
    measure(hello_port, [_get("/", 200)] * _WARM_UP)
    measure(shop.web_port, [_get(_path(shop, one), 200) for one in made[:_WARM_UP]])
    measure(shop.web_port, [_get("/cek", 200)] * _WARM_UP)


def _path(shop: Workshop, made: Made) -> str:
    return f"/c/{shop.services.links.sign(made.public_id)}"


def _get(path: str, status: int) -> Work:
    async def work(line: Line) -> None:
        _expect(await line.get(path, _from(0)), status)

    return work


def _open(shop: Workshop, made: Made, place: int, views: list[View]) -> Work:
    """What a person does: the birth date, then the page that the answer leads to; it goes on `views`."""
    born = made.birth_date
    form = {"day": str(born.day), "month": str(born.month), "year": str(born.year)}
    path = _path(shop, made)

    async def work(line: Line) -> None:
        answer = await line.post(path, form, _from(place))
        _expect(answer, 303)
        view = View(answer.headers["location"], answer.headers["set-cookie"].split(";", 1)[0], place)
        await _look(view)(line)
        views.append(view)

    return work


def _look(view: View) -> Work:
    async def work(line: Line) -> None:
        _expect(await line.get(view.path, {**_from(view.place), "Cookie": view.cookie}), 200)

    return work


def _from(place: int) -> dict[str, str]:
    """Each person has an address of their own, as the proxy in front would say."""
    return {"X-Forwarded-For": f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"}


def _expect(reply: Reply, status: int) -> None:
    if reply.status != status:
        raise BenchFailed(f"the public face answered {reply.status} instead of {status}")
