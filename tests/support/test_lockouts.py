"""Locks: the owner is told once, staff unlock, a wrong recorded birth date is reported and corrected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from notifier.certificates.limits import TRIES
from notifier.certificates.opening import Answer, LinkState, Try, look, try_birth_date
from notifier.core.errors import BadInput, Refused
from notifier.core.states import CaseOutcome, FollowUp, Kind, Reason, State
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import audit, persons
from notifier.store import follow_ups as rows
from notifier.store.tables import facility, follow_up, support_case
from notifier.support import cases, follow_ups, opt_out, resend
from notifier.support.lockouts import report_birth_date
from notifier.support.renewal import renew
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_not_me import ADDRESS, STAFF, only_case, say
from tests.support.test_opt_out_link import sent_token

RIGHT, WRONG = date(1989, 2, 10), date(1980, 5, 1)
LAX = replace(TRIES, link=replace(TRIES.link, most=1_000))


def told(desk: Desk) -> Desk:
    """Siti has her SMS."""
    desk.record()
    desk.send()
    return desk


@pytest.fixture
def sent(desk: Desk) -> Desk:
    return told(desk)


@pytest.fixture
def each_sent(each_desk: Desk) -> Desk:
    return told(each_desk)


def tried(desk: Desk, born: date = WRONG, token: str | None = None) -> Try:
    return try_birth_date(
        desk.services, token or sent_token(desk, 0), born, device="phone", address=ADDRESS, limits=LAX
    )


def lock(desk: Desk, token: str | None = None) -> None:
    for _ in range(5):
        tried(desk, token=token)


def person(desk: Desk) -> persons.Person:
    with desk.services.db.read() as conn:
        return persons.get(conn, desk.services.sealer, desk.rows()[-1].person_id)


def of_kind(desk: Desk, kind: Kind) -> list[tuple[str, str | None]]:
    return [(row.status, row.reason) for row in desk.rows() if row.kind == kind]


def waiting(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(follow_up.select().where(follow_up.c.done_at.is_(None))))


def test_the_fifth_wrong_date_tells_the_owner_by_one_sms_without_a_link(each_sent: Desk, clock: FakeClock) -> None:
    with ThreadPoolExecutor(25) as pool:
        list(pool.map(lambda _: tried(each_sent), range(50)))
    assert person(each_sent).wrong_tries == 5
    assert len(waiting(each_sent.services)) == 1
    clock.tick(seconds=1)
    assert tick(each_sent.services).follow_ups
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: follow_ups.run(each_sent.services), range(3))) == 1
    each_sent.send()
    clock.tick(seconds=1)
    assert not tick(each_sent.services).follow_ups
    _first, notice = each_sent.gateway.sent
    assert notice.text.startswith("Kemenkes: Sertifikat vaksin S. terkunci: tanggal lahir salah 5 kali.")
    assert "http" not in notice.text
    assert of_kind(each_sent, Kind.LOCK) == [(State.ACCEPTED, None)]


def test_at_night_the_notice_waits_for_the_morning(sent: Desk, clock: FakeClock) -> None:
    clock.tick(hours=14)  # midnight in Jakarta
    lock(sent)
    follow_ups.run(sent.services)
    assert sent.send().claimed == 0
    clock.tick(hours=8)
    sent.send()
    assert of_kind(sent, Kind.LOCK) == [(State.ACCEPTED, None)]


def test_a_notice_of_a_lock_that_is_gone_is_cancelled(sent: Desk) -> None:
    lock(sent)
    follow_ups.run(sent.services)
    resend.unlock(sent.services, sent.rows()[-1].reference, reason="KTP", actor="test")
    sent.send()
    assert of_kind(sent, Kind.LOCK) == [(State.CANCELLED, Reason.UNLOCKED)]
    lock(sent)  # and a second lock is told of anew
    follow_ups.run(sent.services)
    sent.send()
    assert sorted(of_kind(sent, Kind.LOCK)) == [(State.ACCEPTED, None), (State.CANCELLED, Reason.UNLOCKED)]


def test_two_locks_before_the_first_notice_left_are_one_sms(sent: Desk) -> None:
    for _ in range(2):
        lock(sent)
        follow_ups.run(sent.services)
        with sent.services.db.write() as conn:
            persons.unlock(conn, person(sent).id)
    lock(sent)
    follow_ups.run(sent.services)
    sent.send()
    assert of_kind(sent, Kind.LOCK) == [(State.ACCEPTED, None)]


@pytest.mark.parametrize("why", ["opted out", "not me", "too late"])
def test_the_notice_obeys_what_every_message_obeys(sent: Desk, clock: FakeClock, why: str) -> None:
    lock(sent)
    follow_ups.run(sent.services)
    if why == "opted out":
        index = persons.phone_index(sent.services.sealer, "+6281234567890")
        opt_out.stop(sent.services, index, channel=opt_out.Channel.SMS, source=opt_out.Source.OPERATOR, actor="test")
    if why == "not me":
        with sent.services.db.write() as conn:
            persons.unlock(conn, person(sent).id)
        say(sent, sent_token(sent, 0))
        with sent.services.db.write() as conn:
            for _ in range(5):
                persons.count_wrong_try(conn, person(sent).id, clock.now())
    if why == "too late":
        clock.tick(hours=49)
    sent.send()
    expected = {"opted out": ("suppressed", "opted-out"), "not me": ("suppressed", "not-me")}
    assert of_kind(sent, Kind.LOCK) == [expected.get(why, ("expired", "past-due"))]


def test_a_locked_certificate_stays_locked_over_resends_and_renewals(sent: Desk, clock: FakeClock) -> None:
    lock(sent)
    resend.resend(sent.services, sent.rows()[-1].reference, reason="again", actor="test")
    sent.send()
    assert look(sent.services, sent_token(sent)).state is LinkState.LOCKED
    assert tried(sent, RIGHT, sent_token(sent)).answer is Answer.CLOSED
    clock.tick(days=91)
    assert renew(sent.services, sent_token(sent), address=ADDRESS).result is None


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing catches it."""


