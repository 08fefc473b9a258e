"""The page of API keys: a secret shown once, rotation, revocation; and what two administrators do at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, KeyState, Scope
from notifier.access.roles import Role
from notifier.services import Services
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, NewDesk

FORM: dict[str, Any] = {"name": "SIMPUS", "kind": "live", "scopes": ["vaccinations:write"], "form_id": "x"}
_SECRET = re.compile(r"sl_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")


@pytest.fixture
def boss(new_desk: NewDesk) -> Desk:
    desk = new_desk("budi", Role.ADMINISTRATOR, None)
    desk.get("/keys")
    return desk


def _secret(text: str) -> str:
    (found,) = set(_SECRET.findall(text))
    return found


def test_an_empty_list_says_what_to_begin_with(boss: Desk) -> None:
    assert "Belum ada kunci" in boss.get("/keys").text


def test_a_key_is_shown_once_and_works(boss: Desk, services: Services) -> None:
    answer = boss.post("/keys", FORM | {"facility_id": "pkm-1", "expires": "2026-12-31"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    found = api_keys.check(services, _secret(answer.text))
    assert found is not None
    assert (found.name, found.scopes, found.facility_id) == ("SIMPUS", {Scope.VACCINATIONS_WRITE}, "pkm-1")
    (row, _), *_ = api_keys.listed(services)
    assert row.expires_at.isoformat() == "2026-12-31T17:00:00+00:00"  # the end of that day in Jakarta
    page = boss.get("/keys").text
    assert not _SECRET.search(page)
    assert row.prefix in page


def test_the_same_form_sent_twice_makes_one_key(boss: Desk, services: Services) -> None:
    form_id = re.findall(r'name="form_id" value="([^"]+)"', boss.get("/keys").text)[-1]
    assert boss.post("/keys", FORM | {"form_id": form_id}).status_code == 200
    again = boss.post("/keys", FORM | {"form_id": form_id})
    assert again.status_code == 409
    assert "sudah membuat satu kunci" in again.text
    assert not _SECRET.search(again.text)
    assert len(api_keys.listed(services)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"kind": "royal"}, "kind"),
        ({"expires": "yesterday"}, "expires_at"),
        ({"expires": "2026-11-01"}, "expires_at"),
        ({"expires": "9999-12-31"}, "expires_at"),
        ({"facility_id": "x" * 201}, "facility_id"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    boss: Desk, services: Services, changes: dict[str, Any], field: str
) -> None:
    answer = boss.post("/keys", FORM | {"name": "SIMPUS <Menteng>"} | changes)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    if "name" not in changes:
        assert "SIMPUS &lt;Menteng&gt;" in answer.text
    assert api_keys.listed(services) == []


def test_a_key_is_replaced_and_the_old_one_ends_by_itself(boss: Desk, services: Services, clock: FakeClock) -> None:
    old = _secret(boss.post("/keys", FORM).text)
    prefix = old.split("_")[2]
    answer = boss.post(f"/keys/{prefix}/rotate", {"overlap": "7"})
    new = _secret(answer.text)
    assert api_keys.check(services, old)
    assert api_keys.check(services, new)
    assert "Segera berakhir" in boss.get("/keys").text
    assert boss.post(f"/keys/{prefix}/rotate", {"overlap": "7"}).status_code == 409
    clock.tick(days=7)
    assert api_keys.check(services, old) is None
    assert api_keys.check(services, new)


@pytest.mark.parametrize("overlap", ["", "8", "-1", "91", "1e9"])
def test_another_overlap_is_refused(boss: Desk, services: Services, overlap: str) -> None:
    prefix = _secret(boss.post("/keys", FORM).text).split("_")[2]
    assert boss.post(f"/keys/{prefix}/rotate", {"overlap": overlap}).status_code == 422
    assert len(api_keys.listed(services)) == 1


def test_a_key_is_revoked_with_a_reason(boss: Desk, services: Services) -> None:
    key = _secret(boss.post("/keys", FORM).text)
    prefix = key.split("_")[2]
    empty = boss.post(f"/keys/{prefix}/revoke", {"reason": " "})
    assert empty.status_code == 422
    assert f'id="reason-{prefix}-problem"' in empty.text
    assert api_keys.check(services, key)
    done = boss.post(f"/keys/{prefix}/revoke", {"reason": "laptop hilang"})
    assert done.status_code == 200
    assert "laptop hilang" in done.text
    assert api_keys.check(services, key) is None
    assert boss.post(f"/keys/{prefix}/revoke", {"reason": "lagi"}).status_code == 409


def test_of_two_administrators_the_second_is_told(boss: Desk, new_desk: NewDesk, services: Services) -> None:
    prefix = _secret(boss.post("/keys", FORM).text).split("_")[2]
    other = new_desk("cici", Role.ADMINISTRATOR, None)
    other.get("/keys")
    assert boss.post(f"/keys/{prefix}/rotate", {"overlap": "0"}).status_code == 200
    late = other.post(f"/keys/{prefix}/rotate", {"overlap": "0"})
    assert late.status_code == 409
    assert "sudah tidak berlaku" in late.text
    assert sum(state is KeyState.LIVE for _, state in api_keys.listed(services)) == 1


def test_a_key_that_is_not_there_is_404(boss: Desk) -> None:
    assert boss.post("/keys/nosuchke/revoke", {"reason": "x"}).status_code == 404
    assert boss.post("/keys/nosuchke/rotate", {"overlap": "7"}).status_code == 404


def test_nobody_else_may_and_nothing_happens_without_the_csrf_token(
    app: Flask, boss: Desk, new_desk: NewDesk, services: Services
) -> None:
    for role in Role:
        if role is Role.ADMINISTRATOR:
            continue
        desk = new_desk(f"x-{role.value.replace('_', '-')}", role)
        assert desk.get("/keys").status_code == 403
        desk.get("/account")
        assert desk.post("/keys", FORM).status_code == 403
    assert boss.client.post("/keys", data=FORM).status_code == 400
    assert api_keys.listed(services) == []


def test_a_test_key_is_called_one(boss: Desk, services: Services) -> None:
    key = _secret(boss.post("/keys", FORM | {"kind": "test"}).text)
    found = api_keys.check(services, key)
    assert found is not None
    assert found.kind is KeyKind.TEST
    assert "Uji coba" in boss.get("/keys").text
