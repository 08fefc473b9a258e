"""API keys: shown once, scoped, of a kind, perhaps of one facility, ended by time, by rotation or by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, KeyState, NewKey, Scope
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.services import Services
from notifier.store import audit, tables
from tests.fakes import FakeClock


def _add(services: Services, **changes: Any) -> NewKey:
    return api_keys.add(services, **({"name": "SIMRS", "scopes": list(Scope), "actor": "test"} | changes))


def _rows(services: Services) -> list[Any]:
    return [row for row, _ in api_keys.listed(services)]


def test_a_key_opens_what_its_scopes_say(each_services: Services) -> None:
    made = _add(each_services, scopes=[Scope.VACCINATIONS_WRITE], facility_id="pkm-1")
    found = api_keys.check(each_services, made.text)
    assert found is not None
    assert (found.name, found.scopes) == ("SIMRS", {Scope.VACCINATIONS_WRITE})
    assert (found.kind, found.is_test, found.facility_id) == (KeyKind.LIVE, False, "pkm-1")
    assert made.text.startswith(f"sl_live_{found.prefix}_")
    assert found.actor == f"key:{found.prefix}"


def test_a_test_key_says_so_and_cannot_be_dressed_up_as_a_live_one(services: Services) -> None:
    made = _add(services, kind=KeyKind.TEST)
    assert made.text.startswith("sl_test_")
    found = api_keys.check(services, made.text)
    assert found is not None
    assert found.is_test
    assert api_keys.check(services, made.text.replace("sl_test_", "sl_live_")) is None
    assert api_keys.check(services, made.text.replace("sl_test_", "sl_")) is None


def test_a_key_made_before_there_were_kinds_goes_on_to_work(services: Services) -> None:
    made = _add(services)
    found = api_keys.check(services, made.text.replace("sl_live_", "sl_"))
    assert found is not None
    assert found.prefix == made.prefix


def test_the_secret_is_not_in_the_database(services: Services) -> None:
    made = _add(services)
    secret = made.text.rpartition("_")[2]
    assert len(secret) == 43  # 256 bits in base 62
    with services.db.read() as conn:
        row = conn.execute(sa.select(tables.api_key)).one()
    assert secret not in str(row)
    assert secret not in repr(made)


def test_anything_else_opens_nothing(services: Services) -> None:
    text, other = _add(services).text, _add(services, name="other").text
    head, secret = text.rsplit("_", 1)
    changed = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    wrong = ["", "sl_", secret, text + "x", f"{head}_{changed}", f"{other.rsplit('_', 1)[0]}_{secret}", text.upper()]
    assert [api_keys.check(services, one) for one in wrong] == [None] * len(wrong)


def test_a_revoked_key_opens_nothing_and_the_audit_says_why(services: Services) -> None:
    made = _add(services)
    with pytest.raises(BadInput):
        api_keys.revoke(services, made.prefix, reason=" ", actor="test")
    assert api_keys.check(services, made.text) is not None
    api_keys.revoke(services, made.prefix, reason="a laptop was lost", actor="test")
    assert api_keys.check(services, made.text) is None
    with services.db.read() as conn:
        assert audit.of_subjects(conn, [made.id])[-1].detail == {"key": made.prefix, "reason": "a laptop was lost"}
    with pytest.raises(Refused, match="not-live"):
        api_keys.revoke(services, made.prefix, reason="again", actor="test")
    with pytest.raises(NotFound):
        api_keys.revoke(services, "nosuchkey", reason="again", actor="test")


def test_a_key_ends_at_its_moment(services: Services, clock: FakeClock) -> None:
    text = _add(services, expires_at=clock.now() + timedelta(days=1)).text
    clock.tick(hours=23, minutes=59)
    assert api_keys.check(services, text) is not None
    clock.tick(minutes=1)
    assert api_keys.check(services, text) is None
    assert api_keys.listed(services)[0][1] is KeyState.EXPIRED


def test_while_a_key_is_rotated_both_open_and_then_the_old_one_ends_by_itself(
    each_services: Services, clock: FakeClock
) -> None:
    old = _add(each_services, scopes=[Scope.NOTIFICATIONS_READ], facility_id="pkm-1", kind=KeyKind.TEST)
    new = api_keys.rotate(each_services, old.prefix, overlap=timedelta(days=7), actor="test")
    both = [api_keys.check(each_services, key.text) for key in (old, new)]
    assert [(key.scopes, key.facility_id, key.kind) for key in both if key] == [
        ({Scope.NOTIFICATIONS_READ}, "pkm-1", KeyKind.TEST)
    ] * 2
    assert [state for _, state in api_keys.listed(each_services)].count(KeyState.ENDING) == 1
    clock.tick(days=7)
    assert api_keys.check(each_services, old.text) is None
    assert api_keys.check(each_services, new.text) is not None


def test_a_successor_lives_as_long_as_the_old_key_was_meant_to(services: Services, clock: FakeClock) -> None:
    old = _add(services, expires_at=clock.now() + timedelta(days=30))
    clock.tick(days=29)
    new = api_keys.rotate(services, old.prefix, overlap=timedelta(days=7), actor="test")
    clock.tick(days=1)
    assert api_keys.check(services, old.text) is None  # an overlap lengthens no life
    clock.tick(days=28)
    assert api_keys.check(services, new.text) is not None


def test_of_many_rotations_at_once_one_wins(each_services: Services) -> None:
    old = _add(each_services)

    def rotate(_: int) -> str:
        try:
            return api_keys.rotate(each_services, old.prefix, overlap=timedelta(days=1), actor="test").text
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(rotate, range(4)))
    assert answers.count("rotated-before") == 3
    assert len(_rows(each_services)) == 2


def test_a_dead_key_is_not_rotated_nor_one_for_too_long(services: Services) -> None:
    made = _add(services)
    with pytest.raises(BadInput):
        api_keys.rotate(services, made.prefix, overlap=timedelta(days=91), actor="test")
    api_keys.revoke(services, made.prefix, reason="lost", actor="test")
    with pytest.raises(Refused, match="not-live"):
        api_keys.rotate(services, made.prefix, overlap=timedelta(days=1), actor="test")
    assert len(_rows(services)) == 1


def test_one_form_makes_one_key(services: Services) -> None:
    made = _add(services)
    with pytest.raises(Refused, match="made-before"):
        _add(services, key_id=made.id)
    assert len(_rows(services)) == 1


def test_the_last_use_is_kept_to_the_minute(services: Services, clock: FakeClock) -> None:
    text = _add(services).text
    assert _rows(services)[0].last_used_at is None
    api_keys.check(services, text)
    first = clock.now()
    clock.tick(seconds=30)
    api_keys.check(services, text)
    assert _rows(services)[0].last_used_at == first
    clock.tick(seconds=30)
    api_keys.check(services, text)
    assert _rows(services)[0].last_used_at == clock.now()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"scopes": []}, "scopes"),
        ({"facility_id": "x" * 201}, "facility_id"),
        ({"expires_at": "past"}, "expires_at"),
        ({"expires_at": "far"}, "expires_at"),
    ],
)
def test_a_key_that_breaks_a_rule_is_refused(
    services: Services, clock: FakeClock, changes: dict[str, Any], field: str
) -> None:
    moments = {"past": clock.now(), "far": clock.now() + timedelta(days=4000)}
    with pytest.raises(BadInput) as caught:
        _add(
            services,
            **{name: moments.get(value, value) if name == "expires_at" else value for name, value in changes.items()},
        )
    assert [problem.field for problem in caught.value.problems] == [field]
    assert _rows(services) == []
