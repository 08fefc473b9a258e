"""`resend --filter` and `bulk`."""

from __future__ import annotations

import json

import pytest

from notifier.commands.bulks import read_words
from notifier.core.bulks import BulkState
from notifier.core.errors import BadInput
from notifier.core.resend_filter import Span, Wanted
from notifier.services import Services
from notifier.support import bulk_resend, bulk_run
from tests import bulk as many
from tests.commands.conftest import Run
from tests.conftest import Build
from tests.desk import Desk

REASON = ("--reason", "penyedia bermasalah")


@pytest.fixture
def services(build_services: Build) -> Services:
    """Above four messages a second person is asked."""
    return build_services(bulk_approval_above=4)


@pytest.fixture
def desk(services: Services) -> Desk:
    return Desk(services)


def test_a_dry_run_counts_and_changes_nothing(run: Run, desk: Desk) -> None:
    many.failed_each(desk, 5)
    report = json.loads(run("resend", "--filter", "state=failed", "--dry-run", "--json").stdout)
    assert (report["matched"], report["included"], report["segments"], report["excluded"]) == (5, 5, 5, {})
    assert report["needs_approval"] is True
    assert len(report["sample"]) == 5
    text = run("resend", "--filter", "state=failed code=30005", "--dry-run").stdout
    assert "5 match, 5 would be sent again, 5 segments" in text
    assert "a second person must approve" in text
    assert json.loads(run("bulk", "list", "--json").stdout)["bulks"] == []


def test_a_small_bulk_is_made_shown_and_cancelled(run: Run, desk: Desk) -> None:
    many.failed_each(desk, 3)
    made = json.loads(run("resend", "--filter", "state=failed", *REASON, "--json").stdout)
    assert (made["state"], made["expected"]) == ("running", 3)
    reference = made["reference"]
    assert reference in run("bulk", "list").stdout
    bulk_run.run(desk.services)
    desk.send(1)
    assert run("bulk", "pause", reference, *REASON).stdout == f"paused: {reference}, 2 planned messages\n"
    assert run("bulk", "resume", reference, *REASON).stdout == f"resumed: {reference}, 2 planned messages\n"
    assert run("bulk", "cancel", reference.lower(), *REASON).stdout == f"cancelled: {reference}, 2 planned messages\n"
    again = run("bulk", "cancel", reference, *REASON)
    assert (again.exit_code, again.stderr) == (1, "sertilink: refused [changed-meanwhile]\n")
    counts = json.loads(run("bulk", "show", reference, "--json").stdout)["counts"]
    assert (counts["total"], counts["left"], counts["cancelled"]) == (3, 1, 2)
    assert "state=failed" in run("bulk", "show", reference).stdout


def test_a_large_bulk_says_that_a_second_person_must_approve(run: Run, desk: Desk) -> None:
    many.failed_each(desk, 5)
    said = run("resend", "--filter", "state=failed", *REASON).stdout
    reference = said.partition(":")[0]
    assert f"sertilink bulk approve {reference}" in said
    own = run("bulk", "approve", reference)
    assert (own.exit_code, own.stderr) == (1, "sertilink: refused [own-bulk]\n")
    assert bulk_resend.find(desk.services, reference).state == BulkState.ASKED


def test_approving_somebody_else_s_asks_for_a_count_that_has_changed(run: Run, desk: Desk) -> None:
    many.failed_each(desk, 5)
    row = bulk_resend.create(desk.services, many.FAILED, at=None, reason="x", actor=many.OPERATOR)
    many.failed_each(desk, 3, start=10)
    changed = run("bulk", "approve", row.reference)
    assert changed.exit_code == 1
    assert "add --count 8" in changed.stderr
    assert run("bulk", "approve", row.reference, "--count", "8").stdout == f"approved: {row.reference}, 8 messages\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("resend", *REASON),
        ("resend", "ABC", "--filter", "state=failed", *REASON),
        ("resend", "ABC", "--dry-run"),
        ("resend", "--filter", "state=failed"),
        ("resend", "--filter", "state=failed", "--reason", " "),
        ("bulk", "approve", "ABC", "--count", "0"),
    ],
)
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("text", ["", "failed", "state=failed 'x", "state=failed state=failed", "statte=failed", "x=1"])
def test_a_filter_that_cannot_be_read_is_refused(run: Run, text: str) -> None:
    result = run("resend", "--filter", text, "--dry-run")
    assert result.exit_code == 1
    assert result.stderr.startswith("sertilink: ")
    with pytest.raises(BadInput):
        read_words(text)


def test_words_are_read_as_the_form_reads_them() -> None:
    wanted = read_words('state=delivered unopened_days=5 product="Sinovac Biotech" span=yesterday')
    assert (wanted.wanted, wanted.unopened_days, wanted.product) == (Wanted.UNOPENED, 5, "Sinovac Biotech")
    assert wanted.span is Span.YESTERDAY
    assert read_words("unopened_days=2").wanted is Wanted.UNOPENED
    assert read_words("facility=pkm-1").wanted is Wanted.PROBLEM
