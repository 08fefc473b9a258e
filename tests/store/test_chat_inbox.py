"""A message is kept alike on both databases: at each bound of the flood, and when copies come at one moment."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from notifier.core.states import Said
from notifier.services import Services
from notifier.store import chat_inbox, conversations
from notifier.store.chat_inbox import Came, Flood, Kept
from notifier.store.persons import phone_index
from notifier.store.tables import chat_message, conversation

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
ROOMY = Flood(100, 100)
NUMBER = "+6281234567890"


def came(services: Services, sid: str, at: datetime = AT, flood: Flood = ROOMY) -> Kept:
    return chat_inbox.receive(services.db, services.sealer, Came(NUMBER, sid, Said.TEXT, "hai", at), flood)


class Model:
    """What the rules say, one message after another."""

    def __init__(self, flood: Flood) -> None:
        self._flood, self._known = flood, set[str]()
        self._minute, self._day, self._in_minute, self._in_day = AT, AT, 0, 0

    def receive(self, sid: str, at: datetime) -> Kept:
        if sid in self._known:
            return Kept.REPEATED
        if at - self._minute >= timedelta(minutes=1) or not self._in_minute:
            self._minute, self._in_minute = at, 0
        if at - self._day >= timedelta(days=1) or not self._in_day:
            self._day, self._in_day = at, 0
        self._in_minute += 1
        self._in_day += 1
        if max(self._in_minute - self._flood.in_minute, self._in_day - self._flood.in_day) > 1:
            return Kept.FLOOD
        self._known.add(sid)
        return Kept.KEPT


@pytest.mark.parametrize("seed", range(4))
def test_it_is_kept_repeated_or_too_many_as_the_rules_say(each_services: Services, seed: int) -> None:
    chance, flood, at = random.Random(seed), Flood(3, 9), AT
    model = Model(flood)
    for _ in range(60):
        at += timedelta(seconds=chance.choice([0, 0, 1, 5, 20, 30, 3600, 80_000]))
        sid = f"SM{chance.randrange(40)}"
        assert came(each_services, sid, at, flood) is model.receive(sid, at)
    assert not conversations.is_any_waiting(each_services.db, AT - timedelta(seconds=1))
    assert conversations.is_any_waiting(each_services.db, at)


def test_the_first_too_many_is_kept_without_its_text_and_the_next_is_not(each_services: Services) -> None:
    kept = [came(each_services, f"SM{number}", AT, Flood(2, 50)) for number in range(4)]
    assert kept == [Kept.KEPT, Kept.KEPT, Kept.KEPT, Kept.FLOOD]
    with each_services.db.write() as conn:
        [talk] = conversations.take(conn, each_services.sealer, AT, 1)
        messages = conversations.unread(conn, each_services.sealer, [talk.id])[talk.id]
    assert sorted((message.kind, message.text) for message in messages) == [
        (Said.FLOOD, ""),
        (Said.TEXT, "hai"),
        (Said.TEXT, "hai"),
    ]


def test_copies_at_one_moment_are_kept_once(each_services: Services) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: came(each_services, f"SM{number // 8}"), range(64)))
    assert found.count(Kept.KEPT) == 8
    assert found.count(Kept.REPEATED) == 56


def test_a_number_is_forgotten_although_somebody_writes_from_it(each_services: Services) -> None:
    came(each_services, "SM1")
    db, writer = each_services.db, ThreadPoolExecutor(1)
    with db.write() as conn:
        index = phone_index(each_services.sealer, NUMBER)
        assert conversations.forget_numbers(conn, [index]) == 1
        later = writer.submit(came, each_services, "SM2")
    assert later.result(20) is Kept.KEPT  # it waited, and began a new conversation
    with db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(conversation)) == 1
        assert conn.scalar(sa.select(sa.func.count()).select_from(chat_message)) == 1
    writer.shutdown()
