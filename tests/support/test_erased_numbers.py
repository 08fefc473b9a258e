"""What waits for a mere number when the person behind it is erased: it ends, and nothing is sent or hangs."""

from __future__ import annotations

import threading

import pytest

from notifier.core.errors import Refused
from notifier.core.states import CaseSource, Kind, OtpPurpose, Reason, State
from notifier.messages import plan
from notifier.messages.claim import claim
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import contacts, notifications, persons
from notifier.store.tables import contact, notification, otp_challenge
from notifier.support import follow_ups, otp
from notifier.support.missing.reports import report
from notifier.support.privacy.erase import erase, wipe
from tests.builders import SITI, a_certificate
from tests.conftest import Build
from tests.databases import postgres_database
from tests.desk import Desk
from tests.messages.test_races import waits_for_a_lock
from tests.polling import eventually
from tests.requirements import require
from tests.support.missing.reporting import FACTS

PHONE = "+6281234567890"
WHY = {"reason": "permintaan orangnya", "actor": "staff:00000000-0000-7000-8000-000000000001"}
BUDI = {"person": {"id": "person-2", "nik": "3273015506900002", "name": "Budi Hartono", "birth_date": "1990-06-15"}}


def asked(services: Services, *, works: bool = True) -> None:
    """Somebody asks for a code; `works`: its SMS is planned."""
    otp.request(services, PHONE, purpose=OtpPurpose.ACCOUNT, language="id", address="198.51.100.7")
    if works:
        follow_ups.run(services)


def codes(services: Services) -> list[notifications.Row]:
    with services.db.read() as conn:
        return list(conn.execute(notification.select().where(notification.c.contact_id.is_not(None))))


def siti(desk: Desk) -> str:
    reference = desk.record().reference
    desk.send()
    return str(desk.row(reference).person_id)


def test_a_code_that_waits_ends_with_the_number_and_is_never_sent(each_desk: Desk) -> None:
    services, person_id = each_desk.services, siti(each_desk)
    asked(services)
    assert [row.status for row in codes(services)] == [State.SCHEDULED]
    done = erase(services, person_id, **WHY)
    [row] = codes(services)
    assert (row.status, row.reason, row.phone_index) == (State.CANCELLED, Reason.ERASED, None)
    assert row.ended_at is not None
    assert done.counts["cancelled"] == 1
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1  # the certificate's
    with services.db.read() as conn:
        assert conn.execute(contact.select()).first() is None


def test_a_number_that_another_has_too_keeps_its_code_until_the_last_one_goes(each_desk: Desk) -> None:
    services, first = each_desk.services, siti(each_desk)
    other = each_desk.row(each_desk.record(event_id="e2", dose={"id": "d2"}, **BUDI).reference).person_id
    each_desk.send()
    asked(services)
    erase(services, first, **WHY)
    assert [row.status for row in codes(services)] == [State.SCHEDULED]
    erase(services, other, **WHY)
    assert [(row.status, row.reason) for row in codes(services)] == [(State.CANCELLED, Reason.ERASED)]
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2


def test_news_of_an_erased_persons_case_is_told_to_nobody_who_shares_the_number(each_desk: Desk) -> None:
    services, person_id = each_desk.services, siti(each_desk)
    each_desk.record(event_id="e2", dose={"id": "d2"}, **BUDI)
    each_desk.send()
    report(services, FACTS, source=CaseSource.WEB, language="id", address="198.51.100.7", is_proven=True,
           person_id=person_id)  # fmt: skip
    assert [(row.kind, row.status) for row in codes(services)] == [(Kind.CASE, State.SCHEDULED)]
    erase(services, person_id, **WHY)
    assert [(row.status, row.reason) for row in codes(services)] == [(State.CANCELLED, Reason.ERASED)]
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2


def test_what_a_worker_has_taken_already_is_not_sent(each_desk: Desk) -> None:
    services, person_id = each_desk.services, siti(each_desk)
    asked(services)
    batch = claim(services, 10)
    erase(services, person_id, **WHY)
    Sender(services).send_claimed(batch)
    assert len(each_desk.gateway.sent) == 1
    assert [row.reason for row in codes(services)] == [Reason.ERASED]


def test_a_code_that_is_with_the_provider_is_waited_for(each_desk: Desk) -> None:
    services, person_id = each_desk.services, siti(each_desk)
    asked(services)
    with services.db.write() as conn:
        code = notification.c.contact_id.is_not(None)
        conn.execute(notification.update().where(code).values(status=State.SENDING.value))
    with pytest.raises(Refused, match="in-flight"):
        erase(services, person_id, **WHY)


def test_what_nobody_knows_the_end_of_is_looked_up_no_more(desk: Desk) -> None:
    services, person_id = desk.services, siti(desk)
    asked(services)
    with services.db.write() as conn:
        code = notification.c.contact_id.is_not(None)
        values = {"status": State.UNKNOWN.value, "look_up_at": services.clock.now()}
        conn.execute(notification.update().where(code).values(**values))
    erase(services, person_id, **WHY)
    assert [(row.reason, row.look_up_at) for row in codes(services)] == [(Reason.LEFT_ALONE, None)]


def test_a_message_to_a_number_that_was_forgotten_before_ends_when_its_turn_comes(desk: Desk) -> None:
    """As an erasure of an older version left it."""
    services = desk.services
    with services.db.write() as conn:
        at = services.clock.now()
        who = contacts.find_or_add(conn, services.sealer, phone=PHONE, language="id", at=at)
        plan.add_to_contact(conn, services, who, Kind.OTP, subject_id=who.id, at=at)
        conn.execute(contact.delete())
    desk.send()
    assert [(row.status, row.reason) for row in codes(services)] == [(State.CANCELLED, Reason.ERASED)]
    assert desk.gateway.sent == []


def test_a_code_asked_for_while_its_number_is_erased_is_not_planned(build_services: Build) -> None:
    require("postgres")
    with postgres_database() as url:
        services = build_services(database_url=url)
        made = a_certificate(services, person=SITI)
        asked(services, works=False)
        with services.db.read() as conn:
            challenge = conn.execute(otp_challenge.select()).one()

        def plan_it() -> None:
            with services.db.write() as conn:
                otp.send_code(conn, services, challenge.id, since=services.clock.now())

        other = threading.Thread(target=plan_it)
        with services.db.write() as conn:
            persons.hold(conn, made.person_id)
            other.start()
            eventually(lambda: waits_for_a_lock(services))
            wipe(conn, services, made.person_id, keep_certificates=False, by=WHY["actor"])
        other.join()
        assert codes(services) == []
        services.db.close()
