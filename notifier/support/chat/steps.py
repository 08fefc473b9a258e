"""The dialogue: each step as a row of a table, and what every message may do at any of them. Pure.

`hear` takes a message, `granted` what came of a wish; both answer a Turn. Whatever is said, the state afterwards is one
of the table's, and BATAL leads to the menu.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from notifier.core.identity import NIK_LENGTH
from notifier.core.phones import national_form
from notifier.core.states import Said
from notifier.support.chat import texts
from notifier.support.chat.dialogue import (
    GOALS,
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    Around,
    AskCode,
    CheckCode,
    Dialogue,
    FindCauses,
    GiveCertificate,
    Goal,
    HandOver,
    ListDoses,
    LookStatus,
    Mend,
    Report,
    Say,
    Step,
    TryBirthDate,
    TryName,
    TryNik,
    Turn,
)
from notifier.support.chat.heard import Way, choice_of, day_of, keyword_of, way_of

_NO_TEXT = {
    Said.VOICE: texts.VOICE,
    Said.STICKER: texts.STICKER,
    Said.PICTURE: texts.PICTURE,
    Said.FILE: texts.FILE,
    Said.PLACE: texts.SPOT,
    Said.FLOOD: texts.FLOOD,
}
#: slips in a row after which the way out is said besides
_MANY_SLIPS = 3
#: what nobody is told without the code, the name, and the NIK or birth date
_NEEDS_PROOF = frozenset({Goal.CERTIFICATE, Goal.STATUS, Goal.MISSING})
#: older doses are asked about at the facility (support.missing.facts)
_OLDEST = timedelta(days=5 * 365)
OTHER_PERSON, REPORT_IT = "other", "report"  #: what stands among ids in `offered`


_GREETING = (texts.HELLO, texts.CHOOSE, texts.OTHER_LANGUAGE)


def menu(state: Dialogue, *before: Say, said: tuple[str, ...] = (texts.MORE,)) -> Turn:
    """Back at the menu, with something said before it."""
    return Turn(state.afresh(), (*before, Say(said, options=texts.MENU_OPTIONS)))


def hear(state: Dialogue, kind: Said, text: str, around: Around) -> Turn:
    """What a message does. `text`: as it was written; a button's number where one was pressed."""
    if kind is not Said.TEXT:
        return _slip(state, around, _NO_TEXT[kind])
    way = way_of(text)
    if way is not None and not (way is Way.TO_INDONESIAN and state.step is Step.QUESTION):
        return _WAYS[way](state, around)
    if len(text) > (LONGEST_QUESTION if state.step is Step.QUESTION else LONGEST_ANSWER):
        return _slip(state, around, texts.QUESTION_TOO_LONG if state.step is Step.QUESTION else texts.TOO_LONG)
    return STEPS[state.step].hear(state, text.strip(), around)


def begin(state: Dialogue, around: Around, *before: Say) -> Turn:
    """Goes on towards the goal: asks for what it lacks, or wishes what it wants."""
    goal = state.goal
    if goal is None:
        return menu(state, *before)
    if goal in _NEEDS_PROOF and not state.has_phone(around.now):
        return ask(state.at(Step.PHONE), around, *before)
    if goal in _NEEDS_PROOF and not state.has_person(around.now):
        return ask(state.at(Step.NAME), around, *before)
    return _AT_GOAL[goal](state, around, *before)


def ask(state: Dialogue, around: Around, *before: Say) -> Turn:
    """The question of the step that the state stands at."""
    return Turn(state, (*before, STEPS[state.step].ask(state, around)))


def ask_again(state: Dialogue, around: Around, *before: Say) -> Turn:
    """The question once more, after an answer that was none; shorter where it was long."""
    rule = STEPS[state.step]
    return Turn(state, (*before, (rule.ask_again or rule.ask)(state, around)))


def _to_menu(state: Dialogue, around: Around) -> Turn:
    return menu(state, said=_GREETING)


