"""Conversations through the real receiving, reading and sending code: each path of the menu, and each wrong turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from notifier.core.states import CertificateStatus, Reason, Said
from notifier.services import Services
from notifier.store import cases, certificates, persons
from notifier.store import tables as table
from notifier.store.tables import audit, case_step, chat_message, chat_reply, conversation, support_case
from notifier.support import not_me
from notifier.support.chat import files, work
from notifier.support.chat.dialogue import Came, Granted
from notifier.support.chat.rooms import open_rooms
from notifier.support.chat.wishes import Missed, Rooms, Told
from tests.builders import NIK, SITI, a_certificate
from tests.chatting import BUDI, BUDI_NIK, BUDI_NUMBER, SITI_NUMBER, Phone, a_person, siti
from tests.fakes import FakeClock, FakeGateway
from tests.losses import LOSSES


@pytest.fixture
def phone(services: Services) -> Phone:
    """Siti's, who has one dose."""
    siti(services)
    return Phone(services)


def test_from_hai_to_the_certificate_as_a_link_and_a_pdf(phone: Phone) -> None:
    assert "1. Unduh sertifikat" in phone.say("hai")
    assert "Tulis nomor HP" in phone.say("1")
    assert "kode 6 angka" in phone.say("0812-3456-7890")
    assert "nama lengkap" in phone.say(phone.code())
    assert "NIK" in phone.say("Siti Aminah")
    assert "1. Dosis 1 dari 2 · Influenza · 22 November 2026" in phone.say(NIK)
    text, pdf = phone.messages("1")
    assert "/c/" in text.text
    assert pdf.file_url is not None
    assert "/m/" in pdf.file_url
    assert text.options[0] == "Unduh sertifikat"


def test_the_same_in_english(phone: Phone) -> None:
    phone.say("hai")
    assert "1. Download certificate" in phone.say("EN")
    shown = phone.prove()
    assert "1. Dose 1 of 2 · Influenza · 22 November 2026" in shown
    assert "Here is the certificate" in phone.say("1")
    assert "Unduh sertifikat" in phone.say("id")


def test_what_was_proved_holds_for_a_quarter_of_an_hour(phone: Phone, clock: FakeClock) -> None:
    phone.prove()
    phone.say("1")
    clock.tick(minutes=14)
    assert "Pilih sertifikat" in phone.say("1")
    clock.tick(minutes=2)
    assert "memastikan lagi" in phone.say("1")
    assert "Pakai nomor WhatsApp ini" in phone.say("")


def test_a_proof_that_is_over_tries_no_name(phone: Phone, services: Services, clock: FakeClock) -> None:
    for said in ("hai", "1", "1"):
        phone.say(said)
    phone.say(phone.code())
    clock.tick(minutes=16)
    assert "NIK" not in phone.say("Siti Aminah")
    for _ in range(6):
        phone.say("hai")
        assert "NIK" not in phone.say("Bukan Siti")
    with services.db.read() as conn:
        assert conn.scalar(sa.select(table.person.c.wrong_tries)) == 0


def test_after_a_day_a_conversation_begins_anew_in_its_language(phone: Phone, clock: FakeClock) -> None:
    phone.say("en")
    phone.say("1")
    clock.tick(hours=25)
    assert "Hello" in phone.say("what now")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said.VOICE, "pesan suara"),
        (Said.STICKER, "stikernya"),
        (Said.PICTURE, "Jangan kirim foto KTP"),
        (Said.FILE, "berkas"),
        (Said.PLACE, "lokasi"),
    ],
)
def test_what_is_no_text_gets_a_kind_answer_and_the_question_again(phone: Phone, said: Said, answer: str) -> None:
    phone.say("hai")
    phone.say("1")
    told = phone.say(said=said)
    assert answer in told
    assert "Tulis nomor HP" in told


def test_typing_errors_say_what_to_type_and_after_three_where_help_is(phone: Phone) -> None:
    phone.say("hai")
    assert "salah satu angka" in phone.say("7")
    phone.say("1")
    assert "bukan nomor HP" in phone.say("12")
    assert "bukan nomor HP" in phone.say("021-1234567")
    assert "119" in phone.say("x" * 600)
    phone.say("1")
    assert "6 angka" in phone.say("kode?")
    phone.say(phone.code())
    assert "dengan huruf" in phone.say("12345")
    phone.say("siti aminah")
    assert "15 angka" in phone.say(NIK[:-1])
    assert "Pilih sertifikat" in phone.say(f"{NIK[:4]} {NIK[4:]}")