class DyingClock(FakeClock):
    """Its process dies as it is asked for the time the `last` time."""

    def __init__(self, now: datetime, last: int) -> None:
        super().__init__(now)
        self._left = last

    def now(self) -> datetime:
        self._left -= 1
        if self._left <= 0:
            raise Killed
        return super().now()


@pytest.mark.parametrize("last", [2, 3])
def test_a_worker_that_dies_in_between_leaves_the_follow_up_whole(each_sent: Desk, clock: FakeClock, last: int) -> None:
    lock(each_sent)
    with pytest.raises(Killed):
        follow_ups.run(replace(each_sent.services, clock=DyingClock(clock.now(), last)))
    assert of_kind(each_sent, Kind.LOCK) == []
    assert len(waiting(each_sent.services)) == 1
    assert follow_ups.run(each_sent.services) == 1
    assert of_kind(each_sent, Kind.LOCK) == [(State.SCHEDULED, None)]


def test_one_that_fails_waits_longer_each_time_and_keeps_no_other_waiting(sent: Desk, clock: FakeClock) -> None:
    with sent.services.db.write() as conn:
        rows.add(conn, FollowUp.PERSON_LOCKED, "00000000-0000-7000-8000-000000000000", at=clock.now())  # nobody
    lock(sent)
    waits = []
    for _ in range(12):
        follow_ups.run(sent.services)
        [left] = waiting(sent.services)
        waits.append(left.due_at - clock.now())
        clock.set(left.due_at)
    assert of_kind(sent, Kind.LOCK) == [(State.SCHEDULED, None)]
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert max(waits) == timedelta(hours=1)


def test_a_kind_that_this_code_does_not_know_is_kept_for_one_that_does(sent: Desk, clock: FakeClock) -> None:
    with sent.services.db.write() as conn:
        values = {"id": "00000000-0000-7000-8000-000000000009", "kind": "of-tomorrow", "subject_id": sent.rows()[0].id}
        conn.execute(follow_up.insert(), {**values, "created_at": clock.now(), "due_at": clock.now(), "attempts": 0})
    assert follow_ups.run(sent.services) == 1
    assert [row.attempts for row in waiting(sent.services)] == [1]


def report(desk: Desk) -> bool | None:
    return report_birth_date(desk.services, sent_token(desk, 0), address=ADDRESS).result


def test_a_rejected_birth_date_is_one_case_and_says_nothing(each_sent: Desk) -> None:
    with ThreadPoolExecutor(5) as pool:
        assert sorted(map(bool, pool.map(lambda _: report(each_sent), range(5)))) == [False] * 4 + [True]
    lock(each_sent)
    assert report(each_sent) is False
    seen = cases.show(each_sent.services, only_case(each_sent), only_facility="facility-1")
    assert seen.person is not None
    assert (seen.case.facility_id, seen.person.wrong_tries, seen.case.phone_index) == ("facility-1", 5, None)


def test_without_a_facility_the_case_is_the_operators_alone(desk: Desk) -> None:
    desk.record(dose={"facility_id": None, "facility": None})
    desk.send()
    report(desk)
    for only, count in ((None, 1), ("", 0), ("facility-1", 0)):
        assert len(cases.listed(desk.services, only_facility=only, with_persons=True)[0]) == count


