"""What a dialogue is made of: where it stands, what is said, and what a step may wish. Pure; knows no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from notifier.core.words import DEFAULT_LANGUAGE

#: how long a proof (the code, the NIK) holds in a conversation; a telephone may be put down unlocked
PROOF_LIFE = timedelta(minutes=15)
#: longer than any name or answer that we ask for
LONGEST_ANSWER = 500
#: of a question for staff; what their desk keeps of one note
LONGEST_QUESTION = 1_000


class Step(StrEnum):
    """Where a dialogue stands: what the next message answers."""

    MENU = "menu"
    PHONE = "phone"
    CODE = "code"
    NAME = "name"
    NIK = "nik"
    BIRTH_DATE = "birth-date"  #: instead, of a person without a NIK
    DOSE = "dose"
    CAUSE = "cause"  #: causes were told; one may be mended, or reported
    WHOSE = "whose"  #: a report: who was vaccinated, where nobody is proved
    BORN = "born"
    PLACE = "place"
    DAY = "day"
    VACCINE = "vaccine"
    QUESTION = "question"  #: for the staff


class Goal(StrEnum):
    """What somebody chose in the menu; in its order."""

    CERTIFICATE = "certificate"
    STATUS = "status"
    CHANGE = "change"
    MISSING = "missing"
    STAFF = "staff"


GOALS = tuple(Goal)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where a conversation stands; sealed as it is kept. Moments are Unix seconds."""

    step: Step = Step.MENU
    goal: Goal | None = None
    language: str = DEFAULT_LANGUAGE
    challenge: str = ""  #: of the code that was asked for
    asked_phone: str = field(default="", repr=False)  #: E.164; it was typed, nothing is proved
    phone: str = field(default="", repr=False)  #: E.164; proved by a code
    phone_until: float = 0
    person_id: str = ""  #: proved by a name and a NIK
    person_until: float = 0
    person_proof: str = field(default="", repr=False)  #: support.proof_of_person.proof_of
    named_id: str = ""  #: whose name was given, before the NIK
    offered: tuple[str, ...] = ()  #: what the numbers of the last list stand for
    whose: str = field(default="", repr=False)  #: what is reported of a dose whose certificate never came
    born: str = field(default="", repr=False)  #: YYYY-MM-DD
    place: str = field(default="", repr=False)
    day: str = ""  #: YYYY-MM-DD
    slips: int = 0  #: messages in a row that were no answer
    said_at: float = 0  #: when something was said last
    of_others: bool = False  #: it was asked whose a dose was: from then on, what is said may be about somebody else

    def has_phone(self, now: datetime) -> bool:
        """Whether a number is proved at this moment."""
        return bool(self.phone) and now.timestamp() < self.phone_until

    def has_person(self, now: datetime) -> bool:
        """Whether it is proved who speaks, or for whom."""
        return bool(self.person_id) and self.has_phone(now) and now.timestamp() < self.person_until

    def at(self, step: Step, **changes: Any) -> Dialogue:
        """The same at another step."""
        return replace(self, step=step, slips=0, of_others=self.of_others or step is Step.WHOSE, **changes)

    def afresh(self) -> Dialogue:
        """The menu; what was proved stays proved for its time."""
        begun = dict.fromkeys(("challenge", "asked_phone", "named_id", "whose", "born", "place", "day"), "")
        return self.at(Step.MENU, goal=None, offered=(), **begun)

    def to_text(self) -> str:
        """As it is kept, sealed."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}  # asdict would copy each text
        return json.dumps(kept, ensure_ascii=False)

    @classmethod
    def of_text(cls, text: str) -> Dialogue:
        """Reads it again. What an older version wrote and we cannot read begins at the menu."""
        try:
            kept = json.loads(text)
            known = {each.name for each in fields(cls)}
            values = {name: value for name, value in kept.items() if name in known}
            values["step"] = Step(values["step"])
            values["goal"] = Goal(values["goal"]) if values.get("goal") else None
            values["offered"] = tuple(values.get("offered", ()))
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Say:
    """One thing to say. `text`: a key of the catalogue, or several, one below the other; `values` fill it; `options`:
    keys, answered by their number. `lines`: said already in the dialogue's language, below the text; `labels`: options
    said already. `file`: the public id of a file (support.chat.files)."""

    text: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = field(default=(), repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)
    file: str = ""
    back: bool = False  #: says that 0 goes back


class Wish:
    """What a step wants from another room (support.chat.wishes). What comes of it goes on with `steps.granted`."""


@dataclass(frozen=True, slots=True)
class AskCode(Wish):
    """A one-time code by SMS; `typed` is a number as somebody wrote it, or a proved sender's."""

    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckCode(Wish):
    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TryName(Wish):
    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TryNik(Wish):
    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TryBirthDate(Wish):
    day: str = field(repr=False)  #: YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class ListDoses(Wish):
    """The valid certificates of the proved person."""


@dataclass(frozen=True, slots=True)
class GiveCertificate(Wish):
    certificate_id: str


@dataclass(frozen=True, slots=True)
class LookStatus(Wish):
    """The vaccination status of the proved person."""


@dataclass(frozen=True, slots=True)
class FindCauses(Wish):
    """Why no certificate came to the proved person."""


@dataclass(frozen=True, slots=True)
class Mend(Wish):
    """One tap on a cause that can be mended."""

    finding: str


@dataclass(frozen=True, slots=True)
class Report(Wish):
    """Opens a case about a dose whose certificate never came."""

    vaccine: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandOver(Wish):
    """Asks staff."""

    question: str = field(repr=False)


class Came(StrEnum):
    """What came of a wish."""

    DONE = "done"
    WRONG = "wrong"
    LOCKED = "locked"
    OVER = "over"  #: of a code: a new one is needed
    UNREADABLE = "unreadable"
    LIMITED = "limited"  #: too often; `wait_s` says how long to wait
    NOTHING = "nothing"  #: there is none
    TOO_YOUNG = "too-young"  #: a dose that may still come by itself; `lines` say when not any more
    GONE = "gone"  #: what was proved does not hold any more
    CLOSED = "closed"  #: that room is not there yet


@dataclass(frozen=True, slots=True)
class Granted:
    """What came of a wish. `outcome`: a word of `Came`; the rest as the wish has it."""

    outcome: Came
    id: str = ""
    phone: str = field(default="", repr=False)
    left: int = 0
    wait_s: int = 0
    items: tuple[tuple[str, str], ...] = field(default=(), repr=False)  #: (what is kept, what is shown)
    lines: tuple[str, ...] = field(default=(), repr=False)
    address: str = field(default="", repr=False)
    file: str = ""
    has_nik: bool = True
    proof: str = field(default="", repr=False)  #: of a right birth date or NIK


@dataclass(frozen=True, slots=True)
class Around:
    """What a step may know besides its state: the moment, the sender's own number, and what the installation says of
    itself (values of texts)."""

    now: datetime
    sender: str = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict)
    has_desk: bool = False  #: staff can be asked through the chat


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step comes to: the new state, what is said, and a wish whose outcome goes on with it."""

    state: Dialogue
    says: tuple[Say, ...] = ()
    wish: Wish | None = None
