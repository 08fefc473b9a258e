"""Corrections that people ask for themselves: at once by rule, with a code of the new number, or by somebody's
decision; and what follows for certificates, links and SMS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.own_corrections import Field, Proof, RefusedWhy, RequestState
from notifier.core.states import CaseKind, CertificateStatus, Kind, State
from notifier.faults import FaultPoint, Unarmed
from notifier.services import Services
from notifier.store import audit, cases, events, own_corrections, persons
from notifier.store.persons import Person
from notifier.store.tables import registry_outbox
from notifier.support import follow_ups, not_me
from notifier.support.corrections import Checked, CheckedHow
from notifier.support.own_corrections import objection, review
from notifier.support.own_corrections.asking import (
    Asked,
    Claim,
    ask,
    ask_unproven,
    number_proved,
    of_person,
    send_evidence,
    withdraw,
)
from tests.builders import NIK
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_photos import a_photo

OLD, NEW = "+6281234567890", "+6281298765432"
STAFF, COLLEAGUE = "staff:00000000-0000-7000-8000-000000000001", "staff:00000000-0000-7000-8000-000000000002"
SHOWN = Checked(CheckedHow.ID_CARD)
BORN = date(1989, 2, 10)
LETTERS = {"person": {"id": "person-2", "nik": "3273015506900002", "name": "Budi Hartono", "birth_date": "1990-06-15"}}


def person_of(desk: Desk, reference: str | None) -> Person:
    with desk.services.db.read() as conn:
        return persons.get(conn, desk.services.sealer, desk.row(reference).person_id)


def wish(desk: Desk, reference: str | None, about: Field, value: str) -> Asked:
    return ask(desk.services, desk.row(reference).person_id, about, value, door="me", proved_by=Proof.OTP)


def approve(desk: Desk, asked: Asked, actor: str = STAFF) -> Asked:
    return review.approve(desk.services, asked.reference, only_facility=None, reason="KTP cocok", actor=actor)


def confirm(services: Services, asked: Asked, card_nik: str = NIK) -> None:
    review.confirm(services, asked.reference, card_nik=card_nik, checked=SHOWN, only_facility=None, actor=STAFF)


def state_of(desk: Desk, asked: Asked) -> str:
    with desk.services.db.read() as conn:
        row = own_corrections.find(conn, asked.reference, None)
    assert row is not None
    return str(row.state)


def told_to_registry(desk: Desk) -> list[list[Any]]:
    """What waits to be told, with the names of what changed."""
    with desk.services.db.read() as conn:
        return [[row.kind, row.fields] for row in conn.execute(registry_outbox.select())]


def deeds(desk: Desk, asked: Asked) -> list[str]:
    with desk.services.db.read() as conn:
        row = own_corrections.find(conn, asked.reference, None)
        assert row is not None
        return [one.action for one in audit.of_subjects(conn, [row.id])]


def why(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as refused:
        call(*args, **named)
    return refused.value.reason


def test_a_slip_in_the_name_is_corrected_at_once_with_a_new_certificate(desk: Desk) -> None:
    reference = desk.record(person={"name": "Siti Amniah"}).reference
    desk.send()
    asked = wish(desk, reference, Field.NAME, "Siti Aminah")
    assert asked.state is RequestState.DONE
    assert person_of(desk, reference).name == "Siti Aminah"
    assert desk.certificate(reference).status == CertificateStatus.REPLACED
    assert desk.link(reference).revoke_reason == "corrected"
    desk.send()
    newest = desk.rows()[0]
    assert (newest.kind, newest.status) == (Kind.CORRECTION, State.ACCEPTED)
    assert [sms.to for sms in desk.gateway.sent] == [OLD, OLD]
    assert deeds(desk, asked) == ["correction.asked", "correction.done"]


def test_the_certificates_of_every_dose_are_made_anew(desk: Desk) -> None:
    person = {"name": "Siti Amniah"}
    first, second, waiting = (
        desk.record(event_id=f"event-{n}", person=person, dose={"id": f"dose-{n}", "number": n, "series_total": 3})
        for n in (1, 2, 3)
    )
    first, second, waiting = first.reference, second.reference, waiting.reference
    desk.send(2)
    wish(desk, first, Field.NAME, "Siti Aminah")
    assert [desk.certificate(one).status for one in (first, second)] == [CertificateStatus.REPLACED] * 2
    assert desk.certificate(waiting).status == CertificateStatus.VALID  # nobody has it yet
    assert sorted(row.kind for row in desk.rows()) == ["certificate"] * 3 + ["correction"] * 2


def test_never_two_in_a_row_by_rule_until_somebody_has_looked(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record(person={"name": "Siti Amniah"}).reference
    wish(desk, reference, Field.NAME, "Siti Aminah")
    second = wish(desk, reference, Field.NAME, "Siti Aminnah")
    assert second.state is RequestState.REVIEW
    assert person_of(desk, reference).name == "Siti Aminah"
    approve(desk, second)
    clock.tick(days=40)
    assert wish(desk, reference, Field.NAME, "Siti Aminah").state is RequestState.DONE


def test_a_small_change_that_makes_a_namesake_in_the_family_is_looked_at(desk: Desk) -> None:
    desk.record(event_id="event-2", dose={"id": "dose-2"}, person=LETTERS["person"] | {"name": "Hassan Basri"})
    reference = desk.record(person={"name": "Hasan Basri"}).reference
    assert wish(desk, reference, Field.NAME, "Hassan Basri").state is RequestState.REVIEW


@pytest.mark.parametrize(
    ("about", "value"),
    [(Field.NAME, "Siti Maryam"), (Field.BIRTH_DATE, "1989-02-11"), (Field.NIK, "3174031002890008")],
)
def test_anything_else_waits_for_a_decision_and_changes_nothing_before(desk: Desk, about: Field, value: str) -> None:
    reference = desk.record().reference
    desk.send()
    before = person_of(desk, reference)
    asked = wish(desk, reference, about, value)
    assert asked.state is RequestState.REVIEW
    assert person_of(desk, reference) == before
    assert desk.certificate(reference).status == CertificateStatus.VALID
    assert told_to_registry(desk) == []
    approve(desk, asked)
    assert str(getattr(person_of(desk, reference), about.value)) == value
    assert told_to_registry(desk) == [["person.corrected", [about.value]]]
    assert desk.certificate(reference).status == CertificateStatus.REPLACED
    assert state_of(desk, asked) == "done"


def test_a_nik_that_proves_itself_is_corrected_at_once(desk: Desk) -> None:
    reference = desk.record(person={"nik": "3174031003890009"}).reference
    assert wish(desk, reference, Field.NIK, NIK).state is RequestState.DONE
    assert person_of(desk, reference).nik == NIK


def test_the_nik_of_somebody_else_is_reviewed_like_any_other_and_never_given(desk: Desk) -> None:
    desk.record(event_id="event-2", dose={"id": "dose-2"}, person={"id": "person-2", "phone": "0812-1111-2222"})
    reference = desk.record(person={"nik": "3174031003890009"}).reference
    asked = wish(desk, reference, Field.NIK, NIK)
    assert asked.state is RequestState.REVIEW
    assert review.show(desk.services, asked.reference, only_facility=None).is_taken
    assert why(approve, desk, asked) == "nik-taken"
    review.refuse(
        desk.services, asked.reference, RefusedWhy.NOT_PROVED, only_facility=None, reason="NIK lain", actor=STAFF
    )
    assert person_of(desk, reference).nik == "3174031003890009"


def test_a_new_number_counts_once_it_has_given_its_code(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    desk.send()
    asked = wish(desk, reference, Field.PHONE, "0812-9876-5432")
    assert asked.state is RequestState.NUMBER
    assert person_of(desk, reference).phone == OLD
    with pytest.raises(NotFound):
        number_proved(desk.services, asked.reference, "+6281200000000", door="me")
    number_proved(desk.services, asked.reference, NEW, door="me")
    assert person_of(desk, reference).phone == NEW
    assert desk.link(reference).revoke_reason == "number-changed"
    with pytest.raises(NotFound):
        number_proved(desk.services, asked.reference, NEW, door="me")


@pytest.mark.parametrize("meanwhile", ["another-number", "not-theirs", "a-strangers", "locked"])
def test_a_new_number_counts_no_more_once_the_old_one_proves_nothing(
    desk: Desk, clock: FakeClock, meanwhile: str
) -> None:
    """Whoever was given somebody's old number asks, and waits until the owner has had it corrected."""
    reference = desk.record().reference
    asked = wish(desk, reference, Field.PHONE, NEW)
    if meanwhile == "another-number":
        clock.tick(minutes=1)
        desk.record(
            event_id="event-2",
            event_type="corrected",
            recorded_at="2026-11-23T03:00:30Z",
            person={"phone": "0812 1111 2222"},
        )
    else:
        person = person_of(desk, reference)
        with desk.services.db.write() as conn:
            if meanwhile == "locked":
                for _ in range(persons.MAX_WRONG_TRIES):
                    persons.count_wrong_try(conn, person.id, desk.services.clock.now())
            else:
                number, at = persons.phone_index(desk.services.sealer, OLD), desk.services.clock.now()
                not_me.pause(conn, person.id, number, at=at, actor="door:link", facility_id=None)
                if meanwhile == "a-strangers":
                    cases.confirm_pause(conn, person_id=person.id, phone_index=number, at=at)
    before = person_of(desk, reference)
    assert why(number_proved, desk.services, asked.reference, NEW, door="me") == "changed-meanwhile"
    assert person_of(desk, reference) == before


