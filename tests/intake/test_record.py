"""`record`: each event once and whole, and what a correction, a withdrawal, a new number does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifier.core.errors import BadInput, Conflict
from notifier.core.states import Lane, Reason, State
from notifier.intake.record import Door, PlanOptions, Recorded, RecordOutcome, record, record_many
from notifier.store import events, persons
from notifier.store.tables import event, person
from tests.builders import an_event
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def test_a_dose_entered_twice_sends_one_sms(each_desk: Desk) -> None:
    first = each_desk.record()
    again = each_desk.record()
    other_door = each_desk.record(event_id="event-of-another-door")

    each_desk.send()

    assert (first.outcome, again.outcome, other_door.outcome) == (
        RecordOutcome.PLANNED,
        RecordOutcome.REPEATED,
        RecordOutcome.UNCHANGED,
    )
    assert first.reference == again.reference == other_door.reference
    assert len(each_desk.gateway.sent) == 1


def test_one_event_id_with_other_content_is_refused_and_changes_nothing(each_desk: Desk) -> None:
    first = each_desk.record()
    with pytest.raises(Conflict):
        each_desk.record(dose={"lot": "LOT-8"})
    assert [row.reference for row in each_desk.rows()] == [first.reference]


def test_a_correction_before_sending_changes_what_is_sent(desk: Desk) -> None:
    first = desk.record(options=PlanOptions(undo=timedelta(minutes=10)))
    other = {"dose": {"number": 2}, "person": {"phone": "081299998888"}}
    corrected = desk.record(event_id="event-2", event_type="corrected", **other)
    desk.services.clock.tick(minutes=11)  # type: ignore[attr-defined]
    desk.send()

    assert corrected.outcome is RecordOutcome.UPDATED
    assert corrected.reference == first.reference
    [sms] = desk.gateway.sent
    assert "dosis 2" in sms.text
    assert sms.to == "+6281299998888"


def test_a_correction_after_sending_kills_the_old_link_and_sends_one_correction(each_desk: Desk) -> None:
    first = each_desk.record()
    each_desk.send()
    corrected = each_desk.record(event_id="event-2", event_type="corrected", person={"name": "Siti Aminah Putri"})
    each_desk.send()

    assert corrected.outcome is RecordOutcome.CORRECTED
    assert each_desk.row(corrected.reference).kind == "correction"
    assert each_desk.link(first.reference).revoke_reason == Reason.CORRECTED
    assert each_desk.certificate(first.reference).status == "replaced"
    assert each_desk.certificate(corrected.reference).status == "valid"
    assert len(each_desk.gateway.sent) == 2
    assert "diperbarui" in each_desk.gateway.sent[1].text


def test_a_number_corrected_after_sending_moves_the_link_and_keeps_the_certificate(each_desk: Desk) -> None:
    first = each_desk.record()
    each_desk.send()
    moved = each_desk.record(event_id="event-2", event_type="corrected", person={"phone": "081299998888"})
    each_desk.send()

    assert each_desk.link(first.reference).revoke_reason == Reason.NUMBER_CHANGED
    assert each_desk.link(moved.reference).revoked_at is None
    assert each_desk.row(moved.reference).certificate_id == each_desk.row(first.reference).certificate_id
    assert [sms.to for sms in each_desk.gateway.sent] == ["+6281234567890", "+6281299998888"]


def test_a_new_number_stops_the_links_of_the_person_s_other_doses_too(each_desk: Desk) -> None:
    sent = each_desk.record()
    each_desk.send()
    waiting = each_desk.record(event_id="e2", dose={"id": "d2"}, notify={"delay_hours": 2})
    each_desk.record(event_id="e3", dose={"id": "d3"}, person={"phone": "081299998888"})
    assert each_desk.link(sent.reference).revoke_reason == Reason.NUMBER_CHANGED
    assert each_desk.link(waiting.reference).revoked_at is None

    each_desk.services.clock.tick(hours=2)  # type: ignore[attr-defined]
    each_desk.send()
    assert {sms.to for sms in each_desk.gateway.sent[1:]} == {"+6281299998888"}


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        (None, Reason.NO_PHONE),
        ("021-3456789", Reason.BAD_PHONE),  # a landline in Jakarta
        ("+1 202 555 0123", Reason.BAD_PHONE),
        ("555-978-4581", Reason.BAD_PHONE),
        ("0812", Reason.BAD_PHONE),
    ],
)
def test_a_number_that_cannot_receive_is_recorded_and_suppressed(desk: Desk, phone: str | None, reason: Reason) -> None:
    recorded = desk.record(person={"phone": phone})
    desk.send()
    assert (recorded.outcome, recorded.state, recorded.reason) == (RecordOutcome.SUPPRESSED, State.SUPPRESSED, reason)
    assert desk.gateway.sent == []


def test_a_number_that_arrives_later_gets_the_sms(desk: Desk) -> None:
    desk.record(person={"phone": None})
    fixed = desk.record(event_id="event-2", event_type="corrected")
    desk.send()
    assert fixed.outcome is RecordOutcome.PLANNED
    assert desk.row(fixed.reference).generation == 2
    assert len(desk.gateway.sent) == 1


def test_a_withdrawal_before_sending_cancels(each_desk: Desk) -> None:
    first = each_desk.record()
    withdrawn = each_desk.record(event_id="event-2", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    each_desk.send()
    assert withdrawn.outcome is RecordOutcome.WITHDRAWN
    assert each_desk.state(first.reference) == State.CANCELLED
    assert each_desk.certificate(first.reference).status == "revoked"
    assert each_desk.gateway.sent == []


def test_a_withdrawal_after_sending_revokes_link_and_certificate(each_desk: Desk) -> None:
    first = each_desk.record()
    each_desk.send()
    each_desk.record(event_id="event-2", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    assert each_desk.link(first.reference).revoke_reason == Reason.WITHDRAWN
    assert each_desk.certificate(first.reference).status == "revoked"
    assert each_desk.state(first.reference) == State.ACCEPTED  # what left has left


def test_a_withdrawal_of_an_unknown_dose_is_recorded_and_sends_nothing(each_desk: Desk) -> None:
    withdrawn = each_desk.record(event_type="entered_in_error")
    assert withdrawn.outcome is RecordOutcome.WITHDRAWN
    assert withdrawn.reference is None
    assert each_desk.rows() == []


def test_a_dose_given_after_all_is_told(desk: Desk) -> None:
    desk.record()
    desk.record(event_id="event-2", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    again = desk.record(event_id="event-3", recorded_at="2026-11-23T05:00:00Z")
    desk.send()
    assert again.outcome is RecordOutcome.PLANNED
    assert len(desk.gateway.sent) == 1
    assert desk.certificate(again.reference).status == "valid"


def test_an_older_word_about_a_dose_changes_nothing(desk: Desk) -> None:
    desk.record(event_id="event-1", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    late = desk.record(event_id="event-2", recorded_at="2026-11-23T03:00:00Z")
    assert late.outcome is RecordOutcome.STALE
    assert desk.rows() == []


def test_persons_are_matched_by_id_else_by_nik_else_never(desk: Desk) -> None:
    desk.record()
    other_phone = {"phone": "081200000001"}
    desk.record(event_id="e2", dose={"id": "d2"}, person={"id": None, **other_phone})  # same NIK, same birth date
    desk.record(event_id="e3", dose={"id": "d3"}, person={"id": None, "nik": None, **other_phone})  # same name only
    born_elsewhen = {"id": None, "birth_date": "1990-02-10", **other_phone}
    desk.record(event_id="e4", dose={"id": "d4"}, person=born_elsewhen)  # one digit off somebody's NIK

    by_dose = {row.dose_id: row.person_id for row in desk.rows()}
    assert len(by_dose) == 4
    assert len(set(by_dose.values())) == 3


def test_an_id_that_a_source_uses_for_two_people_is_refused(desk: Desk) -> None:
    desk.record()
    stranger = {"name": "Budi Santoso", "birth_date": "1945-11-17", "nik": None}
    with pytest.raises(BadInput) as refused:
        desk.record(event_id="e2", dose={"id": "d2"}, person=stranger)
    assert [problem.rule for problem in refused.value.problems] == ["person-differs"]
    assert len(desk.rows()) == 1


def test_a_dose_given_to_the_wrong_person_moves_to_the_right_one(desk: Desk) -> None:
    first = desk.record()
    desk.send()
    right = {"id": "person-2", "name": "Budi", "nik": None, "birth_date": "1945-11-17", "phone": "081200000002"}
    moved = desk.record(event_id="e2", event_type="corrected", person=right)
    desk.send()
    assert desk.row(moved.reference).person_id != desk.row(first.reference).person_id
    assert desk.link(first.reference).revoked_at is not None
    assert [sms.to for sms in desk.gateway.sent] == ["+6281234567890", "+6281200000002"]


def test_a_null_never_erases_what_is_known(desk: Desk) -> None:
    first = desk.record()
    desk.record(event_id="e2", person={"phone": None, "nik": None})
    with desk.services.db.read() as conn:
        known = persons.get(conn, desk.services.sealer, desk.row(first.reference).person_id)
    assert known.phone == "+6281234567890"
    assert known.nik is not None


def test_a_referred_person_must_be_known(desk: Desk) -> None:
    stranger = an_event().model_copy(update={"person": None, "person_ref": "nobody"})
    with pytest.raises(BadInput) as refused:
        record(desk.services, stranger, door=Door.FHIR, actor="door:fhir")
    assert refused.value.problems[0].rule == "patient-unknown"
    desk.record()
    known = an_event(event_id="e2", dose={"id": "d2"}).model_copy(update={"person": None, "person_ref": "person-1"})
    assert record(desk.services, known, door=Door.FHIR, actor="door:fhir").outcome is RecordOutcome.PLANNED


def test_a_historical_copy_is_recorded_without_an_sms(desk: Desk) -> None:
    copy = an_event().model_copy(update={"historical": True})
    recorded = record(desk.services, copy, door=Door.FHIR, actor="door:fhir")
    assert (recorded.state, recorded.reason) == (State.SUPPRESSED, Reason.HISTORICAL)


@pytest.mark.parametrize(
    ("changes", "options", "due"),
    [
        ({}, PlanOptions(), "2026-11-23T03:00"),
        ({"notify": {"delay_hours": 48}}, PlanOptions(), "2026-11-25T03:00"),
        ({"notify": {"delay_hours": 0.5}}, PlanOptions(), "2026-11-23T03:30"),
        ({}, PlanOptions(undo=timedelta(minutes=10)), "2026-11-23T03:10"),
        ({"notify": {"delay_hours": 12}}, PlanOptions(), "2026-11-24T01:00"),  # 22.00 WIB -> 08.00 WIB
        ({"notify": {"delay_hours": 12}}, PlanOptions(any_hour=True), "2026-11-23T15:00"),
        ({"notify": {"delay_hours": 12}, "person": {"time_zone": "Asia/Jayapura"}}, PlanOptions(), "2026-11-23T23:00"),
    ],
)
def test_due_times(build_services: Build, changes: dict[str, Any], options: PlanOptions, due: str) -> None:
    recorded = Desk(build_services(smooth_minutes=0)).record(options=options, **changes)
    assert recorded.due_at == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_the_programme_s_delay_holds_where_the_event_names_none(build_services: Build) -> None:
    desk = Desk(build_services(delay_hours=24))
    assert desk.record(notify={"delay_hours": None}).due_at == datetime(2026, 11, 24, 3, tzinfo=UTC)


def test_one_bad_event_leaves_the_others_of_its_batch(each_desk: Desk) -> None:
    each_desk.record()
    stranger = an_event(event_id="e3", dose={"id": "d3"}).model_copy(update={"person": None, "person_ref": "nobody"})
    batch = [
        an_event(event_id="e2", dose={"id": "d2"}),
        stranger,
        an_event(dose={"lot": "other"}),
        an_event(event_id="e4", dose={"id": "d4"}),
    ]
    answers = record_many(each_desk.services, batch, door=Door.IMPORT, actor="door:import")
    kinds = [answer.outcome if isinstance(answer, Recorded) else type(answer).__name__ for answer in answers]
    assert kinds == [RecordOutcome.PLANNED, "BadInput", "Conflict", RecordOutcome.PLANNED]
    with each_desk.services.db.read() as conn:
        assert events.find(conn, "e3") is None
        assert events.unaccounted(conn) == 0


def test_the_same_event_at_many_doors_at_once_is_one(each_desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: each_desk.record(), range(8)))
    assert sorted(answer.outcome for answer in answers) == ["planned", *["repeated"] * 7]
    assert len(each_desk.rows()) == 1


def test_a_new_person_s_doses_at_once_make_one_person(each_desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: each_desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}), range(8)))
    with each_desk.services.db.read() as conn:
        assert len(list(conn.execute(person.select()))) == 1
    assert len(each_desk.rows()) == 8


def test_a_failure_half_way_leaves_nothing(each_desk: Desk, clock: FakeClock) -> None:
    too_long = an_event().model_copy(update={"dose": an_event().dose.model_copy(update={"id": None})})
    with pytest.raises(Exception, match=r"source_id|NoneType"):  # the database, or the lock, refuses a dose without id
        record(each_desk.services, too_long, door=Door.API, actor="door:api")
    with each_desk.services.db.read() as conn:
        assert list(conn.execute(event.select())) == []
        assert list(conn.execute(person.select())) == []


def test_typed_doses_go_in_the_fast_lane(desk: Desk) -> None:
    recorded = desk.record(options=PlanOptions(lane=Lane.FRESH))
    assert desk.row(recorded.reference).lane == Lane.FRESH