def test_zero_goes_back_and_batal_to_the_menu(phone: Phone) -> None:
    phone.say("hai")
    phone.say("1")
    phone.say("1")
    assert "Tulis nomor HP" in phone.say("0")
    assert "Unduh sertifikat" in phone.say("0")
    assert "menu awal" in phone.say("0")
    phone.say("1")
    assert "dibatalkan" in phone.say("Batal")


def test_two_messages_at_once_are_both_answered_in_order(phone: Phone) -> None:
    phone.write("hai")
    phone.write("3")
    first, second = phone.hear()
    assert "Halo" in first.text
    assert "dapat dihubungi" in second.text or "/me" in second.text


def test_a_message_that_is_handed_on_twice_is_answered_once(phone: Phone) -> None:
    phone.write("hai", sid="SMx")
    phone.write("hai", sid="SMx")
    assert len(phone.hear()) == 1
    phone.write("hai", sid="SMx")
    assert phone.hear() == []


def test_a_flood_is_told_to_wait_once(phone: Phone, clock: FakeClock) -> None:
    for _ in range(50):
        phone.write("hai")
    heard = phone.hear()
    assert len(heard) == 31
    assert "banyak sekali" in heard[-1].text
    clock.tick(minutes=1)
    assert "Halo" in phone.say("hai")


def test_a_number_that_nobody_has_is_answered_alike_and_gets_no_sms(services: Services, gateway: FakeGateway) -> None:
    siti(services)
    known, nobodys = Phone(services, "+6281399999991"), Phone(services, "+6281399999992")
    told = []
    for phone, typed in ((known, SITI_NUMBER), (nobodys, "+6281300000077")):
        phone.say("hai")
        phone.say("1")
        said = phone.say(typed)
        wrong = phone.say("000000")
        told.append((said.replace(typed[-4:], "####").split(" terdaftar")[1], wrong))
    assert told[0] == told[1]
    assert {sms.to for sms in gateway.sent} == {SITI_NUMBER}


def test_wrong_codes_end_and_a_new_one_may_be_asked_for(phone: Phone, clock: FakeClock) -> None:
    phone.say("hai")
    phone.say("1")
    phone.say("1")
    wrong = f"{(int(phone.code()) + 1) % 1_000_000:06}"
    assert "4 kali" in phone.say(wrong)
    for _ in range(3):
        phone.say(wrong)
    assert "tidak berlaku lagi" in phone.say(wrong)
    assert "tidak berlaku lagi" in phone.say(phone.code())
    assert "Coba lagi setelah 1 menit" in phone.say("1")
    clock.tick(minutes=1)
    assert "kode 6 angka" in phone.say("1")
    assert "nama lengkap" in phone.say(phone.code())


def test_wrong_niks_are_counted_for_life_and_the_fifth_locks(phone: Phone, services: Services) -> None:
    phone.say("hai")
    phone.say("1")
    phone.say("1")
    phone.say(phone.code())
    phone.say("Siti Aminah")
    for left in (4, 3, 2, 1):
        assert f"{left} kali" in phone.say("1" * 16)
    assert "dikunci" in phone.say("1" * 16)
    with services.db.read() as conn:
        [person_id] = persons.ids_with_phone(conn, persons.phone_index(services.sealer, SITI_NUMBER))
        assert persons.get(conn, services.sealer, person_id).locked_at is not None
    phone.say("1")
    assert "dikunci" in phone.say("Siti Aminah")


def test_a_family_on_one_number_each_by_the_own_name_and_nik(services: Services) -> None:
    siti(services)
    a_certificate(services, person=replace(BUDI, phone=SITI_NUMBER), product="Pfizer")
    phone = Phone(services)
    assert "Influenza" in phone.prove()
    assert "nama lengkap" in phone.say("2")
    phone.say("Budi Santoso")
    assert "tidak cocok" in phone.say(NIK)
    shown = phone.say(BUDI_NIK)
    assert "Pfizer" in shown
    assert "Influenza" not in shown


