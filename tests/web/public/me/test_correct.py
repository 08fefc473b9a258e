"""/me/<person>/correct and the pages beside it: what is shown to whom, and what is answered alike."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from notifier.core.own_corrections import RefusedWhy
from notifier.services import Services
from notifier.store import own_corrections, persons
from notifier.support import corrections, dose_on_file, follow_ups
from notifier.support.corrections import Checked, CheckedHow
from notifier.support.own_corrections import review
from tests.builders import NIK, MadeCertificate, a_certificate
from tests.desk import Desk
from tests.support.account.phones import KNOWN, sms_of
from tests.support.test_photos import a_photo
from tests.web.public.conftest import NewVisitor
from tests.web.public.me.conftest import Owner

NEW = "+6281298765432"
_REFERENCE = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{10})\b")
LOST = {"name": "Siti Aminah", "nik": NIK, "day": "10", "month": "2", "year": "1989", "phone": "0812-9876-5432"}


@pytest.fixture
def inside(owner: Owner, siti: MadeCertificate) -> str:
    """The address of Siti's corrections, with her open in the browser."""
    owner.sign_in()
    owner.open(siti.person_id)
    return f"/me/{siti.person_id}/correct"


def person(services: Services, made: MadeCertificate) -> persons.Person:
    with services.db.read() as conn:
        return persons.get(conn, services.sealer, made.person_id)


def newest(services: Services, made: MadeCertificate) -> own_corrections.Row:
    with services.db.read() as conn:
        return own_corrections.of_person(conn, made.person_id)[0]


def test_a_slip_is_corrected_on_the_spot(owner: Owner, inside: str, siti: MadeCertificate, services: Services) -> None:
    assert "Siti Aminah" in owner.get(f"{inside}/name").text
    said = owner.post(f"{inside}/name", value="Siti Amminah")
    assert "Data sudah diperbaiki" in said.text
    assert person(services, siti).name == "Siti Amminah"
    assert "Sudah diperbaiki" in owner.get(inside).text


def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_is_kept(owner: Owner, inside: str) -> None:
    said = owner.post(f"{inside}/birth_date", day="31", month="2", year="1989")
    assert said.status_code == 422
    assert 'id="day-problem"' in said.text
    assert 'value="31"' in said.text
    assert owner.post(f"{inside}/nik", value="12").status_code == 422
    assert owner.post(f"{inside}/name", value="Siti Aminah").status_code == 422
    assert owner.post(f"{inside}/dose", value="x").status_code == 404


