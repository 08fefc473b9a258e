"""Evidence and small rows on SQLite and PostgreSQL: attempts, receipts, opt-outs, what was caught, ticks, the audit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from notifier.core.errors import BadSettings, Problem
from notifier.core.ids import new_id
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import attempts, audit, audit_chain, caught, counters, events, persons, suppressions
from notifier.store.caught import CaughtSms
from notifier.store.sealed import Sealer
from notifier.store.tables import audit as audit_table
from notifier.store.tables import dead_letter
from tests.desk import Desk
from tests.fakes import FakeClock

SECOND = timedelta(seconds=1)


def evidence(row_id: str, sid: str, clock: FakeClock) -> dict[str, object]:
    return {
        "row_id": row_id,
        "new_finished_at": clock.now(),
        "new_outcome": "accepted",
        "new_provider_sid": sid,
        "new_http_status": 201,
        "new_provider_code": None,
    }


def test_an_attempts_outcome_is_written_once(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    [attempt] = each_desk.attempts(reference)
    clock.tick(minutes=1)
    with each_desk.services.db.write() as conn:
        attempts.finish_many(conn, [evidence(attempt.id, "SMother", clock)])
    [after] = each_desk.attempts(reference)
    assert after == attempt
    assert after.provider_sid != "SMother"


def receipt(services: Services, clock: FakeClock, **changes: str | None) -> str | None:
    values: dict[str, str | None] = {
        "attempt_reference": "a1",
        "provider_sid": "SM1",
        "provider_word": "delivered",
        "provider_code": None,
    }
    with services.db.write() as conn:
        return attempts.add_receipt(conn, services.sealer, raw=b"form", at=clock.now(), **{**values, **changes})


def test_the_same_receipt_is_kept_once_and_another_word_again(each_services: Services, clock: FakeClock) -> None:
    assert receipt(each_services, clock) is not None
    assert receipt(each_services, clock) is None
    assert receipt(each_services, clock, provider_word="sent") is not None
    assert receipt(each_services, clock, provider_code="30003") is not None
    assert receipt(each_services, clock, attempt_reference="a2") is not None
    with each_services.db.read() as conn:
        kept = attempts.receipts_of(conn, ["a1"])
    assert len(kept) == 3
    assert {each_services.sealer.open_bytes("receipt:raw", row.id, row.raw_sealed) for row in kept} == {b"form"}


def test_of_many_copies_of_a_receipt_at_once_one_is_kept(each_services: Services, clock: FakeClock) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: receipt(each_services, clock), range(16)))
    assert len([row_id for row_id in kept if row_id]) == 1


def test_a_number_is_suppressed_until_that_is_lifted(each_services: Services, clock: FakeClock) -> None:
    mine, other = (persons.phone_index(each_services.sealer, number) for number in ("+6281234567890", "+628111111111"))
    with each_services.db.write() as conn:
        assert suppressions.add(conn, mine, reason=Reason.OPTED_OUT, source="link", at=clock.now())
        assert not suppressions.add(conn, mine, reason=Reason.OPTED_OUT, source="provider", at=clock.now())
        assert suppressions.suppressed(conn, [mine, other]) == {mine}
        assert suppressions.suppressed(conn, []) == set()
        assert suppressions.lift(conn, mine, clock.now())
        assert not suppressions.lift(conn, mine, clock.now())
        assert suppressions.suppressed(conn, [mine]) == set()
        assert suppressions.add(conn, mine, reason=Reason.OPTED_OUT, source="link", at=clock.now())


def catch(services: Services, clock: FakeClock, count: int) -> None:
    sms = [
        CaughtSms(f"SM{n}", f"a{n}", f"+62812345678{n:02}", f"text {n}", "GSM-7", 1, clock.now(), None, None)
        for n in range(count)
    ]
    with services.db.write() as conn:
        caught.insert_many(conn, services.sealer, sms)


def test_what_was_caught_comes_back_opened_and_is_found_by_its_number(
    each_services: Services, clock: FakeClock
) -> None:
    catch(each_services, clock, 3)
    with each_services.db.read() as conn:
        assert len(caught.newest(conn, each_services.sealer, 2)) == 2
        [sms] = caught.to_number(conn, each_services.sealer, "+6281234567801")
    assert (sms.provider_sid, sms.text, sms.to) == ("SM1", "text 1", "+6281234567801")
    assert "text 1" not in repr(sms)
    assert "+62" not in repr(sms)


def test_a_caught_sms_is_reported_until_its_receipt_is_kept(each_services: Services, clock: FakeClock) -> None:
    catch(each_services, clock, 3)

    def unreported(limit: int) -> list[str]:
        with each_services.db.write() as conn:
            return [reference for reference, _ in caught.unreported(conn, limit, clock.now())]

    assert sorted(unreported(10)) == sorted(unreported(10)) == ["a0", "a1", "a2"]
    assert receipt(each_services, clock, attempt_reference="a1", provider_sid="SM1") is not None
    assert sorted(unreported(10)) == ["a0", "a2"]
    assert len(unreported(1)) == 1


def win(services: Services, clock: FakeClock) -> bool:
    with services.db.write() as conn:
        return counters.win_tick(conn, "t", period=SECOND, at=clock.now())


def test_a_clock_that_was_set_back_does_not_stop_the_ticking(each_services: Services, clock: FakeClock) -> None:
    assert win(each_services, clock)
    clock.tick(hours=-3)
    assert win(each_services, clock)
    assert not win(each_services, clock)
    clock.tick(seconds=1)
    assert win(each_services, clock)
    clock.tick(seconds=0.999)
    assert not win(each_services, clock)


def test_counters_of_other_names_and_what_was_given_back_do_not_count(
    each_services: Services, clock: FakeClock
) -> None:
    with each_services.db.write() as conn:
        for name in ("a", "a", "b"):
            counters.hit(conn, name, window=SECOND, at=clock.now())
        counters.give_back(conn, "a", window=SECOND, at=clock.now())
        assert counters.hit(conn, "a", window=SECOND, at=clock.now()) == 2
        assert counters.hit(conn, "b", window=SECOND, at=clock.now()) == 2


def test_the_same_dead_letter_again_is_counted(each_services: Services, clock: FakeClock) -> None:
    problems = [Problem("person.nik", "nik-length", "a NIK has 16 digits")]
    with each_services.db.write() as conn:
        keep = {"door": "stream", "problems": problems, "at": clock.now()}
        assert events.add_dead_letter(conn, each_services.sealer, body=b"{}", **keep)
        assert not events.add_dead_letter(conn, each_services.sealer, body=b"{}", **keep)
        assert events.add_dead_letter(conn, each_services.sealer, body=b"[]", **keep)
        assert events.count_dead_letters(conn) == 2
        rows = conn.execute(dead_letter.select().order_by(dead_letter.c.times)).all()
        bodies = [each_services.sealer.open_bytes("dead_letter:body", row.id, row.body_sealed) for row in rows]
    assert bodies == [b"[]", b"{}"]
    assert [row.times for row in rows] == [1, 2]


def chain(services: Services, clock: FakeClock, count: int) -> None:
    with services.db.write() as conn:
        for n in range(count):
            audit.write(conn, at=clock.now(), actor="a", action="b", subject="c", subject_id=str(n))
            clock.tick(seconds=1)
        audit.seal(conn)


def test_a_row_written_late_is_chained_behind_what_was_chained_before(
    each_services: Services, clock: FakeClock
) -> None:
    chain(each_services, clock, 3)
    clock.tick(hours=-1)
    chain(each_services, clock, 1)
    with each_services.db.read() as conn:
        assert audit_chain.verify(conn, each_services.sealer).broken_at is None
        last = conn.execute(audit_table.select().order_by(audit_table.c.position.desc())).first()
    assert last is not None
    assert (last.position, last.subject_id) == (4, "0")


def test_a_changed_moment_of_the_audit_is_found(each_services: Services, clock: FakeClock) -> None:
    chain(each_services, clock, 3)
    with each_services.db.write() as conn:
        conn.execute(audit_table.update().where(audit_table.c.position == 2).values(at=clock.now()))
        assert audit_chain.verify(conn, each_services.sealer).broken_at == 2


@pytest.mark.parametrize(("position", "found"), [(-1, 1), (0, 1), (4, 4)])
def test_a_row_slipped_into_the_chain_is_found(
    each_services: Services, clock: FakeClock, position: int, found: int
) -> None:
    chain(each_services, clock, 3)
    forged = {"id": new_id(), "at": clock.now(), "actor": "x", "action": "y", "subject": "z", "subject_id": "1"}
    with each_services.db.write() as conn:
        conn.execute(audit_table.insert(), forged | {"detail": {}, "position": position, "chain_hash": b"0" * 32})
        assert audit_chain.verify(conn, each_services.sealer).broken_at == found


def test_the_chain_is_checked_without_a_transaction(each_services: Services, clock: FakeClock) -> None:
    chain(each_services, clock, 1200)  # more than a page
    with each_services.db.write() as conn:
        audit.seal(conn)
    with each_services.db.read() as conn:
        assert audit_chain.verify(conn, each_services.sealer).broken_at is None


def test_two_data_keys_with_one_id_are_refused() -> None:
    """The key id is one byte: two keys that share it could not be told apart."""
    ids = {Sealer([key], b"i" * 32).seal("p:n", "1", "x")[0]: key for key in (bytes([n]) * 32 for n in range(200))}
    taken, first = next(iter(ids.items()))
    second = next(
        key
        for key in (n.to_bytes(32, "big") for n in range(1, 5000))
        if key != first and Sealer([key], b"i" * 32).seal("p:n", "1", "x")[0] == taken
    )
    with pytest.raises(BadSettings, match="DATA_KEYS"):
        Sealer([first, second], b"i" * 32)
