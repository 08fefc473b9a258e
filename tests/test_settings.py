"""Settings: what is read, what is refused, who gets which secret, and that no value is ever repeated."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier.core.errors import BadSettings
from notifier.safety import make_secrets
from notifier.settings import (
    ALL_DOORS,
    GENERATED,
    RANDOM_KEYS,
    Environment,
    GatewayName,
    LinkCheck,
    Role,
    Settings,
    load_settings,
)
from tests.pdf_keys import a_pdf_key

TWILIO = {"GATEWAY": "twilio", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_FROM": "+15005550006"}


def env(**values: str) -> dict[str, str]:
    return {f"SERTILINK_{name}": value for name, value in values.items()}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Loads settings whose var/ is an empty folder."""

    def loaded(role: Role = Role.CLI, **values: str) -> Settings:
        return load_settings(env(DATA_FOLDER=str(tmp_path), **values), role)

    return loaded


def lines_of(load: Any, **values: str) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as refused:
        load(**values)
    return refused.value.lines


def key(fill: int) -> str:
    return base64.urlsafe_b64encode(bytes(range(fill, fill + 32))).decode()


def test_without_any_setting_the_local_defaults_hold(load: Any) -> None:
    settings = load()
    assert settings.environment is Environment.LOCAL
    assert settings.gateway is GatewayName.CATCHER
    assert settings.link_check is LinkCheck.BIRTH_DATE
    assert (settings.quiet_hours, settings.timezone, settings.countries) == ("20:00-08:00", "Asia/Jakarta", {"ID"})
    assert (settings.delay_hours, settings.undo_minutes, settings.link_days) == (0, 10, 90)
    assert (settings.hold_after_hours, settings.person_daily_cap, settings.lease_seconds) == (72, 3, 60)
    assert settings.reconcile_after == tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))


def test_unknown_names_are_refused_all_at_once_even_empty_ones(load: Any) -> None:
    lines = lines_of(load, LNIK_DAYS="5", FOO="", LINK_DAYS_FILE="/x", COUNTRY="ID")
    assert [line.split(":")[0] for line in lines] == [
        "SERTILINK_FOO",
        "SERTILINK_LINK_DAYS_FILE",
        "SERTILINK_LNIK_DAYS",
    ]


def test_names_of_the_test_suite_and_of_others_are_none_of_our_business(load: Any) -> None:
    assert load_settings({"SERTILINK_TEST_REQUIRE": "postgres", "PATH": "/bin", "LINK_DAYS": "x"}).link_days == 90


def test_an_empty_setting_is_an_unset_one(load: Any) -> None:
    settings = load(LINK_DAYS="", TWILIO_FROM="", DOORS="", METRICS_PORT="")
    assert (settings.link_days, settings.twilio_from, settings.metrics_port) == (90, None, None)
    assert settings.doors == ALL_DOORS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod-7391"),
        ("GATEWAY", "pigeon-7391"),
        ("DELAY_HOURS", "48.7391"),
        ("DELAY_HOURS", "nan"),
        ("DELAY_HOURS", "-7391"),
        ("LINK_DAYS", "7391.5"),
        ("LINK_DAYS", "0"),
        ("LEASE_SECONDS", "inf"),
        ("LEASE_SECONDS", "1e7391"),
        ("HOLD_AFTER_HOURS", "inf"),
        ("SENDER_RATE", "-7391"),
        ("PROVIDER_TIMEOUT", "-7391"),
        ("PROXY_HOPS", "7391"),
        ("METRICS_PORT", "73910"),
        ("QUIET_HOURS", "73:91-08:00"),
        ("QUIET_HOURS", "7391"),
        ("TIMEZONE", "Asia/7391"),
        ("SENDER_NAME", "Kemenkes7391"),
        ("SENDER_NAME", "ş7391"),
        ("PUBLIC_URL", "ftp://7391.example"),
        ("PUBLIC_URL", "7391.example"),
        ("PUBLIC_URL", "https://u:7391@a.example"),
        ("PUBLIC_URL", "https://a 7391.example"),
        ("PUBLIC_URL", "https://a.example/?7391"),
        ("STAFF_URL", "https://?7391"),
        ("COUNTRY", "id"),
        ("COUNTRY", "XIDX7391"),
        ("ALLOWED_COUNTRIES", "ID,my7391"),
        ("DOORS", "link,7391"),
        ("EVENTS_QUEUE", "queue 7391/"),
        ("EVENTS_QUEUE", "q" * 101),
        ("RECONCILE_AFTER", "7391"),
        ("RECONCILE_AFTER", "1m,,7391d"),
        ("RECONCILE_AFTER", "²m"),
        ("RECONCILE_AFTER", "7391" * 9 + "h"),
        ("LINK_KEYS", "c2hvcnQ7391"),
        ("DATA_KEYS", key(1)[:-2] + "!é"),
        ("UNKNOWN_POLICY", "7391"),
        ("PDF_SIGNING_KEY", "7391"),
        ("PDF_SIGNING_KEY", "-----BEGIN PRIVATE KEY-----\n7391\n-----END PRIVATE KEY-----"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_repeated(load: Any, name: str, value: str) -> None:
    [line] = lines_of(load, **{name: value})
    assert line.startswith(f"SERTILINK_{name}: ")
    assert "7391" not in line


def test_every_wrong_value_is_named_at_once(load: Any) -> None:
    lines = lines_of(load, LINK_DAYS="x", COUNTRY="x", TIMEZONE="x")
    assert {line.split(":")[0] for line in lines} == {
        "SERTILINK_LINK_DAYS",
        "SERTILINK_COUNTRY",
        "SERTILINK_TIMEZONE",
    }


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m,5m", [60, 300]), ("30s", [30]), (" 1m , 2h ", [60, 7200]), ("90s,1h", [90, 3600])]
)
def test_durations_are_read(load: Any, text: str, seconds: list[int]) -> None:
    assert [wait.total_seconds() for wait in load(RECONCILE_AFTER=text).reconcile_after] == seconds


