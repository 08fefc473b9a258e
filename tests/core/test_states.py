"""The state table, written out a second time: a change in core/states.py must be meant."""

from __future__ import annotations

import itertools

import pytest

from notifier.core.states import FINAL, KIND_RULES, LANES, MOVES, Kind, Lane, State, may_move, sources_of

EXPECTED = {
    "scheduled": "claimed held cancelled suppressed expired",
    "claimed": "sending scheduled held cancelled suppressed expired",
    "sending": "accepted scheduled failed unknown sent delivered undelivered",
    "unknown": "accepted sent delivered undelivered failed scheduled",
    "accepted": "sent delivered undelivered failed",
    "sent": "delivered undelivered failed",
    "held": "scheduled cancelled expired",
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_every_pair_of_states(old: State, new: State) -> None:
    assert may_move(old, new) == (new in EXPECTED.get(old, "").split())


def test_terminal_states_never_move() -> None:
    assert {state.value for state in FINAL} == {
        "delivered",
        "undelivered",
        "failed",
        "cancelled",
        "suppressed",
        "expired",
    }


def test_sources_are_the_moves_backwards() -> None:
    for new in State:
        assert sources_of(new) == {old for old in State if new in MOVES[old]}


def test_every_kind_has_rules_and_every_lane_is_claimed() -> None:
    assert set(KIND_RULES) == set(Kind)
    assert set(LANES) == set(Lane)


def test_what_a_person_asked_for_ignores_hours_and_cap_and_expires() -> None:
    for kind in (Kind.OTP, Kind.RENEWAL):
        rules = KIND_RULES[kind]
        assert not rules.quiet_hours
        assert not rules.daily_cap
        assert rules.expires_after is not None
    assert not KIND_RULES[Kind.OTP].opt_out
