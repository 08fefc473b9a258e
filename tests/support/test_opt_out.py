"""Opt-out: who stops a number, on which channel, and what undoes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.opt_out_words import Meaning
from notifier.core.states import KIND_RULES, Channel, Kind, Reason, State
from notifier.gateways import Inbound, Outcome, OutcomeClass
from notifier.gateways.twilio.errors import explain
from notifier.services import Services
from notifier.store import persons, suppressions
from notifier.store.suppressions import Source
from notifier.store.tables import audit as audit_table
from notifier.store.tables import inbound_sms, notification, suppression
from notifier.support import opt_out
from tests.desk import Desk
from tests.fakes import FakeClock

SITI = "+6281234567890"
STRANGER = "+6281300000000"
ACTOR = "staff:00000000-0000-7000-8000-000000000001"
CHANNELS = [Channel.SMS, Channel.WHATSAPP]


def index(services: Services, number: str = SITI) -> bytes:
    return persons.phone_index(services.sealer, number)


def stopped(services: Services, number: str = SITI, channel: Channel = Channel.SMS) -> bool:
    with services.db.read() as conn:
        return bool(suppressions.suppressed(conn, [index(services, number)], channel=channel))


def rows(services: Services, table: sa.Table = suppression) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(sa.select(table)))


def wrote(text: str, sid: str = "SM1", *, number: str = SITI, channel: Channel = Channel.SMS, **more: Any) -> Inbound:
    return Inbound(sid, channel, number, text, **more)


# by SMS and WhatsApp


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("stop", "start"), [("STOP", "START"), ("BERHENTI", "MULAI"), ("Berhenti.", "unstop")])
def test_a_stop_and_a_start_count_for_their_channel(
    each_services: Services, channel: Channel, stop: str, start: str
) -> None:
    [other] = [one for one in CHANNELS if one is not channel]
    opt_out.receive(each_services, wrote("STOP", "SM0", channel=other))
    received = opt_out.receive(each_services, wrote(stop, channel=channel))
    assert received == opt_out.Received(Meaning.STOP, is_new=True, wants_answer=True)
    assert stopped(each_services, channel=channel)
    assert opt_out.receive(each_services, wrote(start, "SM2", channel=channel)).meaning is Meaning.START
    assert not stopped(each_services, channel=channel)
    assert stopped(each_services, channel=other)


def test_a_number_that_we_do_not_know_is_stopped_before_its_person_comes(each_desk: Desk) -> None:
    opt_out.receive(each_desk.services, wrote("BERHENTI"))
    recorded = each_desk.record()
    each_desk.send()
    row = each_desk.row(recorded.reference)
    assert (row.status, row.reason) == (State.SUPPRESSED, Reason.OPTED_OUT)
    assert each_desk.gateway.sent == []


def test_a_stop_holds_back_what_waits_and_a_start_lets_the_next_go(each_desk: Desk, clock: FakeClock) -> None:
    first = each_desk.record()
    opt_out.receive(each_desk.services, wrote("STOP"))
    each_desk.send()
    assert each_desk.row(first.reference).reason == Reason.OPTED_OUT
    opt_out.receive(each_desk.services, wrote("MULAI", "SM2"))
    second = each_desk.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    each_desk.send()
    assert each_desk.state(second.reference) == State.ACCEPTED
    assert each_desk.state(first.reference) == State.SUPPRESSED


def test_a_stop_by_whatsapp_leaves_sms_alone(each_desk: Desk) -> None:
    recorded = each_desk.record()
    opt_out.receive(each_desk.services, wrote("STOP", channel=Channel.WHATSAPP))
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.ACCEPTED


def test_a_repeated_message_answers_the_same_and_changes_nothing(each_services: Services, clock: FakeClock) -> None:
    first = opt_out.receive(each_services, wrote("STOP"))
    before = rows(each_services), rows(each_services, inbound_sms), rows(each_services, audit_table)
    clock.tick(days=30)
    again = opt_out.receive(each_services, wrote("STOP"))
    assert again == replace(first, is_new=False)
    assert (rows(each_services), rows(each_services, inbound_sms), rows(each_services, audit_table)) == before


@pytest.mark.parametrize(("old", "new"), [("STOP", "START"), ("MULAI", "BERHENTI")])
def test_an_older_message_replayed_changes_nothing(
    each_services: Services, clock: FakeClock, old: str, new: str
) -> None:
    if old == "MULAI":
        opt_out.receive(each_services, wrote("STOP", "SM0"))
    opt_out.receive(each_services, wrote(old, "SM1"))
    clock.tick(minutes=5)
    opt_out.receive(each_services, wrote(new, "SM2"))
    before = rows(each_services)
    for sid, text in (("SM1", old), ("SM2", new), ("SM1", old)):
        assert not opt_out.receive(each_services, wrote(text, sid)).is_new
    assert rows(each_services) == before
    assert stopped(each_services) is (new == "BERHENTI")


def test_fifty_copies_at_once_make_one_row(each_services: Services) -> None:
    with ThreadPoolExecutor(10) as pool:
        received = list(pool.map(lambda _: opt_out.receive(each_services, wrote("STOP")), range(50)))
    assert sum(one.is_new for one in received) == 1
    assert {one.meaning for one in received} == {Meaning.STOP}
    assert len(rows(each_services)) == len(rows(each_services, inbound_sms)) == 1
    assert [row.action for row in rows(each_services, audit_table)] == [opt_out.STOPPED]


def test_different_stops_at_once_make_one_row(each_services: Services) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: opt_out.receive(each_services, wrote("STOP", f"SM{n}")), range(20)))
    assert len(rows(each_services)) == 1
    assert len(rows(each_services, inbound_sms)) == 20


def test_stops_and_starts_at_once_leave_at_most_one_open_row(each_services: Services) -> None:
    with ThreadPoolExecutor(10) as pool:
        words = ["STOP", "START"] * 15
        list(pool.map(lambda n: opt_out.receive(each_services, wrote(words[n], f"SM{n}")), range(30)))
    assert sum(row.lifted_at is None for row in rows(each_services)) <= 1
    deeds = sorted(row.action for row in rows(each_services, audit_table))
    assert deeds.count(opt_out.STOPPED) == len(rows(each_services))
    assert deeds.count(opt_out.LIFTED) == sum(row.lifted_at is not None for row in rows(each_services))


def test_what_the_provider_made_of_a_message_counts(services: Services) -> None:
    said = wrote("kembali", provider_meaning=Meaning.STOP, is_answered=True)
    assert opt_out.receive(services, said) == opt_out.Received(Meaning.STOP, is_new=True, wants_answer=False)
    assert stopped(services)


def test_a_start_lifts_what_the_provider_refused(each_services: Services, clock: FakeClock) -> None:
    for channel in CHANNELS:
        with each_services.db.write() as conn:
            suppressions.add(
                conn, index(each_services), reason=Reason.OPTED_OUT, source=Source.PROVIDER, at=clock.now(),
                channel=channel,
            )  # fmt: skip
        opt_out.receive(each_services, wrote("START", f"SM{channel}", channel=channel))
        assert not stopped(each_services, channel=channel)


def test_other_words_change_nothing_and_want_no_answer(services: Services) -> None:
    received = opt_out.receive(services, wrote("Kapan dosis kedua?"))
    assert received == opt_out.Received(Meaning.OTHER, is_new=True, wants_answer=False)
    assert rows(services) == []


def test_who_is_no_telephone_number_is_not_kept(services: Services) -> None:
    said = Inbound("SM1", Channel.SMS, None, "STOP")
    assert opt_out.receive(services, said) == opt_out.Received(Meaning.OTHER, is_new=False, wants_answer=False)
    assert rows(services, inbound_sms) == []


def test_a_number_that_writes_on_and_on_is_obeyed_but_not_answered(services: Services, clock: FakeClock) -> None:
    answered = [opt_out.receive(services, wrote("HELP", f"SM{n}")).wants_answer for n in range(7)]
    assert answered == [True] * 5 + [False] * 2
    assert not opt_out.receive(services, wrote("STOP", "SM7")).wants_answer
    assert stopped(services)
    assert opt_out.receive(services, wrote("HELP", "SM8", number=STRANGER)).wants_answer
    clock.tick(hours=1)
    assert opt_out.receive(services, wrote("HELP", "SM9")).wants_answer
    assert not opt_out.receive(services, wrote("HELP", "SM6")).wants_answer  # a copy is answered like the first


def test_neither_number_nor_text_is_kept_plain(services: Services) -> None:
    opt_out.receive(services, wrote("STOP"))
    said = repr([rows(services, table) for table in (inbound_sms, suppression, audit_table)])
    assert SITI[3:] not in said
    assert index(services).hex() not in repr(rows(services, audit_table))


# by an operator


def test_an_operator_stops_and_starts_with_a_reason(each_services: Services, clock: FakeClock) -> None:
    number = index(each_services)
    one = {"channel": Channel.SMS, "actor": ACTOR}
    assert opt_out.stop(each_services, number, source=Source.OPERATOR, reason="called us", **one)
    assert not opt_out.stop(each_services, number, source=Source.OPERATOR, reason="again", **one)
    clock.tick(hours=1)
    assert opt_out.start(each_services, number, reason="wants it again", **one)
    assert not opt_out.start(each_services, number, reason="again", **one)
    [entry] = opt_out.history(each_services, number)
    assert entry == opt_out.Entry(
        Channel.SMS, Source.OPERATOR, clock.now() - timedelta(hours=1), ACTOR, "called us", clock.now(), ACTOR
    )


# what the provider says


def test_a_refusal_because_of_a_stop_fills_the_list(each_desk: Desk) -> None:
    recorded = each_desk.record()
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.OPTED_OUT, http_status=400, code="21610")
    each_desk.send()
    assert each_desk.row(recorded.reference).reason == Reason.OPTED_OUT
    [row] = rows(each_desk.services)
    assert (row.phone_index, row.channel, row.source) == (index(each_desk.services), Channel.SMS, Source.PROVIDER)


@pytest.mark.parametrize("code", ["21610", "63014"])
def test_a_receipt_because_of_a_stop_fills_the_list(each_desk: Desk, code: str) -> None:
    each_desk.gateway.explain = explain  # type: ignore[method-assign]  # Twilio's table at the fake
    recorded = each_desk.record()
    each_desk.send()
    each_desk.receive("failed", code=code)
    assert each_desk.row(recorded.reference).reason == Reason.OPTED_OUT
    [row] = rows(each_desk.services)
    assert (row.phone_index, row.channel, row.source) == (index(each_desk.services), Channel.SMS, Source.PROVIDER)
    second = each_desk.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    each_desk.send()
    assert each_desk.row(second.reference).reason == Reason.OPTED_OUT


def test_a_refusal_counts_for_the_number_that_it_was_posted_to(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    services = each_desk.services
    with services.db.write() as conn:
        person = persons.get(conn, services.sealer, each_desk.row(recorded.reference).person_id)
        persons.update(conn, services.sealer, replace(person, phone=STRANGER), at=clock.now())
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.OPTED_OUT, http_status=400, code="21610")
    each_desk.send()
    assert stopped(services, STRANGER)
    assert not stopped(services, SITI)


@pytest.mark.parametrize("by", ["refusal", "receipt"])
def test_a_stop_that_the_provider_tells_by_whatsapp_is_one_of_whatsapp(desk: Desk, by: str) -> None:
    desk.gateway.explain = explain  # type: ignore[method-assign]  # Twilio's table at the fake
    desk.record()
    with desk.services.db.write() as conn:
        conn.execute(notification.update().values(channel=Channel.WHATSAPP.value))
    if by == "refusal":
        desk.gateway.answer = lambda _: Outcome(OutcomeClass.OPTED_OUT, http_status=400, code="63014")
    desk.send()
    if by == "receipt":
        desk.receive("failed", code="63014")
    assert [row.channel for row in rows(desk.services)] == [Channel.WHATSAPP]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_obeys_the_list_of_its_own_channel(desk: Desk, channel: Channel) -> None:
    [other] = [one for one in CHANNELS if one is not channel]
    opt_out.receive(desk.services, wrote("STOP", channel=channel))
    states = {}
    for number, of in enumerate((channel, other), 1):
        recorded = desk.record(event_id=f"e{number}", dose={"id": f"dose-{number}", "number": number})
        with desk.services.db.write() as conn:
            row_id = desk.row(recorded.reference).id
            conn.execute(notification.update().where(notification.c.id == row_id).values(channel=of.value))
        states[of] = recorded.reference
    desk.send()
    assert {of: desk.state(reference) for of, reference in states.items()} == {
        channel: State.SUPPRESSED,
        other: State.ACCEPTED,
    }


def test_only_a_code_that_was_asked_for_and_the_warning_of_another_number_are_not_stopped() -> None:
    assert [kind for kind, rules in KIND_RULES.items() if not rules.opt_out] == [Kind.OTP, Kind.NUMBER]
