"""One timeline of one person, calls that are noted, and data that are seen for a reason; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.errors import BadInput, NotFound
from notifier.core.ids import new_id
from notifier.core.states import CallKind, Channel, Reason
from notifier.gateways import ErrorMeaning, Outcome, OutcomeClass
from notifier.services import Services
from notifier.store import audit, openings, persons, suppressions
from notifier.store.openings import OpeningKind
from notifier.store.suppressions import Source
from notifier.store.tables import person, person_call
from notifier.support import opt_out, person_deeds, resend
from notifier.support.not_me import say_not_me
from notifier.support.person_deeds import Datum
from notifier.support.person_timeline import Story, story
from tests.builders import NIK
from tests.desk import Desk
from tests.fakes import FakeClock

MENTENG, CIKINI = "facility-1", "facility-2"
ACTOR = "staff:00000000-0000-7000-8000-000000000001"


def a_colleague(services: Services) -> str:
    return accounts.add(
        services,
        Passwords(memory_kib=64, passes=1),
        username="oki",
        display_name="Oki",
        password="tiga kucing oren",
        role=Role.OPERATOR,
        actor="test",
    )


def second_dose(desk: Desk, place: str = CIKINI) -> str:
    made = desk.record(event_id="event-2", dose={"id": "dose-2", "number": 2, "facility_id": place, "facility": None})
    assert made.reference is not None
    return made.reference


def opened(desk: Desk, reference: str, kind: OpeningKind) -> None:
    with desk.services.db.write() as conn:
        row = openings.find(conn, desk.link(reference).public_id)
        assert row is not None
        openings.add(conn, row, kind=kind, device="phone", at=desk.services.clock.now())


def whats(seen: Story) -> list[str]:
    return [entry.what for entry in seen.entries]


def test_the_whole_way_of_a_person_stands_in_one_order(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    first = each_desk.record().reference
    assert first is not None
    each_desk.send()
    clock.tick(minutes=1)
    each_desk.receive("delivered")
    clock.tick(minutes=1)
    opened(each_desk, first, OpeningKind.OPENED)
    clock.tick(minutes=1)
    opened(each_desk, first, OpeningKind.PDF)
    clock.tick(minutes=1)
    person_deeds.note_call(
        services,
        first,
        kind="asked-where",
        note="Sudah dijelaskan",
        only_facility=None,
        staff_id=a_colleague(services),
    )
    clock.tick(minutes=1)
    say_not_me(services, services.links.sign(each_desk.link(first).public_id), address="1")
    clock.tick(minutes=1)
    seen = story(services, first, oldest_first=True)
    assert whats(seen) == [
        "event-accepted",
        "planned",
        "attempt",
        "answer",
        "receipt",
        "opened",
        "pdf",
        "call",
        "not-me-said",
        "link-paused",
    ]
    assert whats(story(services, first)) == whats(seen)[::-1]
    call = seen.entries[7]
    assert (call.detail, call.note) == (
        {"call": "asked-where", "actor": "Oki", "actor_kind": "staff"},
        "Sudah dijelaskan",
    )
    assert seen.entries[8].detail["case_reference"] == seen.cases[0].reference
    assert seen.person is not None
    assert seen.person.name == "Siti Aminah"


def test_any_message_of_a_person_leads_to_the_same_story_and_a_dose_can_be_chosen(each_desk: Desk) -> None:
    first, second = each_desk.record().reference, second_dose(each_desk)
    assert first is not None
    each_desk.send()
    all_of_it = story(each_desk.services, first)
    assert all_of_it == story(each_desk.services, second.lower())
    assert all_of_it.newest.reference == second
    assert [(line.place, line.dose.number) for line in all_of_it.doses] == [(1, 1), (2, 2)]
    assert [line.dose.facility_name for line in all_of_it.doses] == ["Puskesmas Menteng", CIKINI]
    assert all(line.certificate for line in all_of_it.doses)
    one = story(each_desk.services, first, place=2)
    assert {entry.reference for entry in one.entries if entry.what == "planned"} == {second}
    assert {entry.dose_id for entry in one.entries} == {one.doses[1].dose.id}
    assert story(each_desk.services, first, place=9).entries == []


class _Explains:
    def explain(self, code: str) -> ErrorMeaning | None:
        return ErrorMeaning(code, OutcomeClass.NUMBER_BAD, "The number cannot be reached.", "Ask for another.", "docs")


def test_the_providers_word_has_its_meaning_and_advice_and_a_resend_its_reason(each_desk: Desk) -> None:
    object.__setattr__(each_desk.gateway, "explain", _Explains().explain)
    reference = each_desk.record().reference
    assert reference is not None
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code="30005")
    each_desk.send()
    resend.resend(each_desk.services, reference, reason="nomor dicek", actor="staff:" + a_colleague(each_desk.services))
    seen = story(each_desk.services, reference, oldest_first=True)
    [answer] = [entry for entry in seen.entries if entry.what == "answer"]
    assert (answer.detail["meaning"], answer.detail["advice"]) == ("The number cannot be reached.", "Ask for another.")
    asked = [entry for entry in seen.entries if entry.what == "notification-resend"]
    assert {entry.detail["reason"] for entry in asked} == {"nomor dicek"}
    assert {entry.detail["actor"] for entry in asked} == {"Oki"}
    assert [entry.detail["generation"] for entry in seen.entries if entry.what == "planned"] == ["1", "2"]


def test_a_number_that_is_stopped_is_told_of_and_when_it_was_lifted(each_desk: Desk, clock: FakeClock) -> None:
    services, reference = each_desk.services, each_desk.record().reference
    assert reference is not None
    index = persons.phone_index(services.sealer, "+6281234567890")
    clock.tick(minutes=1)
    opt_out.stop(services, index, channel=Channel.SMS, source=Source.OPERATOR, actor=ACTOR, reason="diminta")
    stopped = story(services, reference).stopped
    assert stopped is not None
    assert stopped.created_at == clock.now()
    clock.tick(minutes=1)
    opt_out.start(services, index, channel=Channel.SMS, actor=ACTOR, reason="diminta lagi")
    seen = story(services, reference)
    assert whats(seen)[:2] == ["opt-out-lifted", "opt-out-stopped"]
    assert seen.stopped is None


def test_a_stop_is_told_once_whoever_it_came_from(each_desk: Desk, clock: FakeClock) -> None:
    services, reference = each_desk.services, each_desk.record().reference
    assert reference is not None
    index = persons.phone_index(services.sealer, "+6281234567890")
    with services.db.write() as conn:  # as when a provider refuses
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source=Source.PROVIDER.value, at=clock.now())
    [entry] = [one for one in story(services, reference).entries if one.what == "opt-out-stopped"]
    assert entry.detail == {"source": "provider"}
    opt_out.start(services, index, channel=Channel.SMS, actor=ACTOR)
    clock.tick(minutes=1)
    each_desk.send()
    opt_out.stop_by_link(services, services.links.sign(each_desk.link(reference).public_id), address="1")
    found = [one.what for one in story(services, reference, oldest_first=True).entries if "opt-out" in one.what]
    assert found == ["opt-out-stopped", "opt-out-lifted", "opt-out-stopped"]


def test_a_facility_sees_its_own_rows_alone(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    first, second = each_desk.record().reference, second_dose(each_desk)
    assert first is not None
    each_desk.send()
    opened(each_desk, first, OpeningKind.OPENED)
    colleague = a_colleague(services)
    for place, note in ((MENTENG, "Menteng"), (CIKINI, "Cikini")):
        person_deeds.note_call(
            services,
            first if place == MENTENG else second,
            kind="other",
            note=note,
            only_facility=place,
            staff_id=colleague,
        )
    person_deeds.reveal(services, first, Datum.NIK, only_facility=None, reason="dicek", actor=f"staff:{colleague}")
    seen = story(services, second, only_facility=CIKINI)
    assert {entry.reference for entry in seen.entries if entry.reference} == {second}
    assert [line.dose.number for line in seen.doses] == [2]
    assert [entry.note for entry in seen.entries if entry.what == "call"] == ["Cikini"]
    assert not {"opened", "nik-revealed"} & set(whats(seen))
    assert {"opened", "nik-revealed"} <= set(whats(story(services, first)))
    for reference, place in ((first, CIKINI), (second, MENTENG), (first, ""), ("0000000000", None)):
        with pytest.raises(NotFound):
            story(services, reference, only_facility=place)


@pytest.mark.parametrize(
    ("datum", "value"),
    [(Datum.PHONE, "+6281234567890"), (Datum.NIK, NIK), (Datum.BIRTH_DATE, "1989-02-10")],
)
def test_one_datum_is_seen_for_a_reason_and_the_audit_holds_no_value(each_desk: Desk, datum: Datum, value: str) -> None:
    services, reference = each_desk.services, each_desk.record().reference
    assert reference is not None
    how: dict[str, Any] = {"only_facility": None, "actor": ACTOR}
    with pytest.raises(BadInput):
        person_deeds.reveal(services, reference, datum, reason="  ", **how)
    with pytest.raises(NotFound):
        person_deeds.reveal(services, reference, datum, reason="x", only_facility=CIKINI, actor=ACTOR)
    assert person_deeds.reveal(services, reference, datum, reason="telepon balik", **how) == value
    with services.db.read() as conn:
        rows = audit.of_subjects(conn, [each_desk.row(reference).person_id])
    assert [(row.action, row.detail) for row in rows] == [(f"{datum.value}.revealed", {"reason": "telepon balik"})]


@pytest.mark.parametrize(
    ("kind", "note", "field", "rule"),
    [
        ("gossip", "x", "kind", "required"),
        ("", "x", "kind", "required"),
        ("other", "x" * 301, "note", "too-long"),
        ("other", "nomornya 0812-3456", "note", "long-number"),
        ("other", "NIK 3174 0310", "note", "long-number"),
        ("other", "lahir 10/02/1989", "note", "long-number"),
        ("other", "٠٨١٢٣٤", "note", "long-number"),
    ],
)
def test_a_note_that_would_hold_personal_data_is_refused(
    each_desk: Desk, kind: str, note: str, field: str, rule: str
) -> None:
    reference = each_desk.record().reference
    assert reference is not None
    with pytest.raises(BadInput) as caught:
        person_deeds.note_call(
            each_desk.services, reference, kind=kind, note=note, only_facility=None, staff_id=new_id()
        )
    assert [(one.field, one.rule) for one in caught.value.problems] == [(field, rule)]
    with each_desk.services.db.read() as conn:
        assert conn.execute(person_call.select()).first() is None


def test_a_note_is_sealed_and_five_digits_are_none_too_many(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    assert reference is not None
    person_deeds.note_call(
        each_desk.services,
        reference,
        kind=CallKind.NUMBER.value,
        note="akhiran 12345, dosis 2",
        only_facility=None,
        staff_id=a_colleague(each_desk.services),
    )
    with each_desk.services.db.read() as conn:
        row = conn.execute(person_call.select()).one()
    assert b"akhiran" not in row.note_sealed
    assert story(each_desk.services, reference).entries[0].note == "akhiran 12345, dosis 2"


def test_a_person_who_cannot_be_opened_still_has_a_story(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    assert reference is not None
    with each_desk.services.db.write() as conn:
        conn.execute(person.update().values(name_sealed=b"\x01broken"))
    seen = story(each_desk.services, reference)
    assert seen.person is None
    assert "planned" in whats(seen)
