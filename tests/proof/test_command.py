"""`sertilink prove` at its edges: what it says where it cannot run, and that it leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from notifier.cli import cli
from notifier.commands.prove import report
from notifier.proof.harness import Options
from notifier.proof.harness import Result as Proof
from notifier.proof.verdict import Unknown, Verdict

CONTRACT = ["intents", "kills", "accepted", "lost", "duplicate", "phantom", "lies", "unknown", "seconds", "seed"]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def prove(*options: str) -> Result:
    return CliRunner().invoke(cli, ["prove", *options])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--database", "mysql://x/y"], "--database"),
        (["--broker", "kafka://x"], "--broker"),
        (["--broker", "redis://127.0.0.1:1"], "Redis does not answer"),
        (["--database", "postgresql://127.0.0.1:1/x"], "SERTILINK_DATABASE_URL: the database failed"),
    ],
)
def test_where_it_cannot_run_it_says_why_and_leaves_nothing(scratch: Path, options: list[str], says: str) -> None:
    result = prove(*options)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert list(scratch.iterdir()) == []


def test_a_plan_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"posts": {"no-such-mode": 1}}')
    assert prove("--plan", str(plan)).exit_code == 2


def a_proof(*, lost: tuple[str, ...] = (), still_open: dict[str, int] | None = None) -> Proof:
    verdict = Verdict(3, lost, (), (), (), (Unknown("R1", 12.34),))
    return Proof(verdict, 4, 5.67, 1, {"kill": 2, "database": 1}, still_open or {}, {}, None)


def test_the_report_has_the_names_of_the_contract_and_numbers_alone() -> None:
    found = report(Options(seed=9), a_proof())
    assert list(found)[: len(CONTRACT)] == CONTRACT
    assert all(isinstance(value, int | float) for value in found.values())
    assert (found["accepted"], found["unknown"], found["seed"], found["kills"]) == (3, 1, 9, 2)


def test_it_holds_only_where_nothing_is_lost_and_all_is_at_rest() -> None:
    assert a_proof().holds
    assert not a_proof(lost=("e1",)).holds
    assert not a_proof(still_open={"sending": 1}).holds