def test_unlocking_closes_the_case_and_gives_five_tries(sent: Desk) -> None:
    lock(sent)
    report(sent)
    with pytest.raises(BadInput):
        cases.unlock(sent.services, only_case(sent), **{**STAFF, "reason": " "})
    cases.unlock(sent.services, only_case(sent), **STAFF)
    assert tried(sent, RIGHT).answer is Answer.OPENED
    with pytest.raises(Refused, match="already-closed"):
        cases.unlock(sent.services, only_case(sent), **STAFF)
    with sent.services.db.read() as conn:
        [deed] = [row for row in audit.of_subjects(conn, [person(sent).id]) if row.action == "person.unlock"]
    assert (deed.actor, deed.detail["reason"]) == (STAFF["actor"], STAFF["reason"])


def test_a_birth_date_is_shown_to_staff_only_with_a_reason_and_an_audit_row(sent: Desk) -> None:
    report(sent)
    with pytest.raises(BadInput):
        cases.reveal_birth_date(sent.services, only_case(sent), **{**STAFF, "reason": ""})
    assert cases.reveal_birth_date(sent.services, only_case(sent), **STAFF) == RIGHT
    what = [entry.what for entry in cases.show(sent.services, only_case(sent), only_facility=None).entries]
    assert what == ["birth-date-rejected", "birth-date-revealed"]


def test_a_corrected_birth_date_unlocks_closes_the_case_and_sends_one_sms(each_sent: Desk) -> None:
    report(each_sent)
    lock(each_sent)
    each_sent.record(event_id="e2", event_type="corrected", person={"birth_date": "1989-02-11"})
    follow_ups.run(each_sent.services)
    each_sent.send()
    assert (person(each_sent).wrong_tries, person(each_sent).locked_at) == (0, None)
    kinds = [row.kind for row in each_sent.rows() if row.status == State.ACCEPTED]
    assert sorted(kinds) == [Kind.CERTIFICATE, Kind.CORRECTION]
    assert of_kind(each_sent, Kind.LOCK) == [(State.CANCELLED, Reason.UNLOCKED)]
    assert tried(each_sent, date(1989, 2, 11), sent_token(each_sent)).answer is Answer.OPENED
    with each_sent.services.db.read() as conn:
        [row] = conn.execute(support_case.select())
    assert (row.outcome, row.closed_by) == (CaseOutcome.CORRECTED, "system")


def test_where_the_correction_itself_sends_nothing_the_locked_person_gets_a_link(sent: Desk) -> None:
    lock(sent)
    resend.resend(sent.services, sent.rows()[-1].reference, reason="again", actor="test")
    resend.cancel(sent.services, sent.rows()[0].reference, reason="not now", actor="test")
    with sent.services.db.write() as conn:  # as an event about somebody's other dose, copied from a card, would
        known = person(sent)
        persons.update(conn, sent.services.sealer, replace(known, birth_date=date(1989, 2, 11)), at=known.locked_at)
        rows.add(conn, FollowUp.BIRTH_DATE_CORRECTED, known.id, at=sent.services.clock.now() + timedelta(seconds=1))
    sent.services.clock.tick(seconds=1)  # type: ignore[attr-defined]  # a fake
    follow_ups.run(sent.services)
    sent.send()
    assert of_kind(sent, Kind.CORRECTION) == [(State.ACCEPTED, None)]
    assert tried(sent, date(1989, 2, 11), sent_token(sent)).answer is Answer.OPENED


def test_a_corrected_birth_date_of_somebody_with_tries_left_sends_nothing_more(sent: Desk) -> None:
    tried(sent)
    sent.record(event_id="e2", event_type="corrected", person={"birth_date": "1989-02-11"})
    follow_ups.run(sent.services)
    sent.send()
    assert person(sent).wrong_tries == 0  # a try at the wrong recorded date says nothing
    assert [row.kind for row in sent.rows()] == [Kind.CORRECTION, Kind.CERTIFICATE]


def test_another_number_alone_leaves_the_lock_where_it_is(sent: Desk) -> None:
    lock(sent)
    sent.record(event_id="e2", event_type="corrected", person={"phone": "0813-0000-0000"})
    follow_ups.run(sent.services)
    assert person(sent).locked_at is not None


def test_a_facility_that_is_named_is_shown_by_its_name(sent: Desk) -> None:
    report(sent)
    with sent.services.db.write() as conn:
        conn.execute(facility.update().values(name="Puskesmas Menteng"))
    assert cases.show(sent.services, only_case(sent), only_facility=None).facility == "Puskesmas Menteng"
