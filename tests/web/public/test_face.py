"""The public face as a whole: headers, hosts, doors, sizes, health, and what goes wrong."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import request
from sqlalchemy.dialects import sqlite

from linkserver import create_public_app
from notifier.core.errors import BadSettings
from notifier.services import Services
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.web.public.conftest import RIGHT, WRONG, NewVisitor, Visitor, told

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
HTTPS = "https://sertifikat.example.id"
ROOT = Path(__file__).resolve().parents[3]


class AwayDatabase:
    """A database that cannot be reached."""

    hot_dialect = sqlite.dialect()

    @contextmanager
    def read(self) -> Any:
        self.run_hot()
        yield

    write = read

    def run_hot(self, *_asked: Any) -> Any:
        raise sa.exc.OperationalError("SELECT", {}, Exception("connection refused"))


class BrokenDatabase(AwayDatabase):
    """A fault of ours, whose text quotes what it should not."""

    def run_hot(self, *_asked: Any) -> Any:
        raise RuntimeError("row of +6281234567890, link AbCdEfGhIjKlMnOpQrStUvWxYz0123456")


@pytest.mark.parametrize("path", ["/c/{token}", "/c/unknown", "/verify", "/healthz", "/robots.txt", "/nowhere", "/c"])
def test_every_answer_carries_the_same_protection(visitor: Visitor, made: MadeCertificate, path: str) -> None:
    headers = visitor.get(path.format(token=made.token)).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert "Strict-Transport-Security" not in headers
    assert re.fullmatch("[0-9a-f]{16}", headers["X-Request-Id"])


def test_https_brings_hsts_and_refuses_other_hosts(build_services: Any, new_visitor: NewVisitor) -> None:
    visitor = new_visitor(build_services(public_url=HTTPS))
    assert visitor.get("/verify", base_url=HTTPS).headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert visitor.get("/verify", base_url="https://evil.example").status_code == 421
    assert visitor.get("/verify", headers={"X-Forwarded-Host": "evil.example"}, base_url=HTTPS).status_code == 200
    assert visitor.get("/healthz", base_url="http://10.0.0.7:8000").status_code == 200


@pytest.mark.parametrize(("hops", "expected"), [(0, "127.0.0.1"), (1, "198.51.100.7")])
def test_only_trusted_proxies_say_who_the_client_is(services: Services, hops: int, expected: str) -> None:
    app = create_public_app(replace(services, settings=services.settings.model_copy(update={"proxy_hops": hops})))
    seen: list[str | None] = []
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
    assert seen == [expected]


def test_closed_doors_have_no_routes_and_are_not_imported(build_services: Any, new_visitor: NewVisitor) -> None:
    closed = new_visitor(build_services(doors=()))
    statuses = [closed.get(path).status_code for path in ("/verify", "/cek", "/c/x", "/certificate/" + "x" * 22)]
    assert statuses == [404] * 4
    assert closed.get("/healthz").status_code == 200
    code = (
        "import sys, linkserver.public.app\n"
        "print([name for name in sys.modules if name in ('linkserver.public.link', 'linkserver.public.verify',"
        " 'linkserver.public.certificate', 'typst') or name.startswith('linkserver.staff')])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_face_refuses_to_start_without_a_session_key(build_services: Any) -> None:
    with pytest.raises(BadSettings, match="SESSION_KEY"):
        create_public_app(build_services(session_key=()))


def test_the_public_face_stays_small() -> None:
    files = (ROOT / "linkserver" / "public").glob("*.py")
    assert sum(len(file.read_text().splitlines()) for file in files) < 1_500


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_page_with_all_it_needs_is_light(services: Services, visitor: Visitor, language: str) -> None:
    long = a_certificate(services, person=replace(SITI, name="Raden Mas Suryakusumaningrat " * 4))
    for number in range(2, 6):
        a_certificate(
            services, person_id=long.person_id, number=number, facility="Puskesmas Kecamatan Penjaringan " * 4
        )
    visitor.get(f"/verify?lang={language}")
    pages = [
        visitor.get(f"/c/{long.token}"),
        visitor.post(f"/c/{long.token}", WRONG),
        visitor.get(visitor.opened(long)),
        visitor.get("/verify"),
        visitor.get("/nowhere"),
    ]
    for page in pages:
        needed = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        assert len(needed) + 1 <= 3
        parts = [visitor.get(path, headers={"Accept-Encoding": "gzip"}).data for path in needed]
        assert len(gzip.compress(page.data)) + sum(map(len, parts)) <= 14 * 1024
        assert "<script" not in page.text
        assert "https://" not in page.text


def test_static_files_are_kept_for_long_under_names_that_change(visitor: Visitor) -> None:
    name = re.search(r"/static/public\.[0-9a-f]{12}\.css", visitor.get("/verify").text)
    assert name is not None
    plain, small = visitor.get(name[0]), visitor.get(name[0], headers={"Accept-Encoding": "gzip"})
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.content_type == "text/css; charset=utf-8"
    assert gzip.decompress(small.data) == plain.data
    for other in ("/static/public.css", "/static/../app.py", "/static/%2e%2e%2fwsgi.py", "/static/staff.css"):
        assert visitor.get(other).status_code == 404


def test_health_robots_and_security_say_what_they_should(visitor: Visitor) -> None:
    assert visitor.get("/healthz").text == "ok\n"
    assert visitor.get("/readyz").text == "ready\n"
    assert visitor.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    security = visitor.get("/.well-known/security.txt").text
    assert "Contact: mailto:bantuan@contoh.example\nExpires: 2027-05-22T00:00:00Z\n" in security
    assert visitor.get("/favicon.ico").location.endswith(".svg")


def test_a_database_that_is_not_migrated_is_not_ready(services: Services, new_visitor: NewVisitor) -> None:
    with services.db.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    assert new_visitor().get("/readyz").status_code == 503


def test_without_the_database_people_get_a_kind_page(
    services: Services, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    away = new_visitor(replace(services, db=AwayDatabase()))  # type: ignore[arg-type]  # a fake that is away
    answers = [away.get(f"/c/{made.token}"), away.post(f"/c/{made.token}", RIGHT), away.get(f"/verify?n={made.number}")]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "60"
        assert "Layanan sedang tidak dapat dipakai" in answer.text
    assert away.get("/readyz").status_code == 503
    assert away.get("/healthz").status_code == 200


def test_a_fault_of_ours_shows_a_code_and_no_detail(
    services: Services, new_visitor: NewVisitor, made: MadeCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    broken = new_visitor(replace(services, db=BrokenDatabase()))  # type: ignore[arg-type]  # a fake that fails
    broken.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = broken.get(f"/c/{made.token}")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "Siti" not in answer.text
    assert "RuntimeError" in caplog.text
    assert not [word for word in (made.token, made.public_id, "81234567890", "AbCdEf") if word in caplog.text]


def test_large_bodies_and_many_fields_are_refused(visitor: Visitor, made: MadeCertificate) -> None:
    assert visitor.post(f"/c/{made.token}", {"day": "1" * 20_000}).status_code == 413
    assert visitor.post("/verify", b"n=" + b"x" * 10_000_000).status_code in {404, 413, 422}
    many = {f"f{number}": "x" for number in range(300)}
    assert visitor.post(f"/c/{made.token}", many, content_type="multipart/form-data").status_code == 413


@pytest.mark.parametrize(
    "path", ["/c/%00", "/c/%ff", "/c//", "/c/../c/x", "/%c0%af", "/certificate/%ff.pdf", "/verify?n=%ff"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "WEIRD"])
def test_no_strange_request_makes_an_error_of_ours(visitor: Visitor, path: str, method: str) -> None:
    body = b"\xff\x00day=%ff&month=%00&n=%ff"
    answer = visitor.client.open(
        path, method=method, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code < 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_wrong_method_names_the_right_ones(visitor: Visitor, made: MadeCertificate) -> None:
    answer = visitor.client.delete(f"/c/{made.token}")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_two_faces_tell_the_same_of_the_same_link(new_visitor: NewVisitor, made: MadeCertificate) -> None:
    assert told(new_visitor().get(f"/c/{made.token}")) == told(new_visitor().get(f"/c/{made.token}"))
