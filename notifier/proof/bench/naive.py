"""The naive design: one Celery task a message with `countdown`, the provider's default client, the row read before and
written after. It has no lease, no attempt, no decision and no signed link, so it does less than we do.

Started as `celery -A notifier.proof.bench.naive worker --pool threads`, with the settings of the bench's installation.
"""

from __future__ import annotations

import os

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifier.core.clock import SystemClock
from notifier.proof.bench.floor_app import MARKS, NOTHING, SEND, THREADS, create_app
from notifier.settings import load_settings
from notifier.store import bench_rows
from notifier.store.engine import Database

_settings = load_settings(os.environ)
_db = Database(_settings.database_url, SystemClock(), pool_size=THREADS // 2)
_twilio = Client(
    _settings.twilio_account_sid,
    _settings.twilio_auth_token[-1].get_secret_value(),
    http_client=TwilioHttpClient(timeout=_settings.provider_timeout),  # without one it waits for ever
)
_twilio.api.base_url = _settings.twilio_api_base
_marks = os.open(_settings.data_folder / MARKS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

app = create_app(_settings)


@app.task(name=SEND)  # type: ignore[untyped-decorator]  # celery ships no types
def send(number: int) -> None:
    """One message."""
    with _db.read() as conn:
        message = bench_rows.naive_message(conn, number)
    taken = _twilio.messages.create(
        to=message.sent_to,
        body=message.text,
        messaging_service_sid=_settings.twilio_messaging_service_sid,
        status_callback=f"{_settings.public_url}/naive/{number}",
    )
    with _db.write() as conn:
        bench_rows.naive_sent(conn, number, str(taken.sid))


@app.task(name=NOTHING)  # type: ignore[untyped-decorator]  # celery ships no types
def nothing() -> None:
    """Only says that it ran."""
    os.write(_marks, b".")