def _cancel(state: Dialogue, around: Around) -> Turn:
    return menu(state, Say((texts.CANCELLED,)))


def _back(state: Dialogue, around: Around) -> Turn:
    behind = STEPS[state.step].behind
    if behind is None:
        return menu(state, Say((texts.AT_MENU,)))
    return menu(state, said=(texts.CHOOSE,)) if behind is Step.MENU else ask(state.at(behind, offered=()), around)


def _speak(language: str) -> Callable[[Dialogue, Around], Turn]:
    def speak(state: Dialogue, around: Around) -> Turn:
        changed = replace(state, language=language)
        said = Say((texts.LANGUAGE_SET,))
        if state.step in (Step.MENU, Step.DOSE, Step.CAUSE):  # what they list was said in the other language
            return menu(changed, said)
        return ask(changed, around, said)

    return speak


_WAYS: dict[Way, Callable[[Dialogue, Around], Turn]] = {
    Way.MENU: _to_menu,
    Way.BACK: _back,
    Way.CANCEL: _cancel,
    Way.TO_ENGLISH: _speak("en"),
    Way.TO_INDONESIAN: _speak("id"),
}


def _slip(state: Dialogue, around: Around, *said: str, **values: str) -> Turn:
    """No answer: what is wrong with it, then the question again; after some, the way out."""
    slips = state.slips + 1
    more = (texts.STUCK,) if slips >= _MANY_SLIPS else ()
    return ask_again(replace(state, slips=slips), around, Say((*said, *more), values))


# the questions


def _ask_menu(state: Dialogue, around: Around) -> Say:
    return Say((texts.CHOOSE,), options=texts.MENU_OPTIONS)


def _asks(*said: str, options: tuple[str, ...] = ()) -> Callable[[Dialogue, Around], Say]:
    return lambda state, around: Say(said, options=options, back=True)


def _asks_for_proof(said: str) -> Callable[[Dialogue, Around], Say]:
    """A question that somebody of whom we know nothing cannot answer: whose certificate is missing may report it."""

    def asks(state: Dialogue, around: Around) -> Say:
        return Say((said,), options=(texts.REPORT_ANYWAY,) if state.goal is Goal.MISSING else (), back=True)

    return asks


def _reports(state: Dialogue, text: str) -> bool:
    return state.goal is Goal.MISSING and choice_of(text, 1, (texts.REPORT_ANYWAY,)) == 0


def code_options(state: Dialogue, around: Around) -> Say:
    """What may be done instead of typing a code."""
    options = (texts.CODE_AGAIN, texts.WITHOUT_CODE) if state.goal is Goal.MISSING else (texts.CODE_AGAIN,)
    return Say(options=options, back=True)


def _ask_code(state: Dialogue, around: Around) -> Say:
    values = {"phone": national_form(state.asked_phone) if state.asked_phone else ""}
    return replace(code_options(state, around), text=(texts.ASK_CODE, texts.CODE_IS_SECRET), values=values)


# the answers


def _hear_menu(state: Dialogue, text: str, around: Around) -> Turn:
    chosen = choice_of(text, len(GOALS), texts.MENU_OPTIONS)
    if chosen is None:
        chosen = keyword_of(text, texts.MENU_WORDS)
    if chosen is None:
        if state.slips or not text or any(ch.isdigit() for ch in text):
            return _slip(state, around, texts.NOT_UNDERSTOOD, texts.ONLY_NUMBERS)
        greeted = menu(state, said=_GREETING)  # whoever begins with words of their own is greeted all the same
        return replace(greeted, state=replace(greeted.state, slips=1))
    return begin(state.at(Step.MENU, goal=GOALS[chosen]), around)


def _hear_phone(state: Dialogue, text: str, around: Around) -> Turn:
    own = choice_of(text, 1, (texts.THIS_NUMBER,)) == 0
    if not own and sum(ch.isdigit() for ch in text) < 8:  # no number is so short
        return _slip(state, around, texts.BAD_PHONE)
    return Turn(state, wish=AskCode(around.sender if own else text))


