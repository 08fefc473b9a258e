"""Own account: in by a code, the full name once, each person by own birth date or NIK, and what one does there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from notifier.certificates.facts import masked_nik
from notifier.core.errors import BadSettings
from notifier.core.states import Kind
from notifier.services import Services
from notifier.store import audit, own_corrections, persons, suppressions
from notifier.store.suppressions import Source
from notifier.store.tables import audit as audit_rows
from notifier.store.tables import link, notification, opening
from notifier.support import cases
from notifier.support.account import family, session
from tests.builders import NIK, SITI, MadeCertificate, a_certificate
from tests.conftest import Build
from tests.fakes import FakeClock, OvertakenDatabase
from tests.losses import LOSSES
from tests.support.account.phones import KNOWN
from tests.web.public.conftest import NewVisitor
from tests.web.public.me.conftest import NAME, Owner

_KEY = re.compile(r'name="key" value="([0-9a-f]+)"')
BUDI = replace(SITI, name="Budi Santoso", nik=None, birth_date=date(1960, 3, 4))


def test_the_way_in(owner: Owner, siti: MadeCertificate) -> None:
    assert "Kirim kode lewat SMS" in owner.get().text
    asked = owner.ask("0812-3456-7890")
    assert (asked.status_code, asked.location) == (303, "/me/code")
    assert "0812••••90" in owner.get("/me/code").text
    assert owner.press("/me/code", code=owner.code()).location == "/me"
    assert owner.get().location == "/me/name"
    assert owner.post("/me/name", name="siti aminah").location == "/me"
    home = owner.get().text
    assert "<b>S. A.</b>" in home
    assert NAME not in home


def test_the_name_is_asked_once_for_as_long_as_the_person_has_the_number(
    owner: Owner, siti: MadeCertificate, clock: FakeClock, new_visitor: NewVisitor
) -> None:
    owner.sign_in()
    clock.tick(minutes=2)
    other = replace(owner, visitor=new_visitor())
    other.enter()
    assert other.get().status_code == 200
    assert other.get("/me/name").location == "/me"


def test_a_wrong_name_counts_and_locks(owner: Owner, siti: MadeCertificate) -> None:
    owner.enter()
    assert owner.post("/me/name", name="  ").status_code == 422
    answers = [owner.post("/me/name", name="Siti Aisyah") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [423]
    assert "Tinggal 4 kesempatan" in answers[0].text
    assert "semua sertifikat pada nomor ini terkunci" in answers[3].text
    assert owner.post("/me/name", name=NAME).status_code == 423


@pytest.mark.parametrize("form", [{"day": "10", "month": "Februari", "year": "1989"}, {"nik": "3174 0310 0289 0009"}])
def test_a_person_is_opened_by_own_birth_date_or_nik(owner: Owner, siti: MadeCertificate, form: dict[str, str]) -> None:
    owner.sign_in()
    page = f"/me/{siti.person_id}"
    assert "Buka data S. A." in owner.get(page).text
    assert owner.post(page, **form).location == page
    shown = owner.get(page).text
    assert NAME in shown
    assert NIK not in shown
    assert masked_nik(NIK) in shown
    assert NAME in owner.get().text


def test_wrong_ones_are_told_and_lock(owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in()
    page = f"/me/{siti.person_id}"
    assert "Tulis tahun dengan 4 angka" in owner.post(page, day="1", month="2", year="89").text
    assert "16 angka" in owner.post(page, nik="123").text
    assert "Tinggal 4 kesempatan" in owner.open(siti.person_id, year="1990").text
    assert "NIK ini tidak cocok" in owner.post(page, nik="3174031002890001").text
    for _ in range(3):
        last = owner.open(siti.person_id, year="1990")
    assert last.status_code == 423
    assert owner.open(siti.person_id).status_code == 423
    assert "Terkunci" in owner.get().text


def test_certificates_open_on_the_pages_of_the_link(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    second = a_certificate(services, person_id=siti.person_id, number=2)
    owner.sign_in().open(siti.person_id)
    for made in (siti, second):
        view = owner.certificate(made).location
        assert NAME in owner.get(view).text
        assert owner.get(view + ".pdf").data[:5] == b"%PDF-"
    assert owner.get(view + ".png").data[:4] == b"\x89PNG"
    with services.db.read() as conn:
        kinds = list(conn.scalars(sa.select(opening.c.kind).order_by(opening.c.id)))
        assert conn.scalar(sa.select(sa.func.count()).select_from(notification)) == 1  # the code alone
    assert sorted(kinds) == ["opened", "opened", "pdf", "pdf", "png"]


def test_who_looked_and_replace_the_link(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in().open(siti.person_id)
    shown = owner.post(f"/me/{siti.person_id}/certificate", certificate=siti.certificate_id, show="history")
    assert shown.location.endswith("/history")
    assert "Riwayat dibuka" in owner.get(shown.location).text
    with services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(opening)) == 0  # nobody saw the certificate
    replaced = owner.press(shown.location.replace("history", "replace"), replace="yes")
    assert replaced.status_code == 200
    assert owner.visitor.get(f"/c/{siti.token}").status_code == 410
    with services.db.read() as conn:
        assert conn.scalar(sa.select(notification.c.id).where(notification.c.kind == Kind.RENEWAL.value)) is not None
    assert owner.certificate(siti).status_code == 303  # in the account it opens again


def test_the_language_of_sms_is_the_persons_own_choice(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in().open(siti.person_id)
    assert owner.post(f"/me/{siti.person_id}/language", language="xx").status_code == 303
    owner.post(f"/me/{siti.person_id}/language", language="en")
    with services.db.write() as conn:
        known = persons.get(conn, services.sealer, siti.person_id)
        assert known.language == "en"
        persons.update(conn, services.sealer, replace(known, language="id"), at=services.clock.now())  # a registry
        assert persons.get(conn, services.sealer, siti.person_id).language == "en"


def test_sms_are_stopped_and_allowed(services: Services, owner: Owner, siti: MadeCertificate, clock: FakeClock) -> None:
    owner.sign_in()
    number = persons.phone_index(services.sealer, KNOWN)
    assert owner.post("/me/sms", sms="stop").location == "/me?done=stopped"
    with services.db.read() as conn:
        assert suppressions.standing(conn, number).source == Source.ACCOUNT  # type: ignore[union-attr]
    clock.tick(minutes=2)
    assert owner.ask().status_code == 303
    assert owner.code()  # a code comes all the same
    assert owner.post("/me/sms", sms="start").location == "/me?done=started"
    with services.db.read() as conn:
        assert suppressions.standing(conn, number) is None


def test_a_block_of_the_provider_is_only_undone_from_the_phone(
    services: Services, owner: Owner, siti: MadeCertificate
) -> None:
    owner.sign_in()
    with services.db.write() as conn:
        suppressions.add(
            conn,
            persons.phone_index(services.sealer, KNOWN),
            reason=suppressions.Reason.OPTED_OUT,
            source=Source.PROVIDER,
            at=services.clock.now(),
        )
    assert "balas MULAI" in owner.get("/me/sms").text
    assert owner.post("/me/sms", sms="start").location == "/me/sms"


def test_a_copy_of_all_data(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in().open(siti.person_id)
    path = f"/me/{siti.person_id}/data"
    assert "Unduh semua data" in owner.get(path).text
    answer = owner.post(path)
    parts = {part["part"]: part["rows"] for part in json.loads(answer.data)["parts"]}
    assert parts["person"][0]["nik"] == NIK
    assert answer.headers["Content-Disposition"] == 'attachment; filename="data-vaksin-saya.json"'
    assert [owner.post(path).status_code for _ in range(5)] == [200] * 4 + [429]
    with services.db.read() as conn:
        deeds = [(row.action, row.actor) for row in audit.of_subjects(conn, [siti.person_id])]
    assert deeds.count(("person.exported", "door:me")) == 5


def test_the_status_and_the_next_dose(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    covid = {"vaccine_code": "207", "product": "Moderna COVID-19 Vaccine", "given_on": date(2026, 11, 1)}
    made = a_certificate(services, person=replace(SITI, nik=None, name="Siti Zahra"), **covid)
    owner.sign_in()
    appointment = f"/me/{made.person_id}/next-dose.ics"
    assert owner.get(appointment).status_code == 404
    owner.open(made.person_id)
    assert "1 dari 2 dosis" in owner.get(f"/me/{made.person_id}").text
    answer = owner.get(appointment)
    assert answer.data.startswith(b"BEGIN:VCALENDAR")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dosis-berikutnya.ics"'
    assert b"Zahra" not in answer.data
    owner.open(siti.person_id)
    assert "Status vaksin" in owner.get(f"/me/{siti.person_id}").text


def test_this_person_is_not_mine_and_back(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    budi = a_certificate(services, person=BUDI)
    owner.sign_in()
    path = f"/me/{budi.person_id}/not-mine"
    assert "B. S. tidak memakai nomor ini?" in owner.get(path).text
    assert owner.post(path, **{"not-mine": "yes"}).location == "/me?done=not-mine"
    assert "sedang diperiksa" in owner.get().text
    assert owner.get(f"/me/{budi.person_id}").location == path
    [line] = cases.listed(services, only_facility="facility-1", with_persons=True)[0]
    assert line.case.person_id == budi.person_id
    assert owner.open(budi.person_id, "4", "3", "1960").location == path  # nothing opens meanwhile
    assert owner.post(path, **{"not-mine": "undo"}).location == "/me?done=mine"
    assert owner.open(budi.person_id, "4", "3", "1960").status_code == 303
    assert cases.listed(services, only_facility="facility-1", with_persons=True)[0] == []


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_opened_is_closed_the_moment_it_is_true_no_more(
    services: Services, owner: Owner, siti: MadeCertificate, loss: str
) -> None:
    here = f"/me/{siti.person_id}"
    owner.sign_in()
    assert owner.post(here, day="10", month="2", year="1989").status_code == 303
    key = _KEY.search(owner.get(f"{here}/data").text)
    assert key is not None
    LOSSES[loss](services, siti.person_id)
    assert NIK[-4:] not in owner.get(here).text
    for path, form in (
        ("/data", {}),
        ("/certificate", {"certificate": siti.certificate_id}),
        ("/language", {"language": "jv"}),
        ("/correct/name", {"value": "Siti Aminnah"}),
    ):
        answer = owner.press(here + path, key=key[1], **form)
        assert answer.status_code in (303, 404), path
        assert "/certificate/" not in (answer.location or "")
    with services.db.read() as conn:
        found = persons.get(conn, services.sealer, siti.person_id)
        assert own_corrections.of_person(conn, siti.person_id) == []
    assert (found.name, found.language) == (NAME, "id")


@pytest.mark.parametrize("loss", ["another birth date", "another NIK"])
def test_what_is_corrected_right_after_the_try_is_not_open(
    services: Services, siti: MadeCertificate, loss: str
) -> None:
    """What was right is what is kept, not what stood there a moment later."""
    here = session.find(services, session.begin(services, KNOWN))
    assert here is not None
    family.tell_name(services, here, NAME)
    overtaken = OvertakenDatabase(services.db, lambda: LOSSES[loss](services, siti.person_id), passes=1)
    slow = replace(services, db=overtaken)
    assert family.open_by_birth_date(slow, here, siti.person_id, date(1989, 2, 10)).is_right
    assert overtaken.meanwhile == []
    with services.db.read() as conn:
        assert family.opened_person(conn, services, here, siti.person_id) is None


def test_signing_out_closes_everything(
    services: Services, owner: Owner, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner.sign_in().open(siti.person_id)
    view = owner.certificate(siti).location
    kept = {cookie.key: cookie.value for cookie in owner.visitor.client._cookies.values()}
    assert owner.post("/me/sign-out").location == "/me?done=signed-out"
    assert "Anda sudah keluar" in owner.get("/me?done=signed-out").text
    assert owner.get(f"/me/{siti.person_id}").location == "/me"
    thief = new_visitor()
    for name, value in kept.items():
        thief.client.set_cookie(name, value)
    assert thief.get("/me").status_code == 200
    assert "Kirim kode" in thief.get("/me").text
    assert NAME not in thief.get(view).text


@pytest.mark.parametrize(("minutes", "is_in"), [(14, True), (16, False)])
def test_a_session_ends_by_itself(
    owner: Owner, siti: MadeCertificate, clock: FakeClock, minutes: int, is_in: bool
) -> None:
    owner.sign_in()
    clock.tick(minutes=minutes)
    assert ("Kirim kode" in owner.get().text) is not is_in


def test_no_session_lives_longer_than_an_hour(owner: Owner, siti: MadeCertificate, clock: FakeClock) -> None:
    owner.sign_in()
    for _ in range(6):
        clock.tick(minutes=10)
        text = owner.get().text
    assert "Kirim kode" in text


def test_everything_is_audited_without_personal_data(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in().open(siti.person_id)
    owner.certificate(siti)
    owner.post("/me/sign-out")
    with services.db.read() as conn:
        rows = conn.execute(sa.select(audit_rows)).all()
    deeds = {row.action for row in rows if row.actor == "door:me"}
    told = {"account.signed-in", "account.name-told", "account.person-opened", "account.signed-out"}
    assert deeds == told | {"certificate-opened"}
    assert not any(secret in repr(rows) for secret in (KNOWN, NAME, NIK))


def test_a_link_of_an_account_is_reused_and_short(services: Services, owner: Owner, siti: MadeCertificate) -> None:
    owner.sign_in().open(siti.person_id)
    for _ in range(3):
        owner.certificate(siti)
    with services.db.read() as conn:
        rows = conn.execute(sa.select(link).where(link.c.number_index.is_not(None))).all()
    assert len(rows) == 1
    assert (rows[0].expires_at - services.clock.now()).total_seconds() == 15 * 60


def test_a_closed_door_is_not_there(build_services: Build, new_visitor: NewVisitor) -> None:
    closed = new_visitor(build_services(doors=("link", "verify")))
    assert [closed.get(path).status_code for path in ("/me", "/me/code", "/me/app.webmanifest")] == [404] * 3
    with pytest.raises(BadSettings, match="me needs link"):
        new_visitor(build_services(doors=("verify", "me")))


def test_it_can_stand_on_the_home_screen(owner: Owner) -> None:
    page = owner.get()
    assert '<link rel="manifest" href="/me/app.webmanifest"' in page.text
    assert "manifest-src 'self'" in page.headers["Content-Security-Policy"]
    said = json.loads(owner.get("/me/app.webmanifest").data)
    assert said["start_url"] == "/me"
    assert {owner.get(icon["src"]).data[:4] for icon in said["icons"]} == {b"\x89PNG"}
    assert "<script" not in page.text
