"""/c/<token>: the landing tells nothing, the birth date opens, and each end of a link has its page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.certificates import issue
from notifier.core.link_tokens import new_public_id
from notifier.core.states import Reason
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import certificates
from notifier.store.tables import audit, counter, metadata, opening, person
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.canaries import stands_in
from tests.fakes import FakeClock
from tests.web.public.conftest import RIGHT, WRONG, NewVisitor, Visitor, told

PERSONAL = ("Siti", "Aminah", "1989", "Februari", "Influenza", "3174", "812", "LOT-7", "Menteng")
PREVIEWS = (
    "WhatsApp/2.24.1 A",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
)


class NoDatabase:
    """Whoever touches it is found out."""

    def read(self) -> Any:
        raise AssertionError("the database was read")

    @property
    def hot_dialect(self) -> Any:
        raise AssertionError("the database was read")

    def write(self) -> Any:
        raise AssertionError("the database was written")

    def close(self) -> None:
        pass


def everything(services: Services) -> list[Any]:
    """Every row of every table."""
    with services.db.read() as conn:
        return [tuple(row) for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]


def test_two_live_links_have_the_same_bytes_and_name_nobody(services: Services, visitor: Visitor) -> None:
    first = a_certificate(services)
    second = a_certificate(services, person=replace(SITI, name="Budi"), number=2, series_total=None)
    answers = [told(visitor.get(f"/c/{made.token}")) for made in (first, second)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    page = answers[0][1].decode()
    assert not [word for word in (*PERSONAL, "Budi", first.token, first.number) if stands_in(word, page)]


@pytest.mark.parametrize("agent", PREVIEWS)
def test_a_preview_robot_learns_and_changes_nothing(
    services: Services, visitor: Visitor, made: MadeCertificate, agent: str
) -> None:
    before = everything(services)
    for method in ("GET", "HEAD", "OPTIONS"):
        response = visitor.client.open(f"/c/{made.token}", method=method, headers={"User-Agent": agent})
        assert response.status_code == 200
        assert "certificate" not in str(response.headers.getlist("Set-Cookie"))
    assert everything(services) == before


def test_head_is_get_without_its_body(visitor: Visitor, made: MadeCertificate) -> None:
    get, head = visitor.get(f"/c/{made.token}"), visitor.client.head(f"/c/{made.token}")
    assert (head.data, told(head)[2]) == (b"", told(get)[2])


def test_the_right_date_leads_to_an_address_without_the_token(visitor: Visitor, made: MadeCertificate) -> None:
    response = visitor.post(f"/c/{made.token}", RIGHT)
    assert (response.status_code, response.data) == (303, b"")
    assert response.location.startswith("/certificate/")
    assert made.public_id not in response.location
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("certificate=")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=900"))
    assert made.token not in cookie


def test_with_https_the_cookie_is_bound_to_the_host(build_services: Any, new_visitor: NewVisitor) -> None:
    services = build_services(public_url="https://sertifikat.example.id")
    made = a_certificate(services)
    response = new_visitor(services).post(f"/c/{made.token}", RIGHT, base_url="https://sertifikat.example.id")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-certificate=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_wrong_date_says_how_many_tries_are_left_and_keeps_what_was_typed(
    visitor: Visitor, made: MadeCertificate
) -> None:
    response = visitor.post(f"/c/{made.token}", WRONG)
    assert response.status_code == 422
    assert "Tinggal 4 kesempatan lagi." in response.text
    assert 'value="1980"' in response.text
    assert "orang tua atau wali" not in response.text
    assert "Set-Cookie" not in response.headers


def test_after_the_second_wrong_date_the_page_says_whose_date_it_asks_for(
    visitor: Visitor, made: MadeCertificate
) -> None:
    texts = [visitor.post(f"/c/{made.token}", WRONG).text for _ in range(4)]
    whose = "Isi tanggal lahir penerima vaksin, bukan tanggal lahir Anda jika Anda orang tua atau wali."
    assert [whose in text for text in texts] == [False, True, True, True]
    assert "Tinggal 1 kesempatan lagi." in texts[3]


def test_the_fifth_wrong_date_locks_and_a_right_one_then_opens_nothing(visitor: Visitor, made: MadeCertificate) -> None:
    statuses = [visitor.post(f"/c/{made.token}", WRONG).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 423]
    right = visitor.post(f"/c/{made.token}", RIGHT)
    assert right.status_code == 423
    assert told(right) == told(visitor.get(f"/c/{made.token}"))
    assert "5 kali" in right.text


def test_what_cannot_be_a_date_is_explained_beside_its_field_and_costs_no_try(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    response = visitor.post(f"/c/{made.token}", {"day": "32", "month": "", "year": "84"})
    assert response.status_code == 422
    for name, words in (
        ("day", "Tulis tanggal dengan angka 1 sampai 31, misalnya 17"),
        ("month", "Isi bulannya, misalnya 8 atau Agustus"),
        ("year", "Tulis tahun dengan 4 angka, misalnya 1984"),
    ):
        assert f'<a href="#{name}">{words}</a>' in response.text
        assert f'<p class="problem" id="{name}-problem">{words}</p>' in response.text
        assert f'aria-describedby="{name}-problem"' in response.text
    assert 'value="32"' in response.text
    assert "salah" not in response.text
    with services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.sum(person.c.wrong_tries))) == 0
        assert conn.scalar(sa.select(sa.func.count()).select_from(counter)) == 0


def test_month_names_and_a_missing_field_are_no_surprise(visitor: Visitor, made: MadeCertificate) -> None:
    assert visitor.post(f"/c/{made.token}", {"day": "10"}).status_code == 422
    assert visitor.post(f"/c/{made.token}", RIGHT | {"month": "Februari"}).status_code == 303


def test_what_was_typed_is_escaped(visitor: Visitor, made: MadeCertificate) -> None:
    text = visitor.post(f"/c/{made.token}", RIGHT | {"day": '"><b>x</b>'}).text
    assert "<b>x" not in text
    assert "&lt;b&gt;x" in text


@pytest.mark.parametrize("tail", [".", ",", ")", "%20", ">", "%22", "'", "/", "./", "!%20"])
def test_what_a_phone_leaves_behind_a_link_is_taken_off(visitor: Visitor, made: MadeCertificate, tail: str) -> None:
    response = visitor.get(f"/c/{made.token}{tail}")
    assert (response.status_code, response.location) == (302, f"/c/{made.token}")
    assert visitor.post(f"/c/{made.token}{tail}", RIGHT).status_code == 303


def test_wrong_macs_and_unknown_ids_cannot_be_told_apart(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    unknown = told(visitor.get("/c/" + services.links.sign(new_public_id())))
    flipped = made.token[:-1] + ("0" if made.token[-1] != "0" else "1")
    for forged in (flipped, made.token[:-1], made.token + "0", "x", "0" * 33, "z" * 33, flipped + ".", "a/b/style.css"):
        assert told(visitor.get(f"/c/{forged}")) == unknown
        assert told(visitor.post(f"/c/{forged}", RIGHT)) == unknown
    assert unknown[0] == 404


def test_no_forged_token_reaches_the_database(
    services: Services, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    blind = new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises
    flipped = made.token[:-1] + ("0" if made.token[-1] != "0" else "1")
    for path in (f"/c/{flipped}", "/c/%ff%fe%00", "/c/" + "A" * 500, "/c/%F0%9F%98%80", f"/c/{made.token}/x.css"):
        assert blind.get(path).status_code == 404
        assert blind.post(path, RIGHT).status_code == 404
    assert blind.get(f"/certificate/{'x' * 22}").status_code == 404


def ended(services: Services, how: str) -> MadeCertificate:
    made, now = a_certificate(services), services.clock.now()
    with services.db.write() as conn:
        if how == "expired":
            certificates.renew_expiry(conn, [made.link_id], now)
        elif how == "replaced":
            issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=now)
        elif how == "withdrawn":
            issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=now)
        elif how == "turned off":
            certificates.revoke_links(conn, made.dose_id, reason=Reason.NUMBER_CHANGED, at=now)
    return made


@pytest.mark.parametrize(
    ("how", "title"),
    [
        ("expired", "Tautan ini sudah tidak berlaku"),
        ("replaced", "Sertifikat ini sudah diganti"),
        ("withdrawn", "Sertifikat ini sudah ditarik"),
        ("turned off", "Tautan ini sudah dimatikan"),
    ],
)
def test_each_end_of_a_link_says_what_happened_and_whom_to_ask(
    services: Services, visitor: Visitor, how: str, title: str
) -> None:
    made = ended(services, how)
    response = visitor.get(f"/c/{made.token}")
    assert response.status_code == 410
    assert f"<h1>{title}</h1>" in response.text
    assert "Yang dapat Anda lakukan sekarang" in response.text
    assert all(way in response.text for way in ("tel:119", "0811-0000-0000", "mailto:bantuan@contoh.example"))
    assert 'name="day"' not in response.text
    assert told(visitor.post(f"/c/{made.token}", RIGHT)) == told(response)


def test_too_many_tries_say_when_to_come_back(visitor: Visitor, made: MadeCertificate, clock: FakeClock) -> None:
    statuses = [visitor.post(f"/c/{made.token}", RIGHT).status_code for _ in range(13)]
    assert statuses == [303] * 12 + [429]
    limited = visitor.post(f"/c/{made.token}", RIGHT)
    assert 0 < int(limited.headers["Retry-After"]) <= 600
    assert "Coba lagi dalam 10 menit." in limited.text
    clock.tick(minutes=10)
    assert visitor.post(f"/c/{made.token}", RIGHT).status_code == 303


def test_another_site_cannot_post_for_a_person(visitor: Visitor, made: MadeCertificate) -> None:
    response = visitor.post(f"/c/{made.token}", RIGHT, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert visitor.post(f"/c/{made.token}", RIGHT, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_without_a_check_there_is_a_button_and_a_get_still_does_nothing(
    services: Services, build_services: Any, new_visitor: NewVisitor
) -> None:
    lax = build_services(link_check=LinkCheck.NONE)
    made, visitor = a_certificate(lax), new_visitor(lax)
    before = everything(lax)
    page = visitor.get(f"/c/{made.token}").text
    assert "<input" not in page
    assert "<button>" in page
    assert everything(lax) == before
    assert visitor.post(f"/c/{made.token}").status_code == 303


def test_openings_and_wrong_dates_are_noted_with_the_kind_of_device(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 13; SM-A045F) Mobile Safari/537.36"}
    visitor.post(f"/c/{made.token}", WRONG, headers=phone)
    visitor.post(f"/c/{made.token}", RIGHT, headers=phone)
    with services.db.read() as conn:
        noted = [(row.kind, row.device) for row in conn.execute(sa.select(opening).order_by(opening.c.id))]
        actions = list(conn.scalars(sa.select(audit.c.action).order_by(audit.c.id)))
    assert sorted(noted) == [("opened", "phone"), ("wrong-date", "phone")]
    assert sorted(actions) == ["birth-date-wrong", "certificate-opened"]


def test_english_is_chosen_once_and_kept(visitor: Visitor, made: MadeCertificate) -> None:
    first = visitor.get(f"/c/{made.token}?lang=en")
    assert '<html lang="en">' in first.text
    assert "Open the certificate" in first.text
    assert "Open the certificate" in visitor.get(f"/c/{made.token}").text
    assert "Buka sertifikat" in visitor.get(f"/c/{made.token}?lang=id").text
    assert "Buka sertifikat" in visitor.get(f"/c/{made.token}?lang=xx").text
