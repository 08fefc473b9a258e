"""API keys: shown once, scoped, revocable."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.core.errors import BadInput, NotFound
from notifier.services import Services
from notifier.store import staff, tables
from tests.fakes import FakeClock


def test_a_key_opens_what_its_scopes_say(each_services: Services) -> None:
    text = api_keys.add(each_services, name="SIMRS", scopes=[Scope.VACCINATIONS_WRITE], actor="test")
    found = api_keys.check(each_services, text)
    assert found is not None
    assert (found.name, found.scopes) == ("SIMRS", {Scope.VACCINATIONS_WRITE})
    assert text.startswith(f"sl_{found.prefix}_")
    assert found.actor == f"key:{found.prefix}"


def test_the_secret_is_not_in_the_database(services: Services) -> None:
    text = api_keys.add(services, name="SIMRS", scopes=list(Scope), actor="test")
    secret = text.rpartition("_")[2]
    assert len(secret) == 43  # 256 bits in base 62
    with services.db.read() as conn:
        row = conn.execute(sa.select(tables.api_key)).one()
    assert secret not in str(row)


def test_anything_else_opens_nothing(services: Services) -> None:
    text = api_keys.add(services, name="SIMRS", scopes=list(Scope), actor="test")
    other = api_keys.add(services, name="other", scopes=list(Scope), actor="test")
    head, secret = text.rsplit("_", 1)
    changed = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    wrong = ["", "sl_", secret, text + "x", f"{head}_{changed}", f"{other.rsplit('_', 1)[0]}_{secret}", text.upper()]
    assert [api_keys.check(services, one) for one in wrong] == [None] * len(wrong)


def test_a_revoked_key_opens_nothing(services: Services) -> None:
    text = api_keys.add(services, name="SIMRS", scopes=list(Scope), actor="test")
    prefix = text.split("_")[1]
    api_keys.revoke(services, prefix, actor="test")
    assert api_keys.check(services, text) is None
    with pytest.raises(NotFound):
        api_keys.revoke(services, prefix, actor="test")


def test_the_last_use_is_kept_to_the_minute(services: Services, clock: FakeClock) -> None:
    text = api_keys.add(services, name="SIMRS", scopes=list(Scope), actor="test")

    def last_use() -> object:
        with services.db.read() as conn:
            return staff.all_keys(conn)[0].last_used_at

    assert last_use() is None
    api_keys.check(services, text)
    first = clock.now()
    clock.tick(seconds=30)
    api_keys.check(services, text)
    assert last_use() == first
    clock.tick(seconds=30)
    api_keys.check(services, text)
    assert last_use() == clock.now()


def test_a_key_without_name_or_scope_is_refused(services: Services) -> None:
    with pytest.raises(BadInput):
        api_keys.add(services, name=" ", scopes=list(Scope), actor="test")
    with pytest.raises(BadInput):
        api_keys.add(services, name="SIMRS", scopes=[], actor="test")
