"""Keys of our own making, and what production refuses: whoever starts a process asks here before it starts.

Reads no environment itself: it is handed the settings and the mapping that they came from.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from notifier.core.errors import BadSettings
from notifier.core.pdf_keys import PdfKey, new_pdf_key, read_pdf_key
from notifier.mail_settings import MailTls
from notifier.settings import (
    GENERATED,
    KEY_BYTES,
    NOT_GENERATED,
    PREFIX,
    RANDOM_KEYS,
    SECRETS_FOLDER,
    Environment,
    GatewayName,
    LinkCheck,
    Settings,
    field_of,
    is_p256_scalar,
)

_LEAST_DIFFERENT_BYTES = 16  # of a key's 32; a random one has 30 or so


def new_key() -> str:
    """One fresh key, as the environment and the files hold it; any of them would do as a private number of P-256."""
    raw = secrets.token_bytes(KEY_BYTES)
    while not is_p256_scalar(raw):  # one in four thousand million
        raw = secrets.token_bytes(KEY_BYTES)
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _new_secret(name: str) -> str:
    """What a generated secret's file holds."""
    return new_key() + "\n" if name in RANDOM_KEYS else new_pdf_key(datetime.now(UTC))


def make_secrets(folder: Path) -> list[str]:
    """Writes each generated secret that is missing into `folder`/secrets (mode 0600); says which. Safe to run twice at
    once: a file appears whole or not at all, and the first one wins."""
    target = folder / SECRETS_FOLDER
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    for name in GENERATED:
        path = target / name
        if path.exists():
            continue
        draft = target / f".{name}.{secrets.token_hex(6)}"
        _write_durably(draft, _new_secret(name))
        try:
            path.hardlink_to(draft)
            made.append(name)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return made


def _write_durably(path: Path, text: str) -> None:
    """A new file that only its owner reads, on disk before anything is sealed with what it holds."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _weak_keys(settings: Settings) -> list[str]:
    """A line for each setting with a key that is no random bytes, or that another setting has too."""
    lines, seen = [], dict[bytes, str]()
    for name in RANDOM_KEYS:
        for key in getattr(settings, name):
            raw = key.get_secret_value()
            if len(set(raw)) < _LEAST_DIFFERENT_BYTES:
                lines.append(f"{PREFIX}{name.upper()}: weak; make it with `sertilink keys new`")
            elif seen.setdefault(raw, name) != name:
                lines.append(f"{PREFIX}{name.upper()}: the same key as {PREFIX}{seen[raw].upper()}; give each its own")
    return lines


def pdf_key(settings: Settings) -> PdfKey | None:
    """The key that signs PDFs, where this process holds it."""
    text = settings.pdf_signing_key
    return read_pdf_key(text.get_secret_value()) if text is not None else None


def unsafe_for_production(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Every reason why these settings must not run in production, as lines that name the setting."""
    # set by anybody's standard: files of secrets that this process does not load stay closed
    given = {field_of(key) for key, value in environ.items() if key.startswith(PREFIX) and value != ""}
    lines = [
        f"{PREFIX}{name.upper()}: {NOT_GENERATED}"
        for name in GENERATED
        if name not in given and getattr(settings, name)
    ]
    signs = pdf_key(settings)
    checks = (
        (
            signs is not None and signs.made_by_us and "pdf_signing_key" in given,
            "PDF_SIGNING_KEY: made by `sertilink up`; nobody trusts it, see docs/pdf.md",
        ),
        (settings.gateway is GatewayName.CATCHER, "GATEWAY: the catcher sends nothing; set twilio"),
        (not settings.secure, "PUBLIC_URL: links need https"),
        (not settings.staff_secure, "STAFF_URL: staff need https"),
        (
            bool(settings.registry_webhook_url) and not str(settings.registry_webhook_url).startswith("https://"),
            "REGISTRY_WEBHOOK_URL: what the registry is told needs https",
        ),
        (settings.test_fault_points is not None, "TEST_FAULT_POINTS: kills processes; unset it"),
        (settings.database_url.startswith("sqlite"), "DATABASE_URL: set PostgreSQL; SQLite lives on one host"),
        (settings.broker_url.startswith("sertilink-sqlite"), "BROKER_URL: set RabbitMQ or Redis"),
        (
            settings.link_check is LinkCheck.NONE and not settings.link_check_reason,
            "LINK_CHECK_REASON: say by which law a link alone may open a certificate",
        ),
        *(
            (name not in given, f"{name.upper()}: still the sample value")
            for name in ("issuer_name", "sender_name", "help_phone", "help_email")
        ),
    )
    said = [PREFIX + text for wrong, text in (*checks, *_unsafe_mail(settings, "doors" in given)) if wrong]
    return lines + _weak_keys(settings) + said


def _unsafe_mail(settings: Settings, chose_doors: bool) -> tuple[tuple[bool, str], ...]:
    """(whether it is wrong, why) of the mailbox. `chose_doors`: the open doors are not those by default."""
    if "email" not in settings.doors:
        return ()
    clear = "passwords and letters would travel in clear; set tls or starttls"
    has_mail = settings.mail_host is not None
    return (
        (not has_mail and chose_doors, "MAIL_HOST: the door `email` is open; set it, or leave `email` out of DOORS"),
        (has_mail and settings.mail_tls is MailTls.OFF, f"MAIL_TLS: {clear}"),
        (has_mail and settings.mail_smtp_tls is MailTls.OFF, f"MAIL_SMTP_TLS: {clear}"),
        (has_mail and not settings.mail_user, "MAIL_USER: not set; without it nobody gets into the mailbox"),
        (has_mail and not settings.mail_address, "MAIL_ADDRESS: not set; say from which address letters are answered"),
    )


def refuse_unsafe(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises BadSettings with every reason where these settings would run in production and must not."""
    if settings.environment is Environment.PRODUCTION:
        unsafe = unsafe_for_production(settings, environ)
        if unsafe:
            raise BadSettings(unsafe)
