"""The fault server over real loopback: what each mode answers, and what stands in the ledger then."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator

from notifier.proof import ledger as ledgers
from notifier.proof.plan import TAKES, Plan, Post, Report, plan_from
from tests.polling import eventually
from tests.proof.provider_run import AUTH_TOKEN, CREDENTIALS, PATH, TOKEN, RunningProvider, always, running

TO = "+6281200000001"
ANSWERS = {
    Post.OK: 201,
    Post.ACCEPT_500: 500,
    Post.ERROR_500: 500,
    Post.ERROR_503: 503,
    Post.BUSY_503: 503,
    Post.LIMITED: 429,
    Post.REFUSED: 400,
}
SILENT = [Post.ACCEPT_HANG, Post.HANG]
BROKEN = [Post.ACCEPT_DROP, Post.ACCEPT_RESET, Post.RESET]


def taken(folder: Path) -> list[ledgers.Taken]:
    return ledgers.read(folder / "ledger").taken


@pytest.mark.parametrize("mode", list(ANSWERS))
def test_a_mode_that_answers_says_its_status_and_takes_or_not(tmp_path: Path, mode: Post) -> None:
    with running(tmp_path, always(mode)) as provider:
        answer = provider.post()
    assert answer.status == ANSWERS[mode]
    assert len(taken(tmp_path)) == (mode in TAKES)
    assert ("Retry-After" in answer.headers) == (mode in {Post.BUSY_503, Post.LIMITED})


def test_what_was_taken_stands_in_the_ledger_before_the_answer_is_read(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.OK)) as provider:
        sid = provider.post(TO, "ref-7").json()["sid"]
        [entry] = taken(tmp_path)
    assert (entry.sid, entry.attempt, entry.link) == (sid, "ref-7", TOKEN[:11])
    assert entry.number == ledgers.number_key(TO)


def test_half_of_the_json_comes_as_a_whole_201(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.ACCEPT_CUT)) as provider:
        answer = provider.post()
    assert answer.status == 201
    with pytest.raises(ValueError):
        answer.json()
    assert len(taken(tmp_path)) == 1


@pytest.mark.parametrize("mode", BROKEN)
def test_a_broken_connection_leaves_what_was_taken_in_the_ledger(tmp_path: Path, mode: Post) -> None:
    with running(tmp_path, always(mode)) as provider, pytest.raises((http.client.HTTPException, ConnectionError)):
        provider.post()
    assert len(taken(tmp_path)) == (mode in TAKES)


@pytest.mark.parametrize("mode", SILENT)
def test_a_hanging_answer_never_comes(tmp_path: Path, mode: Post) -> None:
    with running(tmp_path, always(mode)) as provider, pytest.raises(TimeoutError):
        provider.post(timeout=5)
    assert len(taken(tmp_path)) == (mode in TAKES)


def test_a_dripping_answer_starts_and_takes_longer_than_anybody_waits(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.ACCEPT_DRIP)) as provider, provider.line() as line:
        line.request("POST", PATH, provider.form(TO, "attempt-1"), CREDENTIALS)
        answer = line.getresponse()
        assert (answer.status, answer.read(1)) == (201, b"{")
        assert int(answer.headers["Content-Length"]) > 100
    assert len(taken(tmp_path)) == 1


@pytest.mark.parametrize(
    ("path", "token", "status"), [(PATH, "wrong", 401), (PATH.replace("AC", "AB"), AUTH_TOKEN, 404)]
)
def test_who_is_not_the_account_is_refused(tmp_path: Path, path: str, token: str, status: int) -> None:
    with running(tmp_path, always(Post.OK)) as provider:
        assert provider.ask("POST", path, "To=1&Body=2&From=3", token=token).status == status
    assert taken(tmp_path) == []


def test_the_list_still_has_what_was_taken_before_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.ACCEPT_500)) as provider:
        provider.post(TO)
    with running(tmp_path, always(Post.OK, list_lag_s=0.0)) as provider:
        provider.post(TO, "attempt-2")
        provider.post("+6281200000002")
        found = provider.listed(TO)
    assert [message["to"] for message in found] == [TO, TO]
    assert TOKEN in found[0]["body"]


def test_a_line_that_was_never_finished_is_not_read_and_spoils_nothing(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.OK)) as provider:
        provider.post()
    with (tmp_path / "ledger").open("ab") as file:
        file.write(b'{"sid": "SM')
    assert len(taken(tmp_path)) == 1
    with running(tmp_path, always(Post.OK)) as provider:
        provider.post(reference="attempt-2")
    assert [entry.attempt for entry in taken(tmp_path)] == ["attempt-1", "attempt-2"]


def receipts_of(folder: Path, report: Report, wanted: int) -> RunningProvider:
    with running(folder, always(Post.OK, report)) as provider:
        provider.post()
        eventually(lambda: len(provider.web.receipts) >= wanted, 20, "the receipts do not come")
        eventually(lambda: provider.ask("GET", "/_proof/stats").json()["pending_receipts"] == 0, 20, "it goes on")
    return provider


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (Report.NORMAL, ["sent", "delivered"]),
        (Report.REVERSED, ["delivered", "sent"]),
        (Report.UNDELIVERED, ["sent", "undelivered"]),
        (Report.STRANGER, ["failed", "sent", "delivered"]),
    ],
)
def test_receipts_come_in_the_order_of_their_mode(tmp_path: Path, report: Report, words: list[str]) -> None:
    assert receipts_of(tmp_path, report, len(words)).web.words() == words


def test_repeated_receipts_come_five_times_each(tmp_path: Path) -> None:
    words = receipts_of(tmp_path, Report.REPEATED, 10).web.words()
    assert (words.count("sent"), words.count("delivered")) == (5, 5)


def test_receipts_are_signed_as_twilio_signs(tmp_path: Path) -> None:
    provider = receipts_of(tmp_path, Report.NORMAL, 2)
    for path, form, signature in provider.web.receipts:
        assert path == "/twilio/status/attempt-1"
        assert RequestValidator(AUTH_TOKEN).compute_signature(provider.web.url + path, form) == signature


def test_forged_receipts_have_another_signature_and_nothing_of_them_is_true(tmp_path: Path) -> None:
    provider = receipts_of(tmp_path, Report.FORGED, 3)
    for path, form, signature in provider.web.receipts:
        assert RequestValidator(AUTH_TOKEN).compute_signature(provider.web.url + path, form) != signature
    assert ledgers.read(tmp_path / "ledger").words == {}


def test_early_receipts_come_before_the_answer(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.OK, Report.EARLY, early_s=60.0)) as provider:
        provider.post()
        assert provider.web.words() == ["sent", "delivered"]


def test_a_missing_receipt_is_known_to_the_list(tmp_path: Path) -> None:
    with running(tmp_path, always(Post.OK, Report.MISSING, list_lag_s=0.0)) as provider:
        provider.post(TO)
        eventually(lambda: provider.listed(TO)[0]["status"] == "delivered", 20, "it is not delivered")
        assert provider.web.receipts == []


def test_a_seed_draws_the_same_for_a_number_whatever_came_before() -> None:
    one, other = Plan(seed=7), Plan(seed=7)
    other.draw("somebody else", 1)
    assert [one.draw("n", tries) for tries in range(50)] == [other.draw("n", tries) for tries in range(50)]
    assert [one.draw("n", tries) for tries in range(50)] != [Plan(seed=8).draw("n", tries) for tries in range(50)]


def test_a_plan_survives_its_file() -> None:
    assert plan_from(Plan(seed=3).as_json()) == Plan(seed=3)
    with pytest.raises(ValueError):
        plan_from({"posts": {"no-such-mode": 1}})