def test_lists_may_be_parted_by_commas_blanks_or_lines(load: Any) -> None:
    assert load(DOORS="verify link").doors == ("verify", "link")
    assert load(ALLOWED_COUNTRIES="ID\nMY, SG").countries == {"ID", "MY", "SG"}
    settings = load(LINK_KEYS=f"{key(1)}\n{key(2)},{key(3)}")
    assert [one.get_secret_value()[0] for one in settings.link_keys] == [1, 2, 3]


def test_edges_are_allowed(load: Any) -> None:
    settings = load(DELAY_HOURS="48", QUIET_HOURS="off", SENDER_NAME="ABCDEFGHIJK", PUBLIC_URL="https://a.example/x/")
    assert (settings.delay_hours, settings.quiet_hours) == (48, "off")
    assert settings.public_url == "https://a.example/x"
    assert settings.secure
    assert not settings.staff_secure


@pytest.mark.parametrize(
    ("given", "required"),
    [
        ({}, False),
        ({"SECOND_FACTOR": "required"}, True),
        ({"ENVIRONMENT": "production"}, True),
        ({"ENVIRONMENT": "production", "SECOND_FACTOR": "optional"}, False),
    ],
)
def test_production_asks_staff_for_a_second_factor_unless_it_is_told_otherwise(
    given: dict[str, str], required: bool
) -> None:
    assert load_settings(env(**given)).second_factor_required == required


@pytest.mark.parametrize(
    "address", ["//a.example", "https://[", "https://a:x", "https://a:0", "https://a:99999", "https://a\n"]
)
def test_what_is_no_plain_address_is_refused(load: Any, address: str) -> None:
    assert lines_of(load, PUBLIC_URL=address) == (
        "SERTILINK_PUBLIC_URL: write an address such as https://sertifikat.example.id",
    )


def test_an_https_address_in_capitals_is_as_secure(load: Any) -> None:
    settings = load(PUBLIC_URL="HTTPS://a.example", STAFF_URL="Https://b.example:8443/x/")
    assert settings.secure
    assert settings.staff_secure
    assert settings.staff_url == "https://b.example:8443/x"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().gateway = GatewayName.TWILIO  # type: ignore[misc]


@pytest.mark.parametrize("text", ["90", "m", "-1m", "1.5h", "9999999m", "1m 5m"])
def test_a_duration_without_number_and_unit_is_refused(load: Any, text: str) -> None:
    assert lines_of(load, RECONCILE_AFTER=text) == ("SERTILINK_RECONCILE_AFTER: write durations as 1m,5m,15m,60m",)


def test_twilio_needs_its_account_its_token_and_one_sender(load: Any) -> None:
    assert "TWILIO_ACCOUNT_SID" in lines_of(load, GATEWAY="twilio")[0]
    token = {"TWILIO_AUTH_TOKEN": "secret-token"}
    assert "TWILIO_AUTH_TOKEN" in lines_of(load, **TWILIO)[0]
    both = lines_of(load, **TWILIO, **token, TWILIO_MESSAGING_SERVICE_SID="MG1")
    assert "either" in both[0]
    assert "secret-token" not in str(both)
    assert [one.get_secret_value() for one in load(**TWILIO, **token).twilio_auth_token] == ["secret-token"]


