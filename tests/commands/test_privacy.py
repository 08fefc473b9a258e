"""`sertilink retention`, `person` and `exposure`: what names somebody is read, never in a command, never shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from notifier.services import Services
from notifier.store import tables as t
from tests.builders import NIK
from tests.canaries import found_in
from tests.commands.conftest import Run
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token

WHY = ("--reason", "asked in writing")


@pytest.fixture
def reference(desk: Desk) -> str:
    """Siti, whose SMS has left."""
    found = desk.record().reference
    desk.send()
    assert found is not None
    return found


def test_retention_counts_first_and_then_lets_go(run: Run, desk: Desk, reference: str, clock: FakeClock) -> None:
    desk.receive("delivered")
    clock.tick(days=31)
    would = run("retention", "run", "--dry-run")
    assert (would.exit_code, would.output.splitlines()[-1].split()) == (0, ["1", "would", "go"])
    done = json.loads(run("retention", "run", "--json").output)
    assert {rule["rule"]: rule["rows"] for rule in done["rules"] if rule["rows"]} == {"receipt-bodies": 1}
    assert run("retention", "run").output.splitlines()[-1].split() == ["0", "gone"]


def test_a_rule_that_fails_is_told_and_the_others_are_done(run: Run, services: Services) -> None:
    with services.db.write() as conn:
        conn.execute(sa.text("DROP TABLE caught_sms"))
    result = run("retention", "run")
    assert (result.exit_code, "failed: caught-sms" in result.stderr) == (1, True)


def test_a_copy_is_a_file_that_nobody_else_may_read(run: Run, reference: str, tmp_path: Path) -> None:
    out = tmp_path / "siti.json"
    result = run("person", "export", "--by", "nik", "--out", str(out), *WHY, input=NIK + "\n")
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(out.read_text())["parts"][0]["rows"][0]["name"] == "Siti Aminah"
    again = run("person", "export", reference, "--out", str(out), *WHY)
    assert (again.exit_code, again.stderr) == (1, f"sertilink: {out}: cannot be written (File exists)\n")


def test_a_copy_that_fails_leaves_no_file(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    assert run("person", "export", "ABCDE12345", "--out", str(out), *WHY).exit_code == 1
    assert not out.exists()


def test_a_nik_in_the_command_is_refused_and_not_said_again(run: Run, services: Services, tmp_path: Path) -> None:
    result = run("person", "erase", NIK, "--yes", *WHY)
    assert result.exit_code == 2
    assert NIK not in result.output + result.stderr
    for nothing in (("person", "erase", *WHY), ("person", "erase", "ABCDE12345", "--by", "nik", *WHY)):
        assert run(*nothing).exit_code == 2
    assert run("person", "erase", "--by", "nik", "--yes", *WHY, input="\n").exit_code == 2
    wrong = run("person", "erase", "--by", "nik", "--yes", *WHY, input="12\n")
    assert (wrong.exit_code, "[nik-length]" in wrong.stderr) == (1, True)


def test_erasing_asks_first_does_it_once_and_says_so_then(run: Run, desk: Desk, reference: str) -> None:
    would = json.loads(run("person", "erase", reference, "--dry-run", "--json", *WHY).output)
    assert (would["dry_run"], would["counts"]["doses"], would["counts"]["links"]) == (True, 1, 1)
    no = run("person", "erase", reference, *WHY, input="n\n")
    assert (no.exit_code, desk.link(reference).revoked_at) == (1, None)
    done = run("person", "erase", reference, *WHY, input="y\n")
    assert done.exit_code == 0
    assert "to be deleted at the SMS provider: SM" in done.output
    for again in ((reference,), ("--by", "nik")):
        told = run("person", "erase", *again, "--yes", *WHY, input=NIK + "\n")
        assert (told.exit_code, told.output.startswith("erased already: ")) == (0, True)
    assert json.loads(run("person", "erase", reference, "--json", *WHY).output)["already_erased_at"]
    copy = run("person", "export", reference, "--out", "/nonexistent/x", *WHY)
    assert (copy.exit_code, "erased already" in copy.stderr) == (1, True)


def test_who_is_readmitted_may_come_back(run: Run, desk: Desk, reference: str) -> None:
    run("person", "erase", reference, "--yes", *WHY)
    assert run("person", "readmit", *WHY, input=NIK + "\n").exit_code == 0
    assert run("person", "readmit", *WHY, input=NIK + "\n").exit_code == 1
    assert desk.record().reference


def test_exposure_shows_initials_and_writes_drafts_apart(run: Run, desk: Desk, reference: str, tmp_path: Path) -> None:
    token = sent_token(desk)
    folder = tmp_path / "drafts"
    result = run("exposure", "--token", "-", "--notices", str(folder), *WHY, input=f"{token}\n")
    assert result.exit_code == 0, result.output
    assert found_in(result.output + result.stderr, desk.services.links) == []
    assert f"{reference}  S. A." in result.output
    assert "notices are due by 26 November 2026 10:00" in result.output
    [place] = folder.iterdir()
    files = sorted(place.iterdir())
    assert [file.name for file in files] == [f"00001-{reference}.txt", "authority.txt"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert "Siti Aminah" in files[0].read_text()


def test_exposure_as_json_has_the_drafts_and_never_the_token(run: Run, desk: Desk, reference: str) -> None:
    token = sent_token(desk)
    for given in (("--token", token), ("--from", "2026-11-23T00:00+07:00", "--to", "2026-11-24 00:00")):
        told = json.loads(run("exposure", *given, "--json", *WHY).output)
        assert [one["reference"] for one in told["people"]] == [reference]
        assert token not in json.dumps(told)
        assert "Siti Aminah" in told["people"][0]["notice"]
        assert told["incident"] in told["notice_to_authority"]
    assert (
        json.loads(run("exposure", "--phone", "-", "--json", *WHY, input="081234567890\n").output)["still_theirs"] == 1
    )


def test_exposure_asked_wrongly_is_one_line(run: Run, desk: Desk, reference: str) -> None:
    token = sent_token(desk)
    assert run("exposure", *WHY).exit_code == 2
    assert run("exposure", "--token", token, "--phone", "-", *WHY).exit_code == 2
    assert run("exposure", "--from", "2026-11-23", *WHY).exit_code == 2
    for given, rule in (
        (("--token", token[:-1]), "[token]"),
        (("--phone", "12"), "sertilink: phone:"),
        (("--from", "soon", "--to", "2026-11-24"), "[moment]"),
        (("--from", "2026-11-24", "--to", "2026-11-25"), "[in-future]"),
        (("--from", "2026-11-23", "--to", "2026-11-22"), "[before-from]"),
        (("--token", token, "--found", "2027-01-01"), "[in-future]"),
    ):
        result = run("exposure", *given, *WHY)
        assert result.exit_code == 1, result.output
        assert rule in result.stderr
        assert token not in result.output + result.stderr
    with desk.services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(t.audit.c.action == "exposure.looked-up")) == 0