def test_a_request_is_followed_answered_with_a_photo_and_refused_in_words(
    owner: Owner, inside: str, siti: MadeCertificate, services: Services
) -> None:
    where = owner.post(f"{inside}/birth_date", day="11", month="2", year="1989").location.partition("?")[0]
    reference = newest(services, siti).reference
    page = owner.get(where).text
    assert "Diperiksa petugas" in page
    assert "11 Februari 1989" in page
    assert 'type="file"' not in page
    review.ask_evidence(services, reference, only_facility=None, reason="cek akta", actor="test")
    assert 'type="file"' in owner.get(where).text
    news = next(sms.text for sms in sms_of(services) if sms.text.endswith("/me"))
    assert "Alamat ini milik kami" in owner.press("/asli", text=news).text
    key = re.search(r'name="key" value="([0-9a-f]+)"', owner.get(where).text)
    assert key is not None

    def send(data: bytes) -> int:
        form = {"key": key.group(1), "picture": (BytesIO(data), "ktp.jpg")}
        return owner.visitor.client.post(f"{where}/photo", data=form, content_type="multipart/form-data").status_code

    assert send(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == 422
    assert send(a_photo() + bytes(9_000_000)) == 413
    assert send(a_photo()) == 303
    review.refuse(services, reference, RefusedWhy.NO_MATCH, only_facility=None, reason="beda", actor="test")
    page = owner.get(where).text
    assert "Tidak disetujui" in page
    assert "Kartu yang ditunjukkan berbunyi lain" in page
    assert newest(services, siti).evidence_sealed is None


def test_a_new_number_gives_its_code_and_the_account_is_the_new_numbers(
    owner: Owner, inside: str, siti: MadeCertificate, services: Services
) -> None:
    where = owner.post(f"{inside}/phone", value="0812-9876-5432").location
    assert where.endswith("/code")
    assert "Kode dari nomor baru" in owner.get(where).text
    follow_ups.run(services)
    phone = Owner(owner.visitor, services, phone=NEW)
    code = phone.code()
    check = where.removesuffix("/code") + "/check"
    assert owner.post(check, code="000000" if code != "000000" else "111111").status_code == 422
    assert person(services, siti).phone != NEW
    assert "Nomor Anda sudah diganti" in owner.post(check, code=code).text
    assert person(services, siti).phone == NEW
    assert owner.get(inside).status_code == 303  # out of this account


def test_the_old_number_objects_by_the_link_in_its_sms(
    owner: Owner, inside: str, siti: MadeCertificate, services: Services, new_visitor: NewVisitor
) -> None:
    where = owner.post(f"{inside}/phone", value="0812-9876-5432").location
    follow_ups.run(services)
    owner.post(where.removesuffix("/code") + "/check", code=Owner(owner.visitor, services, phone=NEW).code())
    text = next(sms.text for sms in sms_of(services) if "/me/no/" in sms.text)
    stranger = new_visitor()
    link = re.search(r"/me/no/\w+", text)
    assert link is not None
    assert "Nomor Anda diganti?" in stranger.get(link.group()).text
    assert "Keberatan Anda kami terima" in stranger.post(link.group(), {"object": "yes"}).text
    assert newest(services, siti).objected_at is not None
    asli = [stranger.post("/asli", {"text": said}).text for said in (text, text + " Kirim pulsa")]
    assert ["Ini asli dari kami" in page for page in asli] == [True, False]
    forged = link.group()[:-1] + ("A" if link.group()[-1] != "A" else "B")
    assert stranger.get(forged).status_code == 404


def test_nobody_reaches_another_persons_requests(
    owner: Owner, inside: str, siti: MadeCertificate, services: Services, new_visitor: NewVisitor
) -> None:
    where = owner.post(f"{inside}/birth_date", day="11", month="2", year="1989").location.partition("?")[0]
    reference = newest(services, siti).reference
    stranger = a_certificate(services)
    other = f"/me/{stranger.person_id}/correct"
    for path in (other, f"{other}/name", f"{other}/request/{reference}"):
        assert owner.get(path).status_code == 303  # to a page that is not there for her
    assert owner.get(f"/me/{stranger.person_id}").status_code in {200, 404}
    assert new_visitor().get(where).location.endswith("/me")
    assert owner.get(f"{inside}/request/0000000000").status_code == 404
    owner.visitor.post(f"{where}/withdraw", {"withdraw": "yes"})  # a form that is not one of our page's
    assert newest(services, siti).state == "review"


def test_whoever_lost_the_number_is_answered_alike_and_the_code_comes_only_after_the_card(
    owner: Owner, siti: MadeCertificate, services: Services
) -> None:
    known = owner.press("/me/lost", **LOST)
    stranger = owner.press("/me/lost", **(LOST | {"nik": "3273015506900002"}))
    assert _REFERENCE.sub("", known.text) == _REFERENCE.sub("", stranger.text)
    assert (known.status_code, stranger.status_code) == (200, 200)
    found = _REFERENCE.search(known.text)
    assert found is not None
    form = {"reference": found.group(), "phone": "0812-9876-5432"}
    assert "Kode dari nomor baru" in owner.press("/me/number", **form).text
    follow_ups.run(services)
    assert sms_of(services) == []
    checked = Checked(CheckedHow.ID_CARD)
    review.confirm(services, found.group(), card_nik=NIK, checked=checked, only_facility=None, actor="test")
    services.clock.tick(minutes=2)  # type: ignore[attr-defined]
    owner.press("/me/number", **form)
    follow_ups.run(services)
    code = Owner(owner.visitor, services, phone=NEW).code()
    said = owner.press("/me/number/check", reference=found.group(), code=code)
    assert "Nomor Anda sudah diganti" in said.text
    assert person(services, siti).phone == NEW


def test_whoever_has_no_nik_is_told_the_way_that_there_is_and_it_leads_there(owner: Owner, services: Services) -> None:
    """Face to face: staff change the number with the dose, having seen other documents."""
    for said in (owner.get("/me/lost"), owner.press("/me/lost", **(LOST | {"nik": ""}))):
        assert 'href="#no-nik"' in said.text
        assert 'id="no-nik"' in said.text
        assert "Bawa kartu keluarga, akta kelahiran, atau paspor" in said.text
        assert "Petugas di fasilitas tempat vaksin mengganti nomornya langsung" in said.text
    assert "Without a NIK: babies, children, or foreigners" in owner.get("/me/lost?lang=en").text
    desk = Desk(services)
    baby = {"id": "bayi-1", "nik": None, "name": "Bayi Aminah", "birth_date": "2026-01-05"}
    reference = desk.record(person=baby).reference
    assert reference is not None
    desk.send()
    seen = dose_on_file.look(services, reference, only_facility="facility-1")
    checked = Checked(CheckedHow.OTHER, "akta kelahiran dan KTP ibunya")
    corrections.correct(
        services,
        reference,
        {"phone": NEW},
        revision=seen.revision,
        checked=checked,
        only_facility="facility-1",
        actor="staff:00000000-0000-7000-8000-000000000001",
    )
    services.clock.tick(hours=1)  # type: ignore[attr-defined]
    desk.send()
    assert [sms.to for sms in desk.gateway.sent] == [KNOWN, NEW]
    assert desk.link(reference).revoked_at is not None


def test_what_is_wrong_about_a_lost_number_is_said_beside_each_field(owner: Owner) -> None:
    said = owner.press("/me/lost", name="", nik="12", day="x", month="2", year="89", phone="021")
    assert said.status_code == 422
    for name in ("name", "nik", "day", "year", "phone"):
        assert f'id="{name}-problem"' in said.text
    assert owner.press("/me/number", reference="", phone="").status_code == 422
