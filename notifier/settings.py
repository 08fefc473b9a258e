"""The only reader of the environment: `SERTILINK_*` names into one frozen Settings.

Precedence: the environment, then the `_FILE` variant of a secret, then the files that `sertilink up` keeps in `var/`,
then the default. Unknown names are refused, so that a typing error never passes silently.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from notifier.core.errors import BadSettings
from notifier.core.pdf_keys import read_pdf_key
from notifier.core.schedule import read_quiet_hours
from notifier.core.segments import is_gsm7
from notifier.mail_settings import MailSettings
from notifier.setting_types import KEY_BYTES as KEY_BYTES
from notifier.setting_types import Durations, Keys, Secrets, Words, is_plain_address
from notifier.setting_types import is_p256_scalar as is_p256_scalar

PREFIX = "SERTILINK_"
TEST_PREFIX = "SERTILINK_TEST_"
SECRETS_FOLDER = "secrets"
_FILE = "_file"


class Role(StrEnum):
    """Which process reads the settings; each loads only the secrets that it needs."""

    WEB = "web"
    STAFF = "staff"
    WORKER = "worker"
    STREAM = "stream"
    CLI = "cli"


class Environment(StrEnum):
    LOCAL = "local"
    PRODUCTION = "production"


class GatewayName(StrEnum):
    CATCHER = "catcher"
    TWILIO = "twilio"


class LinkCheck(StrEnum):
    BIRTH_DATE = "birth_date"
    NONE = "none"


class SecondFactor(StrEnum):
    OPTIONAL = "optional"
    REQUIRED = "required"


class UnknownPolicy(StrEnum):
    ASK = "ask"
    RESEND_AFTER = "resend_after"
    NEVER = "never"


QUEUE_NAME = r"^[A-Za-z0-9._-]{1,100}$"
SHORTEST_SECRET = 24
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_TEMPLATE = re.compile(r"(?:[1-9][0-9]?|[a-z]{2})=HX[0-9a-f]{32}", re.ASCII)
BASE_DOORS = ("link", "verify")
#: the others are opened by name in production, all of them locally
ALL_DOORS = (*BASE_DOORS, "me", "cases", "whatsapp", "email")


class ProgrammeRules(BaseModel):
    """What may also be set in the browser, where it overrides the environment: the same rules in both places."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    delay_hours: float = Field(0, ge=0, le=48)
    quiet_hours: str = "20:00-08:00"
    person_daily_cap: int = Field(3, ge=1, le=1000)
    hold_after_hours: float = Field(72, gt=0, le=8760)
    reminders: str = Field("off", pattern="^(on|off)$")  # an SMS when the next dose may be had

    @field_validator("quiet_hours")
    @classmethod
    def _quiet_hours_can_be_read(cls, value: str) -> str:
        read_quiet_hours(value)
        return value


PROGRAMME = tuple(ProgrammeRules.model_fields)


