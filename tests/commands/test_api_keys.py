"""`sertilink apikey`: add, list, rotate, revoke."""

from __future__ import annotations

import json
from typing import Any

from notifier.access import api_keys
from notifier.services import Services
from tests.commands.conftest import Run
from tests.fakes import FakeClock


def _listed(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("apikey", "list", "--json").stdout)["keys"]
    return found


def test_a_key_is_made_with_kind_facility_and_end(run: Run, services: Services) -> None:
    made = json.loads(
        run("apikey", "add", "SIMPUS", "--test", "--facility", "pkm-1", "--expires", "2027-01-01", "--json").stdout
    )
    assert made["key"].startswith(f"sl_test_{made['prefix']}_")
    found = api_keys.check(services, made["key"])
    assert found is not None
    assert (found.is_test, found.facility_id) == (True, "pkm-1")
    (row,) = _listed(run)
    assert (row["kind"], row["state"], row["expires_at"]) == ("test", "live", "2026-12-31T17:00:00+00:00")
    assert made["key"].rpartition("_")[2] not in run("apikey", "list").stdout


def test_an_empty_list_says_how_to_make_a_key(run: Run) -> None:
    assert "sertilink apikey add" in run("apikey", "list").stdout


def test_a_key_is_rotated_and_the_old_one_ends_by_itself(run: Run, services: Services, clock: FakeClock) -> None:
    old = run("apikey", "add", "SIMPUS").stdout.strip()
    new = run("apikey", "rotate", old.split("_")[2], "--days", "0.5").stdout.strip()
    assert api_keys.check(services, old)
    assert api_keys.check(services, new)
    assert {row["state"] for row in _listed(run)} == {"live", "ending"}
    clock.tick(hours=12)
    assert api_keys.check(services, old) is None
    again = run("apikey", "rotate", old.split("_")[2])
    assert (again.exit_code, again.stderr) == (1, "sertilink: refused [not-live]\n")
    assert run("apikey", "rotate", new.split("_")[2], "--days", "91").exit_code == 2


def test_a_key_is_revoked_with_a_reason(run: Run, services: Services) -> None:
    key = run("apikey", "add", "SIMPUS").stdout.strip()
    assert run("apikey", "revoke", key.split("_")[2]).exit_code == 2
    assert run("apikey", "revoke", key.split("_")[2], "--reason", "lost").exit_code == 0
    assert api_keys.check(services, key) is None
    assert run("apikey", "revoke", "00000000", "--reason", "lost").exit_code == 1
