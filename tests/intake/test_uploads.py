"""Uploaded lists: encodings, columns, what a check finds, what is recorded, what is handed back, what is forgotten."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core import csv_cells
from notifier.core.errors import BadInput, Refused
from notifier.intake.cells import begins_formula, harmless, without_mark
from notifier.intake.uploads import columns, deeds, look, steps
from notifier.intake.uploads.pieces import lease_length, name_of
from notifier.intake.uploads.receive import Uploader
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import events, persons, staff, uploads
from notifier.store.tables import upload_chunk, upload_refusal
from notifier.store.uploads import UploadStatus
from tests.fakes import FakeClock
from tests.uploads import FACILITY, HEADER, a_list, an_uploader, checked, received, recorded, row, seen, work

JOSE = "José Ñandú Šimon"
TEXT = f"{HEADER}\r\n{row(1, name=JOSE)}\r\n"


@pytest.fixture
def by(services: Services) -> Uploader:
    return an_uploader(services)


def counts(services: Services, reference: str) -> dict[str, int]:
    found: dict[str, int] = seen(services, reference).checked["counts"]
    return found


def rules(services: Services, reference: str) -> set[str]:
    return set(seen(services, reference).checked["rules"])


def only_person(services: Services) -> persons.Person:
    index = persons.nik_index(services.sealer, "3174000000000001")
    with services.db.read() as conn:
        found = persons.find_by_nik(conn, index)
        assert found is not None
        return persons.get(conn, services.sealer, found)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("cp1252"), "Windows-1252"),
        (gzip.compress(TEXT.encode("cp1252"), mtime=0), "Windows-1252"),
        (gzip.compress(TEXT.encode("utf-16"), mtime=0), "UTF-16"),
    ],
)
def test_the_letters_of_a_file_are_read_whatever_saved_it(
    services: Services, by: Uploader, data: bytes, encoding: str
) -> None:
    reference = recorded(services, by, data)
    assert seen(services, reference).encoding == encoding
    assert only_person(services).name == JOSE


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_marks_between_cells_are_found(services: Services, by: Uploader, delimiter: str) -> None:
    text = a_list([row(1)]).decode().replace(";", delimiter)
    assert counts(services, checked(services, by, text.encode())) == {"good": 1}


def test_a_damaged_letter_spoils_its_own_row_alone(services: Services, by: Uploader) -> None:
    data = a_list([row(1, name=JOSE), row(2, name="Jos?")]).replace(b"Jos?", b"Jos\xe9")
    reference = checked(services, by, data)
    assert counts(services, reference) == {"good": 1, "bad": 1}
    assert rules(services, reference) == {"row encoding"}


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (row(1, nik="12"), "nik nik-length"),
        (row(1, birth_date="31/02/1989"), "birth_date date"),
        (row(1, phone="8,12E+10"), "phone number-shortened"),
        (row(1, name="=cmd|'/C calc'!A0"), "name formula"),
        (row(1, name="'=cmd|'/C calc'!A0"), "name formula"),
        (row(1, name="Si\0ti"), "name bad-character"),
        (row(1) + ";x", "row too-many-cells"),
        ("31;x", "row too-few-cells"),
        (row(1, name='"Siti'), "row quotes"),
        (row(1, name="x" * 70_000), "row line-too-long"),
        (row(1, given_on="1/1/2030"), "given_on in-future"),
        (row(1, nik=""), "dose_id required"),
    ],
)
def test_a_bad_row_is_told_by_line_column_and_rule_and_the_others_are_good(
    services: Services, by: Uploader, bad: str, rule: str
) -> None:
    reference = checked(services, by, a_list([row(8), bad, row(9)]))
    assert counts(services, reference) == {"good": 2, "bad": 1}
    assert rules(services, reference) == {rule}
    [refused], more = look.refusals(services, seen(services, reference), after=0)
    assert (refused.line, more) == (3, False)
    assert f"{refused.problems[0]['field']} {refused.problems[0]['rule']}" == rule


def test_rows_of_one_dose_are_held_against_each_other_over_the_whole_file(services: Services, by: Uploader) -> None:
    rows = [row(number) for number in range(1_200)]
    rows += [row(3), row(1_199), row(4, lot="BX-2")]
    reference = checked(services, by, a_list(rows))
    assert counts(services, reference) == {"good": 1_200, "duplicate": 2, "bad": 1}
    assert rules(services, reference) == {"dose_id dose-twice"}


def test_what_was_recorded_before_is_known_and_a_changed_dose_is_a_change(services: Services, by: Uploader) -> None:
    recorded(services, by, a_list([row(1), row(2)]))
    again = checked(services, by, a_list([row(1), row(2, lot="BX-9"), row(3)]))
    assert counts(services, again) == {"known": 1, "good": 2, "change": 1}
    deeds.record(services, again, count=2, by=by)
    work(services)
    assert seen(services, again).recorded["outcomes"] == {"repeated": 1, "updated": 1, "planned": 1}


def test_who_could_not_get_an_sms_is_told_beforehand(services: Services, by: Uploader) -> None:
    recorded(services, by, a_list([row(1)]))
    rows = [
        row(1, phone="", product="Influenza"),  # known, with a number
        row(2, phone=""),
        row(3, phone="021-5550100"),
        row(4, phone="+62 812-0000-0004"),
        row(5, phone="'+62 812-0000-0005"),
    ]
    reference = recorded(services, by, a_list(rows))
    assert counts(services, reference) == {"good": 5, "no-phone": 1, "bad-phone": 1}
    assert seen(services, reference).recorded == {
        "outcomes": {"planned": 3, "suppressed": 2},
        "reasons": {"no-phone": 1, "bad-phone": 1},
    }


def test_a_person_of_other_data_is_refused_in_the_check_already(services: Services, by: Uploader) -> None:
    header = HEADER + ";id orang"
    recorded(services, by, a_list([row(1) + ";p1"], header))
    other = row(2, name="Budi", birth_date="1/1/1970") + ";p1"
    assert rules(services, checked(services, by, a_list([other], header))) == {"person_id person-differs"}


def test_an_event_id_of_other_content_is_refused(services: Services, by: Uploader) -> None:
    header = HEADER + ";event_id"
    recorded(services, by, a_list([row(1) + ";e1"], header))
    assert rules(services, checked(services, by, a_list([row(2) + ";e1"], header))) == {"event_id conflict"}


def test_a_facility_cannot_touch_another_facilitys_dose(services: Services, by: Uploader) -> None:
    other = an_uploader(services, "pkm-2", "made")
    header = HEADER + ";id dosis;event_type"
    recorded(services, other, a_list([row(1) + ";d1;recorded"], header))
    for kind in ("recorded", "corrected", "entered_in_error"):
        reference = checked(services, by, a_list([row(1, lot="X") + f";d1;{kind}"], header))
        assert rules(services, reference) == {"facility_id other-facility"}
    own = recorded(services, other, a_list([row(1) + ";d1;entered_in_error"], header))
    assert seen(services, own).recorded["outcomes"] == {"withdrawn": 1}


def test_a_dose_that_another_facility_records_after_the_check_is_refused_then(services: Services, by: Uploader) -> None:
    header = HEADER + ";id dosis"
    mine = checked(services, by, a_list([row(1) + ";d1", row(2) + ";d2"], header))
    recorded(services, an_uploader(services, "pkm-2", "made"), a_list([row(1) + ";d1"], header))
    deeds.record(services, mine, count=2, by=by)
    work(services)
    assert seen(services, mine).recorded["outcomes"] == {"planned": 1, "refused": 1}
    [refused], _ = look.refusals(services, seen(services, mine), after=0)
    assert refused.problems[0]["rule"] == "other-facility"


def test_what_the_check_refused_stays_refused_whatever_day_it_is(
    services: Services, by: Uploader, clock: FakeClock
) -> None:
    reference = checked(services, by, a_list([row(1, given_on="25/11/2026"), row(2)]))
    assert counts(services, reference) == {"good": 1, "bad": 1}
    clock.tick(days=3)
    deeds.record(services, reference, count=1, by=by)
    work(services)
    assert seen(services, reference).recorded["outcomes"] == {"planned": 1}


def test_the_columns_may_be_named_anew_and_the_check_begins_again(services: Services, by: Uploader) -> None:
    reference = checked(services, by, a_list([row(1, nik="1"), row(2)]))
    assert counts(services, reference) == {"good": 1, "bad": 1}
    chosen = list(seen(services, reference).columns)
    chosen[0] = "person_id"
    deeds.name_columns(services, reference, chosen, by=by)
    work(services)
    assert counts(services, reference) == {"good": 2}
    assert look.refusals(services, seen(services, reference), after=0) == ([], False)


def test_lists_take_turns_and_a_pause_holds_between_two_pieces(services: Services, by: Uploader) -> None:
    large = received(services, by, a_list([row(number) for number in range(1, 1_200)]))
    deeds.name_columns(services, large, seen(services, large).columns, by=by)
    with services.db.write() as conn:
        claimed = uploads.claim(conn, "mine", services.db.lease(lease_length(services)))
    assert claimed is not None
    assert not steps.run(services)  # somebody has it
    deeds.pause(services, large, by=by)
    with services.db.write() as conn:
        assert uploads.hold(conn, claimed.id, "mine") is None
    with pytest.raises(Refused):
        deeds.pause(services, large, by=by)
    deeds.resume(services, large, by=by)
    work(services)
    assert counts(services, large) == {"good": 1_199}


def test_a_list_whose_pieces_fail_again_and_again_is_set_aside_until_somebody_goes_on(
    services: Services, by: Uploader, clock: FakeClock
) -> None:
    reference = received(services, by, a_list([row(1)]))
    deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
    for _ in range(steps.MOST_ATTEMPTS):
        with services.db.write() as conn:  # a worker that dies over it
            assert uploads.claim(conn, "dead", services.db.lease(lease_length(services))) is not None
        clock.tick(minutes=2)
    assert steps.run(services)
    assert seen(services, reference).is_stuck
    assert not steps.run(services)
    deeds.resume(services, reference, by=by)
    work(services)
    assert seen(services, reference).status == UploadStatus.CHECKED


def test_a_tick_finds_lists_that_wait_and_lists_that_are_old(
    services: Services, by: Uploader, clock: FakeClock
) -> None:
    reference = received(services, by, a_list([row(1), row(2, nik="1")]))
    assert not tick(services).uploads
    deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
    clock.tick(seconds=1)
    assert tick(services).uploads
    work(services)
    clock.tick(days=7, seconds=-1)
    assert not tick(services).uploads
    clock.tick(seconds=1)
    assert tick(services).uploads
    assert steps.run(services)
    found = seen(services, reference)
    assert (found.status, found.emptied_at) == (UploadStatus.EXPIRED, clock.now())
    assert found.checked["counts"] == {"good": 1, "bad": 1}
    with services.db.read() as conn:
        for table in (upload_chunk, upload_refusal):
            assert conn.execute(table.select()).all() == []
    with pytest.raises(Refused):
        deeds.record(services, reference, count=1, by=by)
    clock.tick(seconds=1)
    assert not tick(services).uploads


def test_once_recorded_the_file_is_gone_and_its_refused_rows_stay_a_week(services: Services, by: Uploader) -> None:
    reference = recorded(services, by, a_list([row(1), row(2, nik="1")]))
    with services.db.read() as conn:
        [chunk] = conn.execute(upload_chunk.select()).all()
        assert (chunk.body_sealed, chunk.dose_keys) == (None, None)
        assert len(conn.execute(upload_refusal.select()).all()) == 1
    [[line, outcome, reason, _reference]] = look.results(services, seen(services, reference), 0)
    assert (line, outcome, reason) == (2, "planned", None)


def test_a_file_of_refused_rows_comes_back_as_it_went_whatever_stands_in_it(services: Services, by: Uploader) -> None:
    nasty = ["=1", "+x", "-x", "@x", "\tx", "'=1", "a;b", 'say ""hi""', "-", "'Aisyah"]
    rows = [row(number, nik="1", name=f'"{name}"') for number, name in enumerate(nasty)]
    reference = checked(services, by, a_list([*rows, row(90, name='"open'), "1;2"]))
    for _ in range(2):  # the file of the file too
        found = seen(services, reference)
        text = "".join(look.refused_file(services, found, heading="alasan ditolak", explain=_plain, by=by))
        read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
        assert read[0] == ["alasan ditolak", *HEADER.split(";")]
        cells = [line[2] for line in read[1 : len(nasty) + 1]]
        assert cells == ["'=1", "'+x", "'-x", "'@x", "'\tx", "'=1", "a;b", 'say "hi"', "'-", "'Aisyah"]
        assert not [cell for line in read for cell in line if begins_formula(cell)]
        reference = checked(services, by, text.encode())


def _plain(field: str, rule: str) -> str:
    return f"{field} {rule}"


@pytest.mark.parametrize("cell", ["=1", " +1", "\n=1", "|cmd", "%0A=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"])
def test_what_the_audit_s_table_takes_for_a_formula_is_one_in_a_list_too(cell: str) -> None:
    assert harmless(cell) == csv_cells.harmless(cell) == f"'{cell}"
    assert begins_formula(cell)


@given(st.text(max_size=12))
def test_a_cell_says_the_same_when_it_comes_back(cell: str) -> None:
    out = harmless(without_mark(cell))
    assert not begins_formula(out)
    assert without_mark(out) == without_mark(cell) or without_mark(cell).lstrip(" ").startswith("\0")


@given(st.text(max_size=60))
def test_a_masked_value_shows_two_letters_of_a_word_at_most(cell: str) -> None:
    for run in "".join(ch if ch.isalnum() else " " for ch in columns.masked(cell)).split():
        assert len(run) <= 4


def test_samples_show_the_shape_and_nobody() -> None:
    assert columns.masked("3174031002890009") == "31" + "•" * 14
    assert columns.masked("10/02/1989") == "••/••/••••"
    assert columns.masked("Siti Aminah") == "S••• A•••••"


def test_a_file_name_is_kept_without_folders_and_hidden_letters(services: Services, by: Uploader) -> None:
    reference = received(services, by, a_list([row(1)]), "C:\\Users\\sari\\daf\u202etar\r\n.csv")
    assert name_of(services, seen(services, reference)) == "daftar.csv"
    long = name_of(services, seen(services, received(services, by, a_list([row(1)]), "a" * 300 + " november.csv")))
    assert (len(long), long[-12:]) == (100, "november.csv")


def test_a_choice_that_lacks_a_column_is_refused_by_its_name(services: Services, by: Uploader) -> None:
    reference = received(services, by, a_list([row(1)]))
    with pytest.raises(BadInput) as refused:
        deeds.name_columns(services, reference, ["nik", "name", "", "", "", "", "", ""], by=by)
    assert {problem.field for problem in refused.value.problems} == {"birth_date", "given_on", "product"}


def test_a_recorded_dose_is_the_starters_and_came_through_the_import(services: Services, by: Uploader) -> None:
    recorded(services, by, a_list([row(1)]))
    with services.db.read() as conn:
        assert events.count_by_outcome(conn) == {"planned": 1}
        [who] = staff.everyone(conn)
    assert (who.id, who.facility_id) == (by.staff_id, FACILITY)