def test_another_ones_number_proves_nothing(services: Services, gateway: FakeGateway) -> None:
    siti(services)
    a_certificate(services, person=BUDI)
    budi = Phone(services, BUDI_NUMBER)
    budi.say("hai")
    budi.say("1")
    budi.say(SITI_NUMBER)
    assert gateway.sent[-1].to == SITI_NUMBER  # the code goes to her, not to who writes
    assert "tidak cocok" in budi.say("000000")
    budi.say("hai")
    budi.say("1")
    budi.say("1")
    budi.say(budi.code())
    assert "tidak cocok" in budi.say("Siti Aminah")


def test_a_child_without_a_nik_is_opened_by_the_birth_date(services: Services) -> None:
    a_certificate(services, person=replace(SITI, nik=None))
    phone = Phone(services)
    phone.say("hai")
    phone.say("1")
    phone.say("1")
    phone.say(phone.code())
    assert "tanggal lahir" in phone.say("Siti Aminah")
    assert "4 angka" in phone.say("10 Feb")
    assert "tidak cocok" in phone.say("11-02-1989")
    assert "Pilih sertifikat" in phone.say("10 Februari 1989")


def test_what_changed_meanwhile_ends_the_proof(phone: Phone, services: Services) -> None:
    phone.prove()
    with services.db.write() as conn:
        [person_id] = persons.ids_with_phone(conn, persons.phone_index(services.sealer, SITI_NUMBER))
        person = persons.get(conn, services.sealer, person_id)
        persons.update(conn, services.sealer, replace(person, phone=BUDI_NUMBER), at=services.clock.now())
    assert "memastikan lagi" in phone.say("1")


def test_a_certificate_that_ended_is_not_given(phone: Phone, services: Services) -> None:
    phone.prove()
    with services.db.write() as conn:
        [person_id] = persons.ids_with_phone(conn, persons.phone_index(services.sealer, SITI_NUMBER))
        [row] = certificates.of_person(conn, person_id)
        certificates.end(
            conn,
            row.dose_id,
            status=CertificateStatus.REVOKED,
            reason=Reason.WITHDRAWN,
            at=services.clock.now(),
            replaced_by=None,
        )
    assert "Belum ada sertifikat" in phone.say("1")


def test_what_a_strangers_number_was_given_in_the_chat_ends_with_what_was_sent_to_it(
    phone: Phone, services: Services
) -> None:
    phone.prove()
    file = phone.messages("1")[1].file_url
    assert file is not None
    token, at = file.rpartition("/")[2], services.clock.now()
    number = persons.phone_index(services.sealer, SITI_NUMBER)
    with services.db.write() as conn:
        [person_id] = persons.ids_with_phone(conn, number)
        not_me.pause(conn, person_id, number, at=at)
    assert not files.is_there(services, token)
    with services.db.write() as conn:
        not_me.unpause(conn, person_id, number, at=at)
    assert files.is_there(services, token)
    with services.db.write() as conn:
        not_me.pause(conn, person_id, number, at=at)
        cases.confirm_pause(conn, person_id=person_id, phone_index=number, at=at)
        given = conn.execute(sa.select(table.link).order_by(table.link.c.created_at.desc())).first()
    assert given is not None
    assert given.revoke_reason == "wrong-number"


def test_somebody_without_a_certificate_is_told_where_to_ask(services: Services) -> None:
    a_person(services, SITI)
    assert "Belum ada sertifikat" in Phone(services).prove()


def test_more_than_ten_certificates_a_day_are_too_many(phone: Phone, clock: FakeClock) -> None:
    phone.prove()
    told = ""
    for _ in range(11):
        told += phone.say("1")
        phone.say("1")
        clock.tick(seconds=30)
    assert told.count("/c/") == 10
    assert told.count("sering diminta") == 1


class FakeMissing:
    """One cause that can be mended, once."""

    def __init__(self) -> None:
        self.reports: list[Missed] = []
        self.mended: list[str] = []

    def causes(self, services: Services, phone: str, person_id: str, language: str) -> Told | None:
        return Told(("SMS tertahan jam malam.",), (("f1", "Kirim sekarang"),))

    def mend(self, services: Services, phone: str, person_id: str, finding: str) -> bool:
        self.mended.append(finding)
        return len(self.mended) == 1

    def report(self, services: Services, missed: Missed) -> Granted:
        self.reports.append(missed)
        return Granted(Came.DONE, id="K1", address="http://127.0.0.1:8000/kasus/x")


