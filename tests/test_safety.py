"""What production refuses, and the secrets that `sertilink up` makes."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.core.errors import BadSettings
from notifier.core.pdf_keys import new_pdf_key
from notifier.safety import make_secrets, new_key, unsafe_for_production
from notifier.settings import GENERATED, RANDOM_KEYS, Role, load_settings
from tests.pdf_keys import a_pdf_key
from tests.test_settings import TWILIO, env, key


def production(**changes: str) -> dict[str, str]:
    values = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": "postgresql+psycopg://h/d",
        "BROKER_URL": "amqp://h//",
        "PUBLIC_URL": "https://a.example",
        "STAFF_URL": "https://b.example",
        "ISSUER_NAME": "Dinas",
        "SENDER_NAME": "Dinas",
        "HELP_PHONE": "119",
        "HELP_EMAIL": "a@b.example",
        "TWILIO_AUTH_TOKEN": "t",
        **TWILIO,
        "PDF_SIGNING_KEY": a_pdf_key(),
        **{name.upper(): new_key() for name in RANDOM_KEYS},
    }
    return env(**{name: value for name, value in (values | changes).items() if value})


def unsafe(**changes: str) -> list[str]:
    environ = production(**changes)
    return unsafe_for_production(load_settings(environ), environ)


def test_a_whole_production_environment_is_safe() -> None:
    assert unsafe() == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"GATEWAY": ""}, "GATEWAY"),
        ({"PUBLIC_URL": "http://a.example"}, "PUBLIC_URL"),
        ({"STAFF_URL": "http://b.example"}, "STAFF_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"BROKER_URL": ""}, "BROKER_URL"),
        ({"LINK_CHECK": "none"}, "LINK_CHECK_REASON"),
        ({"ISSUER_NAME": ""}, "ISSUER_NAME"),
        ({"SENDER_NAME": ""}, "SENDER_NAME"),
        ({"HELP_PHONE": ""}, "HELP_PHONE"),
        ({"HELP_EMAIL": ""}, "HELP_EMAIL"),
        ({"LINK_KEYS": base64.b64encode(b"a" * 32).decode()}, "LINK_KEYS"),
        ({"DATA_KEYS": base64.b64encode(b"ab" * 16).decode()}, "DATA_KEYS"),
    ],
)
def test_each_unsafe_setting_is_one_line_that_names_it(changes: dict[str, str], name: str) -> None:
    [line] = unsafe(**changes)
    assert line.startswith(f"SERTILINK_{name}: ")


def test_one_key_for_two_purposes_is_unsafe() -> None:
    [line] = unsafe(SESSION_KEY=key(1), STAFF_SESSION_KEY=key(1))
    assert line.startswith("SERTILINK_STAFF_SESSION_KEY: the same key as SERTILINK_SESSION_KEY")
    assert key(1) not in line


def test_a_reason_makes_a_link_without_a_birth_date_allowed() -> None:
    assert unsafe(LINK_CHECK="none", LINK_CHECK_REASON="Permenkes 1/2026") == []


def test_generated_keys_are_unsafe_in_production_whatever_the_process(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    environ = production(DATA_FOLDER=str(tmp_path), LINK_KEYS="", DATA_KEYS="")
    lines = unsafe_for_production(load_settings(environ), environ)
    assert [line.split(":")[0] for line in lines] == ["SERTILINK_LINK_KEYS", "SERTILINK_DATA_KEYS"]
    with pytest.raises(BadSettings, match="SERTILINK_LINK_KEYS"):
        load_settings(environ, Role.WORKER)


@pytest.mark.parametrize("role", [Role.WEB, Role.STAFF, Role.WORKER, Role.STREAM])
def test_a_production_process_without_a_key_that_it_needs_does_not_start(tmp_path: Path, role: Role) -> None:
    environ = production(DATA_FOLDER=str(tmp_path), INDEX_KEY="")
    with pytest.raises(BadSettings, match="SERTILINK_INDEX_KEY"):
        load_settings(environ, role)


def test_the_key_that_up_made_is_unsafe_in_production_even_when_it_is_set_by_hand() -> None:
    [line] = unsafe(PDF_SIGNING_KEY=new_pdf_key(datetime.now(UTC)))
    assert line.startswith("SERTILINK_PDF_SIGNING_KEY: made by `sertilink up`")


def test_a_certificate_for_pdfs_that_has_ended_keeps_nobody_from_starting() -> None:
    """Links and the verify page matter more; `sertilink check` tells a month before."""
    assert unsafe(PDF_SIGNING_KEY=a_pdf_key(until=datetime(2026, 1, 2, tzinfo=UTC))) == []


def test_where_pdfs_are_served_production_does_not_start_without_a_key_for_them(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    environ = production(DATA_FOLDER=str(tmp_path), PDF_SIGNING_KEY="")
    assert [line.split(":")[0] for line in unsafe_for_production(load_settings(environ), environ)] == [
        "SERTILINK_PDF_SIGNING_KEY"
    ]
    with pytest.raises(BadSettings, match="SERTILINK_PDF_SIGNING_KEY"):
        load_settings(environ, Role.WEB)
    for role in (Role.STAFF, Role.WORKER, Role.STREAM):
        assert load_settings(environ, role).pdf_signing_key is None


def test_keys_that_lie_in_files_are_set_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(new_key())
    environ = production(LINK_KEYS="", LINK_KEYS_FILE=str(file))
    assert unsafe_for_production(load_settings(environ), environ) == []


def test_of_many_that_make_secrets_at_once_one_wins_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [name for names in pool.map(lambda _: make_secrets(tmp_path), range(8)) for name in names]
    assert sorted(made) == sorted(GENERATED)
    folder = tmp_path / "secrets"
    assert sorted(path.name for path in folder.iterdir()) == sorted(GENERATED)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_making_secrets_again_changes_nothing(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    assert make_secrets(tmp_path) == []
    assert before == {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    assert len(set(before.values())) == len(GENERATED)


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    (tmp_path / "secrets" / "session_key").unlink()
    assert make_secrets(tmp_path) == ["session_key"]


def test_a_new_key_has_32_random_bytes() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    assert {len(base64.urlsafe_b64decode(text + "=")) for text in made} == {32}
