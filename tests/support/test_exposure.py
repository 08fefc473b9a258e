"""A breach: whose data a link, a number or a span of time exposed, which data, until when the notices are due."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.certificates.opening import Answer, try_birth_date
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.link_tokens import LinkSigner, new_public_id
from notifier.services import Services
from notifier.store import cases
from notifier.store import tables as t
from notifier.support.not_me import say_not_me
from notifier.support.privacy import exposure
from notifier.support.privacy.erase import erase
from notifier.support.privacy.exposure import Datum, Exposed, by_link, by_number, by_span
from notifier.support.privacy.notices import Notices
from tests.builders import a_certificate
from tests.canaries import found_in
from tests.desk import Desk
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.support.test_opt_out_link import sent_token

WHY: dict[str, Any] = {"reason": "posted in a group", "actor": "command:tester", "found_at": None}
BORN = date(1989, 2, 10)
OLD, NEW = "081234567890", "081298765432"
ALL = (Datum.SMS, Datum.NAME, Datum.BIRTH_DATE, Datum.NIK, Datum.VACCINE)
BUDI: dict[str, Any] = {"id": "person-2", "name": "Budi Santoso", "nik": None, "birth_date": "1985-05-15"}


def look(services: Services, token: str, born: date = BORN, device: str = "phone") -> Answer:
    return try_birth_date(services, token, born, device=device, address="").answer


def only(found: exposure.Exposure) -> Exposed:
    [one] = found.people
    return one


def test_a_link_that_was_opened_showed_its_person_until_it_ended(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    each_desk.record()
    each_desk.send()
    token = sent_token(each_desk)
    each_desk.record(event_id="e2", person=BUDI | {"phone": NEW}, dose={"id": "d2"})
    each_desk.send()
    clock.tick(hours=1)
    look(services, token, date(1990, 1, 1))
    look(services, token)
    look(services, token, device="robot")
    clock.tick(hours=1)
    found = by_link(services, f"look: {services.settings.public_url}/c/{token}.", **WHY)
    one = only(found)
    assert one.person is not None
    assert (one.person.name, one.certain, one.data) == ("Siti Aminah", True, ALL)
    assert (one.deeds.seen, one.deeds.robots, one.deeds.wrong) == (1, 1, 1)
    assert (one.since, one.until) == (MONDAY_MORNING, clock.now())
    assert found.due_at == clock.now() + timedelta(hours=72)
    with services.db.write() as conn:
        conn.execute(t.link.update().values(revoked_at=clock.now(), revoke_reason="link-revoked"))
    ended = clock.now()
    clock.tick(days=2)
    assert only(by_link(services, token, **WHY)).until == ended


def test_a_link_that_nobody_opened_tells_an_initial_alone(each_desk: Desk) -> None:
    each_desk.record()
    each_desk.send()
    token = sent_token(each_desk)
    assert (
        only(by_link(each_desk.services, token, **WHY)).data,
        look(each_desk.services, token, date(1990, 1, 1)),
    ) == (
        (Datum.SMS,),
        Answer.WRONG,
    )
    one = only(by_link(each_desk.services, token, **WHY))
    assert (one.certain, one.data, one.deeds.wrong) == (False, (Datum.SMS,), 1)


def test_what_is_no_link_of_ours_is_refused_and_said_nowhere(desk: Desk) -> None:
    forged = LinkSigner([b"another key".ljust(32)]).sign(new_public_id())
    for typed in (forged, "", "x" * 5000, "https://evil.example/c/"):
        with pytest.raises(BadInput) as refused:
            by_link(desk.services, typed, **WHY)
        assert forged not in str(refused.value)
    with pytest.raises(NotFound):
        by_link(desk.services, desk.services.links.sign(new_public_id()), **WHY)


def test_a_number_that_is_a_strangers_exposed_whom_its_sms_were_about(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    first = each_desk.record().reference
    each_desk.record(event_id="e2", person=BUDI, dose={"id": "d2"})  # it is his, and stays his
    each_desk.send()
    assert (by_number(services, OLD, **WHY).people, by_number(services, OLD, **WHY).still_theirs) == ([], 2)
    token = next(sent_token(each_desk, which) for which in (0, 1) if _is_of(each_desk, which, first))
    look(services, token)
    say_not_me(services, token, address="")
    found = by_number(services, "+62 812-3456-7890", **WHY)
    one = only(found)
    assert one.person is not None
    assert (one.person.name, one.certain, one.data, found.still_theirs) == ("Siti Aminah", True, ALL, 1)
    with services.db.write() as conn:
        [case] = conn.execute(sa.select(t.support_case)).all()
        index = case.phone_index
        cases.lift_pause(conn, person_id=case.person_id, phone_index=index, at=clock.now())
    assert by_number(services, OLD, **WHY).people == []


def _is_of(desk: Desk, which: int, reference: str | None) -> bool:
    with desk.services.db.read() as conn:
        statement = sa.select(t.notification.c.reference).join(t.attempt)
        told = conn.scalar(statement.where(t.attempt.c.reference == desk.gateway.sent[which].attempt_reference))
    return told == reference


def test_a_number_that_was_corrected_may_have_been_a_strangers(each_desk: Desk) -> None:
    each_desk.record()
    each_desk.send()
    each_desk.record(event_id="e2", event_type="corrected", person={"phone": NEW}, recorded_at="2026-11-23T03:00:01Z")
    one = only(by_number(each_desk.services, OLD, **WHY))
    assert (one.certain, one.data) == (False, (Datum.SMS,))
    assert by_number(each_desk.services, NEW, **WHY).people == []
    with pytest.raises(BadInput):
        by_number(each_desk.services, "12", **WHY)


def test_a_span_has_everybody_whose_certificate_was_opened_or_sent_in_it(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    each_desk.record()
    each_desk.send()
    clock.tick(hours=2)
    start = clock.now()
    look(services, sent_token(each_desk))
    each_desk.record(event_id="e2", person=BUDI, dose={"id": "d2"})
    each_desk.send()
    clock.tick(minutes=1)
    end = clock.now()
    look(services, sent_token(each_desk))
    found = by_span(services, start, end, **WHY)
    seen = {one.person.name: (one.certain, one.deeds.seen, one.deeds.sent) for one in found.people if one.person}
    assert seen == {"Siti Aminah": (True, 1, 0), "Budi Santoso": (False, 0, 1)}
    assert by_span(services, end + timedelta(hours=1), end + timedelta(hours=2), **WHY).people == []
    with pytest.raises(BadInput):
        by_span(services, end, end, **WHY)


def test_a_span_of_too_many_is_asked_for_in_parts(services: Services) -> None:
    for _ in range(2):
        made = a_certificate(services)
        look(services, made.token)
    now = services.clock.now()
    with pytest.raises(Refused, match="span-too-wide"):
        by_span(services, now, now + timedelta(seconds=1), most=1, **WHY)


def test_the_notices_say_which_data_to_whom_and_by_when(desk: Desk) -> None:
    desk.record()
    desk.send()
    look(desk.services, sent_token(desk))
    earlier = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    found = by_link(desk.services, sent_token(desk), **(WHY | {"found_at": earlier}))
    notices = Notices(desk.services)
    text = notices.to_person(found, only(found))
    assert text is not None
    first, second = text.split("-" * 70)
    for part, words in (
        (first, ("Siti Aminah", "nama lengkap", "NIK", "terlihat")),
        (second, ("full name", "were seen")),
    ):
        assert [word for word in words if word not in part] == []
    assert "23 November 2026 10.00 WIB" in first
    assert "3174031002890009" not in text
    letter = notices.to_authority(found)
    assert letter is not None
    assert "25 November 2026 08.00 WIB" in letter
    assert "Jumlah orang: 1 (1 terlihat, 0 mungkin terlihat)" in letter
    assert "Aminah" not in letter
    assert found.incident in text
    assert found.incident in letter


def test_somebody_who_was_erased_is_counted_and_gets_no_notice(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    token = sent_token(each_desk)
    look(each_desk.services, token)
    erase(each_desk.services, each_desk.row(reference).person_id, reason="asked", actor="command:tester")
    found = by_link(each_desk.services, token, **WHY)
    one = only(found)
    assert (one.person, one.certain) == (None, True)
    assert Notices(each_desk.services).to_person(found, one) is None
    assert Notices(each_desk.services).to_authority(found) is not None


def test_somebody_whose_columns_nobody_can_open_is_listed_all_the_same(desk: Desk) -> None:
    desk.record()
    desk.send()
    token = sent_token(desk)
    with desk.services.db.write() as conn:
        conn.execute(t.person.update().values(name_sealed=b"broken"))
    assert only(by_link(desk.services, token, **WHY)).person is None


def test_the_audit_says_that_somebody_looked_and_names_nobody(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    token = sent_token(each_desk)
    found = by_link(each_desk.services, token, **WHY)
    assert each_desk.audit(found.incident) == ["exposure.looked-up"]
    assert "exposure.found" in each_desk.audit(each_desk.row(reference).person_id)
    with each_desk.services.db.read() as conn:
        kept = [dict(row._mapping) for row in conn.execute(sa.select(t.audit))]
    assert found_in(json.dumps(kept, default=str), each_desk.services.links) == []
    with pytest.raises(BadInput):
        by_link(each_desk.services, token, **(WHY | {"reason": ""}))
