"""A new link for an expired one: to the number on file, few, and nobody learns what came of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from notifier.certificates.opening import LinkState, look
from notifier.core.states import Kind, Reason, State
from notifier.services import Services
from notifier.store import audit, certificates, persons
from notifier.store.tables import counter, person
from notifier.support import opt_out
from notifier.support.renewal import MOST_A_DAY, RENEWALS, renew
from notifier.support.resend import hold, release
from tests.builders import a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token

ADDRESS = "198.51.100.7"


def long_ago(desk: Desk, clock: FakeClock) -> Desk:
    """Siti's SMS came 90 days ago; it is three in the morning in Jakarta."""
    desk.record()
    desk.send()
    clock.tick(days=90, hours=17)
    assert look(desk.services, sent_token(desk)).state is LinkState.EXPIRED
    return desk


@pytest.fixture
def expired(desk: Desk, clock: FakeClock) -> Desk:
    return long_ago(desk, clock)


@pytest.fixture
def each_expired(each_desk: Desk, clock: FakeClock) -> Desk:
    return long_ago(each_desk, clock)


def renewals(desk: Desk) -> list[tuple[str, str | None]]:
    return [(row.status, row.reason) for row in desk.rows() if row.kind == Kind.RENEWAL]


def tap(desk: Desk, token: str | None = None) -> bool | None:
    return renew(desk.services, token or sent_token(desk), address=ADDRESS).result


def test_one_tap_sends_a_new_link_at_once_even_at_night(each_expired: Desk) -> None:
    old = sent_token(each_expired)
    assert tap(each_expired) is True
    each_expired.send()
    assert [sms.to for sms in each_expired.gateway.sent] == ["+6281234567890"] * 2
    new = sent_token(each_expired)
    assert new != old
    assert "Ini tautan baru untuk sertifikat vaksin S." in each_expired.gateway.sent[1].text
    assert look(each_expired.services, new).state is LinkState.LIVE
    assert look(each_expired.services, old).state is LinkState.EXPIRED
    with each_expired.services.db.read() as conn:
        row = next(row for row in each_expired.rows() if row.kind == Kind.CERTIFICATE)
        assert "link.renewal-asked" in [entry.action for entry in audit.of_subjects(conn, [row.link_id])]


def test_taps_in_a_row_and_at_once_are_one_wish(each_expired: Desk) -> None:
    token = sent_token(each_expired)
    with ThreadPoolExecutor(6) as pool:
        assert sorted(map(bool, pool.map(lambda _: tap(each_expired, token), range(6)))) == [False] * 5 + [True]
    each_expired.send()
    assert tap(each_expired, token) is False  # sent a moment ago
    assert len(renewals(each_expired)) == 1


def test_one_that_still_waits_is_not_asked_for_again(expired: Desk, clock: FakeClock) -> None:
    token = sent_token(expired)
    hold(expired.services, reason="test", actor="system")
    tap(expired)
    clock.tick(minutes=30)
    assert tap(expired) is False
    clock.tick(minutes=31)
    release(expired.services, reason="test", actor="system")
    expired.send()
    assert renewals(expired) == [(State.EXPIRED, Reason.PAST_DUE)]  # nobody waits in front of the screen any more
    assert tap(expired, token) is True


def test_a_person_gets_so_many_a_day_over_all_links(each_expired: Desk, clock: FakeClock) -> None:
    token = sent_token(each_expired)
    asked = []
    for _ in range(MOST_A_DAY + 2):
        asked.append(tap(each_expired, token))
        each_expired.send()
        clock.tick(minutes=11)
    assert asked == [True] * MOST_A_DAY + [False] * 2
    clock.tick(days=1)
    assert tap(each_expired, token) is True


