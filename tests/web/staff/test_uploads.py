"""Lists in the browser: brought, columns named, checked, recorded; whose they are; what is no list."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from notifier.access.roles import Role
from notifier.core.states import State
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, desk, uploads
from notifier.store.tables import upload, upload_chunk, upload_refusal
from tests.canaries import stands_in
from tests.fakes import FakeClock, FakeGateway
from tests.uploads import HEADER, a_list, row, seen, work
from tests.web.staff.conftest import OTHER_FACILITY, Desk, NewDesk

BAD = row(3, nik="123", given_on="31/02/2026")


def bring(desk: Desk, data: bytes, name: str = "daftar.csv") -> TestResponse:
    desk.get("/uploads/new")
    return desk.post("/uploads/new", {"file": (io.BytesIO(data), name)})


def brought(desk: Desk, data: bytes) -> str:
    """The reference of a file that was taken."""
    response = bring(desk, data)
    assert response.status_code == 303, response.text
    return response.location.rpartition("/")[2]


def form_of(page: str) -> dict[str, str]:
    """The columns as the page has them chosen."""
    chosen = {}
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        found = re.search(r'value="([^"]*)" selected', options)
        chosen[name] = found[1] if found else ""
    return chosen


def checked(desk: Desk, services: Services, data: bytes) -> str:
    """The reference of a list that was checked as guessed."""
    reference = brought(desk, data)
    chosen = form_of(desk.get(f"/uploads/{reference}").text)
    response = desk.post(f"/uploads/{reference}/columns", chosen)
    assert (response.status_code, response.location) == (303, f"/uploads/{reference}?live=1")
    work(services)
    return reference


def start(desk: Desk, reference: str, count: int) -> TestResponse:
    desk.get(f"/uploads/{reference}")
    return desk.post(f"/uploads/{reference}/record", {"count": str(count)})


def test_a_list_is_brought_checked_and_recorded(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    assert "Belum ada daftar yang diunggah" in worker.get("/uploads").text
    data = a_list([row(1), row(2, phone=""), row(2, phone=""), BAD, row(4, phone="021-555")])
    reference = brought(worker, data)
    page = worker.get(f"/uploads/{reference}").text
    assert "daftar.csv" in page
    assert form_of(page)["column-2"] == "birth_date"
    assert "••/••/••••" in page
    assert "Siti" not in page
    assert "31740000000000" not in page

    worker.post(f"/uploads/{reference}/columns", form_of(page))
    assert "0 dari 5 baris sudah diperiksa" in worker.get(f"/uploads/{reference}?live=1").text
    assert 'http-equiv="refresh"' in worker.get(f"/uploads/{reference}?live=1").text
    work(services)
    page = worker.get(f"/uploads/{reference}?live=1").text
    assert 'http-equiv="refresh"' not in page
    assert "3 dosis siap dicatat. 1 baris ditolak." in page
    assert "Catat 3 dosis" in page
    assert "NIK terdiri dari 16 angka" in page
    assert "Tulis tanggal seperti 23/11/2026" in page
    with services.db.read() as conn:
        assert desk.listed(conn, states=[], facility_id=None, limit=10) == []

    assert start(worker, reference, 3).location == f"/uploads/{reference}?done=started&live=1"
    work(services)
    page = worker.get(f"/uploads/{reference}").text
    assert "Selesai dicatat" in page
    assert seen(services, reference).recorded == {
        "outcomes": {"planned": 1, "suppressed": 2, "repeated": 1},
        "reasons": {"no-phone": 1, "bad-phone": 1},
    }
    rows = worker.get(f"/uploads/{reference}/rows").text
    [message] = [found for found in re.findall(r"/messages/(\w{10})", rows)][:1]
    assert worker.get(f"/messages/{message}").status_code == 200
    clock.tick(minutes=9)
    Sender(services).send_batch(10)
    assert gateway.sent == []
    clock.tick(minutes=2)
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1


def test_refused_rows_go_back_as_a_file_that_is_uploaded_again_alone(worker: Desk, services: Services) -> None:
    reference = checked(worker, services, a_list([row(1), BAD, row(5, name="=1+1", phone="+62 812-0000-0005")]))
    response = worker.get(f"/uploads/{reference}/refused.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"ditolak-{reference}.csv" in response.headers["Content-Disposition"]
    text = response.get_data().decode("utf-8-sig")
    header, first, second = text.splitlines()
    assert header == "alasan ditolak;" + HEADER
    assert first.startswith('"3: NIK: NIK terdiri dari 16 angka')
    assert "Tanggal suntikan: Tulis tanggal" in first
    assert ";'=1+1;" in second
    assert ";'+62 812-0000-0005;" in second

    corrected = text.replace("123;", "3174000000000003;", 1).replace("31/02/2026", "20/02/2026")
    corrected = corrected.replace("'=1+1", "Budi")
    again = checked(worker, services, corrected.encode("utf-8"))
    assert seen(services, again).checked == {"counts": {"good": 2}, "rules": {}}
    with services.db.read() as conn:
        taken = audit.of_subjects(conn, [seen(services, reference).id])
    assert "upload.refused-rows-taken" in [line.action for line in taken]


def test_a_choice_of_columns_is_kept_for_the_facilitys_next_file(worker: Desk, new_desk: NewDesk) -> None:
    data = a_list([row(1)], HEADER.replace("nama", "siapa"))
    reference = brought(worker, data)
    chosen = form_of(worker.get(f"/uploads/{reference}").text)
    assert chosen["column-1"] == ""
    response = worker.post(f"/uploads/{reference}/columns", chosen)
    assert response.status_code == 422
    assert "Nama lengkap: Pilih kolom mana yang memuat ini" in response.text
    assert form_of(response.text) == chosen
    response = worker.post(f"/uploads/{reference}/columns", chosen | {"column-1": "nik"})
    assert response.status_code == 422
    assert "NIK: Dipilih untuk lebih dari satu kolom" in response.text
    assert worker.post(f"/uploads/{reference}/columns", chosen | {"column-1": "name"}).status_code == 303
    again = brought(worker, data)
    assert form_of(worker.get(f"/uploads/{again}").text)["column-1"] == "name"
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    theirs = brought(other, data)
    assert form_of(other.get(f"/uploads/{theirs}").text)["column-1"] == ""


def test_a_choice_that_is_none_is_refused(worker: Desk) -> None:
    reference = brought(worker, a_list([row(1)]))
    chosen = form_of(worker.get(f"/uploads/{reference}").text)
    assert worker.post(f"/uploads/{reference}/columns", chosen | {"column-7": "password"}).status_code == 422
    assert "Menunggu arti kolom" in worker.get("/uploads").text


def test_another_facilitys_list_is_not_there(
    worker: Desk, new_desk: NewDesk, operator: Desk, services: Services
) -> None:
    reference = checked(worker, services, a_list([row(1), BAD]))
    other = new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY)
    assert reference not in other.get("/uploads").text
    for path in ("", "/rows", "/refused.csv"):
        assert other.get(f"/uploads/{reference}{path}").status_code == 404
        assert operator.get(f"/uploads/{reference}{path}").status_code == 200
    for deed in ("columns", "record", "pause", "resume", "cancel"):
        other.get("/uploads")
        assert other.post(f"/uploads/{reference}/{deed}", {"count": "1"}).status_code == 404
    assert seen(services, reference).status == uploads.UploadStatus.CHECKED


def test_a_facility_uploads_its_own_doses_alone_and_an_operator_any(
    worker: Desk, operator: Desk, services: Services
) -> None:
    data = a_list([f"{row(1)};", f"{row(2)};pkm-1", f"{row(3)};pkm-2"], HEADER + ";kode faskes")
    own = seen(services, checked(worker, services, data))
    assert own.checked == {"counts": {"good": 2, "bad": 1}, "rules": {"facility_id other-facility": 1}}
    assert start(worker, own.reference, 2).status_code == 303
    work(services)
    with services.db.read() as conn:
        rows = desk.listed(conn, states=[], facility_id="pkm-1", limit=10)
        assert len(rows) == 2
        assert desk.facility_name(conn, "pkm-1") == "Puskesmas pkm-1"
    every = seen(services, checked(operator, services, data))
    assert every.checked["counts"]["good"] + every.checked["counts"].get("known", 0) == 3
    assert "bad" not in every.checked["counts"]


def test_two_who_press_at_once_start_it_once(worker: Desk, new_desk: NewDesk, services: Services) -> None:
    reference = checked(worker, services, a_list([row(1), row(2)]))
    lead = new_desk("lena", Role.FACILITY_LEAD)
    worker.get(f"/uploads/{reference}")
    assert start(lead, reference, 2).status_code == 303
    response = worker.post(f"/uploads/{reference}/record", {"count": "2"})
    assert response.status_code == 409
    assert "baru saja berubah" in response.text
    work(services)
    assert seen(services, reference).recorded["outcomes"] == {"planned": 2}
    assert start(worker, reference, 2).status_code == 409


@pytest.mark.parametrize("count", ["1", "3", "-1", "banyak", ""])
def test_another_count_than_was_shown_records_nothing(worker: Desk, services: Services, count: str) -> None:
    reference = checked(worker, services, a_list([row(1), row(2)]))
    worker.get(f"/uploads/{reference}")
    assert worker.post(f"/uploads/{reference}/record", {"count": count}).status_code == 409
    assert seen(services, reference).status == uploads.UploadStatus.CHECKED


def test_a_paused_list_waits_and_a_cancelled_one_is_gone(worker: Desk, services: Services) -> None:
    reference = checked(worker, services, a_list([row(1), row(2)]))
    start(worker, reference, 2)
    worker.get(f"/uploads/{reference}")
    assert worker.post(f"/uploads/{reference}/cancel").status_code == 409
    assert worker.post(f"/uploads/{reference}/pause").status_code == 303
    work(services)
    page = worker.get(f"/uploads/{reference}?done=paused").text
    assert "Tidak ada baris lagi yang diproses" in page
    assert seen(services, reference).rows_done == 0
    assert worker.post(f"/uploads/{reference}/pause").status_code == 409
    assert worker.post(f"/uploads/{reference}/resume").status_code == 303
    work(services)
    assert seen(services, reference).recorded["outcomes"] == {"planned": 2}
    assert worker.post(f"/uploads/{reference}/cancel").status_code == 409

    other = checked(worker, services, a_list([row(7), BAD]))
    worker.get(f"/uploads/{other}")
    assert worker.post(f"/uploads/{other}/cancel").status_code == 303
    assert "Daftar dibuang" in worker.get(f"/uploads/{other}?done=cancelled").text
    with services.db.read() as conn:
        for table in (upload_chunk, upload_refusal):
            assert conn.execute(table.select().where(table.c.upload_id == seen(services, other).id)).all() == []


def xlsx() -> bytes:
    """As much of one as anybody looks at."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "kosong"),
        (b"\xef\xbb\xbf\r\n\r\n", "kosong"),
        (HEADER.encode(), "Hanya ada judul kolom"),
        (HEADER.encode() + b"\r\n;;;;;;;\r\n", "Hanya ada judul kolom"),
        (xlsx(), "simpan sebagai CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "simpan sebagai CSV"),
        (b"%PDF-1.7\n%", "bukan berkas CSV"),
        (b"na\0ma;nik\r\nSiti;1", "bukan berkas CSV"),
        (b'{"event_id": "1"}\n', "JSON"),
        (row(1).encode() + b"\r\n" + row(2).encode(), "harus berisi judul kolom"),
        (b'"nama;nik\r\nSiti;1', "tanda kutip"),
        (b";".join([b"x"] * 10_000) + b"\r\n1", "100 kolom"),
        (b"nama" * 20_000 + b"\r\nx", "bukan berkas CSV"),
        (b"\x1f\x8b\x08\x00rubbish", "terpotong atau rusak"),
        ((HEADER + "\r\n").encode() + b"a;b\r\n" * 200_001, "200.000 baris"),
    ],
)
def test_what_is_no_list_is_told_apart_and_nothing_is_kept(
    worker: Desk, services: Services, data: bytes, words: str
) -> None:
    response = bring(worker, data)
    assert response.status_code == 422
    assert words in response.text
    assert 'aria-describedby="file-problem"' in response.text
    with services.db.read() as conn:
        assert conn.execute(upload.select()).all() == []


