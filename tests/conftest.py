"""Fixtures that all rooms share. `services` is the real wiring on a temporary database, with fake clock and gateway."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as of_properties
from pydantic import SecretBytes, SecretStr

from notifier.core.link_tokens import LinkSigner
from notifier.services import Services, build
from notifier.settings import Settings
from notifier.store.migrate import upgrade
from tests.canaries import Listener
from tests.databases import new_sqlite, postgres_database
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway
from tests.pdf_keys import a_pdf_key
from tests.requirements import require

ROOT = Path(__file__).resolve().parents[1]

# an example may take as long as a busy machine needs: what is too slow is shown by the bench
of_properties.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# the same examples in every run of .ci/run, as hypothesis itself has it there: the search for new ones is `make test`'s
of_properties.register_profile("repeated", of_properties.get_profile("unhurried"), derandomize=True, database=None)
of_properties.load_profile("repeated" if "SERTILINK_TEST_REPEATED" in os.environ else "unhurried")

#: rooms whose tests wait for real processes: they begin first, so that none is left over at the end for one worker
_SLOW = ("faults", "flows", "proof", "browser", "broker", "stream", "commands")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow rooms first."""
    rooms = {item: item.path.relative_to(ROOT / "tests").parts[0] for item in items}
    items.sort(key=lambda item: _SLOW.index(rooms[item]) if rooms[item] in _SLOW else len(_SLOW))


TEST_KEYS: dict[str, Any] = {
    name: (SecretBytes(name.encode().ljust(32, b"-")),)
    for name in ("link_keys", "data_keys", "index_key", "session_key", "staff_session_key", "signing_keys")
}
TEST_PDF_KEY = a_pdf_key()


@pytest.fixture(autouse=True)
def no_log_line_holds_personal_data() -> Iterator[None]:
    """The canary test of the whole suite: whatever any test makes our code log, at any level, is listened to."""
    listener = Listener(LinkSigner([key.get_secret_value() for key in TEST_KEYS["link_keys"]]))
    root = logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield
    root.removeHandler(listener)
    root.setLevel(level)
    assert listener.leaks == []


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture(params=["sqlite", "postgres"])
def each_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without rows of either kind: for contract suites."""
    if request.param == "sqlite":
        yield new_sqlite(tmp_path / "sertilink.db")
        return
    require("postgres")
    with postgres_database() as url:
        yield url


Build = Callable[..., Services]


@pytest.fixture
def build_services(tmp_path: Path, clock: FakeClock, gateway: FakeGateway) -> Iterator[Build]:
    """Builds Services with settings of the test's choice on a migrated database."""
    built: list[Services] = []

    def make(**settings: Any) -> Services:
        defaults: dict[str, Any] = {
            "database_url": new_sqlite(tmp_path / "sertilink.db"),
            "data_folder": tmp_path,
            "pdf_signing_key": SecretStr(TEST_PDF_KEY),
            "smooth_minutes": 0,  # so that the morning is one moment; the tests of smoothing set it
        }
        values = defaults | TEST_KEYS | settings
        services = replace(build(Settings(**values), clock), gateway=gateway)
        upgrade(services.db)
        built.append(services)
        return services

    yield make
    for services in built:
        services.db.close()


@pytest.fixture
def services(build_services: Build) -> Services:
    """On SQLite."""
    return build_services()


@pytest.fixture
def each_services(build_services: Build, each_database_url: str) -> Services:
    """On SQLite, then on PostgreSQL."""
    return build_services(database_url=each_database_url)


@pytest.fixture
def desk(services: Services) -> Desk:
    """An installation on SQLite."""
    return Desk(services)


@pytest.fixture
def each_desk(each_services: Services) -> Desk:
    """An installation on SQLite, then on PostgreSQL."""
    return Desk(each_services)