@pytest.mark.parametrize("why", ["opted out", "paused", "no phone", "a stranger's number"])
def test_nothing_is_sent_where_nothing_may_be_and_the_answer_is_no_other(
    desk: Desk, clock: FakeClock, why: str
) -> None:
    desk.record()
    desk.send()
    token, services = sent_token(desk), desk.services
    clock.tick(days=91)
    row = desk.rows()[0]
    index = persons.phone_index(services.sealer, "+6281234567890")
    with services.db.write() as conn:
        known = persons.get(conn, services.sealer, row.person_id)
        if why == "no phone":
            persons.update(conn, services.sealer, replace(known, phone=None), at=clock.now())
        if why == "a stranger's number":
            persons.update(conn, services.sealer, replace(known, phone_problem="wrong-number"), at=clock.now())
    if why == "opted out":
        opt_out.stop(services, index, channel=opt_out.Channel.SMS, source=opt_out.Source.OPERATOR, actor="test")
    if why == "paused":  # by another of the person's links, to the same number
        from tests.support.test_not_me import pause

        pause(services, row.person_id, index, clock.now(), links=False)
    assert tap(desk, token) is True  # what the page shows is the same
    desk.send()
    assert len(desk.gateway.sent) == 1
    reasons = {"opted out": "opted-out", "paused": "not-me", "no phone": "no-phone"}
    assert renewals(desk) == [(State.SUPPRESSED, reasons.get(why, "wrong-number"))]


@pytest.mark.parametrize("how", ["live", "locked", "withdrawn"])
def test_only_an_expired_link_is_renewed(desk: Desk, clock: FakeClock, how: str) -> None:
    desk.record()
    desk.send()
    if how == "withdrawn":
        desk.record(event_id="e2", event_type="entered_in_error")
    if how == "locked":
        with desk.services.db.write() as conn:
            conn.execute(person.update().values(locked_at=clock.now(), wrong_tries=5))
    if how != "live":
        clock.tick(days=91)
    assert tap(desk) is None
    assert renewals(desk) == []


def test_the_limits_stop_an_address_and_a_link(expired: Desk, services: Services) -> None:
    token = sent_token(expired)
    few = replace(RENEWALS, address=replace(RENEWALS.address, most=1))
    assert renew(expired.services, token, address=ADDRESS, limits=few).result is True
    stopped = renew(expired.services, token, address=ADDRESS, limits=few)
    assert stopped.result is None
    assert 0 < stopped.retry_after_s <= 600


def test_where_the_limits_cannot_be_counted_nothing_is_sent(expired: Desk) -> None:
    with expired.services.db.write() as conn:
        counter.drop(conn)
    with pytest.raises((sa.exc.OperationalError, sa.exc.ProgrammingError)):
        tap(expired)
    assert renewals(expired) == []


def test_a_link_that_no_sms_bore_is_renewed_to_the_number_on_file(desk: Desk, clock: FakeClock) -> None:
    made = a_certificate(desk.services)
    clock.tick(days=91)
    assert tap(desk, made.token) is True
    desk.send()
    assert [sms.to for sms in desk.gateway.sent] == ["+6281234567890"]


def test_after_the_number_changed_the_new_link_goes_to_the_new_number_alone(desk: Desk, clock: FakeClock) -> None:
    desk.record()
    desk.send()
    old = sent_token(desk)
    desk.record(event_id="e2", event_type="corrected", person={"phone": "0813-0000-0000"})
    desk.send()
    clock.tick(days=91)
    assert tap(desk, old) is None  # revoked with its number
    assert tap(desk) is True
    desk.send()
    assert [sms.to for sms in desk.gateway.sent] == ["+6281234567890"] + ["+6281300000000"] * 2


def test_the_life_of_the_new_link_counts_from_its_sms(desk: Desk, clock: FakeClock) -> None:
    desk.record()
    desk.send()
    clock.tick(days=91)
    tap(desk)
    desk.send()
    row = next(row for row in desk.rows() if row.kind == Kind.RENEWAL)
    with desk.services.db.read() as conn:
        link = certificates.load_links(conn, [row.link_id])[row.link_id]
    assert link.expires_at == clock.now() + timedelta(days=90)