def _hear_code(state: Dialogue, text: str, around: Around) -> Turn:
    options = (texts.CODE_AGAIN, texts.WITHOUT_CODE)
    chosen = choice_of(text, 2 if state.goal is Goal.MISSING else 1, options)
    if chosen == 0:
        return Turn(state, wish=AskCode(state.asked_phone))
    if chosen == 1:
        return ask(state.at(Step.WHOSE), around)
    return Turn(state, wish=CheckCode(text))


def _hear_name(state: Dialogue, text: str, around: Around) -> Turn:
    if _reports(state, text):
        return ask(state.at(Step.WHOSE), around)
    if not any(ch.isalpha() for ch in text) or any(ch.isdigit() for ch in text):
        return _slip(state, around, texts.NAME_SHAPE)
    return Turn(state, wish=TryName(text))


def _hear_nik(state: Dialogue, text: str, around: Around) -> Turn:
    if _reports(state, text):
        return ask(state.at(Step.WHOSE), around)
    digits = "".join(ch for ch in text if ch.isdigit() and ch.isascii())
    if len(digits) != NIK_LENGTH:
        return _slip(state, around, texts.NIK_SHAPE, count=str(len(digits)))
    return Turn(state, wish=TryNik(digits))


def _hear_birth_date(state: Dialogue, text: str, around: Around) -> Turn:
    if _reports(state, text):
        return ask(state.at(Step.WHOSE), around)
    day = day_of(text)
    if day is None or day > around.now.date():
        return _slip(state, around, texts.BIRTH_DATE_SHAPE)
    return Turn(state, wish=TryBirthDate(day.isoformat()))


def _hear_dose(state: Dialogue, text: str, around: Around) -> Turn:
    chosen = choice_of(text, len(state.offered))
    if chosen is None or not state.has_person(around.now):
        # the list was said in words that are not kept: it is asked for anew
        said = Say((texts.NOT_UNDERSTOOD,)) if state.has_person(around.now) else Say((texts.PROOF_OVER,))
        return begin(replace(state, slips=state.slips + 1), around, said)
    picked = state.offered[chosen]
    if picked == OTHER_PERSON:
        return ask(state.at(Step.NAME, person_id="", person_until=0, offered=()), around)
    return Turn(state, wish=GiveCertificate(picked))


def _hear_cause(state: Dialogue, text: str, around: Around) -> Turn:
    chosen = choice_of(text, len(state.offered))
    if chosen is None:
        return begin(replace(state, slips=state.slips + 1), around, Say((texts.NOT_UNDERSTOOD,)))
    picked = state.offered[chosen]
    return ask(state.at(Step.PLACE, offered=()), around) if picked == REPORT_IT else Turn(state, wish=Mend(picked))


def _hear_whose(state: Dialogue, text: str, around: Around) -> Turn:
    if not any(ch.isalpha() for ch in text) or any(ch.isdigit() for ch in text):
        return _slip(state, around, texts.NAME_SHAPE)
    return ask(state.at(Step.BORN, whose=text), around)


def _hear_born(state: Dialogue, text: str, around: Around) -> Turn:
    day = day_of(text)
    if day is None or day > around.now.date():
        return _slip(state, around, texts.BIRTH_DATE_SHAPE)
    return ask(state.at(Step.PLACE, born=day.isoformat()), around)


def _hear_place(state: Dialogue, text: str, around: Around) -> Turn:
    if not any(ch.isalpha() for ch in text):
        return _slip(state, around, texts.NOT_UNDERSTOOD)
    return ask(state.at(Step.DAY, place=text), around)


