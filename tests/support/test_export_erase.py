"""What is held about one person is handed over whole, and erased without a trace; others are not touched."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.errors import BadInput, Conflict, NotFound, Refused, SealBroken
from notifier.core.ids import new_id
from notifier.core.states import CallKind, State
from notifier.gateways.catcher import Catcher
from notifier.intake.reconciliation import reconcile_events
from notifier.intake.record import Door, PlanOptions, dead_letter, record_many
from notifier.services import Services
from notifier.store import calls, codes, locks, persons, suppressions, uploads
from notifier.store import tables as t
from notifier.store.openings import OpeningKind, add, find
from notifier.store.reseal import place_of
from notifier.support.not_me import say_not_me
from notifier.support.privacy.erase import erase, readmit
from notifier.support.privacy.export import export
from notifier.support.privacy.find import By, Several, nik_mark
from notifier.support.privacy.find import find as find_person
from tests.builders import NIK, an_event
from tests.canaries import found_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token

ACTOR = "command:tester"
WHY = {"reason": "asked in writing", "actor": ACTOR}
HALF_AN_HOUR = PlanOptions(delay=timedelta(minutes=30))
#: shares Siti's number
BUDI: dict[str, Any] = {"id": "person-2", "name": "Budi Santoso", "nik": "3174031505850003", "birth_date": "1985-05-15"}


def a_life(desk: Desk) -> str:
    """Siti with everything that can be kept about her, beside Budi on the same phone; her id."""
    services = desk.services
    reference = desk.record().reference
    desk.send()
    desk.receive("delivered")
    desk.record(event_id="e2", dose={"id": "dose-2", "number": 2}, options=HALF_AN_HOUR)
    other = desk.record(event_id="e3", person=BUDI, dose={"id": "dose-3"})
    desk.send()
    person_id = str(desk.row(reference).person_id)
    body = json.dumps({"person": {"name": "SITI  AMINAH", "phone": "0812 3456 7890"}}).encode()
    dead_letter(services, door=Door.API, body=body, problems=[])
    dead_letter(services, door=Door.API, body=f"nik,{NIK}".encode(), problems=[])
    dead_letter(services, door=Door.API, body=b"Budi Santoso,081234567890", problems=[])
    say_not_me(services, sent_token(desk), address="")
    at = services.clock.now()
    with services.db.write() as conn:
        link = conn.execute(sa.select(t.link).where(t.link.c.person_id == person_id)).first()
        assert link is not None
        row = find(conn, link.public_id)
        assert row is not None
        add(conn, row, kind=OpeningKind.OPENED, device="phone", at=at)
        codes.add(
            conn, services.sealer, certificate_id=link.certificate_id, kind="shc", text="Siti Aminah 1989-02-10",
            key_id="k", revocation_id="r", at=at,
        )  # fmt: skip
        staff = {"id": new_id(), "username": "u", "display_name": "u", "role": "operator", "password_hash": "x"}
        conn.execute(t.staff.insert(), staff | {"active": True, "language": "id", "created_at": at})
        for whose in (person_id, desk.row(other.reference).person_id):
            note = {"facility_id": None, "noted_by": staff["id"], "kind": CallKind.OTHER, "note": "Siti Aminah called"}
            calls.add(conn, services.sealer, person_id=whose, at=at, **note)
        conn.execute(t.notification.update().values(request_reason="for Siti Aminah"))
        _add_refused_line(services, conn, staff["id"])
    catcher = Catcher(services.db, services.sealer, services.clock)
    with services.db.read() as conn:
        references = conn.execute(sa.select(t.attempt.c.reference, t.notification.c.person_id).join(t.notification))
        tries = references.all()
    for reference, _whose in tries:
        sent = next(sms for sms in desk.gateway.sent if sms.attempt_reference == reference)
        catcher.send([sent])
    return person_id


def _add_refused_line(services: Services, conn: sa.Connection, staff_id: str) -> None:
    at, upload_id, row_id = services.clock.now(), new_id(), new_id()
    upload = {
        "id": upload_id, "reference": "UPLOAD0001", "staff_id": staff_id, "created_at": at, "name_sealed": b"x",
        "headings_sealed": b"x", "header_index": b"x", "encoding": "utf-8", "delimiter": ",", "columns": [],
        "rows": 1, "chunks": 1, "status": "checked", "is_stuck": False, "worked_at": at, "checked": {}, "recorded": {},
    }  # fmt: skip
    conn.execute(t.upload.insert(), upload)
    sealed = services.sealer.seal("upload_refusal:body", row_id, json.dumps(f"Siti Aminah,{NIK}"))
    line = {"id": row_id, "upload_id": upload_id, "line": 2, "problems": [], "body_sealed": sealed}
    uploads.add_refusals(conn, [line])


def dump(services: Services, person_id: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table; `person_id`: those that are a person's own."""
    with services.db.read() as conn:
        found = {}
        for table in t.metadata.sorted_tables:
            statement = sa.select(table)
            if person_id is not None:
                key = "id" if table.name == "person" else "person_id"
                if key not in table.c:
                    continue
                statement = statement.where(table.c[key] == person_id)
            found[table.name] = [dict(row._mapping) for row in conn.execute(statement)]
        return found


