"""As it is served: the real gunicorn, its real log lines."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linkserver import wsgi
from notifier.core.errors import BadSettings
from notifier.proof.ports import free_port
from notifier.services import Services
from tests.builders import MadeCertificate, a_certificate
from tests.conftest import TEST_KEYS, TEST_PDF_KEY
from tests.polling import eventually
from tests.web.public.conftest import RIGHT, WRONG

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 30
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def environment(services: Services) -> dict[str, str]:
    keys = {
        f"SERTILINK_{name.upper()}": base64.urlsafe_b64encode(key[0].get_secret_value()).decode()
        for name, key in TEST_KEYS.items()
    }
    url = services.settings.database_url
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SERTILINK_")}
    keys["SERTILINK_PDF_SIGNING_KEY"] = TEST_PDF_KEY
    return clean | keys | {"SERTILINK_DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}


class Served:
    """A running server and the file that its lines go to."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def ask(self, method: str, path: str, form: str | None = None, headers: dict[str, str] | None = None) -> Any:
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        conn.request(method, path, form, (FORM if form else {}) | (headers or {}))
        answer = conn.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        conn.close()
        return answer

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as sock:
            sock.sendall(data)
            return sock.recv(4096)


@pytest.fixture
def served(services: Services, tmp_path: Path) -> Iterator[Served]:
    port = free_port()
    log = tmp_path / "web.log"
    command = [sys.executable, "-m", "gunicorn", "-c", "python:linkserver.gunicorn_conf", "-w", "1"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "-b", f"127.0.0.1:{port}", "linkserver.wsgi:public()"],
            cwd=ROOT,
            env=environment(services),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    served = Served(port, log)
    try:
        _wait_until_up(served, process)
        yield served
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _wait_until_up(served: Served, process: subprocess.Popen[bytes]) -> None:
    def is_up() -> bool:
        assert process.poll() is None, served.log.read_text()
        try:
            return bool(served.ask("GET", "/readyz").status == 200)
        except OSError:
            return False

    eventually(is_up, DEADLINE_S, "gunicorn did not start")


def canaries(made: MadeCertificate) -> list[str]:
    return [
        made.token,
        made.token[3:20],
        made.public_id,
        made.number,
        "Siti",
        "Aminah",
        "1989-",  # a bare year is also a process number now and then
        "year=1989",
        "81234567890",
        "317403",
    ]


def test_the_real_server_walks_the_whole_way_and_logs_nothing_personal(
    services: Services, served: Served, tmp_path: Path
) -> None:
    made = a_certificate(services)  # the served face has the system's clock, so that this link must outlive today
    with services.db.write() as conn:
        conn.exec_driver_sql("UPDATE link SET expires_at = '2999-01-01 00:00:00'")
    form = "&".join(f"{name}={value}" for name, value in RIGHT.items())
    wrong = "&".join(f"{name}={value}" for name, value in WRONG.items())
    assert served.ask("GET", f"/c/{made.token}", headers={"Referer": f"http://x/c/{made.token}"}).status == 200
    assert served.ask("POST", f"/c/{made.token}", wrong).status == 422
    opened = served.ask("POST", f"/c/{made.token}", form)
    assert opened.status == 303
    view, cookie = opened.headers["Location"], {"Cookie": opened.headers["Set-Cookie"].split(";")[0]}
    assert b"Siti Aminah" in served.ask("GET", view, headers=cookie).body
    assert served.ask("GET", view + ".pdf", headers=cookie).body.startswith(b"%PDF-")
    assert served.ask("GET", f"/verify?n={made.number}").status == 200
    served.ask("GET", f"/c/{made.token}.?utm_source={made.token}")
    served.ask("GET", f"/nowhere/{made.token}")
    served.raw(f"GETX@ /c/{made.token} HTTP/1.1\r\n\r\n".encode())
    served.raw(f"GET /c/{made.token} HTTP/9.9\r\n\r\n".encode())
    served.raw(f"GET /c/{made.token} HTTP/1.1\r\nBad Header /c/{made.token}: x\r\n\r\n".encode())
    served.raw(f"GET /c/{made.token}{'x' * 9000} HTTP/1.1\r\n\r\n".encode())
    with services.db.write() as conn:
        conn.exec_driver_sql("UPDATE person SET birth_date_sealed = x'00'")  # a fault of ours, with a traceback
    assert served.ask("POST", f"/c/{made.token}", form).status == 500
    with services.db.write() as conn:
        conn.exec_driver_sql("DROP TABLE opening")
    assert served.ask("POST", f"/c/{made.token}", wrong).status >= 500
    said = served.log.read_text()
    assert "SealBroken" in said
    assert said.count('"message": "request"') >= 9
    view_id = view.rsplit("/", 1)[1]
    assert not [word for word in (*canaries(made), view_id, cookie["Cookie"]) if word in said]


def test_every_line_of_the_server_is_json(served: Served) -> None:
    served.ask("GET", "/verify")
    served.ask("GET", "/nowhere")
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    request = next(line for line in lines if line["message"] == "request" and line["path"] == "/verify")
    assert (request["method"], request["status"]) == ("GET", 200)
    assert len(request["request_id"]) == 16


def test_production_refuses_unsafe_settings(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(services).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SERTILINK_ENVIRONMENT", "production")
    for face in (wsgi.public, wsgi.staff):
        with pytest.raises(BadSettings, match="PUBLIC_URL: links need https"):
            face()
