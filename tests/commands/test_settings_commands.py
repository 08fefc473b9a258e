"""config show, keys new, db, user, apikey add."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.access import api_keys
from notifier.access.passwords import Passwords
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import Settings, load_settings
from notifier.store import audit, staff
from notifier.store.engine import Database
from notifier.store.sealed import Sealer, may_join
from notifier.support import programme
from tests.commands.conftest import Run
from tests.conftest import TEST_KEYS
from tests.fakes import FakeClock


def test_config_show_masks_every_secret_and_names_each_source(run: Run, tmp_path: Path) -> None:
    make_secrets(tmp_path)
    kept = (tmp_path / "secrets" / "link_keys").read_text().strip()
    environ = {
        "SERTILINK_DATABASE_URL": "postgresql+psycopg://sertilink:hunter2@db.example/sertilink",
        "SERTILINK_GATEWAY": "twilio",
        "SERTILINK_TWILIO_ACCOUNT_SID": "AC1",
        "SERTILINK_TWILIO_AUTH_TOKEN": "first-token,second-token",
        "SERTILINK_TWILIO_FROM": "+15005550006",
    }
    result = run("config", "show", "--json", environ=environ)
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["SERTILINK_LINK_KEYS"] == {"value": "•••• (1)", "source": "generated"}
    assert shown["SERTILINK_TWILIO_AUTH_TOKEN"] == {"value": "•••• (2)", "source": "environment"}
    assert shown["SERTILINK_DATABASE_URL"]["value"] == "postgresql+psycopg://sertilink:••••@db.example/sertilink"
    assert shown["SERTILINK_LINK_DAYS"] == {"value": "90", "source": "default"}
    for secret in (kept, "hunter2", "first-token", "second-token"):
        assert secret not in result.output


def test_config_show_says_when_a_secret_comes_from_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret-token\n")
    result = run("config", "show", environ={"SERTILINK_TWILIO_AUTH_TOKEN_FILE": str(path)})
    assert "SERTILINK_TWILIO_AUTH_TOKEN=•••• (1)  # file" in result.output
    assert "secret-token" not in result.output


def test_config_show_says_what_was_set_in_the_browser(run: Run, services: Services) -> None:
    environ = {"SERTILINK_DATABASE_URL": services.settings.database_url, "SERTILINK_DELAY_HOURS": "1"}
    programme.change(services, {"delay_hours": "2,5"}, base=0, reason="bulan puasa", actor="test")
    shown = json.loads(run("config", "show", "--json", environ=environ).stdout)
    assert shown["SERTILINK_DELAY_HOURS"] == {"value": "2.5", "source": "programme settings"}
    assert shown["SERTILINK_QUIET_HOURS"] == {"value": "20:00-08:00", "source": "default"}


def test_config_show_begins_no_database(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "never.db"
    assert run("config", "show", environ={"SERTILINK_DATABASE_URL": f"sqlite:///{path}"}).exit_code == 0
    assert not path.exists()


def test_config_show_works_while_the_database_does_not(run: Run) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    result = run("config", "show", "--json", environ={"SERTILINK_DATABASE_URL": url})
    assert result.exit_code == 0
    assert "programme settings are not shown" in result.stderr
    assert json.loads(result.stdout)["SERTILINK_DELAY_HOURS"]["source"] == "default"


def test_an_unknown_setting_is_one_clear_line_and_exit_1(run: Run) -> None:
    result = run("config", "show", environ={"SERTILINK_LINK_DAY": "9", "SERTILINK_TIMEZONE": "Jakarta"})
    assert result.exit_code == 1
    assert result.stderr == "sertilink: SERTILINK_LINK_DAY: there is no such setting\n"


def test_a_wrong_option_is_exit_2(run: Run) -> None:
    assert run("config", "show", "--no-such-option").exit_code == 2


def test_the_public_half_of_each_signing_key_is_printed_oldest_first(run: Run) -> None:
    keys = [json.loads(run("keys", "new", "--json").stdout)["SERTILINK_SIGNING_KEYS"] for _ in range(2)]

    def public(**names: str) -> list[dict[str, str]]:
        environ = {f"SERTILINK_{name}": value for name, value in names.items()}
        found: list[dict[str, str]] = json.loads(run("keys", "public", "--json", environ=environ).stdout)["keys"]
        return found

    (first,) = public(SIGNING_KEYS=keys[0])
    old, new = public(SIGNING_KEYS=",".join(keys))
    assert (old, set(new)) == (first, {"kid", "hc1_kid", "certificate"})
    assert public(SIGNING_KEYS=keys[1], RETIRED_KEYS=old["certificate"]) == [old, new]
    shown = run("keys", "public", environ={"SERTILINK_SIGNING_KEYS": ",".join(keys)}).stdout
    assert new["kid"] in shown
    assert not any(key in shown for key in keys)


def test_new_keys_can_be_used_as_they_are_printed(run: Run) -> None:
    lines = run("keys", "new").stdout.split()
    assert [line.split("=")[0] for line in lines] == [
        "SERTILINK_LINK_KEYS",
        "SERTILINK_DATA_KEYS",
        "SERTILINK_INDEX_KEY",
        "SERTILINK_SESSION_KEY",
        "SERTILINK_STAFF_SESSION_KEY",
        "SERTILINK_SIGNING_KEYS",
    ]
    assert "SERTILINK_PDF_SIGNING_KEY" in run("keys", "new").stderr  # no authority answers a command
    settings = load_settings(dict(line.split("=", 1) for line in lines))
    assert len(settings.link_keys[0].get_secret_value()) == 32
    assert json.loads(run("keys", "new", "--json").stdout).keys() == {line.split("=")[0] for line in lines}
    assert run("keys", "new").stdout.split() != lines


@pytest.mark.parametrize("name", ["LINK_KEYS", "DATA_KEYS", "SESSION_KEY", "STAFF_SESSION_KEY", "SIGNING_KEYS"])
def test_a_rotated_key_stands_behind_the_older_ones(run: Run, name: str) -> None:
    setting = f"SERTILINK_{name}"
    old = json.loads(run("keys", "new", "--json").stdout)[setting]
    said, _, line = run("keys", "rotate", name.lower(), environ={setting: old}).stdout.strip().partition("=")
    first, new = line.split(",")
    assert (said, first) == (setting, old)
    assert new != old
    again = json.loads(run("keys", "rotate", name, "--json", environ={setting: line}).stdout)[setting]
    assert again.split(",")[:2] == [old, new]


def test_a_fresh_data_key_is_told_from_all_that_stand_before_it(run: Run) -> None:
    held: list[bytes] = []
    for number in range(10_000):
        key = hashlib.sha256(str(number).encode()).digest()
        if len(held) < 200 and may_join(key, held):
            held.append(key)
    line = ",".join(base64.urlsafe_b64encode(key).decode() for key in held)
    for _ in range(3):  # a key made without looking would stand in the way four times in five
        line = json.loads(run("keys", "rotate", "data_keys", "--json", environ={"SERTILINK_DATA_KEYS": line}).stdout)[
            "SERTILINK_DATA_KEYS"
        ]
    keys = [key.get_secret_value() for key in load_settings({"SERTILINK_DATA_KEYS": line}).data_keys]
    assert len(keys) == 203
    Sealer(keys, bytes(32))  # which refuses two that it could not tell apart


def test_what_cannot_be_rotated_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("keys", "rotate", "INDEX_KEY").exit_code == 2
    empty = run("keys", "rotate", "LINK_KEYS", environ={"SERTILINK_DATA_FOLDER": str(tmp_path / "empty")})
    assert (empty.exit_code, empty.stdout) == (1, "")
    assert "SERTILINK_LINK_KEYS: not set" in empty.stderr


@pytest.fixture
def unmigrated(tmp_path: Path, clock: FakeClock) -> Services:
    """Real parts on an empty database."""
    return build(Settings(database_url=f"sqlite:///{tmp_path}/empty.db", data_folder=tmp_path, **TEST_KEYS), clock)


def test_db_check_fails_until_the_database_is_upgraded(run: Run, unmigrated: Services) -> None:
    behind = run("db", "check", using=unmigrated)
    assert behind.exit_code == 1
    assert "run `sertilink db upgrade`" in behind.output
    assert run("db", "upgrade", using=unmigrated).exit_code == 0
    now = run("db", "check", "--json", using=unmigrated)
    assert now.exit_code == 0
    assert json.loads(now.stdout)["behind"] is False


def test_a_command_on_a_database_that_is_behind_says_so(run: Run, unmigrated: Services) -> None:
    result = run("status", using=unmigrated)
    assert result.exit_code == 1
    assert result.stderr == "sertilink: the database is behind this version; run `sertilink db upgrade`\n"


def _check(services: Services, username: str, password: str) -> bool:
    with services.db.read() as conn:
        row = staff.find(conn, username)
    assert row is not None
    return Passwords().check(row.password_hash, password).right


def test_a_user_is_added_with_a_password_from_standard_input(run: Run, services: Services) -> None:
    arguments = ("user", "add", "Siti", "--role", "health_worker", "--facility", "pkm-1", "--password-stdin")
    result = run(*arguments, input="kuda hitam di padang rumput\n")
    assert result.exit_code == 0, result.output
    assert "kuda" not in result.output
    assert _check(services, "siti", "kuda hitam di padang rumput")


def test_a_generated_password_is_printed_once_and_works(run: Run, services: Services) -> None:
    report = json.loads(run("user", "add", "budi", "--role", "operator", "--generate", "--json").stdout)
    assert _check(services, "budi", report["password"])


def test_the_password_is_asked_for_twice_and_not_shown(run: Run, services: Services) -> None:
    result = run("user", "add", "wati", "--role", "auditor", input="kuda hitam di padang\nkuda hitam di padang\n")
    assert result.exit_code == 0, result.output
    assert "kuda" not in result.output
    assert _check(services, "wati", "kuda hitam di padang")


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        (("user", "add", "siti", "--role", "health_worker", "--generate"), "facility_id", "required"),
        (("user", "add", "x", "--role", "operator", "--generate"), "username", "username"),
    ],
)
def test_a_refused_account_names_field_and_rule(run: Run, arguments: tuple[str, ...], field: str, rule: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sertilink: {field}: ")
    assert result.stderr.endswith(f"[{rule}]\n")


def test_a_weak_password_and_a_taken_name_are_refused(run: Run) -> None:
    weak = run("user", "add", "siti", "--role", "operator", "--password-stdin", input="pendek\n")
    assert "[password-short]" in weak.stderr
    assert run("user", "add", "siti", "--role", "operator", "--generate").exit_code == 0
    assert "[username-taken]" in run("user", "add", "siti", "--role", "operator", "--generate").stderr


def test_a_reset_password_is_a_first_one_and_a_reset_second_factor_is_gone(run: Run, services: Services) -> None:
    run("user", "add", "budi", "--role", "operator", "--generate")
    with services.db.write() as conn:
        row = staff.find(conn, "budi")
        assert row is not None
        staff.update(conn, row.id, totp_sealed=b"sealed")
    report = json.loads(run("user", "reset-password", " Budi", "--reason", "forgot it", "--json").stdout)
    assert _check(services, "budi", report["password"])
    result = run("user", "reset-second-factor", "budi", "--reason", "lost the phone")
    assert result.output == "second factor taken away: budi\n"
    with services.db.read() as conn:
        row = staff.find(conn, "budi")
        assert row is not None
        assert row.first_password_until is not None
        assert row.totp_sealed is None
        told = [(one.action, one.detail.get("reason")) for one in audit.of_subjects(conn, [row.id])]
    assert told[1:] == [("staff.password-reset", "forgot it"), ("staff.second-factor-reset", "lost the phone")]


def test_what_cannot_be_reset_is_one_clear_line(run: Run) -> None:
    run("user", "add", "budi", "--role", "operator", "--generate")
    assert "[not-found]" in run("user", "reset-password", "nobody", "--reason", "x").stderr
    again = run("user", "reset-second-factor", "budi", "--reason", "x")
    assert (again.exit_code, again.stderr) == (1, "sertilink: refused [account-as-it-is]\n")
    assert run("user", "reset-password", "budi").exit_code == 2  # no reason


def test_an_api_key_is_printed_once_and_works(run: Run, services: Services) -> None:
    key = run("apikey", "add", "SIMPUS", "--scope", "vaccinations:write").stdout.strip()
    found = api_keys.check(services, key)
    assert found is not None
    assert found.name == "SIMPUS"
    assert found.scopes == {api_keys.Scope.VACCINATIONS_WRITE}


def test_a_database_that_is_away_is_one_line_without_a_traceback(
    run: Run, services: Services, clock: FakeClock
) -> None:
    away = replace(services, db=Database("postgresql+psycopg://nobody@127.0.0.1:1/none", clock))
    result = run("status", using=away)
    assert result.exit_code == 1
    assert result.stderr == "sertilink: SERTILINK_DATABASE_URL: the database failed (OperationalError)\n"
