"""The agents' desk: one of two has a case, doubles come together and apart, answers tell nothing about anybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import new_id
from notifier.core.states import CaseOutcome, CaseStatus, LetterState
from notifier.services import Services
from notifier.store.tables import mail_out, notification, support_case
from notifier.support.agents import blocks, calls, causes, merging, queue, replies, seen
from notifier.support.mail import work
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.letters import FREE_WORDS, PUBLISHED, SENDER
from tests.mail_server import Fault, MailServer
from tests.support.agents.conftest import Write
from tests.support.missing.reporting import FACTS, reported
from tests.web.staff.conftest import add_staff

Agents = tuple[str, str]


def case_of(services: Services, reference: str) -> Any:
    with services.db.read() as conn:
        return conn.execute(support_case.select().where(support_case.c.reference == reference)).one()


def refused(deed: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refused) as error:
        deed(*args, **more)
    return error.value.reason


def rule(deed: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(BadInput) as error:
        deed(*args, **more)
    return error.value.problems[0].rule


# claims


def test_of_two_agents_who_take_the_next_case_at_once_each_has_another(
    each_services: Services,
) -> None:
    staff_ids = [add_staff(each_services, name, Role.OPERATOR, None) for name in ("oki", "ani", "uma", "eka")]
    for number, who in enumerate(staff_ids):
        calls.note_call(each_services, words=f"telepon {number}", cause="", language="id", form=new_id(), staff_id=who)
        with each_services.db.write() as conn:
            conn.execute(support_case.update().values(claimed_by=None))
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda who: queue.take_next(each_services, staff_id=who), staff_ids))
    assert len(set(taken)) == 4
    assert queue.take_next(each_services, staff_id=staff_ids[0]) is None


def test_of_two_agents_who_take_the_same_case_one_wins(services: Services, agents: Agents, written: Write) -> None:
    reference = written()

    def take(who: str) -> str:
        try:
            queue.take(services, reference, staff_id=who)
        except Refused as error:
            return error.reason
        return "mine"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, agents)) == ["claimed", "mine"]


def test_a_claim_runs_out_and_each_deed_prolongs_it(
    services: Services, agents: Agents, written: Write, clock: FakeClock
) -> None:
    oki, ani = agents
    reference = written()
    queue.take(services, reference, staff_id=oki)
    clock.tick(minutes=29)
    queue.note(services, reference, words="menunggu kabar", staff_id=oki)
    clock.tick(minutes=29)
    assert refused(queue.note, services, reference, words="x", staff_id=ani) == "claimed"
    clock.tick(minutes=2)
    queue.take(services, reference, staff_id=ani)
    assert refused(queue.note, services, reference, words="x", staff_id=oki) == "claimed"


def test_a_case_is_handed_to_a_colleague_or_back(services: Services, agents: Agents, written: Write) -> None:
    oki, ani = agents
    worker = add_staff(services, "sari", Role.HEALTH_WORKER, "pkm-1")
    reference = written()
    queue.take(services, reference, staff_id=oki)
    assert rule(queue.hand_over, services, reference, to="sari", note="", staff_id=oki) == "unknown-colleague"
    assert rule(queue.hand_over, services, reference, to="nobody", note="", staff_id=oki) == "unknown-colleague"
    assert rule(queue.hand_over, services, reference, to=" OKI ", note="", staff_id=oki) == "own-name"
    queue.hand_over(services, reference, to="ani", note="saya pulang", staff_id=oki)
    assert case_of(services, reference).claimed_by == ani
    assert refused(queue.hand_over, services, reference, to="", note="", staff_id=oki) == "claimed"
    queue.hand_over(services, reference, to="", note="", staff_id=ani)
    assert case_of(services, reference).claimed_by is None
    entries = seen.look(services, reference, staff_id=oki).entries
    assert "saya pulang" in [entry.words for entry in entries]
    assert worker


def test_the_queue_shows_what_is_due_first_and_counts(
    services: Services, agents: Agents, written: Write, clock: FakeClock
) -> None:
    oki, _ = agents
    first = written()
    clock.tick(hours=1)
    second = written(FREE_WORDS, sender="lain@surat.example", message_id="<9@s.example>")
    queue.take(services, second, staff_id=oki)
    looked = queue.look(services, staff_id=oki)
    assert [row.reference for row in looked.cases] == [first, second]
    assert looked.counts == {"all": 2, "free": 1, "late": 0, "mine": 1}
    clock.tick(days=2)
    assert [row.reference for row in queue.look(services, staff_id=oki, which="late").cases] == [first, second]
    assert [row.reference for row in queue.look(services, staff_id=oki, after=first).cases] == [second]


def test_a_form_that_comes_twice_makes_one_case(services: Services, agents: Agents) -> None:
    form = new_id()
    made = [
        calls.note_call(services, words="halo", cause="locked", language="id", form=form, staff_id=agents[0])
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert case_of(services, made[0]).cause == "locked"


# doubles


def test_two_cases_become_one_with_everything_of_both_and_two_again(
    services: Services, agents: Agents, written: Write
) -> None:
    oki, _ = agents
    first, second = written(), written(sender="adik@surat.example", message_id="<2@s.example>")
    assert [row.reference for row in seen.look(services, first, staff_id=oki).alike] == [second]
    merging.merge(services, first, other=second, staff_id=oki)
    looked = seen.look(services, first, staff_id=oki)
    assert [letter.sender for letter in looked.letters] == ["wa•••@surat.example", "ad•••@surat.example"]
    double = case_of(services, second)
    assert (double.status, double.outcome) == (CaseStatus.CLOSED, CaseOutcome.MERGED)
    assert seen.look(services, second, staff_id=oki).into.reference == first
    assert refused(queue.take, services, second, staff_id=oki) == "already-closed"
    merging.undo(services, first, other=second, staff_id=oki)
    assert case_of(services, second).status == CaseStatus.OPEN
    assert len(seen.look(services, first, staff_id=oki).letters) == 1
    assert refused(merging.undo, services, first, other=second, staff_id=oki) == "not-merged"


def test_what_is_written_to_a_merged_case_goes_on_in_the_other(
    services: Services, agents: Agents, written: Write
) -> None:
    first, second = written(), written(sender="adik@surat.example", message_id="<2@s.example>")
    merging.merge(services, first, other=second, staff_id=agents[0])
    again = written(FREE_WORDS, sender="adik@surat.example", message_id="<3@s.example>")
    assert again != first  # its sender's open case is gone, and nothing is joined to another's by itself


def test_cases_cannot_be_merged_in_a_ring_or_with_themselves(
    services: Services, agents: Agents, written: Write
) -> None:
    oki, ani = agents
    first, second = written(), written(sender="adik@surat.example", message_id="<2@s.example>")
    assert rule(merging.merge, services, first, other=first.lower(), staff_id=oki) == "same-case"
    assert rule(merging.merge, services, first, other="0000000000", staff_id=oki) == "unknown-case"
    queue.take(services, second, staff_id=ani)
    assert refused(merging.merge, services, first, other=second, staff_id=oki) == "other-claimed"
    queue.hand_over(services, second, to="", note="", staff_id=ani)
    merging.merge(services, first, other=second, staff_id=oki)
    assert refused(merging.merge, services, second, other=first, staff_id=ani) == "already-closed"
    with pytest.raises(NotFound):
        merging.merge(services, "0000000000", other=first, staff_id=oki)


def test_merging_crosswise_at_once_leaves_one_open(services: Services, agents: Agents, written: Write) -> None:
    first, second = written(), written(sender="adik@surat.example", message_id="<2@s.example>")

    def merge(pair: tuple[str, str, str]) -> bool:
        try:
            merging.merge(services, pair[0], other=pair[1], staff_id=pair[2])
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(merge, [(first, second, agents[0]), (second, first, agents[1])]))
    assert sorted(done) == [False, True]


# answers


def answer(services: Services, reference: str, who: str, text: str, **more: Any) -> None:
    letter = seen.look(services, reference, staff_id=who).letters[-1]
    values = {"to": letter.id, "language": "id", "form": new_id()} | more
    replies.by_email(services, reference, text=text, staff_id=who, **values)


def test_an_answer_goes_once_to_whoever_wrote_in_our_frame(
    services: Services, agents: Agents, written: Write, mailbox: MailServer
) -> None:
    reference, form = written(), new_id()
    for _ in range(2):
        answer(services, reference, agents[0], "Mohon buka halaman laporan kami.", form=form)
    work.run(services)
    sent = mailbox.letters()[-1]
    assert (len(mailbox.posted), sent["To"], sent["In-Reply-To"]) == (2, SENDER, "<1@surat.example>")
    assert sent["Auto-Submitted"] is None
    text = sent.get_content()
    assert all(words in text for words in ("Mohon buka", reference, "/kasus", "tidak pernah meminta uang"))


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("NIK Anda 3174031002890009 sudah benar", "tells-number"),
        ("Nomor 0812-3456-7890 terdaftar", "tells-number"),
        ("Lahir 10 Februari 1989 ya?", "tells-number"),
        ("Lahir 10/2/1989 ya?", "tells-number"),
        ("Yth. Ibu AMINAH, sertifikat sudah ada", "tells-name"),
        ("Buka https://pedulilindungia.com", "foreign-address"),
        ("Tulis ke petugas@gmail.com", "foreign-address"),
        ("  ", "required"),
        ("a" * 4000, "too-long"),
    ],
)
def test_an_answer_that_tells_something_of_a_person_is_refused(
    services: Services, agents: Agents, written: Write, text: str, broken: str
) -> None:
    assert rule(answer, services, written(), agents[0], text) == broken


def test_another_case_s_letter_cannot_be_answered(services: Services, agents: Agents, written: Write) -> None:
    first, second = written(), written(sender="x@surat.example", message_id="<2@s.example>")
    foreign = seen.look(services, second, staff_id=agents[0]).letters[0].id
    for letter in (foreign, new_id(), "rubbish"):
        assert rule(answer, services, first, agents[0], "Halo.", to=letter) == "choice"


def test_no_sms_goes_to_a_number_that_nobody_proved(services: Services, agents: Agents, written: Write) -> None:
    reference = written()
    assert refused(replies.by_sms, services, reference, text="Ada kabar", staff_id=agents[0]) == "no-number"
    with services.db.read() as conn:
        assert conn.execute(notification.select()).all() == []


def test_a_letter_of_which_nobody_knows_is_shown_and_sent_again_by_a_colleague(
    services: Services, agents: Agents, written: Write, mailbox: MailServer
) -> None:
    reference = written()
    mailbox.faults = [Fault.LOSE_AND_DROP]
    answer(services, reference, agents[0], "Halo.")
    work.run(services)
    sent = [entry.sent for entry in seen.look(services, reference, staff_id=agents[0]).entries if entry.sent]
    assert [one.state for one in sent] == [LetterState.SENT, LetterState.UNKNOWN]


# texts and causes


def test_the_programme_s_own_text_takes_the_place_of_ours_and_goes_back(services: Services) -> None:
    block = blocks.find(services, "id", "lihat-sebab")
    assert block.came
    assert rule(blocks.save, services, block, "Telepon 0812 3456 7890", base=0, reason="x", actor="staff:x") == (
        "tells-number"
    )
    blocks.save(services, block, "Silakan buka /kasus.", base=0, reason="lebih singkat", actor="staff:x")
    saved = blocks.find(services, "id", "lihat-sebab")
    assert (saved.own, saved.text, saved.revision) == ("Silakan buka /kasus.", "Silakan buka /kasus.", 1)
    blocks.reset(services, saved, base=1, reason="kembali", actor="staff:x")
    assert blocks.find(services, "id", "lihat-sebab").text == block.text
    new = blocks.find(services, "id", blocks.new_name("Vaksin luar negeri"))
    blocks.save(services, new, "Bawa kartunya ke puskesmas.", base=0, reason="sering ditanya", actor="staff:x")
    assert "vaksin-luar-negeri" in [one.name for one in blocks.listed(services, "id")]
    with pytest.raises(NotFound):
        blocks.find(services, "id", "../secret")


def test_causes_are_counted_by_facility_and_merged_cases_once(
    services: Services, agents: Agents, written: Write
) -> None:
    oki, _ = agents
    first, second = written(), written(PUBLISHED, sender="adik@surat.example", message_id="<2@s.example>")
    third = written(FREE_WORDS, sender="lain@surat.example", message_id="<3@s.example>")
    merging.merge(services, first, other=second, staff_id=oki)
    named = {"facility": "Puskesmas Menteng", "cause": "number-failed"}
    assert rule(queue.close, services, third, **named, reason="selesai", staff_id=oki) == "facility-unknown"
    Desk(services).record(dose={"facility": "Puskesmas Menteng", "facility_id": "pkm-1"})
    queue.close(services, third, **named, reason="selesai", staff_id=oki)
    counted = causes.count(services, 30)
    assert (counted.total, counted.totals) == (2, {causes.NO_CAUSE: 1, "number-failed": 1})
    assert [(one.facility_id, one.open) for one in counted.facilities] == [(None, 1), ("pkm-1", 0)]


def test_a_closed_case_has_its_answers_in_the_outbox_all_the_same(
    services: Services, agents: Agents, written: Write, mailbox: MailServer
) -> None:
    reference = written()
    answer(services, reference, agents[0], "Halo.")
    queue.close(services, reference, cause="", reason="selesai", staff_id=agents[0])
    work.run(services)
    assert len(mailbox.posted) == 2
    with services.db.read() as conn:
        assert {row.status for row in conn.execute(mail_out.select())} == {LetterState.SENT}


# letters and reports together


def test_a_report_of_a_missing_dose_goes_on_and_its_reporter_is_told(
    services: Services, agents: Agents, written: Write
) -> None:
    letter = written()
    report = reported(services, replace(FACTS, nik="3174031002890009")).reference
    assert report in [row.reference for row in seen.look(services, letter, staff_id=agents[0]).alike]
    assert merging.merge(services, letter, other=report, staff_id=agents[0]) == report
    assert case_of(services, letter).outcome == CaseOutcome.MERGED
    answer(services, report, agents[0], "Fasilitas sedang mencarinya.")
    replies.by_sms(services, report, text="Fasilitas sedang mencarinya.", staff_id=agents[0])
    case = case_of(services, report)
    with services.db.read() as conn:
        told = conn.execute(notification.select().where(notification.c.subject_id == case.id)).all()
    assert {row.kind for row in told} == {"case"}
