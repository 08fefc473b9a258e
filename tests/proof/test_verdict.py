"""The set algebra of `sertilink prove`: it must find what is wrong, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.core.states import State
from notifier.proof.ledger import Ledger, Taken
from notifier.proof.verdict import Intent, Verdict, judge
from notifier.store.proof_rows import EventRow, NotificationRow, Rows

#: how fast the examples come says something about the machine alone
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def an_intent(n: int = 1) -> Intent:
    return Intent(f"e{n}", f"number-{n}")


def taken(n: int = 1, *, sid: str | None = None, attempt: str | None = None, link: str | None = None) -> Taken:
    return Taken(sid or f"SM{n}", 0.0, attempt or f"a{n}", link or f"link-{n}", f"number-{n}", "", "", "")


def a_row(n: int = 1, status: State = State.DELIVERED, **changes: Any) -> NotificationRow:
    values: dict[str, Any] = {
        "id": f"n{n}", "reference": f"R{n}", "dose_id": f"d{n}", "generation": 1, "status": status.value,
        "reason": None, "link": f"link-{n}", "due_at": NOW, "left_at": NOW, "updated_at": NOW, "look_up_at": None,
    }  # fmt: skip
    return NotificationRow(**(values | changes))


def rows(*notifications: NotificationRow, attempts: dict[str, str] | None = None, reason: str | None = None) -> Rows:
    doses = sorted({row.dose_id for row in notifications if row.dose_id})
    events = tuple(EventRow(f"e{dose[1:]}", dose, "planned", reason) for dose in doses)
    return Rows(events, notifications, {f"a{n}": f"n{n}" for n in range(10)} if attempts is None else attempts)


def a_ledger(*entries: Taken, words: Sequence[str] = ("sent", "delivered")) -> Ledger:
    return Ledger(list(entries), {one.sid: list(words) for one in entries})


def verdict(database: Rows, ledger: Ledger, intents: Sequence[Intent] = (an_intent(),)) -> Verdict:
    return judge(intents, ledger, database, NOW)


def test_one_intent_taken_once_and_delivered_is_all_well() -> None:
    found = verdict(rows(a_row()), a_ledger(taken()))
    assert found.holds
    assert (found.taken, found.unknown) == (1, ())


def test_an_intent_without_any_row_is_lost() -> None:
    assert verdict(Rows((), (), {}), a_ledger()).lost == ("e1",)


def test_an_event_that_planned_nothing_and_says_no_reason_is_lost() -> None:
    event = EventRow("e1", "d1", "planned", None)
    assert verdict(Rows((event,), (), {}), a_ledger()).lost == ("e1",)
    explained = EventRow("e1", "d1", "nothing", "historical")
    assert verdict(Rows((explained,), (), {}), a_ledger()).lost == ()


@pytest.mark.parametrize("status", [State.SCHEDULED, State.CLAIMED, State.SENDING, State.HELD, State.UNKNOWN])
def test_an_open_row_is_not_lost(status: State) -> None:
    assert verdict(rows(a_row(status=status)), a_ledger()).lost == ()


@pytest.mark.parametrize("status", [State.FAILED, State.SUPPRESSED, State.CANCELLED, State.EXPIRED])
def test_a_final_row_is_lost_unless_it_says_why(status: State) -> None:
    assert verdict(rows(a_row(status=status)), a_ledger()).lost == ("e1",)
    assert verdict(rows(a_row(status=status, reason="refused")), a_ledger()).lost == ()


def test_a_row_that_says_failed_though_nobody_refused_it_is_a_lie() -> None:
    failed = rows(a_row(status=State.FAILED, reason="refused"))
    assert verdict(failed, Ledger(refused={"a2", "a9"})).lies == ("R1 says failed, the provider never refused it",)
    assert verdict(failed, Ledger(refused={"a1"})).holds


def test_a_row_that_claims_delivery_without_the_ledger_is_lost_and_a_lie() -> None:
    found = verdict(rows(a_row()), a_ledger())
    assert found.lost == ("e1",)
    assert len(found.lies) == 1


def test_two_submissions_of_one_notification_are_a_duplicate_by_whatever_shows_it() -> None:
    twice = a_ledger(taken(), taken(sid="SM2", attempt="a1b"))
    same_row = rows(a_row(), attempts={"a1": "n1", "a1b": "n1"})
    assert verdict(same_row, twice).duplicate == ("R1",)
    forgotten = rows(a_row(), attempts={"a1": "n1"})
    assert verdict(forgotten, twice).duplicate == ("R1",)  # by the link in the text
    unknown_row = rows(attempts={})
    assert verdict(unknown_row, twice).duplicate == ("link link-1",)


def test_two_notifications_taken_for_one_intent_are_a_duplicate() -> None:
    both = rows(a_row(), a_row(2, dose_id="d1"))
    again = Taken("SM2", 1.0, "a2", "link-2", "number-1", "", "", "")
    assert verdict(both, a_ledger(taken(), again)).duplicate == ("number number-1",)


def test_a_second_generation_after_an_undelivered_one_is_no_duplicate() -> None:
    both = rows(a_row(status=State.UNDELIVERED), a_row(2, dose_id="d1"))
    again = Taken("SM2", 1.0, "a2", "link-2", "number-1", "", "", "")
    ledger = Ledger([taken(), again], {"SM1": ["sent", "undelivered"], "SM2": ["sent", "delivered"]})
    assert verdict(both, ledger).holds


def test_a_submission_that_no_attempt_explains_is_a_phantom() -> None:
    assert verdict(rows(a_row(), attempts={}), a_ledger(taken())).phantom == ("SM1",)


def test_a_submission_with_the_link_of_another_is_a_phantom() -> None:
    assert verdict(rows(a_row()), a_ledger(taken(link="link-9"))).phantom == ("SM1",)


def test_a_submission_to_a_number_that_nobody_meant_is_a_phantom() -> None:
    found = judge([], a_ledger(taken()), rows(a_row()), NOW)
    assert found.phantom == ("SM1",)


@pytest.mark.parametrize("status", [State.SENT, State.DELIVERED, State.UNDELIVERED])
def test_a_row_that_says_more_than_the_provider_is_a_lie(status: State) -> None:
    found = verdict(rows(a_row(status=status)), a_ledger(taken(), words=()))
    assert len(found.lies) == 1


def test_a_row_that_says_failed_though_it_was_taken_is_a_lie() -> None:
    assert len(verdict(rows(a_row(status=State.FAILED, reason="refused")), a_ledger(taken())).lies) == 1


def test_unknown_rows_are_told_with_their_age_oldest_first() -> None:
    old, new = NOW - timedelta(minutes=5), NOW - timedelta(seconds=10)
    database = rows(a_row(1, State.UNKNOWN, left_at=new), a_row(2, State.UNKNOWN, left_at=None, updated_at=old))
    found = verdict(database, a_ledger(), [an_intent(1), an_intent(2)])
    assert [(one.reference, one.age_s) for one in found.unknown] == [("R2", 300.0), ("R1", 10.0)]
    assert found.holds


def test_an_unknown_row_that_the_provider_took_is_told_apart() -> None:
    found = verdict(rows(a_row(1, State.UNKNOWN), a_row(2, State.UNKNOWN)), a_ledger(taken(1)), [an_intent(1)])
    assert {one.reference: one.was_taken for one in found.unknown} == {"R1": True, "R2": False}


@unhurried
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_each_intent_is_in_the_ledger_or_in_the_database_or_lost(meant: set[int], kept: set[int], went: set[int]):
    """Whatever is in the three sets: the missing is lost, the unexplained is a phantom, and nothing else is either."""
    database = Rows(
        tuple(EventRow(f"e{n}", f"d{n}", "planned", None) for n in sorted(kept)),
        tuple(a_row(n, State.ACCEPTED if n in went else State.SCHEDULED) for n in sorted(kept)),
        {f"a{n}": f"n{n}" for n in kept},
    )
    found = judge([an_intent(n) for n in sorted(meant)], a_ledger(*map(taken, sorted(went))), database, NOW)
    assert set(found.lost) == {f"e{n}" for n in meant - kept - went}
    assert set(found.phantom) == {f"SM{n}" for n in went - (kept & meant)}
    assert found.duplicate == found.lies == ()


@unhurried
@given(st.lists(st.integers(0, 3), max_size=12))
def test_a_duplicate_is_whatever_was_taken_twice(went: list[int]):
    entries = [taken(n, sid=f"SM{place}") for place, n in enumerate(went)]
    found = judge([an_intent(n) for n in range(4)], a_ledger(*entries), rows(*map(a_row, range(4))), NOW)
    twice = {n for n in went if went.count(n) > 1}
    assert set(found.duplicate) == {f"R{n}" for n in twice}
