""" "This is not for me": that number gets nothing more about that person, others on the same phone do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import pytest

from notifier.certificates.opening import Answer, LinkState, look, look_at, try_birth_date
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CaseKind, CaseOutcome, Reason, State
from notifier.services import Services
from notifier.store import audit, persons
from notifier.store import cases as rows
from notifier.store.tables import number_pause, support_case
from notifier.support import cases, follow_ups
from notifier.support.not_me import NOT_MES, look_at_claim, say_not_me, unsay_not_me
from notifier.support.opt_out import Standing
from notifier.support.resend import resend
from tests.builders import a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token

ADDRESS = "198.51.100.7"
PHONE = "+6281234567890"
STAFF = {"only_facility": None, "reason": "telepon", "actor": "staff:00000000-0000-7000-8000-000000000001"}


def pause(services: Services, person_id: str, number: bytes, at: datetime, *, links: bool = True) -> None:
    """A pause as the button makes it; `links` False: of the number alone."""
    with services.db.write() as conn:
        case = rows.insert_new(
            conn, kind=CaseKind.NOT_ME, opened_at=at, due_at=at, person_id=person_id, phone_index=number
        )
        assert case is not None
        if links:
            rows.pause_number(conn, person_id=person_id, phone_index=number, case_id=case.id, at=at)
        else:
            values = {"id": case.id, "person_id": person_id, "phone_index": number, "case_id": case.id}
            conn.execute(number_pause.insert(), {**values, "created_at": at})


@pytest.fixture
def sent(desk: Desk) -> Desk:
    desk.record()
    desk.send()
    return desk


@pytest.fixture
def each_sent(each_desk: Desk) -> Desk:
    each_desk.record()
    each_desk.send()
    return each_desk


def say(desk: Desk, token: str | None = None) -> Standing | None:
    return say_not_me(desk.services, token or sent_token(desk), address=ADDRESS).standing


def unsay(desk: Desk, token: str) -> Standing | None:
    return unsay_not_me(desk.services, token, address=ADDRESS).standing


def all_cases(desk: Desk) -> list[tuple[str, str | None]]:
    with desk.services.db.read() as conn:
        return [(row.status, row.outcome) for row in conn.execute(support_case.select().order_by(support_case.c.id))]


def only_case(desk: Desk) -> str:
    [line] = cases.listed(desk.services, status=None, only_facility=None, with_persons=False)[0]
    return str(line.case.reference)


def second_dose(desk: Desk, **person: str) -> str:
    recorded = desk.record(event_id="e2", dose={"id": "dose-2", "number": 2}, person=person)
    assert recorded.reference is not None
    return recorded.reference


def test_the_link_stops_opening_at_once_and_no_sms_goes_there_any_more(sent: Desk) -> None:
    token = sent_token(sent)
    opened = look(sent.services, token)
    assert say(sent) is Standing.PAUSED
    assert look(sent.services, token).state is LinkState.PAUSED
    assert look_at(sent.services, opened.public_id or "").state is LinkState.PAUSED  # an open certificate closes
    tried = try_birth_date(sent.services, token, date(1989, 2, 10), device="phone", address=ADDRESS)
    assert (tried.answer, tried.look.state) == (Answer.CLOSED, LinkState.PAUSED)

    reference = second_dose(sent)
    sent.send()
    assert (sent.row(reference).status, sent.row(reference).reason) == (State.SUPPRESSED, Reason.NOT_ME)
    with pytest.raises(Refused, match="not-me"):
        resend(sent.services, reference, reason="again", actor="test")
    assert len(sent.gateway.sent) == 1


def test_it_is_one_case_on_the_list_of_the_facility_however_often_it_is_said(each_sent: Desk) -> None:
    token = sent_token(each_sent)
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(lambda _: say(each_sent, token), range(6))) == {Standing.PAUSED}
    assert all_cases(each_sent) == [("open", None)]
    seen = cases.show(each_sent.services, only_case(each_sent), only_facility="facility-1")
    assert (seen.is_paused, seen.is_on_file, seen.links, seen.message) == (True, True, 1, each_sent.rows()[0].reference)
    with each_sent.services.db.read() as conn:
        assert [row.action for row in audit.of_subjects(conn, [seen.case.id])] == ["not-me.said"]


def test_a_family_on_the_same_phone_goes_on(sent: Desk) -> None:
    baby = {"id": "person-2", "name": "Wayan", "nik": None, "birth_date": "2026-01-05"}
    sent.record(event_id="e2", dose={"id": "dose-2"}, person=baby)
    sent.send()
    mother, child = sent_token(sent, 0), sent_token(sent, 1)
    say(sent, mother)
    assert look(sent.services, child).state is LinkState.LIVE
    third = sent.record(event_id="e3", dose={"id": "dose-3"}, person=baby)
    sent.send()
    assert sent.state(third.reference) == State.ACCEPTED


def test_a_message_that_a_worker_holds_already_does_not_slip_through(each_sent: Desk) -> None:
    from notifier.messages.claim import claim
    from notifier.messages.send import Sender

    reference = second_dose(each_sent)
    batch = claim(each_sent.services, 10)
    say(each_sent)
    assert Sender(each_sent.services).send_claimed(batch) == 0
    each_sent.send()
    assert (each_sent.row(reference).reason, len(each_sent.gateway.sent)) == (Reason.NOT_ME, 1)


def test_the_page_undoes_it_and_what_is_sent_then_arrives(each_sent: Desk) -> None:
    token = sent_token(each_sent)
    say(each_sent)
    assert unsay(each_sent, token) is Standing.RECEIVES
    assert look(each_sent.services, token).state is LinkState.LIVE
    assert all_cases(each_sent) == [("closed", CaseOutcome.UNDONE)]
    second_dose(each_sent)
    each_sent.send()
    assert len(each_sent.gateway.sent) == 2
    assert unsay(each_sent, token) is Standing.RECEIVES  # nothing to undo
    say(each_sent, token)
    assert all_cases(each_sent) == [("closed", CaseOutcome.UNDONE), ("open", None)]


def test_staff_undo_it(sent: Desk) -> None:
    token = sent_token(sent)
    say(sent)
    cases.undo(sent.services, only_case(sent), **STAFF)
    assert look(sent.services, token).state is LinkState.LIVE
    assert all_cases(sent) == [("closed", CaseOutcome.UNDONE)]
    with pytest.raises(Refused, match="no-pause"):
        cases.undo(sent.services, only_case(sent), **STAFF)


def test_once_confirmed_the_links_are_dead_and_the_number_must_be_corrected(each_sent: Desk) -> None:
    token = sent_token(each_sent)
    say(each_sent)
    assert cases.confirm(each_sent.services, only_case(each_sent), **STAFF) == 1
    assert (look(each_sent.services, token).state, look(each_sent.services, token).reason) == (
        LinkState.REVOKED,
        Reason.WRONG_NUMBER,
    )
    assert unsay_not_me(each_sent.services, token, address=ADDRESS).standing is None  # staff have decided
    same = second_dose(each_sent)  # the registry says the same number again
    each_sent.send()
    assert (each_sent.row(same).status, each_sent.row(same).reason) == (State.SUPPRESSED, Reason.WRONG_NUMBER)
    with pytest.raises(Refused, match="wrong-number"):
        resend(each_sent.services, same, reason="again", actor="test")

    other = each_sent.record(event_id="e3", event_type="corrected", person={"phone": "0813-0000-0000"})
    each_sent.send()
    assert each_sent.state(other.reference) == State.ACCEPTED
    assert [sms.to for sms in each_sent.gateway.sent] == [PHONE, "+6281300000000"]


def test_a_wrong_confirmation_is_taken_back_but_not_its_links(sent: Desk) -> None:
    token = sent_token(sent)
    say(sent)
    cases.confirm(sent.services, only_case(sent), **STAFF)
    cases.undo(sent.services, only_case(sent), **STAFF)
    assert all_cases(sent) == [("closed", CaseOutcome.UNDONE)]
    assert look(sent.services, token).state is LinkState.REVOKED
    resend(sent.services, sent.rows()[0].reference, reason="number checked", actor="test")
    sent.send()
    assert [sms.to for sms in sent.gateway.sent] == [PHONE, PHONE]


def test_another_number_closes_the_case_and_lifts_nothing_for_the_old_one(each_sent: Desk) -> None:
    say(each_sent)
    each_sent.record(event_id="e2", event_type="corrected", person={"phone": "0813-0000-0000"})
    assert follow_ups.run(each_sent.services) == 1
    each_sent.send()
    assert all_cases(each_sent) == [("closed", CaseOutcome.CORRECTED)]
    assert [sms.to for sms in each_sent.gateway.sent] == [PHONE, "+6281300000000"]

    back = each_sent.record(event_id="e3", event_type="corrected", person={"phone": "0812-3456-7890"})
    each_sent.send()
    assert (each_sent.state(back.reference), each_sent.row(back.reference).reason) == (State.SUPPRESSED, Reason.NOT_ME)
    cases.undo(each_sent.services, only_case(each_sent), **STAFF)  # until somebody says that it is theirs after all
    again = resend(each_sent.services, back.reference or "", reason="number checked", actor="test")
    each_sent.send()
    assert each_sent.state(again.reference) == State.ACCEPTED


def test_another_facility_s_case_is_not_there(sent: Desk) -> None:
    say(sent)
    reference, theirs = only_case(sent), {**STAFF, "only_facility": "facility-2"}
    for deed in (cases.undo, cases.confirm, cases.unlock, cases.close):
        with pytest.raises(NotFound):
            deed(sent.services, reference, **theirs)
    assert all_cases(sent) == [("open", None)]


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(each_sent: Desk) -> None:
    say(each_sent)
    reference = only_case(each_sent)

    def decide(_: int) -> str:
        try:
            cases.confirm(each_sent.services, reference, **STAFF)
        except Refused as refused:
            return refused.reason
        return "won"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(decide, range(4))) == ["already-closed"] * 3 + ["won"]


def test_a_case_about_a_number_is_undone_or_confirmed_and_nothing_else(sent: Desk) -> None:
    say(sent)
    for deed in (cases.close, cases.unlock, cases.reveal_birth_date):
        with pytest.raises(Refused, match="not-about-birth-date"):
            deed(sent.services, only_case(sent), **STAFF)


def test_page_and_staff_at_once_never_wait_for_each_other(each_sent: Desk) -> None:
    token = sent_token(each_sent)
    say(each_sent)
    reference = only_case(each_sent)

    def do(number: int) -> str:
        try:
            if number % 2:
                return str(unsay(each_sent, token))
            cases.undo(each_sent.services, reference, **STAFF)
        except Refused as refused:
            return refused.reason
        return "undone"

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(do, range(6))) <= {"receives", "undone", "no-pause"}
    assert all_cases(each_sent) == [("closed", CaseOutcome.UNDONE)]


def test_a_link_that_no_sms_bore_has_no_number_to_pause(services: Services) -> None:
    made = a_certificate(services)
    for act in (say_not_me, unsay_not_me):
        assert act(services, made.token, address=ADDRESS).standing is Standing.NO_NUMBER
    assert look_at_claim(services, made.token).standing is Standing.NO_NUMBER
    assert look(services, made.token).state is LinkState.LIVE


def test_too_many_presses_are_limited(desk: Desk, clock: FakeClock) -> None:
    desk.record()
    desk.send()
    token = sent_token(desk)
    for number in range(NOT_MES.link.most):
        assert (unsay if number % 2 else say)(desk, token) is not None
    limited = say_not_me(desk.services, token, address=ADDRESS)
    assert (limited.standing, limited.retry_after_s > 0) == (None, True)
    clock.tick(hours=1)
    assert say(desk, token) is Standing.PAUSED


def test_the_number_that_is_on_file_for_somebody_else_is_not_theirs_to_lose(desk: Desk) -> None:
    """Confirming empties the number of the person in question alone."""
    desk.record()
    desk.record(event_id="e2", dose={"id": "dose-2"}, person={"id": "person-2", "name": "Budi", "nik": None})
    desk.send()
    say(desk, sent_token(desk, 0))
    cases.confirm(desk.services, only_case(desk), **STAFF)
    with desk.services.db.read() as conn:
        mobiles = {row.person_id: persons.get(conn, desk.services.sealer, row.person_id).mobile for row in desk.rows()}
    assert sorted(mobiles.values(), key=str) == [PHONE, None]