class Settings(ProgrammeRules, MailSettings):
    """Everything that can be set. Names as in the environment, lower case, without the prefix."""

    environment: Environment = Environment.LOCAL
    database_url: str = Field("sqlite:///var/sertilink.db", repr=False)  # may hold a password
    broker_url: str = Field("sertilink-sqlite:///var/broker.db", repr=False)  # may hold a password
    public_url: str = "http://127.0.0.1:8000"
    staff_url: str = "http://127.0.0.1:8001"
    second_factor: SecondFactor = SecondFactor.OPTIONAL  # of staff; production: required unless it is set
    gateway: GatewayName = GatewayName.CATCHER
    twilio_account_sid: str | None = None
    twilio_auth_token: Secrets = ()
    twilio_from: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_api_base: str = "https://api.twilio.com"
    whatsapp_from: str | None = None  # our number there, E.164
    whatsapp_choices: Words = ()  # content templates with buttons, by the number of options: 2=HX...,5=HX...
    whatsapp_reopen: Words = ()  # approved content templates for after 24 hours, by language: id=HX...,en=HX...
    provider_timeout: float = Field(10, gt=0, le=120)  # seconds
    provider_concurrency: int = Field(200, ge=1, le=1000)  # requests in flight a process
    link_keys: Keys = ()
    data_keys: Keys = ()
    index_key: Keys = ()
    session_key: Keys = ()
    staff_session_key: Keys = ()
    signing_keys: Keys = ()
    retired_keys: Words = ()  # public: what `sertilink keys public` printed of keys that sign no more
    pdf_signing_key: SecretStr | None = None
    issuer_name: str = "Dinas Kesehatan Contoh"
    sender_name: str = "Kemenkes"
    help_phone: str = "119"
    help_email: str = "bantuan@contoh.example"
    help_whatsapp: str = "0811-0000-0000"
    doors: Words = ALL_DOORS
    proxy_hops: int = Field(0, ge=0, le=5)
    metrics_port: int | None = Field(None, ge=1, le=65535)
    link_days: int = Field(90, ge=1, le=3650)
    link_check: LinkCheck = LinkCheck.BIRTH_DATE
    link_check_reason: str | None = None
    undo_minutes: float = Field(10, ge=0, le=1440)
    bulk_approval_above: int = Field(100, ge=0)  # a bulk resend of more messages waits for a second person
    bulk_cooldown_hours: float = Field(4, ge=0, le=720)  # who got an SMS so shortly before is left out of bulks
    lease_seconds: float = Field(60, ge=1, le=86400)
    reconcile_after: Durations = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=60),
    )
    unknown_policy: UnknownPolicy = UnknownPolicy.ASK
    timezone: str = "Asia/Jakarta"
    country: str = "ID"
    allowed_countries: Words = ()  # empty: COUNTRY alone
    sender_rate: float = Field(0, ge=0)  # segments per second over all workers; 0: no limit
    catch_up_rate: float = Field(0, ge=0)  # the same while messages are long overdue; 0: as SENDER_RATE
    smooth_minutes: float = Field(30, ge=0, le=720)  # what waited for the morning is spread over so many minutes
    api_rate: float = Field(50, ge=0, le=10_000)  # requests per second an API key; 0: no limit
    codes_a_day: int = Field(5_000, ge=1)  # one-time codes over all doors and numbers; a quarter in an hour at most
    events_queue: str = Field("vaccinations", pattern=QUEUE_NAME)
    registry_queue: str | None = Field(None, pattern=QUEUE_NAME)  # what we tell the registry; none: no queue
    registry_webhook_url: str | None = None  # the same by HTTP; none: no webhook
    registry_webhook_secret: Secrets = ()  # several while it is changed: each signs
    worker_concurrency: int = Field(2, ge=1, le=64)
    data_folder: Path = Path("var")
    # how many days what may lead to a person is kept; 0: for ever (docs/privacy.md has the table)
    retention_traces_days: int = Field(30, ge=0, le=3650)  # caught SMS, receipts' bodies, settled dead letters
    retention_messages_days: int = Field(365, ge=0, le=3650)  # whom an ended message went to; LINK_DAYS at least
    retention_openings_days: int = Field(365, ge=0, le=3650)  # who looked
    retention_cases_days: int = Field(730, ge=0, le=3650)  # closed cases, notes of calls, texts of ended codes
    retention_persons_days: int = Field(365, ge=0, le=3650)  # persons without any dose left
    test_fault_points: Path | None = None  # a folder of orders to die at named points (notifier.faults); never real

    @field_validator("signing_keys")
    @classmethod
    def _signing_keys_are_scalars(cls, value: tuple[SecretBytes, ...]) -> tuple[SecretBytes, ...]:
        if not all(is_p256_scalar(key.get_secret_value()) for key in value):
            raise ValueError("each key is a private number of P-256, 32 bytes; make one with `sertilink keys new`")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("write an IANA zone, for example Asia/Makassar")
        return value

    @field_validator("doors")
    @classmethod
    def _doors_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= set(ALL_DOORS):
            raise ValueError(f"there are only the doors {', '.join(ALL_DOORS)}")
        return value

    @field_validator("whatsapp_from")
    @classmethod
    def _is_a_number(cls, value: str | None) -> str | None:
        if value is not None and not _E164.fullmatch(value):
            raise ValueError("write the number with its country, for example +6281110500567")
        return value

    @field_validator("whatsapp_choices", "whatsapp_reopen")
    @classmethod
    def _name_templates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_TEMPLATE.fullmatch(part) for part in value):
            raise ValueError("write NAME=SID, for example 5=HX followed by 32 hexadecimal digits")
        return value

    @field_validator("country", "allowed_countries")
    @classmethod
    def _countries_exist(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not {value} <= SUPPORTED_REGIONS if isinstance(value, str) else not set(value) <= SUPPORTED_REGIONS:
            raise ValueError("write two capital letters (ISO 3166), for example ID")
        return value

    @field_validator("sender_name")
    @classmethod
    def _sender_fits(cls, value: str) -> str:
        if not 1 <= len(value) <= 11 or not is_gsm7(value):
            raise ValueError("at most 11 characters of the GSM-7 alphabet")
        return value

    @field_validator("pdf_signing_key")
    @classmethod
    def _pdf_key_can_sign(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_pdf_key(value.get_secret_value())
        return value

    @field_validator("public_url", "staff_url", "twilio_api_base", "registry_webhook_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not is_plain_address(value):
            raise ValueError("write an address such as https://sertifikat.example.id")
        return urlsplit(value).geturl().rstrip("/")  # HTTPS:// becomes https://, which cookies and HSTS ask for

    @model_validator(mode="before")
    @classmethod
    def _production_has_defaults_of_its_own(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("environment") == Environment.PRODUCTION:
            return {"second_factor": SecondFactor.REQUIRED, "doors": BASE_DOORS} | given
        return given

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Settings:
        if self.gateway is GatewayName.TWILIO:
            if not self.twilio_account_sid or not self.twilio_auth_token:
                raise ValueError("GATEWAY=twilio needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
            if bool(self.twilio_from) == bool(self.twilio_messaging_service_sid):
                raise ValueError("GATEWAY=twilio needs either TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID")
        return self

    @model_validator(mode="after")
    def _registry_is_whole(self) -> Settings:
        secrets = [secret.get_secret_value() for secret in self.registry_webhook_secret]
        if self.registry_webhook_url and not secrets:
            raise ValueError("REGISTRY_WEBHOOK_URL needs REGISTRY_WEBHOOK_SECRET: what is not signed can be forged")
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"REGISTRY_WEBHOOK_SECRET: each has at least {SHORTEST_SECRET} characters")
        if self.registry_queue == self.events_queue:
            raise ValueError("REGISTRY_QUEUE: must be another than EVENTS_QUEUE, or we would read what we tell")
        return self

    @property
    def second_factor_required(self) -> bool:
        """Whether no member of staff gets in with a password alone."""
        return self.second_factor is SecondFactor.REQUIRED

    @property
    def chats(self) -> bool:
        """Whether people can write to us: the door is open, and there is a number to write to."""
        has_number = self.gateway is GatewayName.CATCHER or self.whatsapp_from is not None
        return "whatsapp" in self.doors and has_number

    @property
    def countries(self) -> frozenset[str]:
        """The countries that SMS may go to (ISO 3166)."""
        return frozenset(self.allowed_countries or (self.country,))

    @property
    def secure(self) -> bool:
        """Whether people reach us by https; decides cookie names and HSTS."""
        return self.public_url.startswith("https://")

    @property
    def staff_secure(self) -> bool:
        return self.staff_url.startswith("https://")


#: secrets that `sertilink up` makes in var/secrets/, one file each, before any process starts
GENERATED = (
    "link_keys", "data_keys", "index_key", "session_key", "staff_session_key", "signing_keys", "pdf_signing_key",
)  # fmt: skip
#: those of them that are 32 random bytes
RANDOM_KEYS = tuple(name for name in GENERATED if name != "pdf_signing_key")
SECRET_NAMES = frozenset(
    (*GENERATED, "twilio_auth_token", "registry_webhook_secret", "mail_password", "database_url", "broker_url")
)
_NEEDS: dict[Role, frozenset[str]] = {
    Role.WEB: frozenset(
        {"link_keys", "data_keys", "index_key", "session_key", "signing_keys", "pdf_signing_key", "twilio_auth_token"}
    ),
    Role.STAFF: frozenset({"link_keys", "data_keys", "index_key", "staff_session_key"}),
    Role.WORKER: frozenset({"link_keys", "data_keys", "index_key", "signing_keys", "twilio_auth_token"})
    | {"registry_webhook_secret", "mail_password"},
    Role.STREAM: frozenset({"data_keys", "index_key"}),
    Role.CLI: SECRET_NAMES,
}
_ALWAYS = frozenset({"database_url", "broker_url"})
NOT_GENERATED = "set it; production never uses a generated one"


def load_settings(environ: Mapping[str, str], role: Role = Role.CLI) -> Settings:
    """The settings of one process. Raises BadSettings, which names settings and rules, never values."""
    foreign = SECRET_NAMES - _NEEDS[role] - _ALWAYS
    given = _from_environment(environ, foreign)
    in_production = given.get("environment") == Environment.PRODUCTION
    missing = [name for name in GENERATED if name not in given and name not in foreign]
    if in_production and missing and role is not Role.CLI:
        raise BadSettings([f"{PREFIX}{name.upper()}: {NOT_GENERATED}" for name in missing])
    folder = Path(given.get("data_folder", Settings.model_fields["data_folder"].default)) / SECRETS_FOLDER
    for name in missing:
        if os.path.lexists(folder / name):  # made by `sertilink up`
            given[name] = _read_secret_file(PREFIX + name.upper(), folder / name)
    wanted: dict[str, Any] = dict(given)
    if "registry_webhook_secret" in foreign:
        wanted.pop("registry_webhook_url", None)  # only the worker posts there
    if "twilio_auth_token" in foreign and given.get("gateway") == GatewayName.TWILIO:
        # a role that never speaks to Twilio still names the gateway, without holding its token
        wanted["twilio_auth_token"] = "not-loaded"  # noqa: S105  # a placeholder, not a secret
    try:
        return Settings(**wanted)
    except ValidationError as error:
        raise BadSettings(_lines_of(error)) from None


def _from_environment(environ: Mapping[str, str], foreign: Collection[str] = ()) -> dict[str, str]:
    """What is set, by field. Secrets in `foreign` are left out, and their files are not even opened. Empty is unset."""
    names = {key: field_of(key) for key in environ if key.startswith(PREFIX) and _is_ours(key)}
    unknown = [f"{key}: there is no such setting" for key, field in names.items() if field is None]
    if unknown:
        raise BadSettings(sorted(unknown))
    given: dict[str, str] = {}
    for key, field in names.items():
        if field is None or field in foreign or environ[key] == "":
            continue
        if key[len(PREFIX) :].lower() == field:
            given[field] = environ[key]
        elif not environ.get(key[: -len(_FILE)]):  # the setting itself wins
            given[field] = _read_secret_file(key, environ[key])
    return given


def _is_ours(key: str) -> bool:
    """Whether a name must be one of our settings. The rest of SERTILINK_TEST_* is for the test suite."""
    return not key.startswith(TEST_PREFIX) or field_of(key) is not None


def field_of(key: str) -> str | None:
    """The field that a name of the environment sets, itself or through a file; None where there is none."""
    name = key[len(PREFIX) :].lower()
    if name in Settings.model_fields:
        return name
    stem = name.removesuffix(_FILE)
    return stem if stem != name and stem in SECRET_NAMES else None


def _read_secret_file(key: str, path: str | Path) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise BadSettings([f"{key}: the file cannot be read ({why})"]) from None
    if not text:
        raise BadSettings([f"{key}: the file is empty"])
    return text


def _lines_of(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        where = PREFIX + str(fault["loc"][0]).upper() + ": " if fault["loc"] else ""
        lines.append(where + fault["msg"].removeprefix("Value error, "))
    return lines
