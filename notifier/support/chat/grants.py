"""How a dialogue goes on with what came of a wish. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from notifier.support.chat import texts
from notifier.support.chat.dialogue import (
    PROOF_LIFE,
    Around,
    AskCode,
    Came,
    CheckCode,
    Dialogue,
    FindCauses,
    GiveCertificate,
    Granted,
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
    Wish,
)
from notifier.support.chat.steps import OTHER_PERSON, REPORT_IT, ask, ask_again, begin, menu


def granted(state: Dialogue, wish: Wish, came: Granted, around: Around) -> Turn:
    """The next turn after a wish."""
    if came.outcome is Came.GONE:
        return begin(_nobody(state), around, Say((texts.PROOF_OVER,)))
    return _NEXT[type(wish)](state, came, around)


def _nobody(state: Dialogue) -> Dialogue:
    """Nothing is proved any more."""
    return replace(
        state, phone="", phone_until=0, person_id="", person_until=0, person_proof="", named_id="", offered=()
    )


def _again(state: Dialogue, around: Around, *said: str, **values: str) -> Turn:
    """The same question once more."""
    return ask_again(replace(state, slips=state.slips + 1), around, Say(said, values))


def _code_asked(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        return ask(state.at(Step.CODE, challenge=came.id, asked_phone=came.phone), around)
    if came.outcome is Came.LIMITED:
        return _again(state, around, texts.CODE_LIMITED, wait=str(-(-came.wait_s // 60)))
    return _again(replace(state, step=Step.PHONE), around, texts.BAD_PHONE)


def _code_checked(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        until = around.now.timestamp() + PROOF_LIFE.total_seconds()
        if came.phone != state.phone:
            state = _nobody(state)
        return begin(replace(state, challenge="", phone=came.phone, phone_until=until), around)
    if came.outcome is Came.WRONG:
        return _again(state, around, texts.CODE_WRONG, left=str(came.left))
    if came.outcome is Came.UNREADABLE:
        return _again(state, around, texts.CODE_SHAPE)
    return _again(state, around, texts.CODE_OVER)


def _named(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        step = Step.NIK if came.has_nik else Step.BIRTH_DATE
        return ask(state.at(step, named_id=came.id, person_id="", person_until=0), around)
    return _not_proved(state, came, around, texts.NAME_WRONG)


def _proved(wrong: str) -> Callable[[Dialogue, Granted, Around], Turn]:
    def proved(state: Dialogue, came: Granted, around: Around) -> Turn:
        if came.outcome is Came.DONE:
            until = around.now.timestamp() + PROOF_LIFE.total_seconds()
            proved = replace(state, person_id=state.named_id, person_until=until, person_proof=came.proof, named_id="")
            return begin(proved, around)
        return _not_proved(state, came, around, wrong)

    return proved


def _not_proved(state: Dialogue, came: Granted, around: Around, wrong: str) -> Turn:
    if came.outcome is Came.LOCKED:
        return menu(replace(state, person_id="", person_until=0), Say((texts.LOCKED,)))
    return _again(state, around, wrong, left=str(came.left))


def _listed(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is not Came.DONE:
        return menu(state, Say((texts.NO_CERTIFICATE,)))
    ids, labels = zip(*came.items, strict=True)
    said = Say((texts.ASK_DOSE,), labels=labels, options=(texts.SOMEBODY_ELSE,), back=True)
    return Turn(state.at(Step.DOSE, offered=(*ids, OTHER_PERSON)), (said,))


def _given(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        values = {"link": came.address}
        return menu(state, Say((texts.HERE_IT_IS, texts.HOW_TO_OPEN), values, file=came.file))
    if came.outcome is Came.LIMITED:
        return menu(state, Say((texts.GIVE_LIMITED,)))
    return Turn(state, wish=ListDoses())  # it was replaced since the list was said


def _status(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        return menu(state, Say(lines=came.lines))
    return menu(state, Say((texts.STATUS_CLOSED,)))


def _causes(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.CLOSED:
        return menu(state, Say((texts.MISSING_CLOSED,)))
    if came.outcome is not Came.DONE:
        return ask(state.at(Step.PLACE, whose="", born=""), around, Say((texts.NO_CAUSE,)))
    ids, labels = tuple(item[0] for item in came.items), tuple(item[1] for item in came.items)
    said = Say((texts.CAUSES,), lines=came.lines, labels=labels, options=(texts.REPORT_IT,), back=True)
    return Turn(state.at(Step.CAUSE, offered=(*ids, REPORT_IT)), (said,))


def _mended(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        return menu(state, Say((texts.MENDED,)))
    return begin(state, around, Say((texts.NOT_MENDED,)))


def _reported(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        said = Say((texts.REPORTED, texts.FOLLOW), {"reference": came.id, "link": came.address})
        return menu(state, said)
    if came.outcome is Came.TOO_YOUNG:
        return menu(state, Say((texts.TOO_YOUNG,), {"when": " ".join(came.lines)}))
    if came.outcome is Came.LIMITED:
        return menu(state, Say((texts.REPORT_LIMITED,)))
    return menu(state, Say((texts.MISSING_CLOSED,)))


def _handed_over(state: Dialogue, came: Granted, around: Around) -> Turn:
    if came.outcome is Came.DONE:
        return menu(state, Say((texts.HANDED_OVER, texts.ANSWERED_AT), {"reference": came.id, "link": came.address}))
    return menu(state, Say((texts.STAFF,)))


_NEXT: dict[type[Wish], Callable[[Dialogue, Granted, Around], Turn]] = {
    AskCode: _code_asked,
    CheckCode: _code_checked,
    TryName: _named,
    TryNik: _proved(texts.NIK_WRONG),
    TryBirthDate: _proved(texts.BIRTH_DATE_WRONG),
    ListDoses: _listed,
    GiveCertificate: _given,
    LookStatus: _status,
    FindCauses: _causes,
    Mend: _mended,
    Report: _reported,
    HandOver: _handed_over,
}
