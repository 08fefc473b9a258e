"""How long what is kept: each rule lets its old rows go and no others, in chunks that may be broken off or doubled."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.ids import new_id
from notifier.core.states import State
from notifier.intake.record import PlanOptions
from notifier.services import Services
from notifier.store import cases, events, follow_ups, persons
from notifier.store import tables as t
from notifier.store.retention import SWEEPS
from notifier.support.not_me import say_not_me, unsay_not_me
from notifier.support.privacy import retention
from notifier.support.privacy.retention import PERSONS, RULES, Period
from tests.builders import a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token

DOCS = Path(__file__).parents[2] / "docs"
_LONG = 4000  # days


def rows(services: Services, table: sa.Table) -> int:
    with services.db.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def gone(report: retention.Report) -> dict[str, int]:
    return {line.rule.name: line.rows for line in report.lines if line.rows}


def add_receipts(services: Services, number: int) -> None:
    """Bodies of receipts that name no attempt, of this moment."""
    with services.db.write() as conn:
        for at in range(number):
            row_id = new_id()
            raw = services.sealer.seal("receipt:raw", row_id, b"To=+62")
            values = {
                "id": row_id, "attempt_reference": f"ref-{row_id}", "provider_sid": f"SM{at}", "provider_word": "sent",
                "received_at": services.clock.now(), "raw_sealed": raw,
                "applied": False,
            }  # fmt: skip
            conn.execute(t.receipt.insert(), values)


def bodies(services: Services) -> list[int]:
    with services.db.read() as conn:
        return list(conn.scalars(sa.select(sa.func.length(t.receipt.c.raw_sealed))))


_TO = {"to_index": b"x", "to_sealed": b"x"}


def full(desk: Desk, clock: FakeClock) -> None:
    """An installation in which every table that a rule sweeps has a row that has ended."""
    desk.record()
    desk.send()
    desk.receive("delivered")
    say_not_me(desk.services, sent_token(desk), address="")
    unsay_not_me(desk.services, sent_token(desk), address="")
    services, at = desk.services, clock.now()
    made = a_certificate(services)
    with services.db.write() as conn:
        add = conn.execute
        case = conn.execute(sa.select(t.support_case)).one()
        letter = {"door": "api", "received_at": at, "problems": [], "status": "discarded", "settled_at": at}
        events.add_dead_letter(conn, services.sealer, door="api", body=b"open", problems=[], at=at)
        add(t.dead_letter.insert(), letter | {"id": new_id(), "body_index": b"1", "body_sealed": b"sealed"})
        sealed = {"to_sealed": b"x", "to_index": b"x", "text_sealed": b"x", "encoding": "gsm7", "segments": 1}
        caught = {"id": new_id(), "provider_sid": "SM1", "attempt_reference": "a", "caught_at": at}
        add(t.caught_sms.insert(), caught | sealed)
        opening = {"certificate_id": made.certificate_id, "person_id": made.person_id, "kind": "opened"}
        add(t.opening.insert(), opening | {"id": new_id(), "link_id": made.link_id, "at": at, "device": "phone"})
        code = {"certificate_id": made.certificate_id, "kind": "shc", "made_at": at, "ended_at": at}
        add(t.code.insert(), code | {"id": new_id(), "text_sealed": b"cannot be opened", "revocation_id": "r"})
        staff = {"id": new_id(), "username": "u", "display_name": "u", "role": "operator", "password_hash": "x"}
        add(t.staff.insert(), staff | {"active": True, "language": "id", "created_at": at})
        call = {"person_id": made.person_id, "noted_by": staff["id"], "kind": "other", "note_sealed": b"broken"}
        add(t.person_call.insert(), call | {"id": new_id(), "at": at})
        note = {"staff_id": call["noted_by"], "is_right": False, "at": at}
        add(t.caller_check.insert(), note | {"id": new_id()})
        letter = {"id": new_id(), "identity_index": new_id().encode(), "kind": "bulk", "received_at": at}
        add(t.mail_in.insert(), letter)
        follow_ups.add(conn, follow_ups.FollowUp.PERSON_LOCKED, made.person_id, at=at)
        add(t.follow_up.update().values(done_at=at))
        refusal = {"phone_index": b"p", "channel": "sms", "reason": "opted-out", "source": "inbound", "created_at": at}
        add(t.suppression.insert(), refusal | {"id": new_id(), "lifted_at": at})
        add(t.suppression.insert(), refusal | {"id": new_id(), "lifted_at": None})
        upload = {
            "id": new_id(), "reference": "UPLOAD0001", "staff_id": staff["id"], "created_at": at, "name_sealed": b"x",
            "headings_sealed": b"x", "header_index": b"x", "encoding": "utf-8", "delimiter": ",", "columns": [],
            "rows": 0, "chunks": 0, "status": "recorded", "is_stuck": False, "worked_at": at, "checked": {},
            "recorded": {}, "emptied_at": at,
        }  # fmt: skip
        add(t.upload.insert(), upload)
        session = {"token_hash": b"t", "staff_id": staff["id"], "created_at": at, "last_seen_at": at}
        add(t.session.insert(), session | {"expires_at": at})
        key = {"id": new_id(), "prefix": "k", "secret_hash": b"x", "name": "k", "scopes": "", "created_at": at}
        add(t.api_key.insert(), key)
        answer = {"id": new_id(), "key_index": b"k", "fingerprint": b"f", "worker": new_id(), "busy_until": at}
        add(t.idempotency.insert(), answer | {"expires_at": at})
        test = {
            "id": new_id(), "reference": "TEST000001", "api_key_id": key["id"], "event_index": b"e",
            "content_index": b"c", "dose_index": b"d", "kind": "certificate", "generation": 1, "script": "x",
            "accepted_at": at, "due_at": at, "created_at": at, "expires_at": at,
        }  # fmt: skip
        add(t.test_notification.insert(), test)
        add(t.caught_chat.insert(), {"id": new_id(), "is_ours": True, "body_sealed": b"x", "caught_at": at} | _TO)
        file = {"id": new_id(), "public_id": "f", "link_id": made.link_id, "expires_at": at, "created_at": at}
        add(t.chat_file.insert(), file)
        number = {"phone_index": b"p", "phone_sealed": b"x", "created_at": at}
        add(t.contact.insert(), number | {"id": new_id(), "language": "id", "used_at": at})
        code = number | {"id": new_id(), "purpose": "account", "language": "id", "expires_at": at}
        add(t.otp_challenge.insert(), code)
        account = {"id": new_id(), "token_hash": b"a", "last_seen_at": at, "expires_at": at}
        add(t.account_session.insert(), number | account)
        add(
            t.account_open.insert(), {"session_id": account["id"], "person_id": made.person_id, "proof": b"x", "at": at}
        )
        due = {"person_id": made.person_id, "series": "covid-19", "number": 2, "dose_id": made.dose_id}
        add(t.reminder.insert(), due | {"id": new_id(), "due_at": at, "made_at": at, "notification_id": new_id()})
        told = {"kind": "person.corrected", "subject_id": made.person_id, "fields": ["name"], "created_at": at}
        add(t.registry_outbox.insert(), told | {"id": new_id(), "due_at": at, "done_at": at})
        add(t.counter.insert(), {"name": "n", "window_start": at, "count": 1, "expires_at": at})
        lonely = persons.Person(new_id(), "Tanpa Dosis", None, None, "+628111111111", None, "id", None)
        persons.insert(conn, services.sealer, lonely, source=None, at=at)
        request = {
            "field": "name", "state": "done", "proof": "otp", "door": "me", "language": "id", "asked_at": at,
            "due_at": at, "decided_at": at,
        }  # fmt: skip
        add(
            t.correction_request.insert(),
            request | {"id": new_id(), "reference": "C1", "person_id": made.person_id, "value_sealed": b"x"},
        )
        add(t.correction_request.insert(), request | {"id": new_id(), "reference": "C2", "claim_sealed": b"x"})
        assert case.status == "closed"


def test_every_rule_finds_what_is_old_and_a_second_run_finds_nothing(each_desk: Desk, clock: FakeClock) -> None:
    full(each_desk, clock)
    services = each_desk.services
    assert not gone(retention.dry_run(services)).keys() - {"counters"}
    clock.tick(days=_LONG)
    swept = {rule.name for rule in RULES if rule.period is not Period.EVER}
    would = gone(retention.dry_run(services))
    assert would.keys() == swept
    assert swept == SWEEPS.keys() | {PERSONS}
    done = gone(retention.run(services))
    assert done == would
    assert gone(retention.run(services)) == {}
    assert bodies(services) == [29]
    assert rows(services, t.suppression) == 1  # the refusal in force
    with services.db.read() as conn:
        [letter] = conn.execute(sa.select(t.dead_letter)).all()
        assert (letter.status, conn.scalar(sa.select(t.code.c.revocation_id))) == ("open", "r")
        assert conn.scalar(sa.select(t.notification.c.phone_index)) is None
        runs = sa.select(t.audit).where(t.audit.c.action == "retention.run").order_by(t.audit.c.id)
        written = list(conn.execute(runs))
    assert written[0].detail == {name.replace("-", "_"): number for name, number in done.items()}
    assert each_desk.rows()[0].status == "delivered"


def test_a_rule_of_zero_days_keeps_for_ever(build_services: Callable[..., Services], clock: FakeClock) -> None:
    services = build_services(retention_traces_days=0)
    add_receipts(services, 2)
    clock.tick(days=_LONG)
    assert gone(retention.run(services)) == {}
    assert min(bodies(services)) > 29


def test_a_number_stays_as_long_as_its_link_may_open(build_services: Callable[..., Services], clock: FakeClock) -> None:
    services = build_services(retention_messages_days=1, link_days=90)
    desk = Desk(services)
    desk.record()
    desk.send()
    desk.receive("delivered")
    clock.tick(days=89)
    assert "message-numbers" not in gone(retention.run(services))
    clock.tick(days=2)
    assert gone(retention.run(services))["message-numbers"] == 1


def test_what_still_waits_is_never_old(each_desk: Desk, clock: FakeClock) -> None:
    waiting = each_desk.record(options=PlanOptions(delay=timedelta(hours=40)))
    clock.tick(days=_LONG)
    assert gone(retention.run(each_desk.services)) == {}
    assert each_desk.state(waiting.reference) == State.SCHEDULED


def test_a_run_that_is_killed_between_chunks_is_gone_on_with(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    add_receipts(services, 2 * retention.CHUNK + 7)
    clock.tick(days=31)

    class Killed(BaseException):
        pass

    def kill(_name: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        retention.run(services, after_chunk=kill)
    assert bodies(services).count(29) == retention.CHUNK
    assert gone(retention.run(services)) == {"receipt-bodies": retention.CHUNK + 7}
    assert set(bodies(services)) == {29}


def test_two_at_once_share_the_work(each_desk: Desk, clock: FakeClock) -> None:
    services, number = each_desk.services, 3 * retention.CHUNK
    add_receipts(services, number)
    clock.tick(days=31)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: gone(retention.run(services)).get("receipt-bodies", 0), range(2)))
    reports.append(gone(retention.run(services)).get("receipt-bodies", 0))
    assert sum(reports) == number
    assert set(bodies(services)) == {29}


def test_a_run_whose_time_is_over_says_that_there_is_more(services: Services, clock: FakeClock) -> None:
    add_receipts(services, 2 * retention.CHUNK)
    clock.tick(days=31)
    report = retention.run(services, budget=timedelta(seconds=10), after_chunk=lambda _name: clock.tick(seconds=11))
    assert (gone(report), report.is_whole) == ({"receipt-bodies": retention.CHUNK}, False)
    assert not retention.nightly(services)
    assert set(bodies(services)) == {29}


def test_a_case_whose_pause_is_in_force_stays(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    each_desk.send()
    say_not_me(each_desk.services, sent_token(each_desk), address="")
    with each_desk.services.db.write() as conn:
        case = conn.execute(sa.select(t.support_case)).one()
        cases.close(conn, case.id, outcome=cases.CaseOutcome.CONFIRMED, by="system", at=clock.now())
    clock.tick(days=_LONG)
    retention.run(each_desk.services)
    assert (rows(each_desk.services, t.support_case), rows(each_desk.services, t.number_pause)) == (1, 1)


def test_a_person_whose_last_dose_was_withdrawn_is_wiped_and_may_come_back(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    person_id = each_desk.row(each_desk.record().reference).person_id
    each_desk.record(event_id="e2", event_type="entered_in_error", recorded_at="2026-11-23T03:00:01Z")
    clock.tick(days=364)
    assert PERSONS not in gone(retention.run(services))
    clock.tick(days=2)
    assert gone(retention.run(services))[PERSONS] == 1
    with services.db.read() as conn:
        left = persons.get(conn, services.sealer, person_id)
    assert (left.name, left.nik, left.phone, left.birth_date) == ("", None, None, None)
    again = each_desk.record(event_id="e3", recorded_at=None)
    assert each_desk.row(again.reference).person_id != person_id


def test_a_rule_that_fails_keeps_no_other_waiting(services: Services, clock: FakeClock) -> None:
    add_receipts(services, 1)
    clock.tick(days=31)
    with services.db.write() as conn:
        conn.execute(sa.text("DROP TABLE caught_sms"))
    report = retention.run(services)
    assert (report.failed, gone(report)) == (("caught-sms",), {"receipt-bodies": 1})


def test_docs_privacy_shows_every_rule_and_its_setting() -> None:
    lines = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", (DOCS / "privacy.md").read_text(), re.MULTILINE)

    def setting(period: Period) -> str:
        kept: dict[Any, str] = {Period.EVER: "for ever", Period.EXPIRY: "until it expires"}
        return kept.get(period, f"`{period.value.upper()}`")

    assert [(name, words.strip()) for name, words in lines] == [(rule.name, setting(rule.period)) for rule in RULES]
