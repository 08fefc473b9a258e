"""A worker that is killed in the middle of dialogues: no message is lost, no answer comes twice."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from notifier.core.clock import Clock
from notifier.core.states import Channel, Said, State
from notifier.faults import KILL, FaultPoint, arm
from notifier.gateways import Inbound
from notifier.services import Services, build
from notifier.store.chat_inbox import Kept
from notifier.store.migrate import upgrade
from notifier.store.tables import chat_message, chat_reply
from notifier.support.chat import receive, work
from notifier.support.chat.wishes import Rooms
from tests.faults.killed_chatter import chat_settings, work_on
from tests.twilio_server import TwilioServer

CHATTERS = [f"+62813000004{number:02}" for number in range(6)]


@pytest.fixture(scope="module")
def nursery() -> multiprocessing.context.ForkServerContext:
    """Where processes come from that have loaded everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.killed_chatter"])
    return context


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    server = TwilioServer()
    yield server
    server.close()


class Ahead:
    """The real clock, so much later: leases have run out."""

    def __init__(self, clock: Clock, by: timedelta) -> None:
        self._clock, self._by = clock, by

    def now(self):
        return self._clock.now() + self._by


def said(services: Services, text: str, turn: int) -> None:
    for number in CHATTERS:
        sid = f"SM{turn}{number}"
        message = Inbound(sid, Channel.WHATSAPP, number, text, said=Said.TEXT)
        assert receive.receive(services, message) is Kept.KEPT
        assert receive.receive(services, message) is Kept.REPEATED


@pytest.mark.parametrize(
    ("point", "in_doubt"),
    [
        (FaultPoint.CHAT_BEFORE_COMMIT, False),
        (FaultPoint.CHAT_AFTER_COMMIT, False),
        (FaultPoint.REPLY_BEFORE_COMMIT, False),
        (FaultPoint.REPLY_AFTER_COMMIT, True),  # no byte left, but nobody can know that afterwards
        (FaultPoint.REPLY_ANSWERED, True),  # they are there, and nobody wrote it down
    ],
)
def test_a_killed_worker_loses_no_message_and_repeats_no_answer(
    point: FaultPoint,
    in_doubt: bool,
    each_database_url: str,
    tmp_path: Path,
    twilio: TwilioServer,
    nursery: multiprocessing.context.ForkServerContext,
) -> None:
    orders = tmp_path / "orders"
    orders.mkdir()
    services = build(chat_settings(each_database_url, tmp_path, twilio.url))
    upgrade(services.db)
    said(services, "hai", 1)
    said(services, "3", 2)
    arm(orders, point, KILL)
    doomed = nursery.Process(target=work_on, args=(each_database_url, str(tmp_path), twilio.url, str(orders)))
    doomed.start()
    doomed.join(60)
    assert doomed.exitcode == -signal.SIGKILL
    later = build(chat_settings(each_database_url, tmp_path, twilio.url), Ahead(services.clock, timedelta(minutes=5)))
    said(services, "batal", 3)
    while work.run(later, Rooms()):
        pass
    with services.db.read() as conn:
        unread = conn.scalar(sa.select(sa.func.count()).where(chat_message.c.taken_at.is_(None)))
        found = list(conn.execute(sa.select(chat_reply.c.message_id, chat_reply.c.status)))
    assert unread == 0
    assert len(found) == len({row.message_id for row in found}) == 3 * len(CHATTERS)  # each message: one answer
    unknown = sum(row.status == State.UNKNOWN for row in found)
    assert {row.status for row in found} <= {State.ACCEPTED, State.UNKNOWN}
    assert (unknown > 0) is in_doubt
    answered = len(twilio.messages)
    assert answered == (3 * len(CHATTERS) - unknown if point is not FaultPoint.REPLY_ANSWERED else 3 * len(CHATTERS))
    for number in CHATTERS:
        texts = [one.form["Body"] for one in twilio.messages if one.form["To"] == f"whatsapp:{number}"]
        assert len(texts) == len(set(texts))
    services.close()
    later.close()