def test_a_certificate_that_did_not_come_its_cause_its_mending_and_its_report(services: Services) -> None:
    made = siti(services)
    missing = FakeMissing()
    phone = Phone(services, rooms=Rooms(missing=missing))
    told = phone.prove("4")
    assert "jam malam" in told
    assert "1. Kirim sekarang" in told
    assert "belum mengerti" in phone.say("apa?")
    assert "diperbaiki" in phone.say("1")
    phone.say("4")
    assert "tidak bisa diperbaiki" in phone.say("1")
    assert "Di mana" in phone.say("2")
    assert "Tanggal berapa" in phone.say("Puskesmas Menteng")
    assert "sudah lewat" in phone.say("17-08-2030")
    assert "5 tahun" in phone.say("17-08-2011")
    assert "Vaksin apa" in phone.say("2 November 2026")
    assert "K1" in phone.say("1")
    [report] = missing.reports
    assert (report.phone, report.is_proven, report.person_id) == (SITI_NUMBER, True, made.person_id)
    assert (report.place, report.day, report.vaccine) == ("Puskesmas Menteng", date(2026, 11, 2), "")


def test_whose_number_gets_no_code_reports_from_the_one_that_writes(services: Services, gateway: FakeGateway) -> None:
    missing = FakeMissing()
    phone = Phone(services, "+6281388888888", rooms=Rooms(missing=missing))
    for text in ("hai", "4", SITI_NUMBER, "2", "Siti Aminah", "10-2-1989", "RSUD Kota", "1-11-2026", "Sinovac"):
        phone.say(text)
    [report] = missing.reports
    assert (report.phone, report.is_proven, report.person_id) == ("+6281388888888", False, "")
    assert (report.name, report.born, report.vaccine) == ("Siti Aminah", date(1989, 2, 10), "Sinovac")
    assert gateway.sent == []


def test_why_and_what_is_done_about_it_in_the_real_words(services: Services, clock: FakeClock) -> None:
    siti(services)
    phone = Phone(services, rooms=open_rooms(services))
    told = phone.prove("4")
    assert "Dosis 1 dari 2 · Influenza · 22 November 2026: Untuk catatan lama tidak dikirim SMS." in told
    assert "1. Kirim tautan baru ke 0812••••90" in told
    assert "diperbaiki" in phone.say("1")
    clock.tick(minutes=1)
    phone.hear()
    assert "/c/" in phone.gateway.sent[-1].text


def test_a_report_in_the_chat_is_a_case_with_a_page_of_its_own(services: Services, clock: FakeClock) -> None:
    a_person(services, SITI)
    phone = Phone(services, rooms=open_rooms(services))
    assert "belum punya catatan dosis" in phone.prove("4")
    for text in ("Puskesmas Menteng", "22-11-2026"):
        phone.say(text)
    assert "48 jam" in phone.say("1")
    phone.say("4")
    for text in ("Puskesmas Menteng", "2-11-2026"):
        phone.say(text)
    told = phone.say("Sinovac")
    assert "/kasus/" in told
    with services.db.read() as conn:
        [row] = conn.execute(sa.select(support_case)).all()
    assert row.reference in told
    assert row.source == "chat"


def test_the_status_is_told_in_lines(services: Services) -> None:
    siti(services)
    phone = Phone(services, rooms=open_rooms(services))
    assert "Influenza" in phone.prove("2")
    assert "Influenza" in phone.say("en") + phone.say("2")


def test_staff_are_asked_in_one_message(services: Services) -> None:
    asked: list[tuple[str, str]] = []

    def desk(services: Services, phone: str, language: str, question: str) -> Granted:
        asked.append((phone, question))
        return Granted(Came.DONE, id="T7", address="http://127.0.0.1:8000/kasus/x")

    phone = Phone(services, rooms=Rooms(desk=desk))
    phone.say("hai")
    assert "satu pesan" in phone.say("5")
    assert "paling banyak 1.000" in phone.say("Kenapa nama saya salah? " * 60)
    assert "T7" in phone.say("Kenapa nama saya salah? " * 40)
    assert asked[0][0] == SITI_NUMBER


