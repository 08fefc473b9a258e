"""Whatever order people, staff and registries act in: never a sixth try, never an SMS about a person to a number that
is said not to be theirs, never two open cases about one thing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import count

import pytest

from notifier.certificates.opening import LinkState, look, try_birth_date
from notifier.core.errors import BadInput, Refused
from notifier.core.states import CaseStatus
from notifier.store import cases as rows
from notifier.store import persons
from notifier.store.tables import support_case
from notifier.support import cases, follow_ups, resend
from notifier.support.lockouts import report_birth_date
from notifier.support.not_me import say_not_me, unsay_not_me
from notifier.support.renewal import renew
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock

ADDRESS = "198.51.100.7"
PHONES = ("0812-3456-7890", "0813-0000-0000")
STAFF = {"only_facility": None, "reason": "telepon", "actor": "test"}
_people = count()


class Story:
    """One person, and what can be done to them; each deed looks after the invariants of its own."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self.desk, self.clock, self.number = desk, clock, next(_people)
        self._events = count()
        self._first = self._sent = len(desk.gateway.sent)
        self.born, self.phone = date(1989, 2, 10), PHONES[0]
        self.event("recorded")
        self.send()
        self.person_id = desk.rows()[0].person_id

    def event(self, event_type: str, *, another: bool = False) -> None:
        event = next(self._events)
        self.desk.record(
            event_id=f"e{self.number}-{event}",
            event_type=event_type,
            dose={"id": f"d{self.number}" + f"-{event}" * another},
            person={
                "id": f"p{self.number}",
                "nik": None,
                "phone": self.phone,
                "birth_date": self.born.isoformat(),
            },
        )

    def send(self) -> None:
        """Whatever leaves goes to no number that is paused for its person at this moment."""
        paused = self.paused()
        self.desk.send()
        fresh, self._sent = self.desk.gateway.sent[self._sent :], len(self.desk.gateway.sent)
        for sms in fresh:
            assert persons.phone_index(self.desk.services.sealer, sms.to) not in paused

    def paused(self) -> set[bytes]:
        if not hasattr(self, "person_id"):
            return set()
        with self.desk.services.db.read() as conn:
            return {number for _, number in rows.paused_numbers(conn, {self.person_id})}

    def tokens(self) -> list[str]:
        links = self.desk.services.links
        found = [links.find_in(sms.text) for sms in self.desk.gateway.sent[self._first :][-4:]]
        return [links.sign(public_id) for public_id in found if public_id]

    def at_links(self, act: Callable[[str], object]) -> None:
        for token in self.tokens():
            act(token)

    def try_wrong(self) -> None:
        before = self.tries()
        token = self.tokens()[-1]
        state = look(self.desk.services, token).state
        for _ in range(2):
            try_birth_date(self.desk.services, token, date(1970, 1, 1), device="phone", address=ADDRESS)
        assert self.tries() == (min(5, before + 2) if state is LinkState.LIVE else before)

    def tries(self) -> int:
        with self.desk.services.db.read() as conn:
            return persons.get(conn, self.desk.services.sealer, self.person_id).wrong_tries

    def at_cases(self, deed: Callable[..., object]) -> None:
        with self.desk.services.db.read() as conn:
            mine = [row.reference for row in conn.execute(support_case.select()) if row.person_id == self.person_id]
        for reference in mine:
            try:
                deed(self.desk.services, reference, **STAFF)
            except Refused:
                continue

    def unlock(self) -> None:
        try:
            resend.unlock(self.desk.services, self.desk.rows()[0].reference, reason="KTP", actor="test")
        except Refused:
            return

    def correct(self, *, phone: bool = False, born: bool = False) -> None:
        self.phone = PHONES[self.phone == PHONES[0]] if phone else self.phone
        self.born = date(1989, 2, 10 + (self.born.day == 10)) if born else self.born
        self.clock.tick(seconds=1)
        try:
            self.event("corrected")
        except BadInput as error:
            raise AssertionError(str(error)) from error

    def check(self, done: list[str]) -> None:
        assert self.tries() <= 5, done
        with self.desk.services.db.read() as conn:
            mine = [row for row in conn.execute(support_case.select()) if row.person_id == self.person_id]
            known = persons.get(conn, self.desk.services.sealer, self.person_id)
        assert (known.locked_at is not None) == (known.wrong_tries == 5), done
        waiting = Counter((row.kind, row.phone_index) for row in mine if row.status == CaseStatus.OPEN)
        assert set(waiting.values()) <= {1}, done
        # a number about which a case is open is paused
        assert {number for _, number in waiting if number} <= self.paused(), done


DEEDS: dict[str, Callable[[Story], None]] = {
    "not me": lambda story: story.at_links(lambda t: say_not_me(story.desk.services, t, address=ADDRESS)),
    "me after all": lambda story: story.at_links(lambda t: unsay_not_me(story.desk.services, t, address=ADDRESS)),
    "rejected": lambda story: story.at_links(lambda t: report_birth_date(story.desk.services, t, address=ADDRESS)),
    "renew": lambda story: story.at_links(lambda t: renew(story.desk.services, t, address=ADDRESS)),
    "wrong": Story.try_wrong,
    "undo": lambda story: story.at_cases(cases.undo),
    "confirm": lambda story: story.at_cases(cases.confirm),
    "unlock case": lambda story: story.at_cases(cases.unlock),
    "unlock": Story.unlock,
    "dose": lambda story: story.event("recorded", another=True),
    "number": lambda story: story.correct(phone=True),
    "birth date": lambda story: story.correct(born=True),
    "follow": lambda story: (follow_ups.run(story.desk.services), None)[1],
    "months": lambda story: story.clock.tick(days=91),
    "send": Story.send,
}


@pytest.fixture
def wakeful(build_services: Build) -> Desk:
    """An installation without quiet hours."""
    return Desk(build_services(quiet_hours="off"))


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_nobody_gets_a_sixth_try_a_stray_sms_or_a_second_case(
    wakeful: Desk, clock: FakeClock, seed: int
) -> None:
    chosen = random.Random(seed)
    for _ in range(12):
        story, done = Story(wakeful, clock), []
        for name in chosen.choices(list(DEEDS), k=16):
            done.append(name)
            clock.tick(minutes=11)
            DEEDS[name](story)
            story.check(done)
        follow_ups.run(wakeful.services)
        story.send()
        story.check(done)
