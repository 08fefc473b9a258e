"""The states of a link in a real browser, JavaScript off: renewed, paused and taken back, locked and reported; and what
staff do about it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.states import Kind
from notifier.support import follow_ups
from notifier.support.lockouts import report_birth_date
from tests.browser.conftest import Phone, Site
from tests.browser.test_walk import LONG_NAME, PASSWORD, give, newest_link, send
from tests.desk import Desk

#: where to leave pictures to be looked at; nowhere unless asked
PICTURES = os.environ.get("SERTILINK_TEST_PICTURES")


def seen(phone: Phone, name: str) -> None:
    """Each page fits, and is kept as a picture where somebody wants to look."""
    assert phone.fits(), name
    if PICTURES:
        width = phone.page.viewport_size["width"] if phone.page.viewport_size else 0
        phone.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def sent(site: Site, name: str = "Siti Aminah") -> str:
    """The link in the SMS of somebody new."""
    Desk(site.services).record(person={"name": name}, dose={"facility_id": "pkm-1"})
    send(site)
    return newest_link(site)


def press(phone: Phone, words: str) -> None:
    phone.page.get_by_role("button", name=words).click()


def heading(phone: Phone, words: str) -> None:
    expect(phone.page.get_by_role("heading", name=words, level=1)).to_be_visible()


def lock(phone: Phone, language: str = "id") -> None:
    """Five wrong dates; each answer is waited for, or the next date would be typed into the page before."""
    opens = {"id": "Buka sertifikat", "en": "Open the certificate"}[language]
    left = {"id": "Tinggal {} kesempatan lagi", "en": "{}"}[language]
    for number in (4, 3, 2, 1, 0):
        for name, value in (("day", "1"), ("month", "1"), ("year", "1990")):
            phone.page.fill(f"[name={name}]", value)
        press(phone, opens)
        if number:
            expect(phone.page.get_by_role("alert")).to_contain_text(left.format(number))
        if number == 1:
            seen(phone, f"wrong-{language}")
    heading(phone, {"id": "Sertifikat ini terkunci", "en": "This certificate is locked"}[language])


@pytest.mark.parametrize("language", ["id", "en"])
def test_an_expired_link_is_renewed_by_one_tap(site: Site, phone: Phone, language: str) -> None:
    link = sent(site)
    site.clock.tick(days=91)
    phone.page.goto(f"{link}?lang={language}")
    button, answer = {
        "id": ("Kirim tautan baru ke nomor yang terdaftar", "Permintaan Anda kami terima"),
        "en": ("Send a new link to the number on file", "We have received your request"),
    }[language]
    seen(phone, f"expired-{language}")
    press(phone, button)
    heading(phone, answer)
    seen(phone, f"renewed-{language}")
    phone.page.reload()  # posts the form again: the same wish
    heading(phone, answer)
    send(site)
    new = newest_link(site)
    assert new != link
    phone.page.goto(f"{new}?lang=id")
    give(phone, "10", "2", "1989")
    phone.page.wait_for_url("**/certificate/*")
    assert [row.kind for row in Desk(site.services).rows()].count(Kind.RENEWAL) == 1


@pytest.mark.parametrize("language", ["id", "en"])
def test_somebody_says_that_it_is_not_for_them_and_takes_it_back(site: Site, phone: Phone, language: str) -> None:
    link = sent(site)
    ask, question, yes, done, paused, again, undo, back = {
        "id": (
            "Ini bukan untuk saya",
            "SMS ini bukan untuk Anda?",
            "Ya, ini bukan untuk saya",
            "Terima kasih, sudah kami hentikan sementara",
            "Tautan ini dihentikan sementara",
            "Batalkan pemberitahuan itu",
            "Batalkan, ini memang untuk saya atau keluarga saya",
            "Pemberitahuan itu dibatalkan",
        ),
        "en": (
            "This is not for me",
            "Is this SMS not for you?",
            "Yes, this is not for me",
            "Thank you, we have paused it",
            "This link is paused",
            "Take that back",
            "Take it back, this is for me or my family",
            "You have taken that back",
        ),
    }[language]
    phone.page.goto(f"{link}?lang={language}")
    seen(phone, f"landing-{language}")
    press(phone, ask)
    heading(phone, question)
    seen(phone, f"not-me-ask-{language}")
    press(phone, yes)
    heading(phone, done)
    seen(phone, f"not-me-done-{language}")
    phone.page.goto(link)
    heading(phone, paused)
    seen(phone, f"paused-{language}")
    press(phone, again)
    heading(phone, done)
    press(phone, undo)
    heading(phone, back)
    seen(phone, f"not-me-undone-{language}")
    phone.page.get_by_role(
        "link", name={"id": "Kembali ke sertifikat", "en": "Back to the certificate"}[language]
    ).click()
    expect(phone.page.locator("[name=day]")).to_be_visible()


@pytest.mark.parametrize("language", ["id", "en"])
def test_five_wrong_dates_lock_and_the_person_reports_it(site: Site, phone: Phone, language: str) -> None:
    link = sent(site)
    phone.page.goto(f"{link}?lang={language}")
    button, answer = {
        "id": ("Tanggal lahir saya ditolak", "Laporan Anda kami terima"),
        "en": ("My birth date is not accepted", "We have received your report"),
    }[language]
    lock(phone, language)
    seen(phone, f"locked-{language}")
    press(phone, button)
    heading(phone, answer)
    seen(phone, f"reported-{language}")


def test_a_facility_lead_decides_about_what_people_reported(site: Site, phone: Phone) -> None:
    link = sent(site, LONG_NAME)
    token = link.rpartition("/")[2]
    accounts.add(
        site.services,
        Passwords(memory_kib=64, passes=1),
        username="lia",
        display_name="Lia",
        password=PASSWORD,
        role=Role.FACILITY_LEAD,
        actor="test",
        facility_id="pkm-1",
        facility_name="Puskesmas Menteng",
    )
    page = phone.page
    page.goto(site.staff + "/cases")
    page.fill("[name=username]", "lia")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    heading(phone, "Kasus")
    seen(phone, "cases-empty")

    page.goto(link)
    press(phone, "Ini bukan untuk saya")
    press(phone, "Ya, ini bukan untuk saya")
    heading(phone, "Terima kasih, sudah kami hentikan sementara")
    report_birth_date(site.services, token, address="")  # refused: the link is paused
    page.goto(site.staff + "/cases")
    seen(phone, "cases")
    page.get_by_role("table").get_by_role("link").first.click()
    seen(phone, "case")
    page.locator("summary", has_text="Nomornya benar").click()
    seen(phone, "case-undo")
    page.locator("#undo-reason").fill("sudah ditelepon")
    press(phone, "Lanjutkan SMS dan tautan")
    expect(page.get_by_text("berjalan lagi").first).to_be_visible()
    seen(phone, "case-undone")

    page.goto(link)
    lock(phone)
    press(phone, "Tanggal lahir saya ditolak")
    heading(phone, "Laporan Anda kami terima")
    follow_ups.run(site.services)
    page.goto(site.staff + "/cases")
    page.get_by_role("table").get_by_role("link").first.click()
    seen(phone, "case-locked")
    page.locator("summary", has_text="Buka kunci").click()
    page.locator("#unlock-reason").fill("KTP diperiksa")
    press(phone, "Buka kunci dan tutup kasus")
    expect(page.get_by_text("Penerima punya 5 kesempatan lagi")).to_be_visible()
    page.goto(link)
    give(phone, "10", "2", "1989")
    page.wait_for_url("**/certificate/*")