def opened(services: Services, rows: dict[str, list[dict[str, Any]]]) -> str:
    """The rows as text, every sealed column opened."""
    said = []
    for name, kept in rows.items():
        for row in kept:
            for column, value in row.items():
                text = repr(value)
                if column.endswith("_sealed") and value is not None:
                    try:
                        place = place_of(t.metadata.tables[name].c[column])
                        text = services.sealer.open(place, str(row["id"]), value)
                    except SealBroken:
                        text = "broken"
                said.append(text)
    return "\n".join(said)


def indexes(services: Services) -> set[bytes]:
    """The keyed indexes that lead to Siti, and to nobody else."""
    sealer = services.sealer
    return {
        persons.nik_index(sealer, NIK),
        persons.source_index(sealer, "person-1"),
        sealer.index("person.word", "siti"),
        sealer.index("person.word", "aminah"),
        locks.dose_key(sealer, "dose-1"),
    }


def bytes_in(rows: dict[str, list[dict[str, Any]]]) -> set[bytes]:
    return {value for kept in rows.values() for row in kept for value in row.values() if isinstance(value, bytes)}


def test_after_it_no_column_of_no_table_tells_who_it_was(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = a_life(each_desk)
    with services.db.read() as conn:
        [budi] = conn.scalars(sa.select(t.person.c.id).where(t.person.c.id != person_id)).all()
    before = dump(services, budi)
    whole = dump(services)
    assert set(found_in(opened(services, whole), services.links)) == {"name", "NIK", "phone", "birth date", "token"}
    assert indexes(services) & bytes_in(whole)
    done = erase(services, person_id, **WHY)
    after = dump(services)
    theirs = {name: [row for row in rows if not _is_of(row, budi, after)] for name, rows in after.items()}
    assert found_in(opened(services, theirs), services.links) == []
    assert not indexes(services) & bytes_in(after)
    assert "dose-1" not in json.dumps(after, default=str)
    assert dump(services, budi) == before
    assert done.counts["cancelled"] == 1
    assert done.counts["dead_letters"] == 2
    assert done.counts["refused_lines"] == 1
    assert done.counts["doses"] == 2
    assert done.counts["caught_sms"] == 1
    assert done.counts["receipts"] == 1
    assert len(done.provider_ids) == 1
    with services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.caught_sms)) == 1


