"""Whatever is done to the audit behind our back is found, and what is not found without an anchor is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.messages import audit_watch
from notifier.services import Services
from notifier.store import audit, audit_chain
from notifier.store.audit_chain import Fault
from notifier.store.tables import audit as rows
from notifier.store.tables import audit_checkpoint as checkpoints
from tests.commands.conftest import Run, run, sleeps  # noqa: F401  # fixtures
from tests.fakes import FakeClock

_ROWS = 9


def write(services: Services, clock: FakeClock, count: int = 3) -> None:
    with services.db.write() as conn:
        for number in range(count):
            audit.write(conn, at=clock.now(), actor="a", action="b.c", subject="d", subject_id=f"{number}", n=number)
            clock.tick(seconds=1)
        audit.seal(conn)


@pytest.fixture
def chained(each_services: Services, clock: FakeClock) -> Services:
    """Nine rows; checkpoints at 3 and 6."""
    for number in range(3):
        write(each_services, clock)
        if number < 2:
            audit_watch.watch(each_services)
            clock.tick(hours=1)
    return each_services


def verdict(services: Services, anchors: dict[int, bytes] | None = None) -> audit_chain.Verdict:
    with services.db.read() as conn:
        return audit_chain.verify(conn, services.sealer, anchors)


def at(position: int) -> sa.ColumnElement[bool]:
    return rows.c.position == position


def change(conn: Connection) -> None:
    conn.execute(rows.update().where(at(5)).values(actor="somebody else"))


def delete(conn: Connection) -> None:
    conn.execute(rows.delete().where(at(5)))


def delete_first(conn: Connection) -> None:
    conn.execute(rows.delete().where(at(1)))


def close_the_gap(conn: Connection) -> None:
    conn.execute(rows.delete().where(at(5)))
    for position in range(6, _ROWS + 1):
        conn.execute(rows.update().where(at(position)).values(position=position - 1))


def swap(conn: Connection) -> None:
    for old, new in ((4, -4), (5, 4), (-4, 5)):
        conn.execute(rows.update().where(at(old)).values(position=new))


def slip_in(conn: Connection) -> None:
    for position in range(_ROWS, 4, -1):
        conn.execute(rows.update().where(at(position)).values(position=position + 1))
    sixth = conn.execute(rows.select().where(at(6))).one()
    conn.execute(rows.insert(), {**sixth._mapping, "id": new_id(), "position": 5})


def rechain(conn: Connection) -> None:
    """What somebody who can write every row and knows our code would do after a change."""
    head = audit.FIRST
    for position, row in enumerate(conn.execute(rows.select().order_by(rows.c.position)).all(), 1):
        head = audit.link_hash(head, position, row)
        conn.execute(rows.update().where(rows.c.id == row.id).values(position=position, chain_hash=head))


def change_and_rechain(conn: Connection) -> None:
    change(conn)
    rechain(conn)


def delete_and_rechain(conn: Connection) -> None:
    delete(conn)
    rechain(conn)


def cut_off(conn: Connection) -> None:
    conn.execute(rows.delete().where(rows.c.position > 4))


def cut_all_off(conn: Connection) -> None:
    conn.execute(rows.delete())


def forge(conn: Connection) -> None:
    change_and_rechain(conn)
    head = conn.execute(rows.select().where(at(6))).one().chain_hash
    conn.execute(checkpoints.update().where(checkpoints.c.position == 6).values(chain_hash=head))


def move_checkpoint(conn: Connection) -> None:
    conn.execute(checkpoints.update().where(checkpoints.c.position == 6).values(position=7))


ATTACKS: dict[Callable[[Connection], None], tuple[int, Fault]] = {
    change: (5, Fault.CHANGED),
    delete: (5, Fault.MISSING),
    delete_first: (1, Fault.MISSING),
    close_the_gap: (5, Fault.CHANGED),
    swap: (4, Fault.CHANGED),
    slip_in: (5, Fault.CHANGED),
    change_and_rechain: (6, Fault.REWRITTEN),
    delete_and_rechain: (6, Fault.REWRITTEN),
    cut_off: (5, Fault.CUT_OFF),
    cut_all_off: (1, Fault.CUT_OFF),
    forge: (6, Fault.FORGED),
    move_checkpoint: (7, Fault.FORGED),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_each_change_behind_our_back_is_found_at_its_place(
    chained: Services, attack: Callable[[Connection], None]
) -> None:
    before = verdict(chained)
    assert (before.holds, before.position, before.checkpoints) == (True, _ROWS, 2)
    with chained.db.write() as conn:
        attack(conn)
    found = verdict(chained)
    assert (found.broken_at, found.fault) == ATTACKS[attack]
    assert found.position == ATTACKS[attack][0] - 1


def test_the_newest_rows_taken_away_are_found_with_an_anchor_alone(chained: Services) -> None:
    with chained.db.read() as conn:
        position, head = audit_chain.head(conn)
    with chained.db.write() as conn:
        conn.execute(rows.delete().where(rows.c.position > 7))
    assert verdict(chained).holds  # the rows behind the last checkpoint: this is what is not found
    found = verdict(chained, {position: head})
    assert (found.broken_at, found.fault) == (8, Fault.CUT_OFF)


def test_with_every_checkpoint_gone_an_anchor_still_finds_a_rewritten_chain(chained: Services) -> None:
    with chained.db.read() as conn:
        position, head = audit_chain.head(conn)
    with chained.db.write() as conn:
        change_and_rechain(conn)
        conn.execute(checkpoints.delete())
    assert verdict(chained).holds
    found = verdict(chained, {position: head})
    assert (found.broken_at, found.fault) == (_ROWS, Fault.REWRITTEN)


@pytest.mark.parametrize(
    ("attack", "place"), [(change, 5), (delete, 5), (change_and_rechain, 6), (cut_off, 5), (forge, 6)]
)
def test_upkeep_checks_old_rows_again_and_remembers_what_it_found(
    chained: Services, clock: FakeClock, attack: Callable[[Connection], None], place: int
) -> None:
    with chained.db.write() as conn:
        attack(conn)
    clock.tick(hours=25)
    for _ in range(3):
        audit_watch.watch(chained)
        clock.tick(seconds=30)
    with chained.db.read() as conn:
        assert audit_chain.overview(conn).broken_at == place


def test_what_was_broken_once_stays_said_though_the_row_is_put_back(chained: Services, clock: FakeClock) -> None:
    with chained.db.write() as conn:
        change(conn)
    clock.tick(hours=25)
    audit_watch.watch(chained)
    audit_watch.watch(chained)
    with chained.db.write() as conn:
        conn.execute(rows.update().where(at(5)).values(actor="a"))
    clock.tick(hours=25)
    for _ in range(3):
        audit_watch.watch(chained)
    assert verdict(chained).holds
    with chained.db.read() as conn:
        assert audit_chain.overview(conn).broken_at == 5


def test_checkpoints_stand_an_hour_apart_and_each_row_is_checked_daily(
    each_services: Services, clock: FakeClock
) -> None:
    for _ in range(8):
        write(each_services, clock, 1)
        audit_watch.watch(each_services)
        clock.tick(minutes=30)
    with each_services.db.read() as conn:
        assert [row.position for row in conn.execute(checkpoints.select().order_by(checkpoints.c.position))] == [
            1,
            3,
            5,
            7,
        ]
        seen = audit_chain.overview(conn)
    assert (seen.position, seen.signed_position, seen.broken_at) == (8, 7, None)
    clock.tick(days=2)
    for _ in range(6):
        audit_watch.watch(each_services)
    with each_services.db.read() as conn:
        seen = audit_chain.overview(conn)
    assert seen.checked_since is not None
    assert clock.now() - seen.checked_since < timedelta(minutes=1)


def test_a_chain_without_rows_holds_and_gets_no_checkpoint(each_services: Services) -> None:
    audit_watch.watch(each_services)
    assert verdict(each_services) == audit_chain.Verdict(0, audit.FIRST)
    with each_services.db.read() as conn:
        assert audit_chain.overview(conn).signed_at is None


def test_a_broken_chain_is_logged_and_a_good_one_anchored(
    chained: Services, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    audit_watch.watch(chained)
    (line,) = [record for record in caplog.records if record.message == "audit checkpoint"]
    position, head = audit_watch.read_anchor(line.anchor)
    assert verdict(chained, {position: head}).holds
    with chained.db.write() as conn:
        change(conn)
    clock.tick(hours=25)
    audit_watch.watch(chained)
    audit_watch.watch(chained)
    assert [(one.position, one.levelname) for one in caplog.records if "broken" in one.message] == [(5, "ERROR")]


def test_the_command_says_where_it_is_broken_and_ends_with_1(
    run: Run,  # noqa: F811
    services: Services,
    clock: FakeClock,
) -> None:
    write(services, clock)
    good = run("audit", "verify")
    assert (good.exit_code, good.stdout.splitlines()[0]) == (
        0,
        "the chain holds: 3 rows, 0 checkpoints; 0 rows wait to be chained",
    )
    anchor = run("audit", "head").stdout.strip()
    assert json.loads(run("audit", "head", "--json").stdout) == {"position": 3, "anchor": anchor}
    assert run("audit", "verify", "--anchor", anchor).exit_code == 0
    assert run("audit", "verify", "--anchor", "nonsense").exit_code == 2
    with services.db.write() as conn:
        conn.execute(rows.update().where(at(2)).values(action="x.y"))
    bad: Any = run("audit", "verify", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout) | {"anchor": ""} == {
        "holds": False,
        "rows": 1,
        "broken_at": 2,
        "fault": "changed",
        "checkpoints": 0,
        "unsealed": 0,
        "anchor": "",
    }
    assert "broken at position 2 [changed]" in run("audit", "verify").stderr