def test_a_question_is_a_case_at_the_desk_and_one_more_word_joins_it(services: Services) -> None:
    phone = Phone(services, rooms=open_rooms(services))
    for text in ("5", "Kenapa sertifikat saya dua?"):
        told = phone.say(text)
    phone.say("5")
    again = phone.say("Ini masih belum dijawab")
    with services.db.read() as conn:
        [row] = conn.execute(sa.select(support_case)).all()
        steps = conn.execute(sa.select(case_step).order_by(case_step.c.at)).all()
    assert (row.kind, row.source, row.contact_id is not None) == ("asked", "chat", True)
    assert row.reference in told
    assert row.reference in again
    assert "/kasus/" in told
    assert [step.kind for step in steps] == ["reported", "joined"]
    assert "sertifikat" not in repr(steps)


def test_a_number_abroad_may_ask_and_is_never_sent_an_sms(services: Services, gateway: FakeGateway) -> None:
    phone = Phone(services, "+442071838750", rooms=open_rooms(services))
    phone.say("hai")
    phone.say("1")
    assert "bukan nomor HP" in phone.say("1")
    phone.say("batal")
    phone.say("5")
    assert "/kasus/" in phone.say("Saya di luar negeri")
    with services.db.read() as conn:
        [row] = conn.execute(sa.select(support_case)).all()
    assert row.contact_id is None
    assert gateway.sent == []


def test_rooms_that_are_not_there_say_whom_to_call(phone: Phone) -> None:
    phone.prove("2")
    assert "119" in phone.say("5")
    phone.say("4")
    assert "119" in phone.say("batal") + phone.say("5")


def test_nothing_that_was_typed_is_kept_and_a_day_later_nothing_at_all(phone: Phone, clock: FakeClock) -> None:
    phone.prove()
    phone.say("1")
    services = phone.services
    with services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(chat_message.c.text_sealed.is_not(None))) == 0
        assert conn.scalar(sa.select(sa.func.count()).where(chat_reply.c.body_sealed.is_not(None))) == 0
    clock.tick(hours=25)
    other = Phone(services, BUDI_NUMBER)
    other.say("hai")
    with services.db.read() as conn:
        assert len(conn.execute(sa.select(conversation)).all()) == 1
        assert len(conn.execute(sa.select(chat_message)).all()) == 1


def test_what_was_given_is_in_the_audit(phone: Phone) -> None:
    phone.prove()
    phone.say("1")
    with phone.services.db.read() as conn:
        actions = set(conn.scalars(sa.select(audit.c.action).where(audit.c.actor == "door:chat")))
    assert actions == {"chat.certificate-given"}


def test_a_state_that_no_key_opens_keeps_nobody_else_waiting(phone: Phone, services: Services) -> None:
    phone.say("hai")
    with services.db.write() as conn:
        conn.execute(conversation.update().values(state_sealed=b"broken"))
    phone.write("1")
    other = Phone(services, BUDI_NUMBER)
    assert "Halo" in other.say("hai")


def test_a_text_or_reply_that_no_key_opens_keeps_nobody_waiting(phone: Phone, services: Services) -> None:
    phone.write("hai")
    with services.db.write() as conn:
        conn.execute(chat_message.update().values(text_sealed=b"broken"))
    other = Phone(services, BUDI_NUMBER)
    assert "Halo" in other.say("hai")
    phone.write("hai")
    work.read_waiting(services, Rooms())
    with services.db.write() as conn:
        conn.execute(chat_reply.update().where(chat_reply.c.status == "scheduled").values(body_sealed=b"broken"))
    assert phone.hear() == []
    assert "Halo" in phone.say("hai")
    assert "Halo" in other.say("hai")


def test_a_step_that_fails_is_tried_again_and_then_told(services: Services, clock: FakeClock) -> None:
    siti(services)

    class Broken(FakeMissing):
        def causes(self, services: Services, phone: str, person_id: str, language: str) -> Told | None:
            raise RuntimeError("a fault of ours")

    phone = Phone(services, rooms=Rooms(missing=Broken()))
    assert phone.prove("4") == ""
    told = ""
    for _ in range(8):
        clock.tick(seconds=35)
        told += "".join(message.text for message in phone.hear())
    assert "gangguan" in told
    assert "Halo" in phone.say("hai")


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_proved_in_a_chat_is_over_the_moment_it_is_true_no_more(
    services: Services, phone: Phone, loss: str
) -> None:
    assert "Dosis 1 dari 2" in phone.prove()
    with services.db.read() as conn:
        [person_id] = persons.ids_with_phone(conn, persons.phone_index(services.sealer, SITI_NUMBER))
    LOSSES[loss](services, person_id)
    assert "/c/" not in phone.say("1")
