"""Bulk resends: counted beforehand, approved by a second person, planned in chunks, paused, cancelled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifier.core.bulks import BulkState, Exclusion
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.resend_filter import ResendFilter, Wanted
from notifier.core.states import CertificateStatus, DoseStatus, Lane, Reason, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.messages.plan import PlanOptions
from notifier.store import audit, bulk_facts, bulks, persons, suppressions
from notifier.store.tables import bulk, bulk_item, certificate, dose, link, number_pause, person
from notifier.support import bulk_resend, bulk_run, not_me
from notifier.support.resend import resend
from tests.bulk import FAILED, OPERATOR, SECOND, exclusion_of, failed_each, go_on, number_of, recorded, tally
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock

TOMORROW_NINE = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Asia/Jakarta"))


def make(desk: Desk, wanted: ResendFilter = FAILED, **more: object) -> bulks.Row:
    values = {"at": None, "reason": "penyedia bermasalah", "actor": OPERATOR} | more
    return bulk_resend.create(desk.services, wanted, **values)  # type: ignore[arg-type]


def state(desk: Desk, row: bulks.Row) -> str:
    return str(bulk_resend.find(desk.services, row.reference).state)


# ---------------------------------------------------------------- the dry run


def test_a_dry_run_counts_costs_and_says_when_it_ends(each_desk: Desk) -> None:
    failed_each(each_desk, 4)
    recorded(each_desk, 99)
    seen = bulk_resend.preview(each_desk.services, FAILED, with_persons=True)
    assert (seen.matched, seen.included, seen.segments, seen.excluded) == (4, 4, 4, {})
    assert seen.ends_at == each_desk.services.clock.now()  # no limit, and the hour is allowed
    assert len(seen.sample) == 4
    assert {one.person.mobile for one in seen.sample if one.person} <= {f"+62{number_of(n)[1:]}" for n in range(4)}


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    failed_each(desk, 3)
    bulk_resend.preview(desk.services, FAILED)
    with desk.services.db.read() as conn:
        assert bulks.listed(conn, limit=10) == []
    assert len(desk.rows()) == 3


def test_the_sample_shows_nobody_to_those_who_may_not_see_persons(desk: Desk) -> None:
    failed_each(desk, 2)
    assert [one.person for one in bulk_resend.preview(desk.services, FAILED).sample] == [None, None]


def test_the_end_follows_the_sender_s_rate_and_the_quiet_hours(build_services: Build, clock: FakeClock) -> None:
    services = build_services(quiet_hours="20:00-08:00")
    failed_each(Desk(services), 10)
    services = replace(services, settings=services.settings.model_copy(update={"sender_rate": 1}))
    start = datetime(2026, 11, 23, 12, 59, 55, tzinfo=UTC)  # five seconds before eight in the evening
    seen = bulk_resend.preview(services, FAILED, at=start)
    assert seen.ends_at == datetime(2026, 11, 24, 1, 0, 5, tzinfo=UTC)  # the other five from eight in the morning on


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"wanted": Wanted.PROBLEM}, 3),
        ({"wanted": Wanted.UNDELIVERED}, 0),
        ({"reason": "refused"}, 3),
        ({"reason": "bad-phone"}, 0),
        ({"code": "30006"}, 1),
        ({"facility": "facility-1"}, 2),
        ({"lot": "LOT-9"}, 1),
        ({"product": "CoronaVac"}, 1),
        ({"since": date(2026, 11, 23)}, 3),
        ({"since": date(2026, 11, 24)}, 0),
        ({"until": date(2026, 11, 22)}, 0),
        ({"sent_since": date(2026, 11, 23), "sent_until": date(2026, 11, 23)}, 3),
        ({"sent_until": date(2026, 11, 22)}, 0),
    ],
)
def test_a_filter_finds_what_it_says(each_desk: Desk, changes: dict[str, object], count: int) -> None:
    failed_each(each_desk, 2)
    failed_each(each_desk, 1, start=5, code="30006")
    with each_desk.services.db.write() as conn:
        values = {"lot": "LOT-9", "product": "CoronaVac", "facility_id": "pkm-2"}
        conn.execute(dose.update().where(dose.c.source_id == "d5").values(**values))
    assert bulk_resend.preview(each_desk.services, replace(FAILED, **changes)).matched == count


def test_delivered_and_never_opened_is_found_after_its_days(each_desk: Desk, clock: FakeClock) -> None:
    references = [recorded(each_desk, place) for place in range(3)]
    each_desk.send()
    for place in range(3):
        each_desk.receive("delivered", which=place)
    wanted = ResendFilter(Wanted.UNOPENED, unopened_days=3)
    clock.tick(days=2, hours=23)
    assert bulk_resend.preview(each_desk.services, wanted).matched == 0
    clock.tick(hours=2)
    assert bulk_resend.preview(each_desk.services, wanted).matched == 3
    with each_desk.services.db.write() as conn:
        conn.execute(
            link.update().where(link.c.id == each_desk.row(references[0]).link_id).values(opened_at=clock.now())
        )
    assert bulk_resend.preview(each_desk.services, wanted).included == 2


def test_what_was_suppressed_is_sent_once_its_number_is_mended(each_desk: Desk, clock: FakeClock) -> None:
    reference = recorded(each_desk, 1, person={"phone": None})
    wanted = ResendFilter(Wanted.SUPPRESSED)
    assert bulk_resend.preview(each_desk.services, wanted).excluded == {Reason.NO_PHONE: 1}
    with each_desk.services.db.write() as conn:
        holder = persons.get(conn, each_desk.services.sealer, each_desk.row(reference).person_id)
        persons.update(conn, each_desk.services.sealer, replace(holder, phone="+6281299999999"), at=clock.now())
    row = make(each_desk, wanted)
    go_on(each_desk.services)
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == ["+6281299999999"]
    assert tally(each_desk.services, row)[1] == {"accepted": 1}


# ---------------------------------------------------------------- who is left out


def _withdrawn(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(dose.update().values(status=DoseStatus.WITHDRAWN.value))


def _dead(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(deceased_at=desk.services.clock.now()))


def _no_phone(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(phone_sealed=None, phone_index=None))


def _wrong_number(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(phone_problem=Reason.WRONG_NUMBER.value, phone_index=None))


def _bad_phone(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(phone_problem="phone-not-mobile", phone_index=None))


def _stranger(desk: Desk, reference: str) -> None:
    services = desk.services
    not_me.say_not_me(services, services.links.sign(desk.link(reference).public_id), address="192.0.2.1")
    with services.db.read() as conn:
        assert conn.execute(number_pause.select()).first() is not None


def _opted_out(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        index = desk.row(reference).phone_index
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="test", at=desk.services.clock.now())


def _ended(desk: Desk, reference: str) -> None:
    with desk.services.db.write() as conn:
        conn.execute(certificate.update().values(status=CertificateStatus.REPLACED.value))


def _sent_again(desk: Desk, reference: str) -> None:
    resend(desk.services, reference, reason="again", actor=OPERATOR)


#: what happened, why a bulk leaves the message out, and what a single resend says
SAME = [
    (_withdrawn, Reason.WITHDRAWN, Reason.WITHDRAWN),
    (_dead, Reason.DECEASED, Reason.DECEASED),
    (_no_phone, Reason.NO_PHONE, Reason.NO_PHONE),
    (_wrong_number, Reason.WRONG_NUMBER, Reason.WRONG_NUMBER),
    (_bad_phone, Reason.BAD_PHONE, Reason.BAD_PHONE),
    (_stranger, Reason.NOT_ME, Reason.NOT_ME),
    (_opted_out, Reason.OPTED_OUT, Reason.OPTED_OUT),
    (_ended, Exclusion.CERTIFICATE_REPLACED, "no-valid-certificate"),
    (_sent_again, Exclusion.STILL_WAITING, "still-waiting"),
]


@pytest.mark.parametrize(("happens", "left_out", "refused"), SAME, ids=[str(why) for _, why, _ in SAME])
def test_a_bulk_leaves_out_what_a_single_resend_refuses(
    each_desk: Desk, happens: object, left_out: str, refused: str
) -> None:
    reference = failed_each(each_desk, 1)[0]
    happens(each_desk, reference)  # type: ignore[operator]
    assert bulk_resend.preview(each_desk.services, FAILED).excluded == {left_out: 1}
    assert exclusion_of(each_desk.services, reference) == left_out
    with pytest.raises(Refused) as caught:
        resend(each_desk.services, reference, reason="again", actor=OPERATOR)
    assert caught.value.reason == refused


def test_another_number_than_the_message_went_to_is_left_out(each_desk: Desk) -> None:
    reference = failed_each(each_desk, 1)[0]
    with each_desk.services.db.write() as conn:
        conn.execute(
            person.update().values(phone_index=persons.phone_index(each_desk.services.sealer, "+6281200001111"))
        )
    assert exclusion_of(each_desk.services, reference) == Reason.NUMBER_CHANGED
    assert bulk_resend.preview(each_desk.services, FAILED).excluded == {Reason.NUMBER_CHANGED: 1}


def test_what_was_opened_meanwhile_is_left_out(each_desk: Desk, clock: FakeClock) -> None:
    reference = failed_each(each_desk, 1)[0]
    with each_desk.services.db.write() as conn:
        conn.execute(link.update().values(opened_at=clock.now()))
    assert exclusion_of(each_desk.services, reference) == Exclusion.OPENED
    assert bulk_resend.preview(each_desk.services, FAILED).excluded == {Exclusion.OPENED: 1}


def test_who_got_an_sms_just_now_is_left_out_until_the_cooldown_is_over(each_desk: Desk, clock: FakeClock) -> None:
    reference = failed_each(each_desk, 1)[0]
    recorded(each_desk, 50, person={"id": "p0", "phone": number_of(0)})  # another dose of the same person
    each_desk.send()
    assert exclusion_of(each_desk.services, reference) == Exclusion.COOLDOWN
    assert bulk_resend.preview(each_desk.services, FAILED).excluded == {Exclusion.COOLDOWN: 1}
    clock.tick(hours=4, seconds=1)
    assert exclusion_of(each_desk.services, reference) is None


def test_who_has_had_the_day_s_sms_is_left_out_until_tomorrow(
    build_services: Build, each_database_url: str, clock: FakeClock
) -> None:
    desk = Desk(build_services(database_url=each_database_url, person_daily_cap=1, bulk_cooldown_hours=0))
    reference = failed_each(desk, 1)[0]
    recorded(desk, 50, person={"id": "p0", "phone": number_of(0)})  # another dose of the same person
    desk.send()
    assert exclusion_of(desk.services, reference) == Reason.DAILY_CAP
    assert bulk_resend.preview(desk.services, FAILED).excluded == {Reason.DAILY_CAP: 1}
    clock.tick(days=1)
    assert exclusion_of(desk.services, reference) is None


def test_a_dose_that_was_answered_later_is_not_found_at_all(each_desk: Desk) -> None:
    reference = failed_each(each_desk, 1)[0]
    resend(each_desk.services, reference, reason="again", actor=OPERATOR)
    each_desk.send()
    assert bulk_resend.preview(each_desk.services, FAILED).matched == 0
    assert exclusion_of(each_desk.services, reference) == Exclusion.SUPERSEDED


# ---------------------------------------------------------------- making and approving


def test_a_bulk_goes_in_its_lane_with_new_links_each_dose_once(each_desk: Desk) -> None:
    references = failed_each(each_desk, 5)
    row = make(each_desk)
    assert (row.state, row.expected) == (BulkState.RUNNING, 5)
    go_on(each_desk.services, 3)
    planned = [one for one in each_desk.rows() if one.bulk_id == row.id]
    assert {one.lane for one in planned} == {Lane.BULK}
    assert {one.parent_id for one in planned} == {each_desk.row(one).id for one in references}
    assert len({one.link_id for one in planned} | {each_desk.row(one).link_id for one in references}) == 10
    while each_desk.send().claimed:
        pass
    assert len(each_desk.gateway.sent) == 5
    each_desk.services.clock.tick(seconds=10)  # type: ignore[attr-defined]
    go_on(each_desk.services)
    assert state(each_desk, row) == BulkState.DONE
    assert tally(each_desk.services, row) == ({("planned", None): 5}, {"accepted": 5})
    assert {"bulk.create"} == set(each_desk.audit(row.id))


def test_a_later_start_waits_and_each_is_decided_about_then(each_desk: Desk, clock: FakeClock) -> None:
    references = failed_each(each_desk, 3)
    row = make(each_desk, at=TOMORROW_NINE)
    go_on(each_desk.services)
    assert tally(each_desk.services, row) == ({("waiting", None): 3}, {})
    with each_desk.services.db.write() as conn:
        wanted = link.c.id == each_desk.row(references[0]).link_id
        conn.execute(link.update().where(wanted).values(opened_at=clock.now()))
    clock.set(TOMORROW_NINE - timedelta(seconds=1))
    go_on(each_desk.services)
    assert tally(each_desk.services, row)[1] == {}
    clock.set(TOMORROW_NINE)
    go_on(each_desk.services)
    assert tally(each_desk.services, row) == (
        {("planned", None): 2, ("excluded", Exclusion.OPENED): 1},
        {"scheduled": 2},
    )


def test_what_comes_after_the_yes_belongs_to_nobody_s_count(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 2)
    row = make(each_desk, at=TOMORROW_NINE)
    clock.tick(minutes=1)
    failed_each(each_desk, 2, start=10)
    go_on(each_desk.services)
    assert tally(each_desk.services, row)[0] == {("waiting", None): 2}


def test_above_the_limit_a_second_person_says_yes(build_services: Build, each_database_url: str) -> None:
    desk = Desk(build_services(database_url=each_database_url, bulk_approval_above=2))
    failed_each(desk, 3)
    row = make(desk)
    assert row.state == BulkState.ASKED
    go_on(desk.services)
    assert tally(desk.services, row) == ({}, {})
    with pytest.raises(Refused, match="own-bulk"):
        bulk_resend.approve(desk.services, row.reference, actor=OPERATOR, confirmed=3)
    approved = bulk_resend.approve(desk.services, row.reference, actor=SECOND, confirmed=3)
    assert (approved.state, approved.approved_by) == (BulkState.RUNNING, SECOND)
    with pytest.raises(Refused, match="already-decided"):
        bulk_resend.approve(desk.services, row.reference, actor=SECOND, confirmed=3)
    go_on(desk.services)
    assert tally(desk.services, row)[1] == {"scheduled": 3}
    assert desk.audit(row.id) == ["bulk.create", "bulk.approve"]


def test_a_count_that_changed_by_more_than_a_tenth_must_be_confirmed(build_services: Build) -> None:
    desk = Desk(build_services(bulk_approval_above=2))
    failed_each(desk, 10)
    row = make(desk)
    failed_each(desk, 2, start=20)
    for confirmed in (None, 10):
        with pytest.raises(Refused, match="count-changed"):
            bulk_resend.approve(desk.services, row.reference, actor=SECOND, confirmed=confirmed)
    assert state(desk, row) == BulkState.ASKED
    assert bulk_resend.approve(desk.services, row.reference, actor=SECOND, confirmed=12).expected == 12


def test_two_who_approve_at_once_approve_once(build_services: Build, each_database_url: str) -> None:
    desk = Desk(build_services(database_url=each_database_url, bulk_approval_above=0))
    failed_each(desk, 2)
    row = make(desk)

    def press(actor: str) -> str:
        try:
            return str(bulk_resend.approve(desk.services, row.reference, actor=actor, confirmed=2).state)
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, [SECOND, SECOND[:-1] + "3"])) == ["already-decided", "running"]
    assert desk.audit(row.id).count("bulk.approve") == 1


def test_a_form_that_is_sent_twice_makes_one_bulk(each_desk: Desk) -> None:
    failed_each(each_desk, 2)
    first, second = (make(each_desk, key="ABCDEFGH12") for _ in range(2))
    assert first.id == second.id
    with pytest.raises(Refused, match="changed-meanwhile"):
        make(each_desk, key="ABCDEFGH12", actor=SECOND)


def test_nothing_to_send_makes_no_bulk(desk: Desk) -> None:
    with pytest.raises(Refused, match="nothing-to-send"):
        make(desk)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"reason": " "}, "required"),
        ({"reason": "x" * 301}, "too-long"),
        ({"at": datetime(2026, 11, 22, tzinfo=UTC)}, "in-past"),
        ({"at": datetime(2027, 11, 22, tzinfo=UTC)}, "too-late"),
        ({"key": "<script>"}, "choice"),
    ],
)
def test_a_bad_wish_names_the_rule(desk: Desk, changes: dict[str, object], rule: str) -> None:
    failed_each(desk, 1)
    with pytest.raises(BadInput) as refused:
        make(desk, **changes)
    assert refused.value.problems[0].rule == rule


def test_an_unknown_reference_is_not_found(desk: Desk) -> None:
    for deed in (bulk_resend.pause, bulk_resend.resume, bulk_resend.cancel):
        with pytest.raises(NotFound):
            deed(desk.services, "0000000000", reason="x", actor=OPERATOR)


# ---------------------------------------------------------------- running, pausing, cancelling


def test_never_more_is_planned_than_may_be_taken_back(
    each_desk: Desk, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(bulk_run, "AHEAD", 3)
    monkeypatch.setattr(bulk_run, "CHUNK", 2)
    failed_each(each_desk, 7)
    row = make(each_desk)
    go_on(each_desk.services, 3)
    assert tally(each_desk.services, row) == ({("planned", None): 3, ("waiting", None): 4}, {"scheduled": 3})
    each_desk.send(2)
    clock.tick(seconds=1)
    go_on(each_desk.services)
    assert tally(each_desk.services, row)[1] == {"accepted": 2, "scheduled": 3}
    for _ in range(4):
        each_desk.send()
        clock.tick(seconds=5)
        go_on(each_desk.services)
    assert len(each_desk.gateway.sent) == 7
    assert state(each_desk, row) == BulkState.DONE


def test_a_fresh_dose_goes_before_a_bulk(each_desk: Desk) -> None:
    failed_each(each_desk, 5)
    make(each_desk)
    go_on(each_desk.services)
    reference = recorded(each_desk, 77, options=PlanOptions(lane=Lane.FRESH))
    each_desk.send(1)
    assert each_desk.state(reference) == State.ACCEPTED


def test_a_paused_bulk_sends_nothing_until_it_is_resumed(
    each_desk: Desk, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(bulk_run, "AHEAD", 4)
    failed_each(each_desk, 6)
    row = make(each_desk)
    go_on(each_desk.services)
    each_desk.send(1)
    assert bulk_resend.pause(each_desk.services, row.reference, reason="salah", actor=SECOND) == 3
    with pytest.raises(Refused, match="changed-meanwhile"):
        bulk_resend.pause(each_desk.services, row.reference, reason="salah", actor=OPERATOR)
    clock.tick(minutes=5)
    go_on(each_desk.services)
    assert each_desk.send().claimed == 0
    assert tally(each_desk.services, row) == ({("planned", None): 4, ("waiting", None): 2}, {"accepted": 1, "held": 3})
    assert bulk_resend.resume(each_desk.services, row.reference, reason="benar", actor=SECOND) == 3
    for _ in range(3):
        go_on(each_desk.services)
        each_desk.send()
        clock.tick(seconds=5)
    go_on(each_desk.services)
    assert tally(each_desk.services, row) == ({("planned", None): 6}, {"accepted": 6})
    assert len(each_desk.gateway.sent) == 6
    assert each_desk.audit(row.id) == ["bulk.create", "bulk.pause", "bulk.resume"]


def test_what_came_back_to_be_tried_again_does_not_leave_a_paused_bulk(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    row = make(each_desk)
    go_on(each_desk.services)
    paused: list[int] = []

    def away(_: object) -> Outcome:
        paused.append(bulk_resend.pause(each_desk.services, row.reference, reason="stop", actor=SECOND))
        return Outcome(OutcomeClass.NOT_SENT)

    each_desk.gateway.answer = away
    each_desk.send()
    assert paused == [0]  # it was on its way
    each_desk.gateway.answer = each_desk.gateway.accept
    clock.tick(hours=1)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    assert tally(each_desk.services, row)[1] == {"held": 1}
    bulk_resend.cancel(each_desk.services, row.reference, reason="stop", actor=SECOND)
    assert tally(each_desk.services, row)[1] == {"cancelled": 1}


def test_cancelling_half_way_takes_back_exactly_what_has_not_left(
    each_desk: Desk, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(bulk_run, "AHEAD", 4)
    failed_each(each_desk, 9)
    row = make(each_desk)
    go_on(each_desk.services)
    each_desk.send(2)
    assert bulk_resend.cancel(each_desk.services, row.reference, reason="salah teks", actor=SECOND) == 2
    clock.tick(hours=1)
    go_on(each_desk.services, 2)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2
    seen = bulk_resend.progress(each_desk.services, bulk_resend.find(each_desk.services, row.reference))
    assert (seen.total, seen.left, seen.cancelled, seen.undecided) == (9, 2, 7, 0)
    # and they may be sent again by another
    assert bulk_resend.preview(each_desk.services, FAILED).included == 7
    with pytest.raises(Refused, match="changed-meanwhile"):
        bulk_resend.resume(each_desk.services, row.reference, reason="x", actor=SECOND)


def test_two_operators_who_pause_and_cancel_at_once(each_desk: Desk) -> None:
    failed_each(each_desk, 3)
    row = make(each_desk)
    go_on(each_desk.services)

    def press(deed: object) -> str:
        try:
            deed(each_desk.services, row.reference, reason="stop", actor=SECOND)  # type: ignore[operator]
        except Refused as refused:
            return refused.reason
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, [bulk_resend.pause, bulk_resend.pause]))
    assert sorted(answers) == ["changed-meanwhile", "done"]


def test_a_dose_that_one_bulk_has_is_not_given_to_another(each_desk: Desk) -> None:
    failed_each(each_desk, 2)
    first = make(each_desk, at=TOMORROW_NINE)
    go_on(each_desk.services)
    assert bulk_resend.preview(each_desk.services, FAILED).excluded == {Exclusion.IN_BULK: 2}
    failed_each(each_desk, 1, start=10)
    second = make(each_desk)
    go_on(each_desk.services)
    assert tally(each_desk.services, second)[0] == {("planned", None): 1, ("excluded", Exclusion.IN_BULK): 2}
    assert tally(each_desk.services, first)[0] == {("waiting", None): 2}


def test_where_it_is_night_a_dose_waits_for_the_morning_and_keeps_no_other(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    recorded(each_desk, 5, person={"time_zone": "Asia/Jayapura"})
    clock.set(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))  # 17:00 in Jakarta, 19:00 in Jayapura
    failed_each(each_desk, 1, start=6)
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT)
    each_desk.send()
    each_desk.gateway.answer = each_desk.gateway.accept
    each_desk.gateway.sent.clear()
    clock.set(datetime(2026, 11, 23, 11, 30, tzinfo=UTC))  # 18:30 and 20:30
    row = make(each_desk)
    go_on(each_desk.services)
    assert tally(each_desk.services, row) == ({("planned", None): 2, ("waiting", None): 1}, {"scheduled": 2})
    each_desk.send()
    clock.set(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))  # 08:00 in Jayapura
    go_on(each_desk.services)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 3


def test_a_person_s_two_doses_do_not_come_at_once(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    recorded(each_desk, 5, person={"id": "p0", "phone": number_of(0)})
    failed_each(each_desk, 1, start=6)
    row = make(each_desk)
    go_on(each_desk.services)
    assert tally(each_desk.services, row)[0] == {("planned", None): 2, ("waiting", None): 1}
    each_desk.send()
    clock.tick(hours=4, seconds=1)
    go_on(each_desk.services)
    each_desk.send()
    assert tally(each_desk.services, row)[1] == {"accepted": 3}


def test_many_workers_at_once_plan_each_dose_once(each_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_run, "CHUNK", 3)
    failed_each(each_desk, 12)
    row = make(each_desk)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: bulk_run.run(each_desk.services), range(3)))
    go_on(each_desk.services)
    assert tally(each_desk.services, row) == ({("planned", None): 12}, {"scheduled": 12})


def test_a_worker_whose_lease_ran_out_writes_nothing_more(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 2)
    row = make(each_desk)
    services = each_desk.services
    with services.db.write() as conn:
        old = bulks.claim(
            conn, at=clock.now(), token="0" * 8 + "-0000-7000-8000-000000000001", lease=bulk_run._lease(services)
        )
    assert old is not None
    go_on(services)
    assert tally(services, row) == ({}, {})
    clock.tick(seconds=61)
    go_on(services)
    with services.db.write() as conn:
        assert bulks.renew(conn, row.id, token=str(old.lease_token), lease=bulk_run._lease(services)) is None
    assert tally(services, row)[0] == {("planned", None): 2}


def test_one_bulk_s_fault_keeps_no_other_waiting(each_desk: Desk) -> None:
    failed_each(each_desk, 1)
    broken, whole = make(each_desk), make(each_desk)
    with each_desk.services.db.write() as conn:
        conn.execute(bulk.update().where(bulk.c.id == broken.id).values(filter={"state": "nonsense"}))
    go_on(each_desk.services)
    assert tally(each_desk.services, whole)[0] == {("planned", None): 1}
    assert state(each_desk, broken) == BulkState.RUNNING


def test_a_chunk_is_judged_like_the_whole(each_desk: Desk) -> None:
    references = failed_each(each_desk, 6)
    _opted_out(each_desk, references[0])
    with each_desk.services.db.write() as conn:
        conn.execute(
            link.update()
            .where(link.c.id == each_desk.row(references[1]).link_id)
            .values(opened_at=each_desk.services.clock.now())
        )
    whole = bulk_resend.preview(each_desk.services, FAILED)
    each = [exclusion_of(each_desk.services, reference) for reference in references]
    assert whole.excluded == {Reason.OPTED_OUT: 1, Exclusion.OPENED: 1}
    assert (each.count(None), each.count(Reason.OPTED_OUT), each.count(Exclusion.OPENED)) == (4, 1, 1)
    with each_desk.services.db.read() as conn:
        assert (
            len(bulk_facts.judged(conn, [], bulk_resend.limits_of(each_desk.services, each_desk.services.clock.now())))
            == 0
        )
        assert conn.execute(bulk_item.select()).first() is None


def test_the_filter_s_reason_and_the_operator_s_both_stand_in_the_audit(each_desk: Desk) -> None:
    failed_each(each_desk, 2)
    reason = each_desk.rows()[0].reason
    row = make(each_desk, replace(FAILED, reason=reason))
    with each_desk.services.db.read() as conn:
        said = audit.of_subjects(conn, [row.id])[0].detail
    assert (said["reason"], said["wanted_reason"]) == ("penyedia bermasalah", reason)


def test_who_has_got_one_just_now_counts_for_a_bulk_that_goes_tomorrow(build_services: Build) -> None:
    desk = Desk(build_services(bulk_approval_above=1))
    for place in range(3):
        recorded(desk, place)
    while desk.send().claimed:
        pass
    failed_each(desk, 1, start=10)
    for place in range(3):  # another dose of each of these three was refused, hours after an SMS that came
        desk.record(event_id=f"again{place}", person={"id": f"p{place}", "nik": None}, dose={"id": f"again{place}"})
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code="30005")
    while desk.send().claimed:
        pass
    now, later = (bulk_resend.preview(desk.services, FAILED, at=at) for at in (None, TOMORROW_NINE))
    assert (now.included, now.excluded) == (1, {Exclusion.COOLDOWN: 3})
    assert (later.included, later.excluded) == (4, {})
    assert make(desk, at=TOMORROW_NINE).state == BulkState.ASKED
    assert make(desk).state == BulkState.ASKED  # it may last longer than the cooldown
