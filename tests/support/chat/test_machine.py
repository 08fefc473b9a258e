"""Whatever is said, in whatever order: the state is always a legal one, nobody sees another's data, BATAL is the way
out, and what is kept of a dialogue can be read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from notifier.catalogue import Catalogue
from notifier.core.states import Said
from notifier.support.chat import dialogue as d
from notifier.support.chat import grants, steps, texts
from notifier.support.chat.dialogue import Around, Came, Dialogue, Granted, Step, Turn, Wish
from notifier.support.chat.speech import LONGEST, speak

_SENDER = "+6281200000009"
#: the world behind the wishes: two persons on one number, one on another; names, NIKs and certificates
_FAMILY = {"+6281200000001": {"siti": "1111111111111111", "budi": "2222222222222222"}, _SENDER: {"wati": "3" * 16}}
_CERTIFICATES = {"siti": ["cert-siti-1", "cert-siti-2"], "budi": ["cert-budi-1"], "wati": []}
_PHONE_OF = {person: phone for phone, persons in _FAMILY.items() for person in persons}
_CODE = "424242"
_CATALOGUE = Catalogue()
_VALUES = {"issuer": "Dinas", "help": "119", "email": "a@b", "me": "https://x/me"}

_WORDS = ["hai", "0", "batal", "en", "id", "menu", "1", "2", "3", "4", "5", "9", "", "siti", "budi", "wati", _CODE,
          "000000", "1" * 16, "2" * 16, "3" * 16, "0812 0000 0001", "081200000009", "abc", "x" * 600, "17-08-1984",
          "01-01-2026", "Puskesmas Menteng", "%(name)s", "{{ 7*7 }}", "\u202e٣", "satu"]  # fmt: skip


@dataclass
class World:
    """Grants wishes as the real rooms do, from memory."""

    now: datetime = datetime(2026, 11, 23, 3, tzinfo=UTC)
    asked: dict[str, str] = field(default_factory=dict)
    given: list[tuple[str, str]] = field(default_factory=list)  #: (who was proved when, certificate)

    def grant(self, state: Dialogue, wish: Wish) -> Granted:
        if isinstance(wish, d.AskCode):
            digits = "".join(ch for ch in wish.typed if ch.isascii() and ch.isdigit())
            phone = "+62" + digits.removeprefix("62").removeprefix("0")
            if len(phone) != len(_SENDER):
                return Granted(Came.UNREADABLE)
            self.asked[f"c{len(self.asked)}"] = phone
            return Granted(Came.DONE, id=f"c{len(self.asked) - 1}", phone=phone)
        if isinstance(wish, d.CheckCode):
            known = state.challenge in self.asked and self.asked[state.challenge] in _FAMILY
            is_right = known and wish.typed == _CODE
            return Granted(Came.DONE, phone=self.asked[state.challenge]) if is_right else Granted(Came.WRONG, left=3)
        if isinstance(wish, d.TryName):
            assert state.phone
            found = wish.typed if wish.typed in _FAMILY[state.phone] else None
            return Granted(Came.DONE, id=found) if found else Granted(Came.WRONG, left=4)
        if isinstance(wish, d.TryNik | d.TryBirthDate):
            right = isinstance(wish, d.TryNik) and _FAMILY[state.phone].get(state.named_id) == wish.typed
            return Granted(Came.DONE if right else Came.LOCKED if wish_is_last(state) else Came.WRONG, left=2)
        return self._about_a_person(state, wish)

    def _about_a_person(self, state: Dialogue, wish: Wish) -> Granted:
        if isinstance(wish, d.ListDoses | d.GiveCertificate | d.LookStatus | d.FindCauses | d.Mend):
            if not state.has_person(self.now):
                return Granted(Came.GONE)
            assert _PHONE_OF[state.person_id] == state.phone
        if isinstance(wish, d.ListDoses):
            items = tuple((one, f"Dosis {one}") for one in _CERTIFICATES[state.person_id])
            return Granted(Came.DONE, items=items) if items else Granted(Came.NOTHING)
        if isinstance(wish, d.GiveCertificate):
            self.given.append((state.person_id, wish.certificate_id))
            return Granted(Came.DONE, address="https://x/c/y", file="f")
        if isinstance(wish, d.LookStatus):
            return Granted(Came.DONE, lines=(f"status {state.person_id}",))
        if isinstance(wish, d.Report):
            assert state.whose or state.has_person(self.now) or not state.person_id
        if isinstance(wish, d.FindCauses):
            return Granted(Came.DONE, lines=("belum dicatat",), items=(("f1", "Perbaiki"),))
        return Granted(Came.DONE, id="R1", address="https://x/kasus/y")


def wish_is_last(state: Dialogue) -> bool:
    return state.slips >= 4


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.state = Dialogue()
        self.proved: set[str] = set()

    def turn(self, kind: Said, text: str) -> Turn:
        around = Around(self.world.now, _SENDER, _VALUES, has_desk=True)
        turn = steps.hear(self.state, kind, text, around)
        says, wishes = list(turn.says), 0
        while turn.wish is not None:
            wishes += 1
            assert wishes <= 4, "a step goes in circles"
            turn = grants.granted(turn.state, turn.wish, self.world.grant(turn.state, turn.wish), around)
            says += turn.says
        self.state = Dialogue.of_text(turn.state.to_text())
        assert self.state == turn.state
        spoken = speak(_CATALOGUE, self.state.language, says, _VALUES)
        assert 1 <= len(spoken) <= 3
        assert all(0 < len(one.text) <= LONGEST + 1 or one.options for one in spoken)
        return Turn(self.state, tuple(says))

    @rule(text=st.one_of(st.sampled_from(_WORDS), st.text(max_size=30)))
    def write(self, text: str) -> None:
        self.turn(Said.TEXT, text)

    @rule(kind=st.sampled_from([kind for kind in Said if kind is not Said.TEXT]))
    def send_something_else(self, kind: Said) -> None:
        before = self.state
        self.turn(kind, "")
        assert self.state.step is before.step

    @rule(
        number=st.integers(0, 1), name=st.sampled_from(["siti", "budi", "wati"]), goal=st.sampled_from(["1", "2", "4"])
    )
    def walk(self, number: int, name: str, goal: str) -> None:
        """Mostly right answers, so that the far steps are reached; not always by the right person."""
        for text in ("hai", goal, list(_FAMILY)[number].replace("+62", "0"), _CODE, name, _FAMILY_NIK[name]):
            self.turn(Said.TEXT, text)

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)

    @rule()
    def cancel(self) -> None:
        turn = self.turn(Said.TEXT, "batal")
        assert self.state.step is Step.MENU
        assert self.state.goal is None
        assert turn.says[-1].options == texts.MENU_OPTIONS

    @invariant()
    def the_step_is_legal(self) -> None:
        if not hasattr(self, "state"):
            return
        assert self.state.step in steps.STEPS
        assert self.state.language in ("id", "en")
        if self.state.step in (Step.NIK, Step.BIRTH_DATE) and self.state.phone:
            assert self.state.named_id in _FAMILY[self.state.phone]
        if self.state.person_id:
            assert self.state.person_id in _FAMILY[self.state.phone]

    @invariant()
    def nobody_got_another_ones_certificate(self) -> None:
        if hasattr(self, "world"):
            assert all(certificate in _CERTIFICATES[person] for person, certificate in self.world.given)


_FAMILY_NIK = {name: nik for persons in _FAMILY.values() for name, nik in persons.items()}
TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_every_step_has_a_question_an_answer_and_a_way_back() -> None:
    for step, row in steps.STEPS.items():
        seen = [step]
        while (behind := steps.STEPS[seen[-1]].behind) is not None:
            assert behind not in seen
            seen.append(behind)
        assert seen[-1] is Step.MENU
        assert row.ask is not None
    assert set(steps.STEPS) == set(Step)


def test_a_state_of_another_version_begins_anew() -> None:
    for kept in ("", "[]", "{}", '{"step": "gone"}', "null", "7", '{"step": "menu", "goal": "other"}'):
        assert Dialogue.of_text(kept) == Dialogue()
    assert Dialogue.of_text('{"step": "phone", "unheard": 1}').step is Step.PHONE
