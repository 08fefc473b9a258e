"""Corrections and withdrawals by staff: what happens to the messages, the links and the other person who pressed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.states import CertificateStatus, Kind, Reason, State
from notifier.faults import FaultPoint, Unarmed
from notifier.gateways import Outcome, OutcomeClass
from notifier.intake.record import Door, PlanOptions, Recorded, record
from notifier.store import audit, doses, persons
from notifier.support import follow_ups
from notifier.support.corrections import (
    Checked,
    CheckedHow,
    Consequence,
    correct,
    draft,
    read_checked,
    withdraw,
)
from notifier.support.dose_on_file import Held, last_change, look, shared_with
from notifier.support.revoke import Scope, revoke
from tests.builders import an_event
from tests.desk import Desk
from tests.fakes import FakeClock

ACTOR = "staff:00000000-0000-7000-8000-000000000001"
OTHER_ACTOR = "staff:00000000-0000-7000-8000-000000000002"
SHOWN = Checked(CheckedHow.ID_CARD)
OLD, NEW = "+6281234567890", "+6281298765432"
HALF_AN_HOUR = PlanOptions(delay=timedelta(minutes=30))


def seen(desk: Desk, reference: str | None) -> Held:
    assert reference is not None
    return look(desk.services, reference, only_facility=None)


def fix(desk: Desk, reference: str | None, revision: str | None = None, actor: str = ACTOR, **changes: Any) -> Recorded:
    assert reference is not None
    revision = revision or seen(desk, reference).revision
    return correct(desk.services, reference, changes, revision=revision, checked=SHOWN, only_facility=None, actor=actor)


def take_back(desk: Desk, reference: str | None, revision: str | None = None) -> Recorded:
    assert reference is not None
    revision = revision or seen(desk, reference).revision
    return withdraw(desk.services, reference, revision=revision, reason="wrong person", only_facility=None, actor=ACTOR)


def test_a_number_that_is_fixed_before_the_sms_leaves_gets_the_only_one(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record(options=HALF_AN_HOUR).reference
    plan = draft(each_desk.services, seen(each_desk, reference), {"phone": NEW})
    assert (plan.consequence, plan.due_at) == (Consequence.WAITING, each_desk.row(reference).due_at)
    assert fix(each_desk, reference, phone=NEW).reference == reference
    clock.tick(hours=1)
    each_desk.send()
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == [NEW]
    assert "dose.corrected" in each_desk.audit(each_desk.row(reference).dose_id)


def test_after_it_failed_the_new_number_gets_a_new_generation_with_a_new_link(
    each_desk: Desk, clock: FakeClock
) -> None:
    reference = each_desk.record().reference
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code="30005")
    each_desk.send()
    each_desk.gateway.answer = each_desk.gateway.accept
    plan = draft(each_desk.services, seen(each_desk, reference), {"phone": NEW})
    assert plan.consequence is Consequence.NEW_LINK
    assert plan.due_at == clock.now() + timedelta(minutes=10)
    new = fix(each_desk, reference, phone=NEW).reference
    row = each_desk.row(new)
    assert (row.generation, row.status, row.due_at) == (2, State.SCHEDULED, plan.due_at)
    assert row.link_id != each_desk.row(reference).link_id
    clock.tick(minutes=11)
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == [OLD, NEW]


def test_after_it_arrived_at_a_stranger_the_old_link_is_dead_at_once(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    new = fix(each_desk, reference, phone=NEW).reference
    assert each_desk.link(reference).revoke_reason == Reason.NUMBER_CHANGED
    assert each_desk.link(new).revoked_at is None
    clock.tick(minutes=11)
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == [OLD, NEW]


def test_somebody_without_a_number_gets_an_sms_once_there_is_one(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record(person={"phone": None}).reference
    assert each_desk.row(reference).reason == Reason.NO_PHONE
    fix(each_desk, reference, phone=NEW)
    clock.tick(minutes=11)
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == [NEW]


def test_a_date_corrected_before_the_sms_leaves_changes_what_the_certificate_says_and_sends_one(
    each_desk: Desk, clock: FakeClock
) -> None:
    reference = each_desk.record(options=HALF_AN_HOUR).reference
    fix(each_desk, reference, given_on=date(2026, 11, 21), lot="LOT-8")
    clock.tick(hours=1)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    with each_desk.services.db.read() as conn:
        shot = doses.get(conn, each_desk.row(reference).dose_id)
    assert (shot.given_on, shot.lot, shot.product, shot.vaccine_code) == (
        date(2026, 11, 21), "LOT-8", "Influenza", "140",
    )  # fmt: skip


def test_a_name_corrected_after_the_sms_left_makes_a_new_certificate_and_says_so(
    each_desk: Desk, clock: FakeClock
) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    plan = draft(each_desk.services, seen(each_desk, reference), {"name": "Siti Aminah Rahma"})
    assert plan.consequence is Consequence.CORRECTION
    new = fix(each_desk, reference, name="Siti Aminah Rahma").reference
    assert each_desk.row(new).kind == Kind.CORRECTION
    assert each_desk.certificate(reference).status == CertificateStatus.REPLACED
    assert each_desk.link(reference).revoked_at is not None
    clock.tick(minutes=11)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2


def test_another_vaccine_has_not_the_code_of_the_one_before(desk: Desk) -> None:
    reference = desk.record().reference
    plan = draft(desk.services, seen(desk, reference), {"product": "Sinovac"})
    assert {one.name for one in plan.differences} == {"product", "vaccine_code"}
    fix(desk, reference, product="Sinovac")
    with desk.services.db.read() as conn:
        shot = doses.get(conn, desk.row(reference).dose_id)
    assert (shot.product, shot.vaccine_code, shot.vaccine_system) == ("Sinovac", None, None)


def test_a_corrected_birth_date_gives_a_new_start(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    person_id = each_desk.row(reference).person_id
    with each_desk.services.db.write() as conn:
        for _ in range(5):
            persons.count_wrong_try(conn, person_id, clock.now())
    fix(each_desk, reference, birth_date=date(1989, 2, 11))
    follow_ups.run(each_desk.services)
    with each_desk.services.db.read() as conn:
        person = persons.get(conn, each_desk.services.sealer, person_id)
    assert (person.wrong_tries, person.locked_at, person.birth_date) == (0, None, date(1989, 2, 11))


def test_a_correction_pressed_twice_is_one(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    revision = seen(each_desk, reference).revision
    first = fix(each_desk, reference, revision, phone=NEW)
    again = fix(each_desk, reference, revision, phone=NEW)
    assert first.reference == again.reference
    assert len(each_desk.rows()) == 2
    assert each_desk.audit(each_desk.row(reference).dose_id).count("dose.corrected") == 1


class _Dies(Unarmed):
    """The process ends just before the commit."""

    def reached(self, point: FaultPoint) -> None:
        if point is FaultPoint.INTAKE_BEFORE_COMMIT:
            raise SystemExit("killed")


def test_who_is_killed_before_the_commit_has_changed_nothing_and_can_press_again(each_desk: Desk) -> None:
    reference = each_desk.record().reference or ""
    each_desk.send()
    held = seen(each_desk, reference)
    dying = replace(each_desk.services, faults=_Dies())
    about: dict[str, Any] = {"revision": held.revision, "only_facility": None, "actor": ACTOR}
    with pytest.raises(SystemExit):
        correct(dying, reference, {"phone": NEW}, checked=SHOWN, **about)
    with pytest.raises(SystemExit):
        withdraw(dying, reference, reason="wrong person", **about)
    assert seen(each_desk, reference).revision == held.revision
    assert each_desk.link(reference).revoked_at is None
    assert each_desk.audit(held.dose.id) == ["event.accepted"]
    assert fix(each_desk, reference, held.revision, phone=NEW).outcome == "corrected"


def test_of_two_clerks_at_once_one_wins_and_the_other_is_told(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    revision = seen(each_desk, reference).revision

    def press(which: int) -> str:
        try:
            lots = ("LOT-8", "LOT-9")
            return fix(each_desk, reference, revision, actor=(ACTOR, OTHER_ACTOR)[which], lot=lots[which]).outcome
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["changed-meanwhile", "corrected"]
    assert len(each_desk.rows()) == 2


def test_who_is_late_sees_what_the_other_changed(desk: Desk) -> None:
    reference = desk.record().reference
    revision = seen(desk, reference).revision
    fix(desk, reference, revision, actor=OTHER_ACTOR, lot="LOT-8")
    with pytest.raises(Refused, match="changed-meanwhile"):
        fix(desk, reference, revision, lot="LOT-9")
    changed = last_change(desk.services, seen(desk, reference))
    assert changed is not None
    assert (changed.action, changed.by, changed.fields) == ("dose.corrected", OTHER_ACTOR, ("lot",))


def test_what_the_registry_said_meanwhile_is_not_overwritten(desk: Desk) -> None:
    reference = desk.record().reference
    revision = seen(desk, reference).revision
    desk.record(event_id="e2", event_type="corrected", recorded_at="2026-11-23T04:00:00Z", dose={"lot": "LOT-5"})
    with pytest.raises(Refused, match="changed-meanwhile"):
        fix(desk, reference, revision, lot="LOT-9")


def test_a_change_that_was_taken_back_can_be_made_again(desk: Desk) -> None:
    reference = desk.record().reference
    for lot in ("LOT-8", "LOT-7", "LOT-8"):
        fix(desk, reference, lot=lot)
        assert seen(desk, reference).dose.lot == lot


def test_what_the_registry_repeats_after_the_correction_comes_too_late(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record(options=HALF_AN_HOUR).reference
    clock.tick(minutes=1)
    fix(desk, reference, lot="LOT-8")
    assert desk.record(event_id="e2", event_type="corrected").outcome == "stale"
    assert seen(desk, reference).dose.lot == "LOT-8"


def test_a_registry_whose_clock_is_ahead_does_not_keep_us_from_correcting(desk: Desk) -> None:
    reference = desk.record(recorded_at="2026-11-23T20:00:00Z").reference
    fix(desk, reference, lot="LOT-8")
    assert seen(desk, reference).dose.lot == "LOT-8"


def test_a_dose_that_is_withdrawn_before_its_sms_leaves_sends_nothing(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record(options=HALF_AN_HOUR).reference
    take_back(each_desk, reference)
    clock.tick(hours=1)
    each_desk.send()
    assert each_desk.gateway.sent == []
    assert (each_desk.row(reference).status, each_desk.row(reference).reason) == (State.CANCELLED, Reason.WITHDRAWN)


def test_a_dose_that_is_withdrawn_after_it_left_takes_its_certificate_along(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    take_back(each_desk, reference)
    assert each_desk.certificate(reference).status == CertificateStatus.REVOKED
    assert each_desk.link(reference).revoked_at is not None
    assert "dose.withdrawn" in each_desk.audit(each_desk.row(reference).dose_id)


def test_withdrawn_twice_with_one_form_is_one_and_cannot_be_corrected(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    revision = seen(each_desk, reference).revision
    take_back(each_desk, reference, revision)
    assert take_back(each_desk, reference, revision).outcome == "repeated"
    for attempt in (lambda: take_back(each_desk, reference), lambda: fix(each_desk, reference, lot="LOT-9")):
        with pytest.raises(Refused, match=Reason.WITHDRAWN):
            attempt()
    with pytest.raises(Refused, match=Reason.WITHDRAWN):
        draft(each_desk.services, seen(each_desk, reference), {"lot": "LOT-9"})


def test_a_correction_against_a_withdrawal_at_once_leaves_one_of_them(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    revision = seen(each_desk, reference).revision

    def press(which: int) -> str:
        try:
            done = take_back(each_desk, reference, revision) if which else fix(each_desk, reference, revision, lot="X")
        except Refused as refused:
            return refused.reason
        return done.outcome

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(press, range(2)))
    assert found in (["changed-meanwhile", "withdrawn"], ["changed-meanwhile", "updated"])


def test_a_dose_of_another_facility_is_not_there(desk: Desk) -> None:
    reference = desk.record().reference or ""
    revision = seen(desk, reference).revision
    for attempt in (
        lambda: look(desk.services, reference, only_facility="facility-2"),
        lambda: correct(
            desk.services, reference, {"lot": "X"},
            revision=revision, checked=SHOWN, only_facility="facility-2", actor=ACTOR,
        ),
        lambda: withdraw(
            desk.services, reference, revision=revision, reason="x", only_facility="facility-2", actor=ACTOR
        ),
        lambda: revoke(
            desk.services, reference, scope=Scope.DOSE, only_facility="facility-2", reason="x", actor=ACTOR
        ),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            attempt()


def test_nothing_typed_is_nothing_changed_and_an_empty_field_erases_nobody(desk: Desk) -> None:
    reference = desk.record().reference
    for changes in ({}, {"name": None, "nik": None, "birth_date": None, "phone": None}, {"phone": OLD}):
        with pytest.raises(BadInput) as bad:
            draft(desk.services, seen(desk, reference), changes)
        assert bad.value.problems[0].rule == "nothing-changed"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"nik": "123"}, "person.nik", "nik-length"),
        ({"given_on": date(2026, 12, 24)}, "dose.given_on", "in-future"),
        ({"given_on": date(1988, 1, 1)}, "dose.given_on", "before-birth"),
        ({"number": 3}, "dose.series_total", "series-range"),
        ({"name": "x" * 201}, "person.name", "too-long"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(desk: Desk, changes: dict[str, Any], field: str, rule: str) -> None:
    reference = desk.record().reference
    with pytest.raises(BadInput) as bad:
        draft(desk.services, seen(desk, reference), changes)
    assert [(one.field, one.rule) for one in bad.value.problems] == [(field, rule)]


def test_two_of_name_birth_date_and_nik_at_once_are_another_person(desk: Desk) -> None:
    reference = desk.record().reference
    with pytest.raises(BadInput) as bad:
        fix(desk, reference, name="Budi", birth_date=date(1990, 1, 1))
    assert bad.value.problems[0].rule == "person-differs"
    assert "dose.corrected" not in desk.audit(desk.row(reference).dose_id)


def test_a_dose_copied_from_a_card_still_tells_nobody(desk: Desk) -> None:
    event = an_event().model_copy(update={"historical": True})
    reference = record(desk.services, event, door=Door.FHIR, actor="door:fhir").reference
    assert draft(desk.services, seen(desk, reference), {"phone": NEW}).consequence is Consequence.NO_SMS
    fix(desk, reference, phone=NEW)
    desk.send()
    assert desk.gateway.sent == []


def test_a_number_that_others_have_too_is_counted(desk: Desk) -> None:
    reference = desk.record().reference
    desk.record(event_id="e2", dose={"id": "d2"}, person={"id": "p2", "name": "Budi", "nik": None})
    assert shared_with(desk.services, seen(desk, reference), OLD) == 1
    assert shared_with(desk.services, seen(desk, reference), NEW) == 0


@pytest.mark.parametrize(
    ("how", "words", "field"),
    [
        ("", "", "checked"),
        ("guess", "", "checked"),
        ("other", " ", "checked_words"),
        ("id-card", "x" * 301, "checked_words"),
    ],
)
def test_how_it_was_checked_must_be_said(how: str, words: str, field: str) -> None:
    with pytest.raises(BadInput) as bad:
        read_checked(how, words)
    assert bad.value.problems[0].field == field


def test_the_audit_of_a_correction_holds_names_of_fields_and_no_value(desk: Desk) -> None:
    reference = desk.record().reference
    fix(desk, reference, phone=NEW, lot="LOT-8")
    with desk.services.db.read() as conn:
        [row] = [
            one for one in audit.of_subjects(conn, [desk.row(reference).dose_id]) if one.action == "dose.corrected"
        ]
    assert row.detail == {"how": "id-card", "fields": "phone,lot"}


def test_revoked_links_are_dead_nothing_is_sent_and_a_resend_makes_a_new_one(each_desk: Desk, clock: FakeClock) -> None:
    first = each_desk.record().reference or ""
    each_desk.send()
    second = each_desk.record(event_id="e2", dose={"id": "d2"}, notify={"delay_hours": 5}).reference or ""
    done = revoke(
        each_desk.services, first, scope=Scope.PERSON, only_facility=None, reason="phone was stolen", actor=ACTOR
    )
    assert (done.links, done.cancelled) == (2, 1)
    assert each_desk.link(first).revoke_reason == Reason.LINK_REVOKED
    assert (each_desk.state(second), each_desk.row(second).reason) == (State.CANCELLED, Reason.LINK_REVOKED)
    assert each_desk.certificate(first).status == CertificateStatus.VALID
    clock.tick(hours=6)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    assert "link.revoked" in each_desk.audit(each_desk.row(second).dose_id)
    with pytest.raises(Refused, match="no-links"):
        revoke(each_desk.services, first, scope=Scope.DOSE, only_facility=None, reason="again", actor=ACTOR)


def test_one_doses_links_can_be_revoked_alone_and_a_facility_reaches_its_own_only(desk: Desk) -> None:
    first = desk.record().reference or ""
    second = desk.record(event_id="e2", dose={"id": "d2", "facility_id": "facility-2"}).reference or ""
    desk.send()
    assert desk.link(second).revoked_at is None
    about = {"only_facility": "facility-1", "reason": "stolen", "actor": ACTOR}
    assert revoke(desk.services, first, scope=Scope.PERSON, **about).links == 1
    assert desk.link(first).revoked_at is not None
    assert desk.link(second).revoked_at is None