def test_a_form_without_a_file_says_so(worker: Desk) -> None:
    worker.get("/uploads/new")
    for data in ({}, {"file": "daftar.csv"}, {"file": (io.BytesIO(b""), "")}):
        response = worker.post("/uploads/new", dict(data))
        assert response.status_code == 422
        assert "Pilih berkasnya dulu" in response.text


def test_a_file_beyond_forty_megabytes_is_refused_with_words(worker: Desk, services: Services) -> None:
    response = bring(worker, (HEADER + "\r\n").encode() + b"x" * (41 * 1024 * 1024))
    assert response.status_code == 413
    assert "Paling besar 40 MB" in response.text
    with services.db.read() as conn:
        assert conn.execute(upload.select()).all() == []


def test_only_this_form_may_be_large(worker: Desk) -> None:
    worker.get("/messages")
    assert worker.post("/messages", {"q": "x" * 100_000}).status_code == 413
    worker.get("/uploads/new")
    assert bring(worker, a_list([row(number) for number in range(2_000)])).status_code == 303


def test_an_upload_that_is_cut_off_keeps_nothing(app: Flask, worker: Desk, services: Services) -> None:
    worker.get("/uploads/new")
    body = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{worker.token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    ).encode() + a_list([row(1)])
    whole: dict[str, Any] = {"content_type": "multipart/form-data; boundary=b"}
    broken = worker.client.post("/uploads/new", input_stream=io.BytesIO(body), content_length=len(body) + 500, **whole)
    assert broken.status_code == 400
    unended = worker.client.post("/uploads/new", data=body, **whole)
    assert unended.status_code in {400, 422}
    with services.db.read() as conn:
        assert conn.execute(upload.select()).all() == []


