"""/certificate/<view>: only this browser, only for 15 minutes, only while it holds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
import zxingcpp

from notifier.certificates import issue
from notifier.certificates.qr import QUIET_ZONE, QrMatrix, make_qr
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import certificates, persons
from notifier.store.tables import opening
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.test_opt_out_link import sent_token
from tests.web.public.conftest import RIGHT, NewVisitor, Visitor, told


def test_the_page_shows_status_name_doses_and_code(visitor: Visitor, made: MadeCertificate) -> None:
    page = visitor.get(visitor.opened(made))
    assert page.status_code == 200
    for words in ("Sah · dosis 1 dari 2", "Siti Aminah", "10 Februari 1989", "22 November 2026", made.number):
        assert words in page.text
    assert "3174••••••••0009" in page.text
    assert SITI.nik is not None
    assert SITI.nik not in page.text
    assert SITI.phone not in page.text
    assert make_qr(f"http://127.0.0.1:8000/verify?n={made.number}").to_svg_path() in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_the_page_in_english_is_its_own_text(visitor: Visitor, made: MadeCertificate) -> None:
    text = visitor.get(visitor.opened(made) + "?lang=en").text
    assert all(words in text for words in ("Valid · dose 1 of 2", "10 February 1989", "Download PDF"))


def test_the_pdf_and_the_picture_come_whole_under_a_name_without_a_person(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    view = visitor.opened(made)
    pdf, png = visitor.get(view + ".pdf"), visitor.get(view + ".png")
    assert (pdf.content_type, png.content_type) == ("application/pdf", "image/png")
    assert pdf.data.startswith(b"%PDF-")
    assert png.data.startswith(b"\x89PNG")
    assert [int(part.headers["Content-Length"]) for part in (pdf, png)] == [len(pdf.data), len(png.data)]
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="sertifikat-vaksin.pdf"'
    assert png.headers["Content-Disposition"] == 'attachment; filename="sertifikat-vaksin.png"'
    assert pdf.headers["Cache-Control"] == "no-store"
    with services.db.read() as conn:
        kinds = list(conn.scalars(sa.select(opening.c.kind)))
    assert sorted(kinds) == ["opened", "pdf", "png"]


def test_a_view_opens_in_no_other_browser(visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate) -> None:
    view = visitor.opened(made)
    stranger = new_visitor()
    for address in (view, view + ".pdf", view + ".png"):
        assert stranger.get(address).status_code == 404
    assert told(stranger.get(view)) == told(stranger.get("/certificate/" + "x" * 22))
    assert "Halaman ini sudah ditutup" in stranger.get(view).text


def test_the_cookie_of_one_view_opens_no_other(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    sibling, other = a_certificate(services, person=replace(SITI, name="Budi Santoso")), new_visitor()
    mine, theirs = visitor.opened(made), other.opened(sibling)
    assert visitor.get(theirs).status_code == 404
    assert other.get(mine).status_code == 404


def test_a_family_in_one_browser_never_mixes(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    sibling = a_certificate(services, person=replace(SITI, name="Budi Santoso"))
    mine, theirs = visitor.opened(made), visitor.opened(sibling)
    assert mine != theirs
    assert "Siti Aminah" in visitor.get(mine).text
    assert "Budi Santoso" in visitor.get(theirs).text
    assert visitor.opened(made) == mine


def test_a_ninth_view_closes_the_oldest(services: Services, visitor: Visitor) -> None:
    views = [visitor.opened(a_certificate(services)) for _ in range(9)]
    assert [visitor.get(view).status_code for view in views] == [404] + [200] * 8


@pytest.mark.parametrize("place", [0, 10, -2])  # the last letter of base64 has bits that mean nothing
def test_a_changed_cookie_opens_nothing(visitor: Visitor, made: MadeCertificate, place: int) -> None:
    view = visitor.opened(made)
    cookie = visitor.client.get_cookie("certificate")
    assert cookie is not None
    changed = list(cookie.value)
    changed[place] = "A" if changed[place] != "A" else "B"
    visitor.client.set_cookie("certificate", "".join(changed))
    assert visitor.get(view).status_code == 404


def test_a_view_closes_after_fifteen_minutes(visitor: Visitor, made: MadeCertificate, clock: FakeClock) -> None:
    view = visitor.opened(made)
    cookie = visitor.client.get_cookie("certificate")
    assert cookie is not None
    clock.tick(minutes=14, seconds=59)
    assert visitor.get(view).status_code == 200
    clock.tick(seconds=1)
    visitor.client.set_cookie("certificate", cookie.value)  # a browser that keeps it longer than it was told
    assert visitor.get(view).status_code == 404


@pytest.mark.parametrize(
    ("how", "status"),
    [("revoked", 410), ("replaced", 410), ("link revoked", 410), ("expired", 410), ("locked", 423)],
)
def test_what_happens_to_a_certificate_acts_at_once_on_an_open_page(
    services: Services, visitor: Visitor, made: MadeCertificate, how: str, status: int
) -> None:
    view, now = visitor.opened(made), services.clock.now()
    assert visitor.get(view).status_code == 200
    with services.db.write() as conn:
        if how == "revoked":
            issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=now)
        elif how == "replaced":
            issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=now)
        elif how == "link revoked":
            certificates.revoke_links(conn, made.dose_id, reason=Reason.NUMBER_CHANGED, at=now)
        elif how == "expired":
            certificates.renew_expiry(conn, [made.link_id], now)
        else:
            for _ in range(persons.MAX_WRONG_TRIES):
                persons.count_wrong_try(conn, made.person_id, now)
    for address in (view, view + ".pdf", view + ".png"):
        response = visitor.get(address)
        assert response.status_code == status
        assert "Siti" not in response.text


def test_a_correction_of_the_name_shows_at_the_next_look(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    view = visitor.opened(made)
    with services.db.write() as conn:
        corrected = replace(persons.get(conn, services.sealer, made.person_id), name="Siti Aminah Putri")
        persons.update(conn, services.sealer, corrected, at=services.clock.now())
    assert "Siti Aminah Putri" in visitor.get(view).text


def test_a_name_cannot_bring_markup(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services, person=replace(SITI, name='<b>Siti</b> & "Co"'), facility="<i>x</i>")
    text = visitor.get(visitor.opened(made)).text
    assert "<b>Siti" not in text
    assert "<i>x" not in text
    assert "&lt;b&gt;Siti&lt;/b&gt; &amp;" in text


def test_a_dose_without_number_lot_or_facility_has_no_empty_lines(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services, number=None, series_total=None, lot=None, facility=None, facility_id=None)
    text = visitor.get(visitor.opened(made)).text
    assert '<p class="status">Sah</p>' in text
    assert "None" not in text
    assert "Nomor lot" not in text


def test_the_picture_s_code_can_be_read_and_leads_to_the_verify_page(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    path = re.search(r'<path stroke="#000" d="([^"]+)"', visitor.get(visitor.opened(made)).text)
    assert path is not None
    expected = make_qr(f"http://127.0.0.1:8000/verify?n={made.number}")
    assert path[1] == expected.to_svg_path()
    found = zxingcpp.read_barcode(_picture(expected))
    assert found is not None
    answer = visitor.get(found.text.removeprefix("http://127.0.0.1:8000"))
    assert "Sertifikat ini sah" in answer.text
    assert "Siti" not in answer.text


def _picture(qr: QrMatrix) -> memoryview:
    """The code in grey pixels, four a module, with its quiet zone."""
    scale, side = 4, qr.side * 4
    pixels = bytearray(b"\xff" * side * side)
    for at, dark in enumerate(qr.modules):
        if dark:
            top, left = ((part + QUIET_ZONE) * scale for part in divmod(at, qr.size))
            for y in range(top, top + scale):
                pixels[y * side + left : y * side + left + scale] = bytes(scale)
    return memoryview(pixels).cast("B", (side, side))


ROUTES = ("", ".pdf", ".png", "/card.pdf", "/large.pdf", "/codes", ".smart-health-card", "/history")
CLOSED = "<h1>Halaman ini sudah ditutup</h1>"


def test_a_corrected_birth_date_closes_what_the_old_one_opened_also_of_other_doses(
    desk: Desk, visitor: Visitor, clock: FakeClock
) -> None:
    desk.record()
    desk.record(event_id="event-2", dose={"id": "dose-2", "number": 2})
    desk.send()
    own, other = (visitor.post(f"/c/{sent_token(desk, which)}", RIGHT).location for which in (0, 1))
    desk.record(event_id="event-3", recorded_at="2026-11-24T03:00:00Z", person={"language": "en"})
    assert visitor.get(other).status_code == 200  # what the date has nothing to do with closes nothing
    desk.record(
        event_id="event-4",
        event_type="corrected",
        recorded_at="2026-11-24T04:00:00Z",
        person={"birth_date": "1989-02-11", "nik": None},
    )
    assert "Sertifikat ini sudah diganti" in visitor.get(own).text
    answers = [visitor.get(other + route) for route in ROUTES]
    assert [answer.status_code for answer in answers] == [404] * len(ROUTES)
    assert all(CLOSED in answer.text and "Siti" not in answer.text for answer in answers)
    assert CLOSED in visitor.post(other + "/replace", {"replace": "yes"}).text
    assert visitor.post(f"/c/{sent_token(desk, 1)}", RIGHT | {"day": "11"}).status_code == 303


def test_the_cookie_says_nothing_of_the_birth_date(visitor: Visitor, made: MadeCertificate) -> None:
    visitor.opened(made)
    cookie = visitor.client.get_cookie("certificate")
    assert cookie is not None
    [[_view, public_id, _at, proof]] = json.loads(base64.urlsafe_b64decode(cookie.value.split(".")[0] + "=="))
    assert public_id == made.public_id
    assert re.fullmatch("[0-9a-f]{16}", proof)
    assert hashlib.sha256(f"{public_id}:1989-02-10".encode()).hexdigest()[:16] != proof
