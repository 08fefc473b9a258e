"""/kasus in a browser: causes are shown to whoever proved who they are; everybody may report, and learns nothing."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.test import TestResponse

from linkserver import create_public_app
from notifier.core.link_tokens import new_public_id
from notifier.core.states import CaseOutcome, StepKind
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import case_reports, case_steps, cases, persons
from notifier.store.tables import case_picture, support_case
from notifier.support import follow_ups
from notifier.support.missing import trackers
from tests.builders import SITI, a_certificate
from tests.canaries import stands_in
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway, OvertakenDatabase
from tests.losses import LOSSES, lock
from tests.support.missing.reporting import OTHER, PHONE, case_of, reported, steps_of
from tests.web.public.conftest import NewVisitor, Visitor, told

REPORT = {
    "name": "Siti Aminah",
    "day": "10",
    "month": "2",
    "year": "1989",
    "given_day": "13",
    "given_month": "11",
    "given_year": "2026",
    "place": "Puskesmas Menteng",
}
WITH_CODE = {"day": "10", "month": "2", "year": "1989"}


def work(services: Services) -> None:
    """What the workers do in a second."""
    follow_ups.run(services)
    Sender(services).send_batch(100)


def code_in(gateway: FakeGateway) -> str:
    found = re.search(r"\b\d{6}\b", gateway.sent[-1].text)
    assert found is not None
    return found.group()


def begin(visitor: Visitor, phone: str = "0812 3456 7890") -> TestResponse:
    return visitor.post("/kasus", {"phone": phone})


def prove(visitor: Visitor, services: Services, gateway: FakeGateway) -> None:
    begin(visitor)
    work(services)
    assert visitor.post("/kasus/kode", {"code": code_in(gateway)}).location == "/kasus/siapa"


def choose(visitor: Visitor, person_id: str, **typed: str) -> TestResponse:
    return visitor.post("/kasus/siapa", {"person": person_id, **(typed or WITH_CODE)})


def token_of(response: TestResponse) -> str:
    assert response.status_code == 303, response.get_data(as_text=True)
    found = re.fullmatch(r"/kasus/(\w{33})", response.location)
    assert found is not None
    return found[1]


def test_the_cause_is_found_and_mended_by_a_tap(
    services: Services, visitor: Visitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    desk = Desk(services)
    desk.record()
    work(services)
    desk.receive("delivered")
    clock.tick(minutes=2)
    prove(visitor, services, gateway)
    person_id = desk.rows()[-1].person_id
    assert "S." in visitor.get("/kasus/siapa").text
    assert choose(visitor, person_id).location == "/kasus/sebab"
    page = visitor.get("/kasus/sebab").text
    assert "SMS sudah sampai di ponsel" in page
    assert "0812••••90" in page
    found = re.search(r'name="fix" value="([^"]+)"', page)
    assert found is not None
    assert visitor.post("/kasus/sebab", {"fix": found[1]}).location == "/kasus/sebab?done=sent"
    work(services)
    assert "/c/" in gateway.sent[-1].text
    assert "beberapa menit" in visitor.get("/kasus/sebab?done=sent").text


def test_a_wrong_birth_date_is_counted_for_life_and_the_fifth_locks(
    services: Services, visitor: Visitor, gateway: FakeGateway
) -> None:
    made = a_certificate(services)
    prove(visitor, services, gateway)
    pages = [choose(visitor, made.person_id, day="1", month="1", year="1990") for _ in range(5)]
    assert [page.status_code for page in pages] == [422, 422, 422, 422, 423]
    assert "Tinggal 4" in pages[0].text
    assert choose(visitor, made.person_id).status_code == 423


def test_nobody_sees_a_cause_without_the_code_and_the_birth_date(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    made = a_certificate(services)
    begin(visitor)
    assert visitor.get("/kasus/siapa").location == "/kasus"
    assert choose(visitor, made.person_id).location == "/kasus"
    clock.tick(minutes=2)  # a number rests for a minute
    prove(new_visitor(), services, gateway)
    other = a_certificate(services, person=replace(SITI, nik=None, phone=OTHER))
    third = new_visitor()
    third.post("/kasus", {"phone": OTHER})
    work(services)
    third.post("/kasus/kode", {"code": code_in(gateway)})
    assert choose(third, made.person_id).status_code == 422  # not on this number: nothing is tried
    assert third.get("/kasus/sebab").location == "/kasus/siapa"
    assert third.post("/kasus/sebab", {"fix": f"new-link:{made.person_id}:{made.dose_id}"}).status_code == 400
    assert choose(third, other.person_id).location == "/kasus/sebab"


def test_a_number_that_is_nobodys_is_answered_as_any_other(
    services: Services, new_visitor: NewVisitor, gateway: FakeGateway
) -> None:
    a_certificate(services)
    seen = []
    for phone in ("0812 3456 7890", "0857 0000 1111"):
        visitor = new_visitor()
        status, body, headers = told(begin(visitor, phone))
        page = visitor.get("/kasus/kode").text.replace("0812••••90", "#").replace("0857••••11", "#")
        report = visitor.get("/kasus/lapor").text
        seen.append((status, body, [name for name, _ in headers], page, report))
    assert seen[0] == seen[1]
    work(services)
    assert [sms.to for sms in gateway.sent] == [PHONE]


def test_whoever_got_no_code_reports_all_the_same(
    services: Services, visitor: Visitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    begin(visitor, OTHER)
    work(services)
    clock.tick(minutes=2)
    token = token_of(visitor.post("/kasus/lapor", REPORT))
    work(services)
    assert gateway.sent == []  # a number that nobody has proven gets nothing
    page = visitor.get(f"/kasus/{token}").text
    assert "Laporan kami terima" in page
    for secret in ("Siti", "Menteng", "1989", "0857 0000", "8570000"):
        assert not stands_in(secret, page)
    assert visitor.post(f"/kasus/{token}/send-code").location == f"/kasus/{token}?code=1"
    work(services)
    assert visitor.post(f"/kasus/{token}/confirm", {"code": "000000"}).status_code == 422
    assert visitor.post(f"/kasus/{token}/confirm", {"code": code_in(gateway)}).location == f"/kasus/{token}"
    assert "Diperiksa petugas kami" in visitor.get(f"/kasus/{token}").text
    work(services)
    assert f"/kasus/{token} " in gateway.sent[-1].text


def test_a_case_sms_is_one_segment_and_names_nobody(services: Services, gateway: FakeGateway) -> None:
    made = reported(services)
    work(services)
    [sms] = gateway.sent
    assert (sms.segments, sms.to) == (1, PHONE)
    assert made.token in sms.text
    assert "Siti" not in sms.text
    assert " S. " not in sms.text


def test_a_report_keeps_what_was_typed_and_says_what_to_write(visitor: Visitor) -> None:
    begin(visitor)
    page = visitor.post("/kasus/lapor", {**REPORT, "year": "89", "place": "", "nik": "12"})
    assert page.status_code == 422
    for words in ("Tulis tahun dengan 4 angka", "Tulis nama tempat vaksinnya", "NIK terdiri dari 16 angka"):
        assert page.text.count(words) == 2  # above, and beside the field
    assert 'value="Siti Aminah"' in page.text


def test_a_dose_of_yesterday_has_time_left(services: Services, visitor: Visitor) -> None:
    begin(visitor)
    page = visitor.post("/kasus/lapor", {**REPORT, "given_day": "22"})
    assert page.status_code == 200
    assert "24 November 2026" in page.text
    with services.db.read() as conn:
        assert cases.count_open(conn, None) == 0


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: t + "A", str.swapcase]
)
def test_a_forged_token_opens_and_does_nothing(services: Services, visitor: Visitor, change: Any) -> None:
    token = change(reported(services).token)
    said: list[str] = []
    sa.event.listen(services.db.engine, "before_cursor_execute", lambda *asked: said.append(asked[2]))
    assert visitor.get(f"/kasus/{token}").status_code == 404
    for deed in ("word", "withdraw", "send-code", "confirm"):
        assert visitor.post(f"/kasus/{token}/{deed}", {"words": "x", "sure": "yes", "code": "1"}).status_code == 404
    assert said == []


def test_a_certificates_link_opens_no_case_and_a_case_no_certificate(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services)
    assert visitor.get(f"/kasus/{made.token}").status_code == 404
    assert visitor.get(f"/c/{reported(services).token}").status_code == 404
    assert visitor.get(f"/kasus/{services.trackers.sign(new_public_id())}").status_code == 404


def test_a_tracker_ends_ninety_days_after_its_case(services: Services, visitor: Visitor, clock: FakeClock) -> None:
    token = reported(services).token
    trackers.withdraw(services, token)
    assert "Anda batalkan" in visitor.get(f"/kasus/{token}").text
    clock.tick(days=90)
    assert visitor.get(f"/kasus/{token}").status_code == 410
    assert visitor.post(f"/kasus/{token}/word", {"words": "halo"}).status_code in {303, 404}


def test_words_and_withdrawal_from_the_tracker(services: Services, visitor: Visitor) -> None:
    made = reported(services, picture=b"jpeg")
    address = f"/kasus/{made.token}"
    assert visitor.post(f"{address}/word", {"words": " "}).status_code == 422
    assert visitor.post(f"{address}/word", {"words": "x" * 501}).status_code == 422
    assert visitor.post(f"{address}/word", {"words": "Vaksinnya di sekolah"}).location == address
    assert visitor.get(f"{address}/withdraw").location == address  # a GET changes nothing
    assert "Ya, batalkan" in visitor.post(f"{address}/withdraw").text
    assert visitor.post(f"{address}/withdraw", {"sure": "yes"}).location == address
    case = case_of(services, made.reference)
    assert case.outcome == CaseOutcome.WITHDRAWN
    assert steps_of(services, case.id)[-2:] == [StepKind.WORD, StepKind.WITHDRAWN]
    assert visitor.post(f"{address}/word", {"words": "lagi"}).location == address
    with services.db.read() as conn:
        assert conn.execute(sa.select(case_picture)).all() == []


def test_words_are_five_a_day(services: Services, visitor: Visitor) -> None:
    address = f"/kasus/{reported(services).token}/word"
    assert [visitor.post(address, {"words": f"kata {turn}"}).status_code for turn in range(6)] == [303] * 5 + [429]


def test_another_site_can_press_nothing(services: Services, visitor: Visitor) -> None:
    token = reported(services).token
    for path in ("/kasus", "/kasus/kode", "/kasus/siapa", "/kasus/sebab", "/kasus/lapor", f"/kasus/{token}/withdraw"):
        assert visitor.post(path, {}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_forged_or_old_cookie_is_nobodys(services: Services, visitor: Visitor, clock: FakeClock) -> None:
    visitor.client.set_cookie("kasus", "abc.def")
    assert visitor.get("/kasus/lapor").location == "/kasus"
    begin(visitor)
    assert visitor.get("/kasus/lapor").status_code == 200
    kept = visitor.client.get_cookie("kasus")
    assert kept is not None
    assert "81234567890" not in kept.value
    clock.tick(minutes=31)
    assert visitor.get("/kasus/lapor").location == "/kasus"


def test_a_cookie_that_another_version_wrote_is_nobodys(services: Services, visitor: Visitor) -> None:
    at = int(services.clock.now().timestamp())
    text = json.dumps({"phone": PHONE, "is_proven": True, "proven_at": at, "at": at, "persons": ["someone"]})
    sealed = base64.urlsafe_b64encode(services.sealer.seal("cookie:kasus", "name", text)).decode()
    visitor.client.set_cookie("kasus", f"name.{sealed}")
    for page in ("siapa", "sebab", "lapor", "kode"):
        assert visitor.get(f"/kasus/{page}").location == "/kasus"


def test_a_proof_is_over_after_an_hour_however_it_is_kept_warm(
    services: Services, visitor: Visitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    a_certificate(services)
    prove(visitor, services, gateway)
    for _ in range(3):
        clock.tick(minutes=18)
        assert visitor.get("/kasus/lapor").status_code == 200
    assert visitor.get("/kasus/siapa").status_code == 200
    clock.tick(minutes=18)
    assert visitor.get("/kasus/siapa").location == "/kasus"


def proved(visitor: Visitor, services: Services, gateway: FakeGateway) -> str:
    """A browser that proved to be Siti; the address of what a tap mends."""
    desk = Desk(services)
    desk.record()
    work(services)
    desk.receive("delivered")
    prove(visitor, services, gateway)
    assert choose(visitor, desk.rows()[-1].person_id).location == "/kasus/sebab"
    found = re.search(r'name="fix" value="([^"]+)"', visitor.get("/kasus/sebab").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_proved_is_over_the_moment_it_is_true_no_more(
    services: Services, visitor: Visitor, gateway: FakeGateway, loss: str
) -> None:
    tap = proved(visitor, services, gateway)
    LOSSES[loss](services, tap.split(":")[1])
    assert visitor.get("/kasus/sebab").location == "/kasus/siapa"
    assert visitor.post("/kasus/sebab", {"fix": tap}).location == "/kasus/sebab?done=gone"
    work(services)
    assert "/c/" not in gateway.sent[-1].text
    made = token_of(visitor.post("/kasus/lapor", REPORT))
    with services.db.read() as conn:
        case = case_reports.by_public_id(conn, services.trackers.read(made))
    assert case is not None
    assert case.person_id is None


@pytest.mark.parametrize("loss", LOSSES)
def test_a_tap_is_worth_nothing_where_the_proof_went_at_that_moment(
    services: Services, new_visitor: NewVisitor, visitor: Visitor, gateway: FakeGateway, loss: str
) -> None:
    tap = proved(visitor, services, gateway)
    overtaken = OvertakenDatabase(services.db, lambda: LOSSES[loss](services, tap.split(":")[1]))
    slow = new_visitor(replace(services, db=overtaken))
    held = visitor.client.get_cookie("kasus")
    assert held is not None
    slow.client.set_cookie("kasus", held.value)
    assert slow.post("/kasus/sebab", {"fix": tap}).location == "/kasus/sebab?done=gone"
    assert overtaken.meanwhile == []
    work(services)
    assert "/c/" not in gateway.sent[-1].text


def test_whoever_is_unlocked_again_goes_on(services: Services, visitor: Visitor, gateway: FakeGateway) -> None:
    tap = proved(visitor, services, gateway)
    lock(services, tap.split(":")[1])
    assert visitor.get("/kasus/sebab").status_code == 303
    with services.db.write() as conn:
        persons.unlock(conn, tap.split(":")[1])
    assert visitor.post("/kasus/sebab", {"fix": tap}).location == "/kasus/sebab?done=sent"


def test_whoever_types_anothers_number_is_led_to_nothing_of_theirs(
    services: Services, new_visitor: NewVisitor, gateway: FakeGateway
) -> None:
    """Also where operators merge the two reports, which look like doubles."""
    mine = reported(services)
    stranger = new_visitor()
    begin(stranger)
    theirs = token_of(stranger.post("/kasus/lapor", REPORT))
    with services.db.write() as conn:
        rows = {row.public_id: row for row in conn.execute(sa.select(support_case))}
        own = rows.pop(services.trackers.read(mine.token))
        [double] = rows.values()
        trackers.merge(conn, services, double, own, actor="staff:1", at=services.clock.now())
    page = stranger.get(f"/kasus/{theirs}").text
    assert mine.reference not in page
    assert "Diperiksa petugas kami" not in page
    assert stranger.post(f"/kasus/{theirs}/withdraw", {"sure": "yes"}).location == f"/kasus/{theirs}"
    assert case_of(services, mine.reference).status == "open"


def test_a_number_that_is_proven_afterwards_joins_its_own_report(
    services: Services, visitor: Visitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    mine = reported(services)
    begin(visitor)
    token = token_of(visitor.post("/kasus/lapor", REPORT))
    work(services)
    visitor.post(f"/kasus/{token}/send-code")
    # begun a moment ago: the number rests for a minute
    clock.tick(minutes=2)
    visitor.post(f"/kasus/{token}/send-code")
    work(services)
    assert visitor.post(f"/kasus/{token}/confirm", {"code": code_in(gateway)}).status_code == 303
    assert mine.reference in visitor.get(f"/kasus/{token}").text


def test_a_guess_about_somebody_looks_the_same_whether_it_is_right(
    services: Services, new_visitor: NewVisitor, clock: FakeClock
) -> None:
    """Else a report with somebody's number and a birth date would be a try at it that nobody counts."""
    a_certificate(services, given_on=date(2026, 11, 13))
    seen = []
    for day in ("10", "11"):  # hers, and not hers
        stranger = new_visitor()
        clock.tick(minutes=2)
        begin(stranger)
        token = token_of(stranger.post("/kasus/lapor", REPORT | {"day": day}))
        work(services)
        clock.tick(minutes=2)
        pages = [stranger.get(f"/kasus/{token}")]
        for deed in ("word", "send-code", "withdraw", "word"):
            typed = {"words": "halo", "sure": "yes"}
            pages += [stranger.post(f"/kasus/{token}/{deed}", typed), stranger.get(f"/kasus/{token}")]
        said = [(page.status_code, page.location, re.sub("<time>.*?</time>", "", page.text)) for page in pages]
        seen.append(re.sub(rf"\b[A-Z0-9]{{10}}\b|{token}", "", str(said)))
    assert seen[0] == seen[1]
    with services.db.read() as conn:
        assert {row.outcome for row in conn.execute(sa.select(support_case))} == {"arrived", "withdrawn"}