def test_a_list_without_a_form_token_is_not_taken(worker: Desk, services: Services) -> None:
    response = worker.client.post("/uploads/new", data={"file": (io.BytesIO(a_list([row(1)])), "a.csv")})
    assert response.status_code == 400
    with services.db.read() as conn:
        assert conn.execute(upload.select()).all() == []


def test_nothing_of_a_list_lies_in_the_clear(worker: Desk, services: Services) -> None:
    checked(worker, services, a_list([row(1), BAD]))
    with services.db.read() as conn:
        kept = [repr(line) for table in (upload, upload_chunk, upload_refusal) for line in conn.execute(table.select())]
    for secret in ("Siti", "3174", "0812", "1989", "daftar.csv", "tgl lahir"):
        assert not [line for line in kept if stands_in(secret, line)]


def test_an_auditor_may_not_see_lists(new_desk: NewDesk) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    assert auditor.get("/uploads").status_code == 403


def test_many_refused_rows_and_many_lists_come_page_by_page(worker: Desk, services: Services) -> None:
    reference = checked(worker, services, a_list([row(number, nik="1") for number in range(120)]))
    page = worker.get(f"/uploads/{reference}").text
    assert page.count('data-label="Yang salah"') == 50
    assert f"/uploads/{reference}?after=51#refused" in page
    assert worker.get(f"/uploads/{reference}?after=101").text.count('data-label="Yang salah"') == 20
    assert worker.get(f"/uploads/{reference}?after=x").status_code == 200
    references = [reference] + [brought(worker, a_list([row(1)])) for _ in range(51)]
    first = worker.get("/uploads").text
    assert references[-1] in first
    assert references[0] not in first
    rest = worker.get(f"/uploads?before={references[2]}").text
    assert [one in rest for one in references[:3]] == [True, True, False]


def test_the_lane_of_a_list_is_bulk_and_its_doses_are_the_starters(worker: Desk, services: Services) -> None:
    reference = checked(worker, services, a_list([row(1)]))
    start(worker, reference, 1)
    work(services)
    with services.db.read() as conn:
        [message] = desk.listed(conn, states=[State.SCHEDULED], facility_id=None, limit=10)
        last = desk.last_entered(conn, "pkm-1", seen(services, reference).started_by)
    assert (message.lane, message.dose_id) == ("bulk", last.id if last else None)
