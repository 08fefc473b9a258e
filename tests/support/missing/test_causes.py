"""Why a certificate has not come: each state of what we hold has its cause, who acts, and what a tap mends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.causes import Cause, Fix, WhoActs
from notifier.core.errors import NotFound, Refused
from notifier.core.states import Channel, Kind, Reason, State
from notifier.messages import circuit
from notifier.services import Services
from notifier.store import cases, certificates, persons, suppressions
from notifier.store.circuits import CircuitMode
from notifier.store.missing import Held
from notifier.store.suppressions import Source
from notifier.store.tables import notification
from notifier.support import opt_out, resend
from notifier.support.missing.causes import Finding, causes_for
from notifier.support.missing.fixes import fix
from notifier.support.missing.judge import Standing, cause_of_missing, judge
from notifier.support.not_me import say_not_me
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.missing.reporting import ADDRESS, OTHER, PHONE

BY = "door:cases"


def found(services: Services, phone: str = PHONE) -> Finding:
    [one] = causes_for(services, phone)
    return one


def number(services: Services) -> bytes:
    return persons.phone_index(services.sealer, PHONE)


def delivered(desk: Desk) -> None:
    desk.record()
    desk.send()
    desk.receive("delivered")


def opened(desk: Desk) -> None:
    delivered(desk)
    with desk.services.db.write() as conn:
        certificates.mark_opened(conn, desk.rows()[0].link_id, desk.services.clock.now())


def failed(desk: Desk) -> None:
    desk.record()
    desk.send()
    desk.receive("failed", code="30006")


def held(desk: Desk) -> None:
    resend.set_aside(desk.services, desk.record().reference or "", reason="diperiksa dulu", actor="staff:1")


def stopped(desk: Desk) -> None:
    delivered(desk)
    opt_out.stop(desk.services, number(desk.services), channel=Channel.SMS, source=Source.LINK_PAGE, actor="door:link")


def locked(desk: Desk) -> None:
    delivered(desk)
    with desk.services.db.write() as conn:
        for _ in range(5):
            persons.count_wrong_try(conn, desk.rows()[0].person_id, desk.services.clock.now())


def withdrawn(desk: Desk) -> None:
    desk.record()
    desk.record(event_id="event-2", event_type="entered_in_error")


def corrected(desk: Desk) -> None:
    delivered(desk)
    desk.record(event_id="event-2", event_type="corrected", dose={"lot": "LOT-8"}, recorded_at="2026-11-23T03:30:00Z")
    desk.send()
    desk.receive("delivered")


def moved(desk: Desk) -> None:
    """Sent to the old number; another one is on file now, for a reason that sends nothing by itself."""
    delivered(desk)
    with desk.services.db.write() as conn:
        conn.execute(notification.update().values(phone_index=persons.phone_index(desk.services.sealer, OTHER)))


def provider_down(desk: Desk) -> None:
    desk.record()
    circuit.pin(desk.services, CircuitMode.OPEN, reason="the provider asked us to", actor="door:command")


def kill_switch(desk: Desk) -> None:
    desk.record()
    resend.hold(desk.services, reason="penyedia diperbaiki", actor="test")


def set_to(state: State, reason: Reason | None = None) -> Callable[[Desk], None]:
    def make(desk: Desk) -> None:
        desk.record()
        with desk.services.db.write() as conn:
            conn.execute(notification.update().values(status=state.value, reason=reason.value if reason else None))

    return make


CASES: dict[str, tuple[Callable[[Desk], Any], Cause, WhoActs, Fix | None]] = {
    "scheduled": (lambda desk: desk.record(notify={"delay_hours": 3}), Cause.SCHEDULED, WhoActs.NOBODY, None),
    "on-its-way": (lambda desk: (desk.record(), desk.send()), Cause.ON_ITS_WAY, WhoActs.NOBODY, None),
    "delivered": (delivered, Cause.DELIVERED, WhoActs.YOU, Fix.NEW_LINK),
    "opened": (opened, Cause.OPENED, WhoActs.YOU, Fix.NEW_LINK),
    "failed": (failed, Cause.NUMBER_FAILED, WhoActs.YOU, Fix.NEW_LINK),
    "differs": (moved, Cause.NUMBER_DIFFERS, WhoActs.YOU, Fix.NEW_LINK),
    "stopped": (stopped, Cause.OPTED_OUT, WhoActs.YOU, Fix.ALLOW_SMS),
    "locked": (locked, Cause.LOCKED, WhoActs.FACILITY, None),
    "withdrawn": (withdrawn, Cause.WITHDRAWN, WhoActs.FACILITY, None),
    "corrected": (corrected, Cause.CORRECTED, WhoActs.YOU, Fix.NEW_LINK),
    "held": (held, Cause.HELD, WhoActs.OPERATORS, None),
    "unknown": (set_to(State.UNKNOWN), Cause.UNKNOWN_OUTCOME, WhoActs.OPERATORS, Fix.NEW_LINK),
    "provider": (provider_down, Cause.PROVIDER_TROUBLE, WhoActs.OPERATORS, None),
    "kill-switch": (kill_switch, Cause.PROVIDER_TROUBLE, WhoActs.OPERATORS, None),
    "historical": (set_to(State.SUPPRESSED, Reason.HISTORICAL), Cause.HISTORICAL, WhoActs.YOU, Fix.NEW_LINK),
    "expired": (set_to(State.EXPIRED, Reason.PAST_DUE), Cause.LATE, WhoActs.YOU, Fix.NEW_LINK),
    "cancelled": (set_to(State.CANCELLED, Reason.OPERATOR), Cause.LATE, WhoActs.YOU, Fix.NEW_LINK),
}


@pytest.mark.parametrize("name", CASES)
def test_each_state_has_its_cause(desk: Desk, name: str) -> None:
    make, cause, who, tap = CASES[name]
    make(desk)
    one = found(desk.services)
    assert (one.cause, one.who_acts, one.fix) == (cause, who, tap)
    assert one.number == "0812••••90"
    assert PHONE not in repr(one)


def test_what_waits_for_the_morning_says_when_it_goes(desk: Desk, clock: FakeClock) -> None:
    clock.tick(hours=11)  # 21.00 in Jakarta
    desk.record()
    one = found(desk.services)
    assert (one.cause, one.who_acts) == (Cause.QUIET_HOURS, WhoActs.NOBODY)
    assert one.when is not None
    assert one.when.astimezone(desk.services.zone).hour == 8


def test_what_is_on_its_way_for_a_day_may_be_asked_for_again(desk: Desk, clock: FakeClock) -> None:
    desk.record()
    desk.send()
    clock.tick(hours=25)
    assert found(desk.services).fix is Fix.NEW_LINK


def test_what_was_not_sent_in_time_is_the_operators(desk: Desk, clock: FakeClock) -> None:
    desk.record()
    clock.tick(hours=50)
    assert found(desk.services).cause is Cause.LATE


@pytest.mark.parametrize(
    ("days", "cause"),
    [
        (0, Cause.TOO_YOUNG),
        (1, Cause.TOO_YOUNG),
        (2, Cause.STILL_YOUNG),
        (10, Cause.STILL_YOUNG),
        (11, Cause.NOT_ENTERED),
    ],
)
def test_a_dose_that_is_not_here_is_judged_by_its_age(days: int, cause: Cause) -> None:
    today = date(2026, 11, 23)
    assert cause_of_missing(today - timedelta(days=days), today) is cause


def test_nobody_has_the_number(services: Services) -> None:
    assert causes_for(services, OTHER) == []


def test_only_those_who_were_proven_are_told_about(desk: Desk) -> None:
    desk.record()
    desk.record(event_id="event-2", person={"id": "person-2", "nik": None, "name": "Budi"}, dose={"id": "dose-2"})
    one, other = causes_for(desk.services, PHONE)
    assert one.person_id != other.person_id
    assert [each.person_id for each in causes_for(desk.services, PHONE, only={other.person_id})] == [other.person_id]
    assert causes_for(desk.services, PHONE, only=set()) == []


def test_few_statements_however_many_doses(desk: Desk) -> None:
    for place in range(8):
        desk.record(event_id=f"event-{place}", dose={"id": f"dose-{place}", "number": place + 1, "series_total": None})
    said: list[str] = []
    sa.event.listen(desk.services.db.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    assert len(causes_for(desk.services, PHONE)) == 8
    assert len(said) <= 12


# what a tap mends ---------------------------------------------------------------------------------------------------


def mend(desk: Desk, wish: Fix, **changes: str) -> Any:
    one = found(desk.services)
    asked = {"phone": PHONE, "person_id": one.person_id, "dose_id": one.dose_id} | changes
    return fix(desk.services, wish=wish, by=BY, **asked)


def test_a_new_link_goes_to_the_number_on_file_three_times_a_day(desk: Desk, clock: FakeClock) -> None:
    delivered(desk)
    waits = []
    for _ in range(4):
        waits.append(mend(desk, Fix.NEW_LINK).wait_s)
        desk.send()
        desk.receive("delivered")
        clock.tick(minutes=11)
    assert [wait == 0 for wait in waits] == [True, True, True, False]
    assert {sms.to for sms in desk.gateway.sent} == {PHONE}
    assert [row.kind for row in desk.rows()].count(Kind.RENEWAL) == 3


def test_allowing_sms_again_sends_the_link(desk: Desk) -> None:
    stopped(desk)
    assert mend(desk, Fix.ALLOW_SMS).wait_s == 0
    desk.send()
    with desk.services.db.read() as conn:
        assert suppressions.standing(conn, number(desk.services)) is None
    assert len(desk.gateway.sent) == 2


def test_the_number_is_mine_undoes_not_me_as_long_as_staff_have_not_decided(desk: Desk) -> None:
    delivered(desk)
    token = desk.services.links.sign(desk.link(desk.rows()[0].reference).public_id)
    say_not_me(desk.services, token, address=ADDRESS)
    assert found(desk.services).fix is Fix.NUMBER_IS_MINE
    mend(desk, Fix.NUMBER_IS_MINE)
    with desk.services.db.read() as conn:
        assert cases.count_open(conn, None) == 0
    say_not_me(desk.services, token, address=ADDRESS)
    with desk.services.db.write() as conn:
        cases.confirm_pause(
            conn, person_id=desk.rows()[0].person_id, phone_index=number(desk.services), at=desk.services.clock.now()
        )
    assert causes_for(desk.services, PHONE) == []  # the number is nobody's until it is corrected


@pytest.mark.parametrize("wish", [Fix.ALLOW_SMS, Fix.NUMBER_IS_MINE, Fix.CORRECT_NUMBER])
def test_what_does_not_stand_in_the_way_is_not_mended(desk: Desk, wish: Fix) -> None:
    delivered(desk)
    with pytest.raises(Refused, match="nothing-to-mend"):
        mend(desk, wish)


def test_nobody_mends_anothers(desk: Desk, clock: FakeClock) -> None:
    delivered(desk)
    desk.record(
        event_id="event-2", person={"id": "person-2", "nik": None, "phone": "085700001111"}, dose={"id": "dose-2"}
    )
    other = found(desk.services, OTHER)
    for changes in ({"person_id": other.person_id}, {"dose_id": other.dose_id}, {"phone": OTHER}):
        with pytest.raises(NotFound):
            mend(desk, Fix.NEW_LINK, **changes)
    assert len(desk.gateway.sent) == 1


# the rules ----------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """A message, or a dose, as the rules see it."""

    status: str
    kind: str = "certificate"
    reason: str | None = None
    due_at: datetime = datetime(2026, 11, 23, 3, tzinfo=UTC)
    accepted_at: datetime = datetime(2026, 11, 23, 3, tzinfo=UTC)
    updated_at: datetime = datetime(2026, 11, 23, 3, tzinfo=UTC)
    left_at: datetime | None = None
    ended_at: datetime | None = None
    any_hour: bool = False
    phone_index: bytes | None = b"n"


@given(
    st.sampled_from(State),
    st.sampled_from([Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL]),
    st.none() | st.sampled_from(Reason),
    st.booleans(),
    st.booleans(),
    st.fixed_dictionaries(
        {name: st.booleans() for name in ("is_locked", "has_mobile", "opted_out", "is_quiet", "is_held_up")}
    ),
    st.none() | st.booleans(),
    st.integers(-100, 100),
)
def test_whatever_we_hold_there_is_one_cause_and_somebody_acts(
    state: State,
    kind: Kind,
    reason: Reason | None,
    is_opened: bool,
    is_valid: bool,
    stands: dict[str, bool],
    paused: bool | None,
    hours: int,
) -> None:
    now = datetime(2026, 11, 23, 3, tzinfo=UTC) + timedelta(hours=hours)
    message = Row(state.value, kind.value, reason.value if reason else None)
    one = Held(Row("given"), message, "certificate" if is_valid else None, is_opened)  # type: ignore[arg-type]
    verdict = judge(one, Standing(now=now, paused=paused, phone_index=b"n", **stands))
    assert verdict.fix is not Fix.NEW_LINK or is_valid  # no link to nothing
    assert not (stands["is_locked"] and verdict.fix)  # nobody taps a lock away
    assert not (paused and verdict.fix)  # nor what staff have made sure of
    assert verdict.who_acts is not WhoActs.NOBODY or verdict.when is not None
    again = judge(replace(one), Standing(now=now, paused=paused, phone_index=b"n", **stands))
    assert again == verdict


def test_the_chat_and_the_desk_get_what_they_need(build_services: Build) -> None:
    services = build_services(link_days=90)
    Desk(services).record()
    one = found(services)
    assert (one.product, one.dose_number, one.series_total, one.facility) == ("Influenza", 1, 2, "Puskesmas Menteng")
