"""check: every reason against production is told, and what can be reached is reached."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from notifier.commands.check import pdf_signing
from notifier.safety import new_key
from notifier.settings import RANDOM_KEYS, Settings
from tests.commands.conftest import Run
from tests.pdf_keys import a_pdf_key

TWILIO = {
    "SERTILINK_GATEWAY": "twilio",
    "SERTILINK_TWILIO_ACCOUNT_SID": "AC1",
    "SERTILINK_TWILIO_AUTH_TOKEN": "a-secret-token",
    "SERTILINK_TWILIO_FROM": "+15005550006",
}


@pytest.fixture
def provider() -> Iterator[str]:
    """An HTTP server that answers 401 to everything, as Twilio does to a request without a password."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _findings(run: Run, tmp_path: Path, environ: dict[str, str]) -> dict[str, dict[str, object]]:
    broker = {"SERTILINK_BROKER_URL": f"sertilink-sqlite:///{tmp_path}/broker.db"}
    result = run("check", "--json", environ=broker | environ)
    report = json.loads(result.stdout)
    assert result.exit_code == (0 if report["fit"] else 1)
    assert "a-secret-token" not in result.output
    return {finding["name"]: finding for finding in report["findings"]}


def test_local_defaults_are_not_fit_and_each_reason_is_told(run: Run, tmp_path: Path) -> None:
    found = _findings(run, tmp_path, {})
    for name in ("GATEWAY", "PUBLIC_URL", "STAFF_URL", "DATABASE_URL", "BROKER_URL", "HELP_EMAIL", "PDF_SIGNING_KEY"):
        assert found[f"SERTILINK_{name}"]["fit"] is False
    assert found["database"]["fit"] is True
    assert found["migrations"]["fit"] is True
    assert found["broker"]["fit"] is True
    assert found["worker"]["fit"] is None


def test_settings_that_cannot_be_read_are_told_one_by_one(run: Run) -> None:
    result = run("check", environ={"SERTILINK_DELAY_HOURS": "49", "SERTILINK_TIMEZONE": "Jakarta"})
    assert result.exit_code == 1
    assert "WRONG SERTILINK_DELAY_HOURS: " in result.stdout
    assert "WRONG SERTILINK_TIMEZONE: write an IANA zone" in result.stdout


def test_a_provider_that_answers_anything_is_reached(run: Run, tmp_path: Path, provider: str) -> None:
    found = _findings(run, tmp_path, TWILIO | {"SERTILINK_TWILIO_API_BASE": provider})
    assert found["provider"]["fit"] is True
    assert "HTTP 401" in str(found["provider"]["detail"])


def test_a_provider_or_broker_that_is_away_is_not_fit(run: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, not listening: refused
        away = TWILIO | {
            "SERTILINK_TWILIO_API_BASE": f"http://127.0.0.1:{port}",
            "SERTILINK_BROKER_URL": f"amqp://guest:hunter2@127.0.0.1:{port}//",
        }
        found = _findings(run, tmp_path, away)
    assert found["provider"]["fit"] is False
    assert found["broker"]["fit"] is False
    assert "hunter2" not in json.dumps(found)


def test_an_installation_as_production_needs_it_has_no_wrong_setting(run: Run, tmp_path: Path, provider: str) -> None:
    environ = TWILIO | {
        "SERTILINK_ENVIRONMENT": "production",
        "SERTILINK_DATABASE_URL": "postgresql+psycopg://sertilink@db.example/sertilink",
        "SERTILINK_BROKER_URL": "redis://127.0.0.1:1/0",
        "SERTILINK_PUBLIC_URL": "https://sertifikat.example.id",
        "SERTILINK_STAFF_URL": "https://petugas.example.id",
        "SERTILINK_TWILIO_API_BASE": provider,
        "SERTILINK_ISSUER_NAME": "Dinas Kesehatan Kota",
        "SERTILINK_SENDER_NAME": "DINKES",
        "SERTILINK_HELP_PHONE": "112",
        "SERTILINK_HELP_EMAIL": "bantuan@dinkes.example.id",
        "SERTILINK_PDF_SIGNING_KEY": a_pdf_key(),
        **{f"SERTILINK_{name.upper()}": new_key() for name in RANDOM_KEYS},
    }
    found = _findings(run, tmp_path, environ)
    assert [name for name, finding in found.items() if finding["fit"] is False] == ["broker"]
    assert found["settings"]["fit"] is True
    assert "SERTILINK_PDF_SIGNING_KEY" not in found
    assert "SERTILINK_SECOND_FACTOR" not in found
    without = _findings(run, tmp_path, environ | {"SERTILINK_SECOND_FACTOR": "optional"})
    assert without["SERTILINK_SECOND_FACTOR"]["fit"] is None
    assert "optional" in str(without["SERTILINK_SECOND_FACTOR"]["detail"])


def test_each_key_that_production_lacks_is_named(run: Run, tmp_path: Path) -> None:
    empty = {"SERTILINK_ENVIRONMENT": "production", "SERTILINK_DATA_FOLDER": str(tmp_path / "empty")}
    found = _findings(run, tmp_path, empty)
    for name in ("LINK_KEYS", "DATA_KEYS", "INDEX_KEY", "SESSION_KEY", "STAFF_SESSION_KEY", "SIGNING_KEYS"):
        assert found[f"SERTILINK_{name}"] == {
            "name": f"SERTILINK_{name}",
            "fit": False,
            "detail": "not set; make it with `sertilink keys new`",
        }
    assert found["SERTILINK_PDF_SIGNING_KEY"]["fit"] is False


NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def _of_the_pdf_key(key: str | None, now: datetime = NOW) -> list[tuple[bool | None, str]]:
    settings = Settings(pdf_signing_key=SecretStr(key) if key else None)
    return [(finding.fit, finding.detail) for finding in pdf_signing(settings, now)]


@pytest.mark.parametrize(
    ("days", "fit", "words"),
    [
        (-1, False, "ended on 2026-11-22"),
        (0, False, "ended on"),
        (1, None, "ends on"),
        (30, None, "ends on 2026-12-23"),
    ],
)
def test_a_certificate_for_pdfs_that_ends_soon_is_told_a_month_ahead(days: int, fit: bool | None, words: str) -> None:
    [(told, detail)] = _of_the_pdf_key(a_pdf_key(until=NOW + timedelta(days=days)))
    assert told is fit
    assert words in detail


def test_a_certificate_for_pdfs_that_lasts_is_not_mentioned() -> None:
    assert _of_the_pdf_key(a_pdf_key(until=NOW + timedelta(days=31))) == []


def test_a_certificate_for_pdfs_of_next_year_cannot_be_used_yet() -> None:
    [(told, detail)] = _of_the_pdf_key(a_pdf_key(since=NOW + timedelta(days=40)))
    assert told is False
    assert "not hold yet" in detail


def test_without_a_key_no_pdf_can_be_served() -> None:
    assert _of_the_pdf_key(None)[0][0] is False
