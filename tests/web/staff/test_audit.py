"""The audit page: filters, pages, the chain's state, the table for a spreadsheet; and that every deed has words."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from linkserver.staff import vocabulary
from notifier.access.roles import Role
from notifier.messages import audit_watch
from notifier.services import Services
from notifier.store import audit, staff
from notifier.store.tables import audit as rows
from notifier.support import audit_desk
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, NewDesk

ROOT = Path(__file__).parents[3]


@pytest.fixture
def auditor(new_desk: NewDesk) -> Desk:
    return new_desk("ayu", Role.AUDITOR, None)


def _write(services: Services, count: int = 1, **changes: str) -> None:
    told = {"actor": "door:api", "action": "event.accepted", "subject": "dose", "subject_id": "0"} | changes
    with services.db.write() as conn:
        for number in range(count):
            audit.write(conn, at=services.clock.now(), **told, reference=f"REF{number:07d}")


def _rows(page: str) -> int:
    return page.count('data-label="Waktu"')


def test_a_deed_is_shown_in_words_with_who_and_why(auditor: Desk, worker: Desk) -> None:
    reference = worker.entered()
    worker.get(f"/messages/{reference}")
    worker.post(f"/messages/{reference}/cancel", {"reason": "salah orang"})
    page = auditor.get("/audit").text
    for words in ("Catatan dosis diterima", "Dibatalkan", "salah orang", "Sari", reference, "Masuk"):
        assert words in page
    for personal in ("Siti Aminah", "3456-7890", "81234567890", "3174035002890009"):
        assert personal not in page


def test_it_is_filtered_by_actor_deed_subject_and_day(
    auditor: Desk, worker: Desk, services: Services, clock: FakeClock
) -> None:
    reference = worker.entered()
    clock.tick(days=1)
    auditor.sign_in("ayu")
    _write(services, 3)

    def found(**told: str) -> str:
        auditor.get("/audit")
        answer = auditor.post("/audit", told)
        assert answer.status_code == 303, answer.text
        assert "sari" not in answer.location.lower()  # a name stands in no address
        return auditor.get(answer.location).text

    with services.db.write() as conn:
        staff.update(
            conn, next(row.id for row in staff.everyone(conn) if row.username == "sari"), display_name="Bu Sri"
        )
    by_sari = _rows(found(actor="sari"))
    assert _rows(found(actor="bu sri")) == by_sari
    assert by_sari >= 2
    assert _rows(found()) >= by_sari + 3
    assert 'value="sari"' in found(actor="Sari")
    assert _rows(found(action="event.accepted")) == 4
    assert _rows(found(subject=reference)) >= 1
    assert _rows(found(subject=reference, actor="door:api")) == 0
    assert _rows(found(since="2026-11-24", action="event.accepted")) == 3
    assert _rows(found(until="2026-11-23", action="event.accepted")) == 1
    assert "Tidak ada catatan di sini" in found(since="2027-01-01")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"actor": "nobody at all"}, "actor"),
        ({"actor": "x" * 141}, "actor"),
        ({"actor": "a\0b"}, "actor"),
        ({"subject": "0000000000"}, "subject"),
        ({"subject": "\0"}, "subject"),
        ({"action": "' OR 1=1"}, "action"),
        ({"since": "tomorrow"}, "since"),
        ({"until": "9999-12-31"}, "until"),
        ({"since": "2026-11-24", "until": "2026-11-23"}, "until"),
    ],
)
def test_a_filter_that_breaks_a_rule_is_said_beside_its_field_and_kept(
    auditor: Desk, told: dict[str, str], field: str
) -> None:
    auditor.get("/audit")
    answer = auditor.post("/audit", told)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert auditor.get("/audit", query_string=told).status_code == 422


def test_a_broken_cursor_is_no_fault_of_ours(auditor: Desk) -> None:
    for cursor in ("x", "%00", "AAAA", "é"):
        assert auditor.get("/audit", query_string={"before": cursor}).status_code == 422


def test_pages_follow_one_another_without_a_gap_or_a_double(auditor: Desk, services: Services) -> None:
    _write(services, 120, action="event.accepted")
    seen: list[str] = []
    path: str | None = "/audit?action=event.accepted"
    pages = 0
    while path:
        page = auditor.get(path).text
        seen += re.findall(r"REF\d{7}", page.replace("/messages/REF", ""))
        older = re.search(r'href="(/audit\?[^"]*before=[^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else None
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 120


def test_the_state_of_the_chain_is_said(auditor: Desk, services: Services, clock: FakeClock) -> None:
    assert "Rantai belum ditandatangani" in auditor.get("/audit").text
    with services.db.write() as conn:
        audit.seal(conn)
    audit_watch.watch(services)
    assert re.search(r"Rantai utuh sampai baris \d+", auditor.get("/audit").text)

    def change(conn: Connection) -> None:
        conn.execute(rows.update().where(rows.c.position == 1).values(actor="somebody else"))

    with services.db.write() as conn:
        change(conn)
    clock.tick(hours=25)
    auditor.sign_in("ayu")
    audit_watch.watch(services)
    assert "Rantai putus di baris 1" in auditor.get("/audit").text


def test_the_table_for_a_spreadsheet_holds_no_formula_and_is_a_deed_itself(auditor: Desk, services: Services) -> None:
    _write(services, 3)
    with services.db.write() as conn:
        for text in ('=HYPERLINK("http://evil")', "+1", "-1", "@x", " =1", "\t=1"):
            audit.write(
                conn,
                at=services.clock.now(),
                actor=text,
                action="event.accepted",
                subject="dose",
                subject_id=text,
                reason=text,
            )
    auditor.get("/audit")
    answer = auditor.post("/audit/export", {"action": "event.accepted"})
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(lines) == 9
    assert not [cell for line in lines for cell in line.values() if cell.lstrip(" ")[:1] in set("=+-@\t")]
    assert "Jejak audit diunduh" in auditor.get("/audit").text


def test_a_long_table_is_whole(auditor: Desk, services: Services) -> None:
    _write(services, 2500)
    auditor.get("/audit")
    text = auditor.post("/audit/export", {"actor": "door:api"}).get_data().decode("utf-8-sig")
    found = [line["detail"] for line in csv.DictReader(io.StringIO(text))]
    assert len(found) == len(set(found)) == 2500


def test_those_who_may_not_read_it_see_no_way_to_it(worker: Desk, operator: Desk) -> None:
    for desk in (worker, operator):
        assert desk.get("/audit").status_code == 403
        assert "/audit" not in desk.get("/").text
        desk.get("/account")
        assert desk.post("/audit/export").status_code == 403


def test_without_the_csrf_token_nothing_is_exported(auditor: Desk, services: Services) -> None:
    assert auditor.client.post("/audit/export").status_code == 400
    assert "audit.exported" not in audit_desk.actions(services)


def test_the_deeds_to_choose_from_are_those_that_were_done(each_services: Services) -> None:
    assert audit_desk.actions(each_services) == []
    for action in ("b.b", "a.a", "c.c", "a.a", "b.b"):
        _write(each_services, action=action)
    assert audit_desk.actions(each_services) == ["a.a", "b.b", "c.c"]


def test_the_list_and_its_cursor_are_the_same_on_both_databases(each_services: Services, clock: FakeClock) -> None:
    for number in range(5):
        _write(each_services, subject_id=str(number))
        clock.tick(seconds=number % 2)
    seen: list[str] = []
    after = None
    while True:
        deeds, more = audit_desk.listed(each_services, audit_desk.Filter(), each_services.zone, after=after, limit=2)
        seen += [deed.row.subject_id for deed in deeds]
        if not more:
            break
        after = (deeds[-1].row.at, deeds[-1].row.id)
    assert sorted(seen) == ["0", "1", "2", "3", "4"]
    day = clock.now().astimezone(each_services.zone).date()
    tomorrow = audit_desk.Filter(since=day + timedelta(days=1))
    assert audit_desk.listed(each_services, tomorrow, each_services.zone, after=None) == ([], False)


def _actions_in_the_code() -> set[str]:
    """Every text of the code that is, or may be, the name of a deed in the audit."""
    shape = re.compile(
        r"(?:event|notification|phone|link|person|not-me|birth-date|case|promise|api-key|audit|certificate|circuit|"
        r"database|events|opt-out|provider|outcome|staff|switch|bulk|bulk-schedule|upload|dead-letter|call|sms-text|"
        r"programme|dose)\.[a-z][a-z-]*"
    )
    found = set()
    for file in (ROOT / "notifier").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword | ast.Call | ast.Assign):
                values = [node.value] if not isinstance(node, ast.Call) else node.args
                found |= {
                    one.value
                    for one in values
                    if isinstance(one, ast.Constant) and isinstance(one.value, str) and shape.fullmatch(one.value)
                }
            if isinstance(node, ast.IfExp):
                found |= {
                    one.value
                    for one in (node.body, node.orelse)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str) and shape.fullmatch(one.value)
                }
    places = {"event.content", "phone.index", "audit.checkpoint", "person.nik", "person.source", "person.id"}
    places |= {
        "dose.id",
        "dose.lot",
        "dose.number",
        "dose.product",
        "staff.code",
        "staff.recovery-code",
        "case.born",
        "case.same",
    }
    return found - places - {"upload.header"}


def test_every_deed_in_the_code_has_words() -> None:
    actions = {one for one in _actions_in_the_code() if not one.startswith(("person.", "event.")) or "-" in one}
    actions |= {"person.unlock", "event.accepted"}
    actions |= {f"bulk-schedule.{deed}" for deed in ("approve", "pause", "resume", "end")}
    assert len(actions) > 70
    missing = {action for action in actions if action.replace(".", "-") not in vocabulary.DEEDS}
    assert missing == set()


def test_every_subject_in_the_code_has_words() -> None:
    texts = [file.read_text() for file in (ROOT / "notifier").rglob("*.py")]
    subjects = {found for text in texts for found in re.findall(r'\bsubject="([a-z-]+)"', text)}
    assert {"bulk", "upload", "dead-letter"} <= subjects
    assert subjects - vocabulary.SUBJECTS.keys() == set()
