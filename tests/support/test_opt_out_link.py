"""Opt-out on the link page: the number that this link's SMS went to, and no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.certificates.limits import Limit, TryLimits
from notifier.certificates.opening import LinkState
from notifier.core.link_tokens import new_public_id
from notifier.core.states import Channel, Reason, State
from notifier.services import Services
from notifier.store import audit, persons, suppressions
from notifier.store.suppressions import Source
from notifier.store.tables import counter
from notifier.support import opt_out
from notifier.support.opt_out import Standing
from tests.builders import a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out import ACTOR, SITI, STRANGER, index, rows, stopped, wrote

ADDRESS = "198.51.100.7"


def sent_token(desk: Desk, which: int = -1) -> str:
    """The token in the `which`-th SMS."""
    public_id = desk.services.links.find_in(desk.gateway.sent[which].text)
    assert public_id is not None
    return desk.services.links.sign(public_id)


@pytest.fixture
def sent(each_desk: Desk) -> Desk:
    """Siti has her SMS."""
    each_desk.record()
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    return each_desk


def test_a_stop_on_the_page_holds_back_the_next_sms(sent: Desk) -> None:
    token = sent_token(sent)
    assert opt_out.look_at_number(sent.services, token).standing is Standing.RECEIVES
    assert opt_out.stop_by_link(sent.services, token, address=ADDRESS).standing is Standing.STOPPED
    second = sent.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    sent.send()
    row = sent.row(second.reference)
    assert (row.status, row.reason) == (State.SUPPRESSED, Reason.OPTED_OUT)
    assert len(sent.gateway.sent) == 1


def test_a_stop_on_the_page_can_be_undone_there_later(sent: Desk, clock: FakeClock) -> None:
    token = sent_token(sent)
    opt_out.stop_by_link(sent.services, token, address=ADDRESS)
    clock.tick(days=3)
    assert opt_out.look_at_number(sent.services, token).standing is Standing.STOPPED
    assert opt_out.start_by_link(sent.services, token, address=ADDRESS).standing is Standing.RECEIVES
    second = sent.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    sent.send()
    assert sent.state(second.reference) == State.ACCEPTED


def test_pressing_twice_is_one_stop_with_one_audit_row_about_the_person(sent: Desk) -> None:
    token = sent_token(sent)
    for deed in (opt_out.stop_by_link, opt_out.stop_by_link, opt_out.start_by_link, opt_out.start_by_link):
        deed(sent.services, token, address=ADDRESS)
    person_id = sent.rows()[0].person_id
    with sent.services.db.read() as conn:
        deeds = audit.of_subjects(conn, [person_id])
    said = [(row.action, row.actor, row.subject) for row in deeds if row.action.startswith("opt-out")]
    assert said == [(opt_out.STOPPED, "door:link", "person"), (opt_out.LIFTED, "door:link", "person")]
    assert len(rows(sent.services)) == 1


def test_the_page_stops_the_number_of_its_sms_not_the_person_s_new_one(sent: Desk) -> None:
    token = sent_token(sent)
    with sent.services.db.write() as conn:
        person = persons.get(conn, sent.services.sealer, sent.rows()[0].person_id)
        persons.update(conn, sent.services.sealer, replace(person, phone=STRANGER), at=sent.services.clock.now())
    opt_out.stop_by_link(sent.services, token, address=ADDRESS)
    assert stopped(sent.services, SITI)
    assert not stopped(sent.services, STRANGER)


def test_a_stop_on_the_page_leaves_whatsapp_alone(sent: Desk) -> None:
    opt_out.stop_by_link(sent.services, sent_token(sent), address=ADDRESS)
    assert not stopped(sent.services, channel=Channel.WHATSAPP)


@pytest.mark.parametrize("source", [Source.INBOUND, Source.PROVIDER, Source.OPERATOR])
def test_a_link_does_not_undo_what_was_stopped_elsewhere(sent: Desk, source: Source) -> None:
    opt_out.stop(sent.services, index(sent.services), channel=Channel.SMS, source=source, actor=ACTOR)
    token = sent_token(sent)
    for look in (
        opt_out.look_at_number(sent.services, token),
        opt_out.start_by_link(sent.services, token, address=ADDRESS),
        opt_out.stop_by_link(sent.services, token, address=ADDRESS),
    ):
        assert look.standing is Standing.STOPPED_ELSEWHERE
    assert stopped(sent.services)


def test_a_link_that_no_sms_bore_has_no_number(services: Services) -> None:
    made = a_certificate(services)
    assert opt_out.stop_by_link(services, made.token, address=ADDRESS).standing is Standing.NO_NUMBER
    assert rows(services) == []


def test_a_forged_token_stops_nothing_and_is_counted_nowhere(sent: Desk) -> None:
    token = sent_token(sent)
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    for bad in (forged, sent.services.links.sign(new_public_id()), "x"):
        seen = opt_out.stop_by_link(sent.services, bad, address=ADDRESS)
        assert (seen.look.state, seen.standing) == (LinkState.UNKNOWN, None)
    assert rows(sent.services) == []
    assert rows(sent.services, counter) == []


@pytest.mark.parametrize("limited", ["overall", "address", "link"])
def test_each_limit_says_when_to_come_back_and_changes_nothing(sent: Desk, clock: FakeClock, limited: str) -> None:
    token = sent_token(sent)
    limits = replace(opt_out.STOPS, **{limited: Limit(f"test:{limited}", 1, timedelta(minutes=10))})
    assert isinstance(limits, TryLimits)
    opt_out.stop_by_link(sent.services, token, address=ADDRESS, limits=limits)
    seen = opt_out.start_by_link(sent.services, token, address=ADDRESS, limits=limits)
    assert 0 < seen.retry_after_s <= 600
    assert stopped(sent.services)
    clock.tick(minutes=10)
    opt_out.start_by_link(sent.services, token, address=ADDRESS, limits=limits)
    assert not stopped(sent.services)


def test_many_who_press_at_once_make_one_row(sent: Desk) -> None:
    token = sent_token(sent)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: opt_out.stop_by_link(sent.services, token, address=ADDRESS), range(12)))
    assert len(rows(sent.services)) == 1


def test_the_history_says_who_when_and_whether_it_was_lifted(sent: Desk, clock: FakeClock) -> None:
    services, token = sent.services, sent_token(sent)
    opt_out.stop_by_link(services, token, address=ADDRESS)
    clock.tick(hours=1)
    opt_out.start_by_link(services, token, address=ADDRESS)
    clock.tick(hours=1)
    opt_out.receive(services, wrote("BERHENTI"))
    clock.tick(hours=1)
    with services.db.write() as conn:
        suppressions.add(
            conn, index(services), reason=Reason.OPTED_OUT, source=Source.PROVIDER, at=clock.now(),
            channel=Channel.WHATSAPP,
        )  # fmt: skip
    said = [(one.source, one.channel, one.by, one.lifted_by) for one in opt_out.history(services, index(services))]
    assert said == [
        (Source.PROVIDER, Channel.WHATSAPP, "system", None),
        (Source.INBOUND, Channel.SMS, "door:inbound", None),
        (Source.LINK_PAGE, Channel.SMS, "door:link", "door:link"),
    ]
    assert opt_out.history(services, index(services, STRANGER)) == []