def _hear_day(state: Dialogue, text: str, around: Around) -> Turn:
    day = day_of(text)
    if day is None or day > around.now.date():
        return _slip(state, around, texts.DAY_SHAPE)
    if around.now.date() - day > _OLDEST:
        return _slip(state, around, texts.DAY_TOO_OLD)
    if state.born and day.isoformat() < state.born:
        return _slip(state, around, texts.DAY_TOO_EARLY)
    return ask(state.at(Step.VACCINE, day=day.isoformat()), around)


def _hear_vaccine(state: Dialogue, text: str, around: Around) -> Turn:
    unknown = choice_of(text, 1, (texts.DO_NOT_KNOW,)) == 0
    if not unknown and not any(ch.isalpha() for ch in text):
        return _slip(state, around, texts.NOT_UNDERSTOOD)
    return Turn(state, wish=Report("" if unknown else text))


def _hear_question(state: Dialogue, text: str, around: Around) -> Turn:
    if not any(ch.isalpha() for ch in text):
        return _slip(state, around, texts.NOT_UNDERSTOOD)
    return Turn(state, wish=HandOver(text))


# at the goals


def _change(state: Dialogue, around: Around, *before: Say) -> Turn:
    return menu(state, *before, Say((texts.CHANGE if "me" in around.values else texts.STAFF,)))


def _staff(state: Dialogue, around: Around, *before: Say) -> Turn:
    if around.has_desk:
        return ask(state.at(Step.QUESTION), around, *before)
    return menu(state, *before, Say((texts.STAFF,)))


_AT_GOAL: dict[Goal, Callable[..., Turn]] = {
    Goal.CERTIFICATE: lambda state, around, *before: Turn(state, before, ListDoses()),
    Goal.STATUS: lambda state, around, *before: Turn(state, before, LookStatus()),
    Goal.CHANGE: _change,
    Goal.MISSING: lambda state, around, *before: Turn(state, before, FindCauses()),
    Goal.STAFF: _staff,
}


@dataclass(frozen=True, slots=True)
class StepRule:
    """One step. `behind`: where 0 leads; None at the menu."""

    ask: Callable[[Dialogue, Around], Say]
    hear: Callable[[Dialogue, str, Around], Turn]
    behind: Step | None
    ask_again: Callable[[Dialogue, Around], Say] | None = None


STEPS: dict[Step, StepRule] = {
    Step.MENU: StepRule(_ask_menu, _hear_menu, None),
    Step.PHONE: StepRule(_asks(texts.ASK_PHONE, options=(texts.THIS_NUMBER,)), _hear_phone, Step.MENU),
    Step.CODE: StepRule(_ask_code, _hear_code, Step.PHONE, code_options),
    Step.NAME: StepRule(_asks_for_proof(texts.ASK_NAME), _hear_name, Step.MENU),
    Step.NIK: StepRule(_asks_for_proof(texts.ASK_NIK), _hear_nik, Step.NAME),
    Step.BIRTH_DATE: StepRule(_asks_for_proof(texts.ASK_BIRTH_DATE), _hear_birth_date, Step.NAME),
    Step.DOSE: StepRule(_asks(texts.ASK_DOSE), _hear_dose, Step.MENU),
    Step.CAUSE: StepRule(_asks(texts.CAUSES), _hear_cause, Step.MENU),
    Step.WHOSE: StepRule(_asks(texts.ASK_WHOSE), _hear_whose, Step.MENU),
    Step.BORN: StepRule(_asks(texts.ASK_BIRTH_DATE), _hear_born, Step.WHOSE),
    Step.PLACE: StepRule(_asks(texts.ASK_PLACE), _hear_place, Step.MENU),
    Step.DAY: StepRule(_asks(texts.ASK_DAY), _hear_day, Step.PLACE),
    Step.VACCINE: StepRule(_asks(texts.ASK_VACCINE, options=(texts.DO_NOT_KNOW,)), _hear_vaccine, Step.DAY),
    Step.QUESTION: StepRule(_asks(texts.ASK_QUESTION), _hear_question, Step.MENU),
}
