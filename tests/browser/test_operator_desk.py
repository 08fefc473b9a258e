"""An operator's hour in a real browser: find a person by phone, read the timeline, resend, decide what is held, correct
and replay a dead letter. Each page that is walked over fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.errors import BadInput
from notifier.core.states import Channel, Reason, State
from notifier.intake import readers
from notifier.intake.record import Door, dead_letter
from notifier.messages.send import Sender
from notifier.store import caught, persons
from notifier.store.suppressions import Source
from notifier.store.tables import notification
from notifier.support import opt_out
from tests.browser.conftest import Site, fits
from tests.builders import event_json
from tests.desk import Desk

PASSWORD = "tiga kucing oren"
PHONE = "0812-3456-7890"


@pytest.fixture(params=[(360, 740), (1280, 800)], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """An operator's page, signed in."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    accounts.add(
        site.services,
        Passwords(memory_kib=64, passes=1),
        username="oki",
        display_name="Oki",
        password=PASSWORD,
        role=Role.OPERATOR,
        actor="test",
    )
    page.goto(site.staff + "/messages")
    page.fill("[name=username]", "oki")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(f"{site.staff}/messages")
    yield page
    context.close()


def check(page: Page) -> None:
    """One heading, and nothing that sticks out."""
    found: list[str] = []
    if not fits(page):
        found.append("sticks out")
    if page.locator("h1").count() != 1:
        found.append("not one h1")
    assert found == [], f"{page.url}: {found}"


def a_bad_event(site: Site, **changes: object) -> None:
    body = json.dumps(event_json(**changes)).encode()
    with pytest.raises(BadInput) as caught_error:
        readers.from_json(site.services, body)
    dead_letter(site.services, door=Door.STREAM, body=body, problems=caught_error.value.problems)


def test_a_person_is_found_by_phone_read_about_and_sent_the_sms_again(site: Site, page: Page) -> None:
    desk = Desk(site.services)
    first = desk.record(person={"name": "Raden Ajeng Kusumaningrum Pradnyaparamitha Hadiningrat"}).reference
    Sender(site.services).send_batch(10)
    site.clock.tick(minutes=5)
    check(page)

    page.fill("[name=q]", "Tidak Ada Namanya")
    page.get_by_role("button", name="Cari").click()
    expect(page.get_by_role("heading", name="Tidak ditemukan")).to_be_visible()
    check(page)
    page.fill("[name=q]", "0812 00")
    page.get_by_role("button", name="Cari").click()
    expect(page.locator("#q-problem")).to_be_visible()
    check(page)
    page.fill("[name=q]", PHONE)
    page.get_by_role("button", name="Cari").click()
    check(page)
    assert PHONE not in page.url
    page.get_by_role("link", name=re.compile("Kusumaningrum")).click()
    page.wait_for_url(f"**/persons/{first}")
    expect(page.get_by_text("Jawaban penyedia SMS")).to_be_visible()
    expect(page.get_by_text("0812••••90").first).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    check(page)

    page.get_by_label("Menanyakan SMS atau sertifikatnya").check()
    page.fill("[name=note]", "Sudah dijelaskan, minta dikirim lagi")
    page.get_by_role("button", name="Simpan catatan").click()
    expect(page.get_by_text("Sudah dijelaskan, minta dikirim lagi")).to_be_visible()
    page.get_by_text("Lihat nomor lengkap").click()
    page.fill("#reveal-phone-reason", "telepon balik")
    page.get_by_role("button", name="Lihat nomor").click()
    expect(page.get_by_text(PHONE)).to_be_visible()
    check(page)

    page.get_by_role("link", name=str(first)).first.click()
    page.wait_for_url(f"**/messages/{first}")
    page.locator("#main").get_by_text("Kirim ulang", exact=True).click()
    page.fill("#resend-reason", "ponsel baru")
    page.get_by_role("button", name="Periksa dulu").click()
    page.get_by_role("button", name="Ya, jadwalkan kirim ulang").click()
    expect(page.get_by_text("Kirim ulang dijadwalkan")).to_be_visible()
    check(page)
    site.clock.tick(minutes=1)
    Sender(site.services).send_batch(10)
    with site.services.db.read() as conn:
        assert [sms.to for sms in caught.newest(conn, site.services.sealer, 5)] == ["+6281234567890"] * 2
    page.goto(f"{site.staff}/persons/{first}?order=oldest")
    expect(page.get_by_text("ponsel baru").first).to_be_visible()
    check(page)


