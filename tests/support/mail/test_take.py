"""Letters from the mailbox into cases: each once, whatever is killed; photos unread; programs never answered."""

from __future__ import annotations

from typing import Any

import pytest

from notifier.core.states import CaseKind, CaseStatus, LetterKind
from notifier.services import Services
from notifier.store import mail
from notifier.store.tables import mail_in, mail_out, support_case
from notifier.support.mail import work
from tests.canaries import found_in
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
    assert case.reference in text and case.reference in answer["Subject"]
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
