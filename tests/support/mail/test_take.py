"""Letters from the mailbox into cases: each once, whatever is killed; photos unread; programs never answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notifier.core.errors import Refused
from notifier.core.ids import new_id
from notifier.core.states import CaseKind, CaseStatus, LetterKind
from notifier.services import Services
from notifier.store import case_steps, mail
from notifier.store.tables import mail_in, mail_out, mail_taken, support_case
from notifier.support.mail import take, work
from tests.canaries import found_in
from tests.conftest import Build
from tests.letters import FREE_WORDS, PUBLISHED, SENDER, a_letter
from tests.mail_server import MailServer


def rows(services: Services, table: Any) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(table.select()))


def test_a_letter_in_the_published_format_becomes_a_case_with_its_facts(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    [case], [letter] = rows(posted, support_case), rows(posted, mail_in)
    assert (case.kind, case.status, case.source) == (CaseKind.ASKED, CaseStatus.OPEN, "email")
    assert (letter.case_id, letter.kind) == (case.id, LetterKind.WRITTEN)
    facts = mail.read(posted.sealer, letter, "facts")
    assert all(one in facts for one in ("Siti Aminah", "3174031002890009", "1989-02-10", "+6281234567890", "belum"))
    assert mail.read(posted.sealer, letter, "sender") == SENDER
    assert mailbox.stored == []  # and is deleted at the mail server


def test_the_answer_has_the_reference_and_nothing_of_what_was_written(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    [case], [answer] = rows(posted, support_case), mailbox.letters()
    text = answer.get_content()
    assert (case.reference in text, case.reference in answer["Subject"]) == (True, True)
    assert found_in(str(answer), posted.links) == []
    assert "Siti" not in str(answer)
    assert (answer["To"], answer["In-Reply-To"]) == (SENDER, "<1@surat.example>")
    assert (answer["Auto-Submitted"], answer["From"].addresses[0].addr_spec) == (
        "auto-replied",
        "bantuan@contoh.example",
    )
    assert "Foto" not in text


def test_free_words_are_a_case_all_the_same(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter(FREE_WORDS))
    work.run(posted)
    [letter] = rows(posted, mail_in)
    assert mail.read(posted.sealer, letter, "text") == FREE_WORDS
    assert (letter.facts_sealed, letter.case_id is None) == (None, False)
    assert len(mailbox.posted) == 1


def test_a_photo_that_nobody_asked_for_never_leaves_the_mail_server(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter(photos=20_000_000))
    work.run(posted)
    [letter] = rows(posted, mail_in)
    assert letter.photos == 1
    assert "Siti Aminah" in mail.read(posted.sealer, letter, "facts")
    assert sum(size for _, _, size in mailbox.fetched) < 5_000
    assert {section for _, section, _ in mailbox.fetched} == {"HEADER.FIELDS", "2"}
    assert mailbox.stored == []
    assert "tidak kami buka, dan sudah kami hapus" in mailbox.letters()[0].get_content()


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto_Submitted": "auto-replied"}, LetterKind.AUTOMATIC),
        ({"Auto_Submitted": "Auto-Generated; owner=x"}, LetterKind.AUTOMATIC),
        ({"Auto_Submitted": "auto-notified"}, LetterKind.AUTOMATIC),
        ({"Precedence": "auto_reply"}, LetterKind.AUTOMATIC),
        ({"Precedence": "Auto-Reply"}, LetterKind.AUTOMATIC),
        ({"X_Autoreply": "yes"}, LetterKind.AUTOMATIC),
        ({"X_Autorespond": "yes"}, LetterKind.AUTOMATIC),
        ({"Return_Path": "<>"}, LetterKind.AUTOMATIC),
        ({"Return_Path": "< >"}, LetterKind.AUTOMATIC),
        ({"sender": "bantuan@contoh.example"}, LetterKind.AUTOMATIC),
        ({"sender": "Bantuan@Contoh.Example"}, LetterKind.AUTOMATIC),
        ({"sender": "halo@contoh.example"}, LetterKind.AUTOMATIC),
        ({"Precedence": "bulk"}, LetterKind.BULK),
        ({"Precedence": "junk"}, LetterKind.BULK),
        ({"List_Id": "<berita.example>"}, LetterKind.BULK),
        ({"List_Unsubscribe": "<https://berita.example>"}, LetterKind.BULK),
    ],
)
def test_what_a_program_wrote_is_kept_makes_no_case_and_is_never_answered(
    build_services: Build, mailbox: MailServer, headers: dict[str, str], kind: LetterKind
) -> None:
    posted = build_services(**mailbox.settings, help_email="halo@contoh.example")
    mailbox.put(a_letter(FREE_WORDS, **headers))
    work.run(posted)
    [letter] = rows(posted, mail_in)
    assert (letter.kind, letter.case_id) == (kind, None)
    assert (rows(posted, support_case), rows(posted, mail_out), mailbox.posted, mailbox.stored) == ([], [], [], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"sender": "no-reply@toko.example"},
        {"sender": "MAILER-DAEMON@surat.example"},
        {"X_Auto_Response_Suppress": "DR, AutoReply"},
        {"Authentication_Results": "mx.contoh.example; spf=pass; dmarc=fail (p=NONE)"},
    ],
)
def test_a_letter_that_may_not_be_answered_is_a_case_without_an_answer(
    posted: Services, mailbox: MailServer, headers: dict[str, str]
) -> None:
    mailbox.put(a_letter(**headers))
    work.run(posted)
    assert len(rows(posted, support_case)) == 1
    assert (rows(posted, mail_out), mailbox.posted) == ([], [])


def test_two_programs_that_answer_each_other_end_at_once(posted: Services, mailbox: MailServer) -> None:
    """Our answer, sent back to us as if somebody had written it, and an absence note to it."""
    mailbox.put(a_letter())
    work.run(posted)
    _, _, ours = mailbox.posted[0]
    mailbox.put(ours)
    mailbox.put(a_letter("Saya sedang cuti.", message_id="<2@surat.example>", Auto_Submitted="auto-replied"))
    work.run(posted)
    assert (len(mailbox.posted), len(rows(posted, support_case)), len(rows(posted, mail_in))) == (1, 1, 3)


@pytest.mark.parametrize(
    "says",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "auto_reply"},
        {"Precedence": "bulk"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"},
        {"sender": "noreply@surat.example"},
        {"sender": "bantuan@contoh.example"},
    ],
)
def test_whoever_answers_each_of_our_letters_by_program_gets_no_second_one(
    posted: Services, mailbox: MailServer, says: dict[str, str]
) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    for number in range(3):  # as long as we answer, so does the program
        ours = mailbox.letters()[-1]["Message-ID"]
        mailbox.put(a_letter("Saya sedang cuti.", message_id=f"<r{number}@surat.example>", In_Reply_To=ours, **says))
        work.run(posted)
    assert len(mailbox.posted) == 1
    assert len(rows(posted, mail_in)) == 4  # and every one is kept


def test_a_program_that_says_nothing_of_itself_is_answered_five_times_and_no_more(
    posted: Services, mailbox: MailServer
) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    for number in range(9):
        ours = mailbox.letters()[-1]["Message-ID"]
        mailbox.put(a_letter("Saya sedang cuti.", message_id=f"<r{number}@surat.example>", In_Reply_To=ours))
        work.run(posted)
    assert (len(mailbox.posted), len(rows(posted, mail_in)), len(rows(posted, support_case))) == (5, 10, 1)


def test_our_own_letter_under_anothers_name_is_not_answered(posted: Services, mailbox: MailServer) -> None:
    """A list that we answered sends it round, with its own sender and without what we said of it."""
    mailbox.put(a_letter())
    work.run(posted)
    ours = mailbox.letters()[0]["Message-ID"]
    mailbox.put(a_letter(FREE_WORDS, sender="grup@surat.example", message_id=ours))
    work.run(posted)
    assert [letter.kind for letter in rows(posted, mail_in)] == [LetterKind.WRITTEN, LetterKind.AUTOMATIC]
    assert (len(mailbox.posted), len(rows(posted, support_case))) == (1, 1)


def test_a_letter_that_came_back_is_never_answered_however_it_looks(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    ours = mailbox.letters()[0]["Message-ID"]
    mailbox.put(returned(ours))
    mailbox.put(returned(ours).replace(b"Return-Path: <>\r\n", b"").replace(b"MAILER-DAEMON", b"server"))
    mailbox.put(returned("<unknown@contoh.example>"))
    work.run(posted)
    assert (len(mailbox.posted), len(rows(posted, support_case))) == (1, 1)


def test_a_receipt_that_says_read_is_no_letter_that_came_back(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    ours = mailbox.letters()[0]["Message-ID"]
    mailbox.put(returned(ours).replace(b"report-type=delivery-status", b"report-type=disposition-notification"))
    work.run(posted)
    assert [out.returned_at for out in rows(posted, mail_out)] == [None]
    assert rows(posted, mail_in)[-1].kind == LetterKind.AUTOMATIC


def test_one_address_is_answered_five_times_a_day_and_every_letter_kept(posted: Services, mailbox: MailServer) -> None:
    for number in range(8):
        mailbox.put(a_letter(f"{FREE_WORDS} {number}", message_id=f"<{number}@surat.example>"))
    work.run(posted)
    assert (len(mailbox.posted), len(rows(posted, mail_in)), len(rows(posted, support_case))) == (5, 8, 1)


def test_a_letter_of_ours_that_came_back_shows_on_its_case(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    ours = mailbox.letters()[0]["Message-ID"]
    mailbox.put(returned(ours))
    work.run(posted)
    [out], [case] = rows(posted, mail_out), rows(posted, support_case)
    assert out.returned_at is not None
    assert "returned" in steps(posted, case.id)
    assert len(mailbox.posted) == 1


def returned(message_id: str) -> bytes:
    return (
        "From: MAILER-DAEMON@surat.example\r\nTo: bantuan@contoh.example\r\nReturn-Path: <>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: text/plain\r\n\r\nYour letter did not arrive.\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n\r\n"
        f"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n--x--\r\n"
    ).encode()


def steps(services: Services, case_id: str) -> list[str]:
    with services.db.read() as conn:
        return [row.kind for row in case_steps.of_case(conn, case_id)]


# doubles


def test_two_copies_of_one_letter_are_one(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    mailbox.put(a_letter())
    work.run(posted)
    assert (len(rows(posted, mail_in)), len(rows(posted, mail_taken)), len(mailbox.posted)) == (1, 2, 1)


def test_another_letter_under_a_known_message_id_is_not_lost(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    mailbox.put(a_letter(FREE_WORDS))
    work.run(posted)
    assert len(rows(posted, mail_in)) == 2


def test_the_same_sender_about_the_same_person_goes_on_in_the_open_case(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    mailbox.put(a_letter(message_id="<2@surat.example>", subject="lagi"))
    mailbox.put(a_letter(FREE_WORDS, message_id="<3@surat.example>"))
    work.run(posted)
    [case] = rows(posted, support_case)
    assert steps(posted, case.id) == ["reported", "joined", "joined"]
    assert [letter.case_id for letter in rows(posted, mail_in)] == [case.id] * 3
    assert case.reference in mailbox.letters()[2].get_content()


def test_the_same_sender_about_somebody_else_is_another_case(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    mailbox.put(a_letter(PUBLISHED.replace("0289 0009", "0289 0017"), message_id="<2@surat.example>"))
    work.run(posted)
    assert len(rows(posted, support_case)) == 2


def test_another_sender_about_the_same_person_is_never_joined_by_itself(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    mailbox.put(a_letter(sender="orang.lain@surat.example"))
    work.run(posted)
    assert len(rows(posted, support_case)) == 2
    first, second = (letter.get_content() for letter in mailbox.letters())
    references = [case.reference for case in rows(posted, support_case)]
    assert {first.replace(one, "X") for one in references} & {second.replace(one, "X") for one in references}


def test_who_answers_our_letter_goes_on_in_its_case_and_a_stranger_with_its_id_does_not(
    posted: Services, mailbox: MailServer
) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    ours = mailbox.letters()[0]["Message-ID"]
    other = PUBLISHED.replace("0289 0009", "0289 0017")
    mailbox.put(a_letter(other, message_id="<2@surat.example>", In_Reply_To=ours))
    mailbox.put(a_letter(other, message_id="<3@surat.example>", sender="x@surat.example", In_Reply_To=ours))
    work.run(posted)
    first, second = rows(posted, support_case)
    assert [letter.case_id for letter in rows(posted, mail_in)] == [first.id, first.id, second.id]


# whatever is killed


class Killed(BaseException):
    """Ends the reader where a SIGKILL would."""


class DyingBox:
    """A mailbox whose reader dies at a call, before or after it is done."""

    def __init__(self, box: Any, at: str) -> None:
        self._box, self._at = box, at
        self.uid_validity = box.uid_validity

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            if self._at == f"before {name}":
                raise Killed
            answer = getattr(self._box, name)(*args, **more)
            if self._at == f"after {name}":
                raise Killed
            return answer

        return call


def read_and_die(services: Services, at: str) -> None:
    assert services.mail is not None
    with services.mail.open_mailbox() as box:
        for uid in list(take._sorted(services, DyingBox(box, at))[0]) or [0]:
            take.take_one(services, DyingBox(box, at), uid)


@pytest.mark.parametrize("knows_keywords", [True, False])
@pytest.mark.parametrize("at", ["after waiting", "after look", "before text", "before put_away", "after put_away"])
def test_whoever_dies_while_reading_loses_no_letter_and_doubles_none(
    posted: Services, mailbox: MailServer, at: str, knows_keywords: bool
) -> None:
    mailbox.knows_keywords = knows_keywords
    for number in range(3):
        mailbox.put(a_letter(f"{FREE_WORDS} {number}", sender=f"w{number}@surat.example", message_id=None))
    for _ in range(2):
        with pytest.raises(Killed):
            read_and_die(posted, at)
    work.run(posted)
    work.run(posted)
    assert (len(rows(posted, support_case)), len(rows(posted, mail_in)), len(mailbox.posted)) == (3, 3, 3)
    assert mailbox.stored == []


def test_a_mailbox_that_was_made_anew_brings_nothing_twice(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter())
    work.run(posted)
    mailbox.uid_validity, mailbox.next_uid = 8, 1
    mailbox.put(a_letter())
    work.run(posted)
    assert (len(rows(posted, mail_in)), len(mailbox.posted), mailbox.stored) == (1, 1, [])


def test_many_readers_at_once_take_each_letter_once(each_posted: Services, mailbox: MailServer) -> None:
    for number in range(12):
        mailbox.put(
            a_letter(f"{FREE_WORDS} {number}", sender=f"w{number % 4}@surat.example", message_id=f"<{number}@s>")
        )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: work.run(each_posted), range(4)))
    assert len(rows(each_posted, mail_in)) == len(rows(each_posted, mail_taken)) == 12
    assert (len(rows(each_posted, support_case)), len(mailbox.posted)) == (4, 12)
    assert len({letter["Message-ID"] for letter in mailbox.letters()}) == 12


@pytest.mark.parametrize("knows_keywords", [True, False])
def test_what_nobody_can_read_stays_in_the_mailbox_and_is_a_case(
    posted: Services, mailbox: MailServer, knows_keywords: bool
) -> None:
    mailbox.knows_keywords = knows_keywords
    mailbox.structure = b"(" * 200 + b")" * 200
    mailbox.put(a_letter())
    work.run(posted)
    work.run(posted)
    [letter] = rows(posted, mail_in)
    assert (letter.is_unreadable, letter.case_id is None, len(mailbox.stored)) == (True, False, 1)


def test_where_letters_are_kept_they_are_marked_and_not_deleted(build_services: Any, mailbox: MailServer) -> None:
    services = build_services(**mailbox.settings, mail_taken="keep")
    mailbox.put(a_letter(photos=30_000))
    work.run(services)
    work.run(services)
    assert ([one.flags for one in mailbox.stored], len(rows(services, mail_in))) == ([{"SertilinkTaken"}], 1)
    assert "hapus" not in mailbox.letters()[0].get_content()


def test_a_mail_server_that_is_away_is_said_without_a_word_about_anybody(
    build_services: Any, caplog: pytest.LogCaptureFixture, mailbox: MailServer
) -> None:
    services = build_services(**mailbox.settings | {"mail_password": "wrong"})
    mailbox.put(a_letter())
    work.run(services)
    assert "the mailbox cannot be read" in caplog.text
    assert (rows(services, mail_in), len(mailbox.stored)) == ([], 1)


def test_without_the_door_nothing_is_read(build_services: Any, mailbox: MailServer) -> None:
    services = build_services(**mailbox.settings, doors=("link",))
    mailbox.put(a_letter())
    assert (services.mail, work.run(services), len(mailbox.stored)) == (None, False, 1)


def test_a_letter_of_a_list_becomes_a_case_where_somebody_says_so(posted: Services, mailbox: MailServer) -> None:
    mailbox.put(a_letter(Precedence="bulk"))
    work.run(posted)
    [letter] = rows(posted, mail_in)
    reference = take.adopt(posted, letter.id, staff_id=new_id())
    [case], [letter] = rows(posted, support_case), rows(posted, mail_in)
    assert (case.reference, letter.case_id, mailbox.posted) == (reference, case.id, [])
    with pytest.raises(Refused):
        take.adopt(posted, letter.id, staff_id=new_id())


def test_a_mailbox_that_lets_nothing_be_put_away_is_read_all_the_same(posted: Services, mailbox: MailServer) -> None:
    mailbox.is_read_only = True
    for number in range(3):
        mailbox.put(a_letter(f"{FREE_WORDS} {number}", message_id=None))
        work.run(posted)
    assert (len(rows(posted, mail_in)), len(mailbox.stored)) == (3, 3)


def test_a_letter_that_is_longer_than_we_keep_stays_and_the_answer_does_not_say_otherwise(
    posted: Services, mailbox: MailServer
) -> None:
    mailbox.put(a_letter("panjang sekali " * 2_000, photos=30_000))
    work.run(posted)
    [letter] = rows(posted, mail_in)
    assert (letter.is_cut, len(mailbox.stored)) == (True, 1)
    text = mailbox.letters()[0].get_content()
    assert ("tidak kami buka" in text, "hapus" in text) == (True, False)
