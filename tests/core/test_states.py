"""The table of moves, written out a second time by hand: a change in the code's table must be meant."""

from __future__ import annotations

from itertools import product

import pytest

from notifier.core.states import (
    FINAL,
    KIND_RULES,
    LANES,
    LEFT,
    MOVES,
    NOT_LEFT,
    Kind,
    Lane,
    State,
    may_move,
    sources_of,
)

#: old state: every state that it may become (DESIGN, "Notifications: kinds and states")
ALLOWED = {
    # to unknown: after an older copy of the database was restored (docs/decisions/0009)
    "scheduled": "claimed held cancelled suppressed expired unknown",
    "claimed": "sending scheduled held cancelled suppressed expired unknown",
    "sending": "accepted scheduled failed unknown sent delivered undelivered",
    "unknown": "accepted sent delivered undelivered failed scheduled",
    "accepted": "sent delivered undelivered failed",
    "sent": "delivered undelivered failed",
    "held": "scheduled cancelled expired unknown",
    "delivered": "",
    "undelivered": "",
    "failed": "",
    "cancelled": "",
    "suppressed": "",
    "expired": "",
}
PAIRS = {(old, new) for old, news in ALLOWED.items() for new in news.split()}


def test_there_are_thirteen_states() -> None:
    assert {state.value for state in State} == set(ALLOWED)
    assert len(ALLOWED) == 13
    assert set(MOVES) == set(State)


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_a_pair_is_allowed_exactly_where_the_design_says_so(old: State, new: State) -> None:
    assert may_move(old, new) is ((old.value, new.value) in PAIRS)


@pytest.mark.parametrize("word", ["delivered", "undelivered", "failed", "cancelled", "suppressed", "expired"])
def test_a_terminal_state_never_moves(word: str) -> None:
    assert State(word) in FINAL
    assert not any(may_move(State(word), new) for new in State)


def test_only_six_states_are_terminal() -> None:
    assert len(FINAL) == 6


@pytest.mark.parametrize("new", State)
def test_sources_are_the_states_that_lead_there(new: State) -> None:
    assert {state.value for state in sources_of(new)} == {old for old, to in PAIRS if to == new.value}


def test_nothing_that_may_have_left_can_still_be_taken_back() -> None:
    assert not NOT_LEFT & LEFT
    for state in LEFT:
        assert not may_move(state, State.CANCELLED)
        assert not may_move(state, State.SUPPRESSED)
        assert not may_move(state, State.CLAIMED)


def test_only_a_claimed_row_can_begin_to_be_sent() -> None:
    assert sources_of(State.SENDING) == {State.CLAIMED}
    assert sources_of(State.CLAIMED) == {State.SCHEDULED}


def test_every_state_is_reached_or_is_where_a_row_begins() -> None:
    unreached = {state for state in State if not sources_of(state)}
    assert unreached == set()


def test_every_lane_is_claimed_once() -> None:
    assert sorted(LANES) == sorted(Lane)


def test_every_kind_has_rules_and_only_what_was_asked_for_ignores_the_hours() -> None:
    assert set(KIND_RULES) == set(Kind)
    assert {kind for kind in Kind if not KIND_RULES[kind].quiet_hours} == {Kind.RENEWAL, Kind.OTP, Kind.NUMBER}
    assert {kind for kind in Kind if not KIND_RULES[kind].opt_out} == {Kind.OTP, Kind.NUMBER}
    for kind in (Kind.RENEWAL, Kind.OTP, Kind.NUMBER):
        assert KIND_RULES[kind].expires_after is not None
        assert not KIND_RULES[kind].daily_cap