def _is_of(row: dict[str, Any], person_id: str, rows: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether a row is of another person's own: by its person, or by a message of theirs."""
    messages = [one["id"] for one in rows["notification"] if one["person_id"] == person_id]
    tries = [one["reference"] for one in rows["attempt"] if one["notification_id"] in messages]
    named = row.get("person_id") == person_id or row.get("id") == person_id
    return named or row.get("attempt_reference") in tries or "body_index" in row


def test_links_and_certificates_end_and_nothing_more_is_sent(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    first = each_desk.record().reference
    each_desk.send()
    waiting = each_desk.record(event_id="e2", dose={"id": "dose-2"}, options=HALF_AN_HOUR).reference
    erase(services, each_desk.row(first).person_id, **WHY)
    clock.tick(hours=1)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    assert (each_desk.state(waiting), each_desk.row(waiting).reason) == (State.CANCELLED, "erased")
    assert each_desk.link(first).revoke_reason == "erased"
    assert each_desk.certificate(first).status == "revoked"
    each_desk.receive("delivered")
    with services.db.read() as conn:
        [kept] = conn.execute(sa.select(t.receipt)).all()
    assert services.sealer.open_bytes("receipt:raw", kept.id, kept.raw_sealed) == b""
    assert each_desk.state(first) == State.DELIVERED


def test_certificates_may_go_on_to_be_valid_by_their_number(desk: Desk) -> None:
    reference = desk.record().reference
    erase(desk.services, desk.row(reference).person_id, keep_certificates=True, **WHY)
    assert (desk.certificate(reference).status, desk.link(reference).revoke_reason) == ("valid", "erased")


def test_a_dry_run_counts_the_same_and_changes_nothing(each_desk: Desk) -> None:
    person_id = a_life(each_desk)
    before = dump(each_desk.services)
    would = erase(each_desk.services, person_id, dry_run=True, **WHY)
    assert dump(each_desk.services) == before
    assert erase(each_desk.services, person_id, **WHY).counts == would.counts


def test_a_second_time_it_is_done_already(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    reference = each_desk.record().reference
    assert reference is not None
    person_id = each_desk.row(reference).person_id
    erase(services, person_id, **WHY)
    for typed, by in ((reference, By.REFERENCE), (NIK, By.NIK)):
        assert find_person(services, typed, by).erased_at == clock.now()
    with pytest.raises(Refused, match="already-erased"):
        erase(services, person_id, **WHY)
    with pytest.raises(Refused, match="already-erased"):
        export(services, person_id, **WHY)
    with pytest.raises(NotFound):
        find_person(services, "081234567890", By.PHONE)


def test_of_two_at_once_one_erases(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = each_desk.row(each_desk.record().reference).person_id

    def attempt(_: int) -> str:
        try:
            erase(services, person_id, **WHY)
        except (Refused, Conflict) as error:
            return type(error).__name__
        return "erased"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, range(2)))
    assert results.count("erased") == 1
    assert each_desk.audit(person_id).count("person.erased") == 1


def test_the_registrys_next_event_waits_for_an_operator(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = each_desk.row(each_desk.record().reference).person_id
    erase(services, person_id, **WHY)
    again: list[dict[str, Any]] = [
        {},  # the very same
        {"event_id": "e2", "dose": {"id": "dose-9"}, "person": {"nik": None}},  # by the registry's id
        {"event_id": "e3", "dose": {"id": "dose-9"}, "person": {"id": "other"}},  # by the NIK
        {"event_id": "e4", "person": {"id": None, "nik": None}},  # by the dose
    ]
    for changes in again:
        with pytest.raises(BadInput) as refused:
            each_desk.record(**changes)
        assert [problem.rule for problem in refused.value.problems] == ["erased-person"]
    batch = [an_event(event_id=f"b{at}", person=BUDI, dose={"id": f"b{at}"}) for at in range(5)]
    batch[2] = an_event(**again[1])
    answers = record_many(services, batch, door=Door.IMPORT, actor=ACTOR)
    assert [isinstance(answer, BadInput) for answer in answers] == [False, False, True, False, False]
    with services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(t.person)) == 2


def test_an_event_without_anything_in_common_is_taken_in_a_set_too(each_desk: Desk) -> None:
    services = each_desk.services
    erase(services, each_desk.row(each_desk.record().reference).person_id, **WHY)
    people = [{"id": f"p{at}", "nik": None, "name": f"Nama {chr(65 + at)}a"} for at in range(6)]
    batch = [an_event(event_id=f"b{at}", person=who, dose={"id": f"b{at}"}) for at, who in enumerate(people)]
    batch.append(an_event(event_id="b9", dose={"id": "b9"}))
    answers = record_many(services, batch, door=Door.IMPORT, actor=ACTOR)
    assert [isinstance(answer, BadInput) for answer in answers] == [False] * 6 + [True]


def test_who_is_readmitted_comes_back_as_somebody_new(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = each_desk.row(each_desk.record().reference).person_id
    erase(services, person_id, **WHY)
    assert readmit(services, nik_mark(services, NIK), **WHY) == 3
    assert each_desk.row(each_desk.record().reference).person_id != person_id
    with pytest.raises(NotFound):
        readmit(services, nik_mark(services, NIK), **WHY)


def test_a_message_that_is_with_the_provider_is_waited_for(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    services = each_desk.services
    with services.db.write() as conn:
        conn.execute(t.notification.update().values(status="sending"))
    before = dump(services)
    with pytest.raises(Refused, match="in-flight"):
        erase(services, each_desk.row(reference).person_id, **WHY)
    assert dump(services) == before


def test_somebody_whose_columns_nobody_can_open_is_erased_all_the_same(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    services = each_desk.services
    with services.db.write() as conn:
        conn.execute(t.person.update().values(name_sealed=b"broken", nik_sealed=b"broken"))
    told = export(services, each_desk.row(reference).person_id, **WHY)
    assert told["parts"][0]["rows"][0]["phone"] == "+6281234567890"
    assert "sealed" in told["parts"][0]["rows"][0]["name"]
    assert erase(services, each_desk.row(reference).person_id, **WHY).unreadable == 1
    assert found_in(opened(services, dump(services)), services.links) == []


def test_a_dead_letter_that_nobody_can_open_is_counted_and_stays(desk: Desk) -> None:
    reference = desk.record().reference
    dead_letter(desk.services, door=Door.API, body=b"whatever", problems=[])
    with desk.services.db.write() as conn:
        conn.execute(t.dead_letter.update().values(body_sealed=b"broken"))
    done = erase(desk.services, desk.row(reference).person_id, **WHY)
    assert (done.unreadable, done.counts["dead_letters"]) == (1, 0)


def test_killed_before_the_commit_nothing_is_erased(desk: Desk) -> None:
    """The reason is looked at, and the whole is one transaction: a fault at its end takes all of it back."""
    reference = desk.record().reference
    before = dump(desk.services)

    class Dying:
        def now(self) -> Any:
            raise RuntimeError("the machine went away")

    dying = replace(desk.services, clock=Dying())
    with pytest.raises(RuntimeError):
        erase(dying, desk.row(reference).person_id, **WHY)
    assert dump(desk.services) == before
    with pytest.raises(BadInput):
        erase(desk.services, desk.row(reference).person_id, reason=" ", actor=ACTOR)


def test_an_opt_out_in_force_stays_with_the_number(each_desk: Desk) -> None:
    services = each_desk.services
    reference = each_desk.record().reference
    index = persons.phone_index(services.sealer, "+6281234567890")
    with services.db.write() as conn:
        suppressions.add(conn, index, reason=suppressions.Reason.OPTED_OUT, source="inbound", at=services.clock.now())
    erase(services, each_desk.row(reference).person_id, **WHY)
    with services.db.read() as conn:
        assert suppressions.suppressed(conn, [index]) == {index}


def test_the_copy_holds_everything_about_one_person_and_nothing_of_another(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = a_life(each_desk)
    told = export(services, person_id, **WHY)
    text = json.dumps(told, ensure_ascii=False)
    parts = {part["part"]: part for part in told["parts"]}
    assert parts["person"]["rows"][0]["nik"] == NIK
    assert parts["person"]["rows"][0]["birth_date"] == "1989-02-10"
    assert [row["product"] for row in parts["dose"]["rows"]] == ["Influenza", "Influenza"]
    sent = [row for row in parts["notification"]["rows"] if row["text"]]
    assert [row["text"] for row in sent] == [each_desk.gateway.sent[0].text]
    assert sent[0]["text_is"] == "as it was sent"
    assert parts["opening"]["rows"][0]["kind"] == "opened"
    assert parts["person_call"]["rows"][0]["note"] == "Siti Aminah called"
    assert parts["code"]["rows"][0]["text"] == "Siti Aminah 1989-02-10"
    assert len(parts["dead_letter"]["rows"]) == 2
    assert {"event.accepted", "person.exported"} <= {row["action"] for row in parts["audit"]["rows"]}
    assert all(part["what"]["id"] and part["source"]["en"] for part in parts.values())
    assert not [word for word in ("Budi", "Santoso", BUDI["nik"], "1985-05-15") if word in text]
    assert each_desk.audit(person_id).count("person.exported") == 1


def test_an_sms_that_no_catcher_has_is_written_anew_from_the_text_of_that_day(desk: Desk) -> None:
    reference = desk.record().reference
    desk.send()
    told = export(desk.services, desk.row(reference).person_id, **WHY)
    [message] = next(part["rows"] for part in told["parts"] if part["part"] == "notification")
    assert message["text"] == desk.gateway.sent[0].text
    assert "anew" in message["text_is"]


def test_a_number_that_two_have_names_the_references_to_choose_from(each_desk: Desk) -> None:
    first = each_desk.record().reference
    other = each_desk.record(event_id="e2", person=BUDI, dose={"id": "dose-2"}).reference
    with pytest.raises(Several) as several:
        find_person(each_desk.services, "0812-3456-7890", By.PHONE)
    assert several.value.references == sorted([str(first), str(other)])
    assert found_in(str(several.value), each_desk.services.links) == []
    found = find_person(each_desk.services, BUDI["nik"], By.NIK)
    assert found.person_id == each_desk.row(other).person_id
    for typed, by in (("12", By.NIK), ("12", By.PHONE)):
        with pytest.raises(BadInput):
            find_person(each_desk.services, typed, by)
    for typed, by in (("3174031505850099", By.NIK), ("ABCDE12345", By.REFERENCE)):
        with pytest.raises(NotFound):
            find_person(each_desk.services, typed, by)


def test_the_counts_of_events_stay_true(each_desk: Desk) -> None:
    person_id = a_life(each_desk)
    before = reconcile_events(each_desk.services)
    erase(each_desk.services, person_id, **WHY)
    after = reconcile_events(each_desk.services)
    assert (after.looked_at, after.unaccounted.total) == (before.looked_at, 0)


def test_of_an_event_and_an_erasure_at_once_one_sees_the_other(each_desk: Desk) -> None:
    services = each_desk.services
    person_id = each_desk.row(each_desk.record().reference).person_id

    def tell(number: int) -> str:
        try:
            if number == 1:
                erase(services, person_id, **WHY)
                return "erased"
            each_desk.record(event_id=f"e{number}", dose={"id": f"d{number}"})
        except (BadInput, Conflict) as error:
            return type(error).__name__
        return "recorded"

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(tell, range(4)))
    if "erased" not in told:  # somebody recorded in between, and it said so
        assert told[1] == "Conflict"
        erase(services, person_id, **WHY)
    assert found_in(opened(services, dump(services)), services.links) == []