def test_a_code_that_was_asked_for_on_a_cases_page_is_typed_there(services: Services, visitor: Visitor) -> None:
    token = reported(services, is_proven=False).token
    assert visitor.post(f"/kasus/{token}/send-code").location == f"/kasus/{token}?code=1"
    assert visitor.get("/kasus/kode").location == "/kasus"
    assert visitor.post("/kasus/kode", {"code": "123456"}).location == "/kasus"


def test_a_case_that_ended_unseen_tells_how_once_its_number_is_proven(
    services: Services, visitor: Visitor, gateway: FakeGateway, clock: FakeClock
) -> None:
    a_certificate(services, given_on=date(2026, 11, 13))
    begin(visitor)
    token = token_of(visitor.post("/kasus/lapor", REPORT))
    work(services)
    assert "selesai" not in visitor.get(f"/kasus/{token}").text
    clock.tick(minutes=2)
    visitor.post(f"/kasus/{token}/send-code")
    work(services)
    assert visitor.post(f"/kasus/{token}/confirm", {"code": code_in(gateway)}).location == f"/kasus/{token}"
    assert "Dosisnya sudah tercatat" in visitor.get(f"/kasus/{token}").text


# pictures -----------------------------------------------------------------------------------------------------------


def a_picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in some kilobytes."""
    small = a_picture()
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + small[24:29]
    return small[:8] + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = {
    "svg": (SVG, "JPG, PNG"),
    "svg-called-jpeg": (SVG, "JPG, PNG"),
    "gif-polyglot": (b"GIF89a/*" + SVG, "JPG, PNG"),
    "html": (b"<html><script>", "JPG, PNG"),
    "pdf": (b"%PDF-1.7\n", "bukan PDF"),
    "bomb": (bomb(), "ukuran biasa"),
    "cut": (a_picture("JPEG")[:60], "tidak dapat dibaca"),
    "50-mb": (b"\xff\xd8\xff" + b"\0" * 50 * 1024 * 1024, "terlalu besar"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photo_is_refused_and_no_case_is_made(services: Services, visitor: Visitor, name: str) -> None:
    data, words = HOSTILE[name]
    begin(visitor)
    file = (io.BytesIO(data), "kartu.jpg" if "jpeg" in name else f"kartu.{name}")
    page = visitor.post("/kasus/lapor", {**REPORT, "picture": file}, content_type="multipart/form-data")
    assert page.status_code == 422
    assert words in page.text
    with services.db.read() as conn:
        assert cases.count_open(conn, None) == 0


def test_a_photo_is_drawn_anew_and_sealed(services: Services, visitor: Visitor) -> None:
    """A JPEG with a page of HTML behind its end, and the place where it was taken before its pixels."""
    exif = Image.Exif()
    exif[0x010E] = "di rumah Siti"
    data = a_picture("JPEG", (3_000, 200), exif=exif) + b"<script>alert(1)</script>PK\x03\x04"
    begin(visitor)
    file = (io.BytesIO(data), "kartu.jpg")
    token_of(visitor.post("/kasus/lapor", {**REPORT, "picture": file}, content_type="multipart/form-data"))
    with services.db.read() as conn:
        row = conn.execute(sa.select(case_picture)).one()
        kept = case_steps.picture(conn, services.sealer, row.case_id)
    assert kept is not None
    assert b"\xff\xd8\xff" not in row.picture_sealed[:40]
    assert Image.open(io.BytesIO(kept)).size == (1_600, 107)
    for secret in (b"script", b"PK\x03\x04", b"Siti", b"Exif"):
        assert secret not in kept


def test_fifty_posts_at_once_are_one_case_and_one_sms(
    services: Services, visitor: Visitor, gateway: FakeGateway
) -> None:
    a_certificate(services, given_on=date(2026, 1, 5))
    prove(visitor, services, gateway)
    before = len(gateway.sent)
    cookie = visitor.client.get_cookie("kasus")
    assert cookie is not None
    app = create_public_app(services)

    def post(_: int) -> str:
        client = app.test_client()
        client.set_cookie("kasus", cookie.value)
        return token_of(client.post("/kasus/lapor", data=REPORT))

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(post, range(50)))) == 1
    work(services)
    assert len(gateway.sent) - before == 1


def test_the_door_is_shut_where_it_is_not_opened(build_services: Build, new_visitor: NewVisitor) -> None:
    visitor = new_visitor(build_services(doors=("link", "verify")))
    assert visitor.get("/kasus").status_code == 404


def test_pages_stay_small(services: Services, visitor: Visitor) -> None:
    begin(visitor)
    token = reported(services).token
    for path in ("/kasus", "/kasus/kode", "/kasus/lapor", f"/kasus/{token}"):
        assert len(visitor.get(path).data) <= 14 * 1024


def test_an_unreadable_case_is_an_empty_page_not_a_fault(services: Services, visitor: Visitor) -> None:
    made = reported(services)
    with services.db.write() as conn:
        conn.execute(support_case.update().values(facts_sealed=b"broken"))
    assert visitor.get(f"/kasus/{made.token}").status_code == 200
    assert trackers.look(services, made.token).reference == made.reference


def test_a_case_sms_is_known_as_ours(services: Services, visitor: Visitor, gateway: FakeGateway) -> None:
    token = reported(services).token
    work(services)
    [sms] = gateway.sent
    assert "Ini asli dari kami" in visitor.post("/asli", {"text": sms.text}).text
    cut = sms.text.replace(token, token[:-2])
    assert "terpotong" in visitor.post("/asli", {"text": cut}).text
    elsewhere = sms.text.replace("127.0.0.1:8000", "kasus-sertifikat.example")
    assert "Ini palsu" in visitor.post("/asli", {"text": elsewhere}).text
    assert "Alamat ini milik kami" in visitor.post("/asli", {"text": "http://127.0.0.1:8000/kasus"}).text
