"""`sertilink case`: the list without persons, the decisions with a reason."""

from __future__ import annotations

import json

import pytest

from notifier.services import Services
from notifier.store.tables import support_case
from notifier.support.not_me import say_not_me
from tests.canaries import stands_in
from tests.commands.conftest import Run
from tests.desk import Desk
from tests.support.test_opt_out_link import sent_token


@pytest.fixture
def reference(services: Services) -> str:
    """A case about Siti's number."""
    desk = Desk(services)
    desk.record()
    desk.send()
    say_not_me(services, sent_token(desk), address="")
    with services.db.read() as conn:
        return str(conn.execute(support_case.select()).one().reference)


def test_the_list_names_cases_and_no_persons(run: Run, reference: str) -> None:
    result = run("case", "list")
    assert result.exit_code == 0
    assert reference in result.output
    assert not [word for word in ("Siti", "Aminah", "812") if stands_in(word, result.output)]
    [found] = json.loads(run("case", "list", "--json").output)["cases"]
    assert (found["reference"], found["kind"], found["facility_id"]) == (reference, "not-me", "facility-1")
    assert json.loads(run("case", "list", "--closed", "--json").output) == {"cases": [], "more": False}


def test_a_case_is_decided_once_with_a_reason(run: Run, reference: str) -> None:
    assert run("case", "confirm", reference).exit_code == 2
    typed = f"{reference[:5].lower()}-{reference[5:]}"
    assert run("case", "confirm", typed, "--reason", "called").output == f"confirm: {reference}\n"
    again = run("case", "confirm", reference, "--reason", "called")
    assert (again.exit_code, again.stderr) == (1, "sertilink: refused [already-closed]\n")
    assert run("case", "undo", reference, "--reason", "wrong").exit_code == 0
    assert run("case", "close", reference, "--reason", "x").stderr == "sertilink: refused [not-about-birth-date]\n"


def test_an_unknown_case_is_one_line(run: Run) -> None:
    result = run("case", "undo", "ABCDE12345", "--reason", "x")
    assert (result.exit_code, result.stderr) == (
        1,
        "sertilink: REF: there is no case with this reference [not-found]\n",
    )