def test_a_dead_letter_is_corrected_and_becomes_an_sms(site: Site, page: Page) -> None:
    a_bad_event(site, dose={"number": 0}, person={"birth_date": "10 Feb 89"})
    a_bad_event(site, event_id="e-2", dose={"number": 0}, person={"birth_date": "10 Feb 89"})
    page.goto(site.staff + "/work")
    check(page)
    page.get_by_role("link", name=re.compile("Kiriman yang tidak dapat diterima")).click()
    page.get_by_text(re.compile("^2 kiriman")).click()
    check(page)
    page.locator("td a").first.click()
    check(page)
    page.get_by_text("Buka isinya, untuk diperbaiki").click()
    page.fill("#open-reason", "laporan dinas")
    page.get_by_role("button", name="Buka isinya").click()
    check(page)
    body = page.input_value("#body")
    page.fill("#body", body.replace("10 Feb 89", "1989-02-10"))
    page.fill("#replay-reason", "dicek ke puskesmas")
    page.get_by_role("button", name="Terima yang sudah diperbaiki").click()
    expect(page.get_by_text("Masih ada yang salah")).to_be_visible()
    check(page)
    page.fill("#body", page.input_value("#body").replace('"number": 0', '"number": 1'))
    page.get_by_role("button", name="Terima yang sudah diperbaiki").click()
    expect(page.get_by_text("Diterima. SMS-nya dijadwalkan")).to_be_visible()
    check(page)
    Sender(site.services).send_batch(10)
    with site.services.db.read() as conn:
        assert len(caught.newest(conn, site.services.sealer, 5)) == 1
    page.goto(site.staff + "/work/dead-letters")
    page.locator("td a").first.click()
    page.get_by_text("Buang", exact=True).click()
    page.fill("#discard-reason", "kiriman ganda")
    page.get_by_role("button", name="Buang kiriman ini").click()
    expect(page.get_by_text("Dibuang. Isinya")).to_be_visible()
    page.goto(site.staff + "/work/dead-letters")
    expect(page.get_by_role("heading", name="Tidak ada di sini")).to_be_visible()
    check(page)


def test_what_is_held_unknown_late_numberless_or_stopped_is_looked_through(site: Site, page: Page) -> None:
    desk = Desk(site.services)
    for number, (state, reason) in enumerate(
        [(State.HELD, Reason.PAST_DUE), (State.HELD, Reason.PAST_DUE), (State.UNKNOWN, Reason.OUTCOME_UNKNOWN)]
    ):
        reference = desk.record(
            event_id=f"e-{number}",
            person={"id": f"p-{number}", "nik": None, "phone": f"0812-3456-789{number}"},
            dose={"id": f"d-{number}"},
        ).reference
        with site.services.db.write() as conn:
            row = notification.update().where(notification.c.reference == reference)
            conn.execute(row.values(status=state.value, reason=reason.value, look_up_at=None))
    desk.record(event_id="e-9", person={"id": "p-9", "nik": None, "phone": None}, dose={"id": "d-9"})
    number = persons.phone_index(site.services.sealer, "+6281234567890")
    opt_out.stop(site.services, number, channel=Channel.SMS, source=Source.INBOUND, actor=opt_out.INBOUND_DOOR)
    for name in ("late", "unknown", "held", "numbers", "stopped"):
        page.goto(f"{site.staff}/work/{name}")
        check(page)
    page.goto(site.staff + "/work/held")
    page.get_by_role("button", name="Lepas yang dicentang").click()  # the browser itself asks for the reason
    expect(page.locator("#reason")).to_be_focused()
    page.fill("#reason", "jaringan pulih")
    page.get_by_role("button", name="Lepas yang dicentang").click()
    expect(page.get_by_text("Centang paling sedikit satu baris").first).to_be_visible()
    check(page)
    for box in page.locator("[name=row]").all():
        box.check()
    page.get_by_role("button", name="Lepas yang dicentang").click()
    expect(page.get_by_text("Selesai untuk 2 baris.")).to_be_visible()
    check(page)
