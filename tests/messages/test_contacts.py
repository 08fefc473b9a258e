"""Messages to a number that is no person's: a one-time code goes the way of any message, and tells nobody who it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from notifier.core.ids import new_id
from notifier.core.states import Kind, Reason, State
from notifier.gateways import FoundMessage, Outcome, OutcomeClass, ReceiptState
from notifier.messages import plan
from notifier.messages.reconcile import reconcile
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import contacts, notifications, suppressions
from notifier.store.persons import phone_index
from notifier.store.tables import contact, notification
from notifier.support import desk as lists
from notifier.support.timeline import timeline
from tests.fakes import FakeClock, FakeGateway

PHONE, OTHER = "+6281234567890", "+6281234567891"


def a_code(services: Services, phone: str = PHONE, kind: Kind = Kind.OTP, language: str = "id") -> notifications.Row:
    with services.db.write() as conn:
        at = services.clock.now()
        who = contacts.find_or_add(conn, services.sealer, phone=phone, language=language, at=at)
        return plan.add_to_contact(conn, services, who, kind, subject_id=new_id(), at=at)


def state(services: Services, row: notifications.Row) -> tuple[str, str | None]:
    with services.db.read() as conn:
        now = notifications.get(conn, row.id)
    return now.status, now.reason


def test_a_code_is_sent_in_one_segment_to_the_number_that_asked(each_services: Services, gateway: FakeGateway) -> None:
    row = a_code(each_services)
    Sender(each_services).send_batch(10)
    [sms] = gateway.sent
    assert (sms.to, sms.segments) == (PHONE, 1)
    assert each_services.one_time_codes.code_of(row.subject_id) in sms.text
    assert state(each_services, row)[0] == State.ACCEPTED


def test_a_number_that_no_key_opens_keeps_no_other_message_waiting(services: Services, gateway: FakeGateway) -> None:
    broken, other = a_code(services), a_code(services, OTHER)
    with services.db.write() as conn:
        conn.execute(contact.update().where(contact.c.id == broken.contact_id).values(phone_sealed=b"\x01broken"))
    Sender(services).send_batch(10)
    assert [sms.to for sms in gateway.sent] == [OTHER]
    assert state(services, broken) == (State.HELD, Reason.UNREADABLE)
    assert state(services, other)[0] == State.ACCEPTED


def test_a_code_is_written_in_the_language_of_whoever_asked(services: Services, gateway: FakeGateway) -> None:
    a_code(services, language="en")
    Sender(services).send_batch(10)
    assert "your code is" in gateway.sent[0].text


def test_a_code_leaves_at_night_and_to_a_number_that_opted_out(
    services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    clock.set(datetime(2026, 11, 23, 16, 30, tzinfo=UTC))  # 23:30 in Jakarta
    with services.db.write() as conn:
        index = phone_index(services.sealer, PHONE)
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="sms", at=clock.now())
    a_code(services)
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1


def test_a_code_nobody_waits_for_any_more_is_not_sent(
    services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    row = a_code(services)
    clock.tick(minutes=6)
    Sender(services).send_batch(10)
    assert gateway.sent == []
    assert state(services, row) == (State.EXPIRED, Reason.PAST_DUE)


def test_a_number_is_kept_once_sealed_and_reads_the_language_it_asked_in_last(each_services: Services) -> None:
    a_code(each_services)
    a_code(each_services, language="en")
    a_code(each_services, phone=OTHER)
    with each_services.db.read() as conn:
        rows = list(conn.execute(sa.select(contact)))
    assert sorted(row.language for row in rows) == ["en", "id"]
    assert all(PHONE.encode() not in row.phone_sealed for row in rows)


def test_the_outcome_that_nobody_knows_is_looked_up_by_the_words_of_the_code(
    services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    row = a_code(services)
    Sender(services).send_batch(10)
    assert state(services, row)[0] == State.UNKNOWN
    gateway.found[PHONE] = [FoundMessage("SM1", ReceiptState.DELIVERED, gateway.sent[0].text, None, clock.now())]
    clock.tick(minutes=2)
    reconcile(services)
    assert state(services, row)[0] != State.UNKNOWN


def test_staff_see_a_message_without_a_person_and_cannot_send_it_again(services: Services) -> None:
    row = a_code(services)
    seen = timeline(services, row.reference)
    assert (seen.person.mobile if seen.person else None) == PHONE
    with services.db.read() as conn:
        [line] = lists.lines_of(conn, services, [notifications.get(conn, row.id)], with_persons=True)
    assert line.person is None


def test_a_message_that_bears_a_certificate_needs_a_person(services: Services) -> None:
    with pytest.raises(ValueError, match="certificate"):
        a_code(services, kind=Kind.CERTIFICATE)


def test_numbers_nobody_wrote_to_for_long_are_forgotten_but_not_while_a_message_waits(
    services: Services, clock: FakeClock
) -> None:
    a_code(services)
    sent = a_code(services, phone=OTHER)
    with services.db.write() as conn:
        conn.execute(notification.update().where(notification.c.id == sent.id).values(ended_at=clock.now()))
        assert contacts.forget(conn, clock.now() + timedelta(days=1), 10) == 1
        assert conn.scalar(sa.select(sa.func.count()).select_from(contact)) == 1