def test_the_old_number_may_object_for_two_days_and_nothing_reaches_the_new_one(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    desk.send()
    asked = wish(desk, reference, Field.PHONE, NEW)
    number_proved(desk.services, asked.reference, NEW, door="me")
    desk.send()
    with desk.services.db.read() as conn:
        row = own_corrections.find(conn, asked.reference, None)
        assert row is not None
        token = desk.services.objections.sign(row.objection_id)
    new_link = next(one for one in desk.rows() if one.reference != reference and one.link_id).reference
    assert objection.is_open(desk.services, token)
    assert objection.object_to(desk.services, token)
    assert objection.object_to(desk.services, token)  # said twice it is one case
    assert desk.link(new_link).revoke_reason == "not-me"
    with desk.services.db.read() as conn:
        assert len(cases.open_of_person(conn, row.person_id, CaseKind.NOT_ME)) == 1
        assert cases.paused_numbers(conn, {row.person_id})
    clock.tick(hours=49)
    assert not objection.object_to(desk.services, token)


def test_whoever_lost_the_number_is_told_nothing_and_waits_for_somebody_with_the_card_before_them(desk: Desk) -> None:
    reference = desk.record().reference
    place = desk.row(reference).person_id
    services = desk.services
    where = {"door": "me", "language": "id", "address": "198.51.100.7"}
    known = ask_unproven(services, Claim("Siti Aminah", NIK, BORN), NEW, **where)
    stranger = ask_unproven(services, Claim("Siti Aminah", NIK, date(1989, 2, 11)), NEW, **where)
    assert (known.state, len(known.reference)) == (stranger.state, len(stranger.reference))
    assert of_person(services, place) == []  # and uses up nothing of hers
    assert [line.person for line in review.listed(services, only_facility="facility-1", with_persons=True)[0]] == [None]
    with pytest.raises(NotFound):
        number_proved(services, known.reference, NEW, door="me")
    assert why(confirm, services, stranger) == "nobody-fits"
    with pytest.raises(BadInput):
        confirm(services, known, NIK[:-1] + "8")  # another card
    confirm(services, known)
    number_proved(services, known.reference, NEW, door="me")
    assert person_of(desk, reference).phone == NEW


def test_strangers_cannot_fill_a_list(desk: Desk) -> None:
    desk.record()
    claim = Claim("Siti Aminah", NIK, BORN)
    waits = [
        ask_unproven(desk.services, claim, NEW, door="me", language="id", address=f"198.51.100.{n}").wait_s
        for n in range(4)
    ]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0


def test_a_picture_is_sent_only_when_it_was_asked_for_and_gone_once_it_is_decided(desk: Desk) -> None:
    reference = desk.record().reference
    services, whose = desk.services, desk.row(reference).person_id
    asked = wish(desk, reference, Field.BIRTH_DATE, "1989-02-11")
    assert why(send_evidence, services, whose, asked.reference, a_photo(), door="me") == "not-asked"
    review.ask_evidence(services, asked.reference, only_facility=None, reason="cek akta", actor=STAFF)
    assert why(send_evidence, services, whose, asked.reference, b"<svg/>", door="me") == "picture-format"
    send_evidence(services, whose, asked.reference, a_photo(), door="me")
    seen = review.look_at_evidence(services, asked.reference, only_facility=None, reason="cek", actor=STAFF)
    assert seen.startswith(b"\xff\xd8\xff")
    approve(desk, asked)
    look = review.look_at_evidence
    assert why(look, services, asked.reference, only_facility=None, reason="lagi", actor=STAFF) == "no-picture"
    assert deeds(desk, asked) == [
        "correction.asked", "correction.evidence-asked", "correction.evidence-sent", "correction.evidence-seen",
        "correction.approved", "correction.done",
    ]  # fmt: skip


@pytest.mark.parametrize("is_theirs", [True, False])
def test_news_of_a_request_goes_to_no_number_that_was_said_not_to_be_theirs(desk: Desk, is_theirs: bool) -> None:
    reference = desk.record().reference
    asked = wish(desk, reference, Field.NAME, "Siti Maryam")
    with desk.services.db.write() as conn:
        number, at = persons.phone_index(desk.services.sealer, OLD), desk.services.clock.now()
        if not is_theirs:
            not_me.pause(conn, desk.row(reference).person_id, number, at=at)
    review.refuse(
        desk.services, asked.reference, RefusedWhy.NO_MATCH, only_facility=None, reason="KTP lain", actor=STAFF
    )
    assert [row.kind for row in desk.rows()].count(Kind.REQUEST) == int(is_theirs)


def test_another_persons_request_is_not_there(desk: Desk) -> None:
    mine = desk.record().reference
    other = desk.record(event_id="event-2", dose={"id": "dose-2"}, **LETTERS).reference
    asked = wish(desk, mine, Field.BIRTH_DATE, "1989-02-11")
    stranger = desk.row(other).person_id
    for deed in (
        lambda: withdraw(desk.services, stranger, asked.reference, door="me"),
        lambda: send_evidence(desk.services, stranger, asked.reference, a_photo(), door="me"),
        lambda: review.show(desk.services, asked.reference, only_facility="another"),
        lambda: review.approve(desk.services, asked.reference, only_facility="another", reason="x", actor=STAFF),
    ):
        with pytest.raises(NotFound):
            deed()


def test_few_requests_at_once_and_few_a_month(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    whose = desk.row(reference).person_id
    first = wish(desk, reference, Field.BIRTH_DATE, "1989-02-11")
    assert why(wish, desk, reference, Field.BIRTH_DATE, "1989-02-12") == "open-already"
    second = wish(desk, reference, Field.NIK, "3174031002890008")
    assert why(wish, desk, reference, Field.NAME, "Siti Maryam") == "too-many-open"
    for one in (first, second):
        withdraw(desk.services, whose, one.reference, door="me")
    assert why(withdraw, desk.services, whose, first.reference, door="me") == "already-decided"
    for _ in range(2):
        withdraw(desk.services, whose, wish(desk, reference, Field.NAME, "Siti Maryam").reference, door="me")
    assert why(wish, desk, reference, Field.NAME, "Siti Maryam") == "too-many"
    clock.tick(days=31)
    assert wish(desk, reference, Field.NAME, "Siti Maryam").state is RequestState.REVIEW


@pytest.mark.parametrize(
    ("about", "value", "rule"),
    [
        (Field.NAME, " ", "required"),
        (Field.NAME, "Siti 2", "name-letters"),
        (Field.NAME, "Siti Aminah", "nothing-changed"),
        (Field.NIK, "317403100289000", "nik-length"),
        (Field.NIK, "1" * 16, "nik-placeholder"),
        (Field.BIRTH_DATE, "2027-01-01", "in-future"),
        (Field.BIRTH_DATE, "kemarin", "date"),
        (Field.PHONE, "021 5551234", "phone-not-mobile"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(desk: Desk, about: Field, value: str, rule: str) -> None:
    reference = desk.record().reference
    with pytest.raises(BadInput) as bad:
        wish(desk, reference, about, value)
    assert [(one.field, one.rule) for one in bad.value.problems] == [(f"person.{about.value}", rule)]
    assert of_person(desk.services, desk.row(reference).person_id) == []


def test_a_change_by_the_registry_meanwhile_is_not_undone(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    asked = wish(desk, reference, Field.NAME, "Siti Maryam")
    clock.tick(minutes=1)
    desk.record(
        event_id="event-2", event_type="corrected", recorded_at="2026-11-23T03:00:30Z", person={"name": "Siti Rahma"}
    )
    assert why(approve, desk, asked) == "changed-meanwhile"
    assert review.show(desk.services, asked.reference, only_facility=None).is_stale


def test_what_waits_too_long_ends_or_is_reminded_of(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    number = wish(desk, reference, Field.PHONE, NEW)
    name = wish(desk, reference, Field.NAME, "Siti Maryam")
    follow_ups.run(desk.services)
    assert (state_of(desk, number), state_of(desk, name)) == ("number", "review")
    for _ in range(4):
        clock.tick(days=1)
        follow_ups.run(desk.services)
    assert (state_of(desk, number), state_of(desk, name)) == ("expired", "review")
    assert deeds(desk, name).count("correction.overdue") == 3


class _Killed(BaseException):
    pass


class _KillsOnce(Unarmed):
    """A worker that dies at a point, once."""

    def __init__(self, where: FaultPoint) -> None:
        self.where, self.left = where, 1

    def reached(self, point: FaultPoint) -> None:
        if point is self.where and self.left:
            self.left = 0
            raise _Killed


@pytest.mark.parametrize("where", [FaultPoint.INTAKE_BEFORE_COMMIT, FaultPoint.INTAKE_AFTER_COMMIT])
def test_a_worker_killed_at_the_decision_leaves_all_of_it_or_nothing(desk: Desk, where: FaultPoint) -> None:
    reference = desk.record().reference
    desk.send()
    asked = wish(desk, reference, Field.NAME, "Siti Maryam")
    dying = Desk(replace(desk.services, faults=_KillsOnce(where)))
    with pytest.raises(_Killed):
        approve(dying, asked)
    if where is FaultPoint.INTAKE_BEFORE_COMMIT:
        assert state_of(desk, asked) == "review"
        assert person_of(desk, reference).name == "Siti Aminah"
        approve(desk, asked)
    assert why(approve, desk, asked) == "already-decided"
    assert person_of(desk, reference).name == "Siti Maryam"
    assert [row.kind for row in desk.rows()].count("correction") == 1
    with desk.services.db.read() as conn:
        assert events.count_of_dose(conn, desk.row(reference).dose_id) == 2


def test_of_two_decisions_at_once_one_wins(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    asked = wish(each_desk, reference, Field.NAME, "Siti Maryam")

    def decide(number: int) -> str:
        try:
            if number % 2:
                approve(each_desk, asked, COLLEAGUE)
            else:
                review.refuse(
                    each_desk.services,
                    asked.reference,
                    RefusedWhy.NO_MATCH,
                    only_facility=None,
                    reason="tidak cocok",
                    actor=STAFF,
                )
        except Refused as refused:
            return refused.reason
        return "decided"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(decide, range(4)))
    assert said == ["already-decided"] * 3 + ["decided"]
    is_done = state_of(each_desk, asked) == "done"
    assert (person_of(each_desk, reference).name == "Siti Maryam") == is_done
    assert [row.kind for row in each_desk.rows()].count("correction") == int(is_done)


def test_asked_twice_at_once_it_is_one_request(each_desk: Desk) -> None:
    reference = each_desk.record(person={"name": "Siti Amniah"}).reference
    each_desk.send()

    def press(_: int) -> str:
        try:
            return wish(each_desk, reference, Field.NAME, "Siti Aminah").state.value
        except BadInput as bad:
            return bad.problems[0].rule
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(3) as pool:
        said = sorted(pool.map(press, range(3)))
    assert said == ["done", "nothing-changed", "nothing-changed"]
    assert [row.kind for row in each_desk.rows()].count("correction") == 1


def test_bad_luck_with_dates_keeps_the_request_out(desk: Desk) -> None:
    reference = desk.record().reference
    with pytest.raises(BadInput) as bad:
        wish(desk, reference, Field.BIRTH_DATE, "2026-11-23")  # after the dose
    assert bad.value.problems[0].rule == "before-birth"
