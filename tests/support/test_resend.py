"""Send again, cancel, release: a new generation with a new link, with a reason, audited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.states import Reason, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.store import persons, suppressions
from notifier.store.tables import person
from notifier.support.resend import cancel, resend
from tests.desk import Desk
from tests.fakes import FakeClock

TOMORROW_NINE = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Asia/Jakarta"))
ACTOR = "staff:00000000-0000-7000-8000-000000000001"


def failed(desk: Desk) -> str:
    """An SMS that failed; its reference."""
    recorded = desk.record()
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code="30005")
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    assert recorded.reference is not None
    assert desk.state(recorded.reference) == State.FAILED
    return recorded.reference


def test_a_failed_sms_is_resent_tomorrow_at_nine_once_with_a_new_link(each_desk: Desk, clock: FakeClock) -> None:
    reference = failed(each_desk)
    new = resend(each_desk.services, reference, at=TOMORROW_NINE, reason="number checked", actor=ACTOR)
    assert new.due_at == datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert (new.generation, new.parent_id, new.request_reason) == (2, each_desk.row(reference).id, "number checked")

    clock.set(TOMORROW_NINE - timedelta(seconds=1))
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    clock.tick(seconds=1)
    each_desk.send()
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2
    old, again = each_desk.gateway.sent
    services = each_desk.services
    assert services.links.find_in(old.text) != services.links.find_in(again.text)
    assert each_desk.state(reference) == State.FAILED  # a terminal row never moves
    assert "notification.resend" in each_desk.audit(each_desk.row(reference).id)


def test_a_cancelled_resend_does_not_go(each_desk: Desk, clock: FakeClock) -> None:
    new = resend(each_desk.services, failed(each_desk), at=TOMORROW_NINE, reason="again", actor=ACTOR)
    cancel(each_desk.services, new.reference, reason="not needed", actor=ACTOR)
    clock.set(TOMORROW_NINE + timedelta(hours=1))
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    row = each_desk.row(new.reference)
    assert (row.status, row.reason) == (State.CANCELLED, Reason.OPERATOR)
    assert "notification.cancel" in each_desk.audit(row.id)


def test_a_time_at_night_moves_to_the_morning(desk: Desk) -> None:
    night = datetime(2026, 11, 24, 22, tzinfo=ZoneInfo("Asia/Jakarta"))
    new = resend(desk.services, failed(desk), at=night, reason="again", actor=ACTOR)
    assert new.due_at == datetime(2026, 11, 25, 1, tzinfo=UTC)


def test_two_operators_at_once_make_one_resend(each_desk: Desk) -> None:
    reference = failed(each_desk)

    def press(_: int) -> str:
        try:
            return str(resend(each_desk.services, reference, reason="again", actor=ACTOR).status)
        except Refused as error:
            return error.reason

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["scheduled", "still-waiting"]


def test_what_still_waits_is_not_sent_again(desk: Desk) -> None:
    recorded = desk.record()
    with pytest.raises(Refused, match="still-waiting"):
        resend(desk.services, recorded.reference or "", reason="again", actor=ACTOR)


def test_a_held_message_is_released_instead(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    clock.tick(hours=73)
    desk.send()
    assert desk.state(recorded.reference) == State.HELD
    released = resend(desk.services, recorded.reference or "", reason="still wanted", actor=ACTOR)
    assert released.reference == recorded.reference
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED


def test_a_withdrawn_dose_is_not_sent_again(desk: Desk) -> None:
    reference = failed(desk)
    desk.record(event_id="e2", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    with pytest.raises(Refused, match=Reason.WITHDRAWN):
        resend(desk.services, reference, reason="again", actor=ACTOR)


def test_a_person_without_a_number_is_not_sent_to(desk: Desk) -> None:
    recorded = desk.record(person={"phone": None})
    with pytest.raises(Refused, match=Reason.NO_PHONE):
        resend(desk.services, recorded.reference or "", reason="again", actor=ACTOR)


def test_an_opt_out_is_respected(desk: Desk, clock: FakeClock) -> None:
    reference = failed(desk)
    with desk.services.db.write() as conn:
        index = persons.phone_index(desk.services.sealer, "+6281234567890")
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="test", at=clock.now())
    with pytest.raises(Refused, match=Reason.OPTED_OUT):
        resend(desk.services, reference, reason="again", actor=ACTOR)


def test_an_unknown_outcome_may_be_sent_again_by_a_person(desk: Desk) -> None:
    recorded = desk.record()
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    new = resend(desk.services, recorded.reference or "", reason="person says no", actor=ACTOR)
    desk.send()
    assert desk.state(new.reference) == State.ACCEPTED
    assert desk.state(recorded.reference) == State.UNKNOWN


@pytest.mark.parametrize("typed", ["{ref}", " {ref} ", "{lower}", "{split}"])
def test_a_reference_is_found_however_it_is_typed(desk: Desk, typed: str) -> None:
    reference = failed(desk)
    text = typed.format(ref=reference, lower=reference.lower(), split=f"{reference[:5]}-{reference[5:]}")
    assert resend(desk.services, text, reason="again", actor=ACTOR).generation == 2


def test_a_stranger_s_reference_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        resend(desk.services, "0000000000", reason="again", actor=ACTOR)


@pytest.mark.parametrize(
    ("at", "reason", "rule"),
    [
        (None, "  ", "required"),
        (None, "x" * 301, "too-long"),
        (timedelta(hours=-1), "again", "in-past"),
        (timedelta(days=61), "again", "too-late"),
    ],
)
def test_a_bad_request_names_the_rule(
    desk: Desk, clock: FakeClock, at: timedelta | None, reason: str, rule: str
) -> None:
    reference = failed(desk)
    with pytest.raises(BadInput) as refused:
        resend(desk.services, reference, at=clock.now() + at if at else None, reason=reason, actor=ACTOR)
    assert refused.value.problems[0].rule == rule


def test_what_has_left_cannot_be_cancelled(desk: Desk) -> None:
    recorded = desk.record()
    desk.send()
    with pytest.raises(Refused, match="has-left"):
        cancel(desk.services, recorded.reference or "", reason="stop", actor=ACTOR)


def test_nothing_is_sent_again_to_a_person_who_died(desk: Desk, clock: FakeClock) -> None:
    reference = failed(desk)
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(deceased_at=clock.now()))
    with pytest.raises(Refused, match=Reason.DECEASED):
        resend(desk.services, reference, reason="again", actor=ACTOR)


def test_what_failed_cannot_be_cancelled_and_never_left(desk: Desk) -> None:
    with pytest.raises(Refused, match="already-stopped"):
        cancel(desk.services, failed(desk), reason="not needed", actor=ACTOR)
