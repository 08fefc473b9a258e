"""reconcile."""

from __future__ import annotations

import json

from notifier.intake.record import Door, record
from notifier.services import Services
from notifier.store.tables import event
from tests.builders import an_event
from tests.commands.conftest import Run


def test_all_accounted_for_exits_0_and_a_gap_exits_1(run: Run, services: Services) -> None:
    record(services, an_event(), door=Door.API, actor="door:api")
    result = run("reconcile")
    assert (result.exit_code, result.stdout) == (0, "1 events, 0 unaccounted\n")

    with services.db.write() as conn:
        conn.execute(event.update().values(outcome="pending"))
    result = run("reconcile")
    assert result.exit_code == 1
    assert "1 events without an outcome" in result.stdout

    report = json.loads(run("reconcile", "--json").stdout)
    assert (report["looked_at"], report["unaccounted"], report["found"]["pending"]) == (1, 1, 1)
    assert report["at"] == services.clock.now().isoformat()