def test_no_secret_is_in_the_representation(load: Any) -> None:
    settings = load(
        **TWILIO,
        TWILIO_AUTH_TOKEN="canary-token",
        LINK_KEYS=key(65),
        DATA_KEYS=key(65),
        SIGNING_KEYS=key(65),
        PDF_SIGNING_KEY=a_pdf_key("canary-pdf"),
        DATABASE_URL="postgresql+psycopg://u:canary-db@h/d",
        BROKER_URL="amqp://u:canary-broker@h//",
    )
    shown = repr(settings) + str(settings)
    assert "canary" not in shown
    assert "BEGIN" not in shown
    assert "ABCDEFG" not in shown
    assert key(65) not in shown


# --- secrets in files


def test_a_secret_may_lie_in_a_file(load: Any, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"\n{key(7)}\n")
    assert load(LINK_KEYS_FILE=str(file)).link_keys[0].get_secret_value()[0] == 7


@pytest.mark.parametrize("file_first", [True, False])
def test_the_setting_itself_wins_over_its_file_and_an_empty_one_does_not(tmp_path: Path, file_first: bool) -> None:
    file = tmp_path / "secret"
    file.write_text(key(7))
    for value, first_byte in ((key(9), 9), ("", 7)):
        pairs = [("SERTILINK_LINK_KEYS_FILE", str(file)), ("SERTILINK_LINK_KEYS", value)]
        environ = dict(pairs if file_first else pairs[::-1]) | env(DATA_FOLDER=str(tmp_path / "var"))
        assert load_settings(environ).link_keys[0].get_secret_value()[0] == first_byte


def test_a_file_that_cannot_be_read_is_named_by_its_setting(load: Any, tmp_path: Path) -> None:
    binary, empty = tmp_path / "binary", tmp_path / "empty"
    binary.write_bytes(b"\xff\xfesecret")
    empty.write_text(" \n")
    for path in (tmp_path / "missing-7391", tmp_path, binary, empty):
        [line] = lines_of(load, DATA_KEYS_FILE=str(path))
        assert line.startswith("SERTILINK_DATA_KEYS_FILE: the file ")
        assert str(path) not in line


def test_what_up_made_is_found_in_its_folder_and_the_environment_wins(load: Any, tmp_path: Path) -> None:
    assert make_secrets(tmp_path) == list(GENERATED)
    made = load()
    assert all(len(getattr(made, name)) == 1 for name in RANDOM_KEYS)
    assert made.pdf_signing_key is not None
    assert load(LINK_KEYS=key(7)).link_keys[0].get_secret_value()[0] == 7
    assert load(LINK_KEYS=key(7)).data_keys == made.data_keys


def test_a_made_file_that_is_empty_is_no_key(load: Any, tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "secrets" / "data_keys").write_text("")
    assert lines_of(load) == ("SERTILINK_DATA_KEYS: the file is empty",)


LOADS = {
    Role.WEB: {*GENERATED, "pdf_signing_key", "twilio_auth_token"} - {"staff_session_key"},
    Role.STAFF: {"link_keys", "data_keys", "index_key", "staff_session_key"},
    Role.WORKER: {"link_keys", "data_keys", "index_key", "signing_keys", "twilio_auth_token"},
    Role.STREAM: {"data_keys", "index_key"},
    Role.CLI: {*GENERATED, "twilio_auth_token"},
}


@pytest.mark.parametrize("role", Role)
def test_each_process_holds_only_its_own_secrets(load: Any, role: Role) -> None:
    given = {name.upper(): key(n) for n, name in enumerate(RANDOM_KEYS)}
    given |= {"PDF_SIGNING_KEY": a_pdf_key(), "TWILIO_AUTH_TOKEN": "t"}
    settings = load(role, **given)
    held = {name for name in LOADS[Role.CLI] if getattr(settings, name)}
    assert held == LOADS[role]


@pytest.mark.parametrize("role", [Role.STAFF, Role.STREAM])
def test_a_process_that_never_speaks_to_twilio_holds_no_token_of_it(load: Any, role: Role) -> None:
    for more in ({}, {"TWILIO_AUTH_TOKEN": "secret-token"}):
        settings = load(role, **TWILIO, **more)
        assert [one.get_secret_value() for one in settings.twilio_auth_token] == ["not-loaded"]


def test_files_of_other_processes_secrets_are_not_even_opened(load: Any, tmp_path: Path) -> None:
    """On a hardened host they belong to another user."""
    make_secrets(tmp_path)
    (tmp_path / "secrets" / "staff_session_key").unlink()
    (tmp_path / "secrets" / "staff_session_key").mkdir()
    settings = load(Role.WEB, STAFF_SESSION_KEY_FILE=str(tmp_path / "not-mine"))
    assert settings.link_keys
    assert not settings.staff_session_key
    [line] = lines_of(lambda **_: load(Role.STAFF))
    assert line.startswith("SERTILINK_STAFF_SESSION_KEY: the file cannot be read")
