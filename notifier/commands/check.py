"""`sertilink check`: is this installation fit for production, and if not, why not."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import click

from notifier.commands.config import without_password
from notifier.commands.console import FAILED, Console, json_option, pass_console, print_json
from notifier.commands.publish import connect
from notifier.core.errors import BadSettings
from notifier.gateways.mail.server import MailServer
from notifier.messages.send import CHUNK
from notifier.safety import pdf_key, unsafe_for_production
from notifier.settings import PREFIX, RANDOM_KEYS, Environment, GatewayName, LinkCheck, Settings
from notifier.store import migrate
from notifier.worker import create_app

_PATIENCE_S = 3.0
_RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `fit` is False for what forbids production, None for what is only worth knowing."""

    name: str
    fit: bool | None
    detail: str


Reach = Callable[[Settings], str]


@click.command("check")
@json_option
@click.pass_context
@pass_console
def check(console: Console, ctx: click.Context, as_json: bool) -> None:
    """Explain every wrong or unsafe setting; reach database, broker, workers and provider. Exit code 1 if not fit for
    production."""
    findings = list(find(console))
    fit = all(finding.fit is not False for finding in findings)
    if as_json:
        print_json({"fit": fit, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = {True: "ok   ", False: "WRONG", None: "note "}[finding.fit]
            click.echo(f"{mark} {finding.name}: {finding.detail}")
        click.echo("fit for production" if fit else "not fit for production")
    if not fit:
        ctx.exit(FAILED)


def find(console: Console) -> Iterator[Finding]:
    """Everything there is to say, wrong or not; reads and connects, changes nothing."""
    try:
        settings = console.settings()
        unsafe = unsafe_for_production(settings, console.environ)
    except BadSettings as error:
        yield from (_wrong(line) for line in error.lines)
        return
    yield from (_wrong(line) for line in unsafe)
    if not unsafe:
        yield Finding("settings", True, "each one is safe for production")
    if settings.link_check is LinkCheck.NONE:
        reason = settings.link_check_reason or "no reason given"
        yield Finding(f"{PREFIX}LINK_CHECK", None, f"a link alone opens a certificate: {reason}")
    if settings.environment is Environment.PRODUCTION and not settings.second_factor_required:
        yield Finding(f"{PREFIX}SECOND_FACTOR", None, "optional: whoever learns a password is in; set required")
    yield from _whatsapp(settings)
    yield from keys_missing(settings)
    yield from pdf_signing(settings, console.clock.now())
    shortest = shortest_lease(settings)
    if settings.lease_seconds < shortest:
        detail = f"a chunk may take {shortest:.0f} s with this PROVIDER_TIMEOUT and PROVIDER_CONCURRENCY; raise it"
        yield Finding(f"{PREFIX}LEASE_SECONDS", False, detail)
    yield from _database(console, settings)
    yield _reached("broker", settings, reach_broker)
    yield _workers(settings)
    yield from registry_ways(settings)
    if settings.gateway is GatewayName.TWILIO:
        yield _reached("provider", settings, reach_provider)
    if "email" in settings.doors:
        yield _mail(settings)


def _whatsapp(settings: Settings) -> Iterator[Finding]:
    """Whether the door `whatsapp` can be used."""
    if "whatsapp" not in settings.doors or settings.gateway is not GatewayName.TWILIO:
        return
    if settings.whatsapp_from is None:
        wrong = False if settings.environment is Environment.PRODUCTION else None
        yield Finding(f"{PREFIX}WHATSAPP_FROM", wrong, "not set, so the door whatsapp is shut; set it or take it out")
    elif not settings.whatsapp_reopen:
        detail = "not set: an answer that is late by more than 24 hours waits until the person writes again"
        yield Finding(f"{PREFIX}WHATSAPP_REOPEN", None, detail)


def registry_ways(settings: Settings) -> Iterator[Finding]:
    """How the registry is told of what is corrected here, and whether its webhook's host answers."""
    if not settings.registry_queue and not settings.registry_webhook_url:
        detail = "not set: the registry is not told of what is corrected here (docs/registry.md)"
        yield Finding(f"{PREFIX}REGISTRY_QUEUE, {PREFIX}REGISTRY_WEBHOOK_URL", None, detail)
    if settings.registry_queue:
        detail = f"corrections go to the queue {settings.registry_queue} of the broker"
        yield Finding(f"{PREFIX}REGISTRY_QUEUE", True, detail)
    if settings.registry_webhook_url:
        yield _reached(f"{PREFIX}REGISTRY_WEBHOOK_URL", settings, reach_registry)
        if len(settings.registry_webhook_secret) > 1:
            detail = "several secrets sign each event; take the oldest away once the registry has the newest"
            yield Finding(f"{PREFIX}REGISTRY_WEBHOOK_SECRET", None, detail)


def keys_missing(settings: Settings) -> Iterator[Finding]:
    """The keys without which some process does not start, each by its name."""
    for name in RANDOM_KEYS:
        if not getattr(settings, name):
            yield Finding(f"{PREFIX}{name.upper()}", False, "not set; make it with `sertilink keys new`")


def pdf_signing(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether PDFs can be signed today, and for how long."""
    name, key = f"{PREFIX}PDF_SIGNING_KEY", pdf_key(settings)
    if key is None:
        yield Finding(name, False, "not set; without it no process starts that serves PDFs (docs/pdf.md)")
        return
    until = key.expires_at.date().isoformat()
    if now >= key.expires_at:
        yield Finding(
            name, False, f"its certificate ended on {until}; readers call new PDFs wrong until it is replaced"
        )
    elif now >= key.expires_at - _RENEW_BEFORE:
        yield Finding(name, None, f"its certificate ends on {until}; ask for the next one now (docs/pdf.md)")
    elif now < key.certificate.not_valid_before_utc:
        yield Finding(name, False, "its certificate does not hold yet")


def shortest_lease(settings: Settings) -> float:
    """Seconds that a chunk takes at worst: each message may take twice the time-out, in as many waves as do not fit
    into the requests in flight. A shorter lease would call what is still in flight unknown."""
    waves = -(-CHUNK // settings.provider_concurrency)
    return 2 * settings.provider_timeout * waves


def _wrong(line: str) -> Finding:
    name, _, detail = line.partition(": ")
    return Finding(name, False, detail) if detail else Finding("settings", False, line)


def _database(console: Console, settings: Settings) -> Iterator[Finding]:
    shown = without_password(settings.database_url)
    try:
        services = console.wire(settings, console.clock)
    except BadSettings as error:
        yield from (_wrong(line) for line in error.lines)
        return
    try:
        with services.db.read() as conn:
            current = migrate.current_revision(conn)
    except Exception as error:  # whatever a driver raises: it is not reached
        yield Finding("database", False, f"{shown} does not answer ({type(error).__name__})")
        return
    finally:
        services.close()
    yield Finding("database", True, f"{shown} answers")
    newest = migrate.newest_revision()
    behind = f"at {current or 'nothing'}, this version needs {newest}; run `sertilink db upgrade`"
    yield Finding("migrations", current == newest, f"at {newest}" if current == newest else behind)


def _reached(name: str, settings: Settings, reach: Reach) -> Finding:
    try:
        return Finding(name, True, reach(settings))
    except Exception as error:  # whatever a library raises: it is not reached
        return Finding(name, False, f"does not answer ({type(error).__name__})")


def reach_broker(settings: Settings) -> str:
    """Raises what kombu raises where the broker cannot be reached."""
    with connect(settings) as connection:
        connection.ensure_connection(max_retries=1, timeout=_PATIENCE_S)
    return f"{without_password(settings.broker_url)} answers"


def reach_registry(settings: Settings) -> str:
    """Any HTTP answer will do: nothing is told. Raises OSError or HTTPException."""
    url = settings.registry_webhook_url or ""
    return f"{url} answers (HTTP {_ask(url, _PATIENCE_S)}); nothing was told"


def reach_provider(settings: Settings) -> str:
    """Any HTTP answer will do: the account itself is not asked. Raises OSError or HTTPException."""
    status = _ask(settings.twilio_api_base, min(settings.provider_timeout, 5))
    return f"{settings.twilio_api_base} answers (HTTP {status}); the account was not asked"


def _ask(url: str, timeout: float) -> int:
    """The status that a host answers at all. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        link: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        link = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    try:
        link.request("HEAD", "/")
        return link.getresponse().status
    finally:
        link.close()


def _mail(settings: Settings) -> Finding:
    if not settings.mail_host:
        return Finding("mail", None, f"{PREFIX}MAIL_HOST is not set: no letter is read (docs/desk.md)")
    if not (settings.mail_user and settings.mail_password):
        return Finding("mail", False, f"{PREFIX}MAIL_USER and {PREFIX}MAIL_PASSWORD: set both (docs/desk.md)")
    return _reached("mail", settings, lambda chosen: MailServer(chosen).reach())


def _workers(settings: Settings) -> Finding:
    nodes = answering_nodes(settings, _PATIENCE_S)
    if nodes is None:
        return Finding("worker", None, "cannot be asked without the broker")
    if not any(node.startswith("worker-") for node in nodes):
        return Finding("worker", None, "none answers; start `sertilink worker`, or nothing is sent")
    return Finding("worker", None, f"{', '.join(sorted(nodes))} answer")


def answering_nodes(settings: Settings, seconds: float) -> list[str] | None:
    """The Celery nodes that answer a ping within `seconds`; None where the broker is away."""
    app = create_app(settings)
    try:
        with connect(settings) as connection:
            connection.ensure_connection(max_retries=1, timeout=_PATIENCE_S)
            return list(app.control.inspect(timeout=seconds, connection=connection).ping() or {})
    except Exception:  # whatever a broker's library raises
        return None
    finally:
        app.close()
