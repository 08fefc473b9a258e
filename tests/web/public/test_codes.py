"""/certificate/<view>/codes and the card file: behind the same cookie, read back by somebody else's QR reader."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha512

import pytest
import sqlalchemy as sa

from notifier.certificates import issue
from notifier.certificates.codes.hc1 import read_hc1
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import codes_of
from notifier.certificates.codes.shc import numeric, qr_text, read_shc
from notifier.certificates.qr import QrMatrix, make_qr
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store.tables import opening
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.certificates.samples import read_codes
from tests.web.public.conftest import NewVisitor, Visitor, told

_CORONAVAC = {"vaccine_code": "511", "product": "CoronaVac"}
_MOST_BYTES = 14 * 1024


@pytest.fixture
def made(services: Services) -> MadeCertificate:
    return a_certificate(services, **_CORONAVAC)


def scanned(matrix: QrMatrix, scale: int = 4) -> str:
    """What a QR reader sees in the modules, with their white margin."""
    side = matrix.side * scale
    rows = []
    for y in range(-4, matrix.size + 4):
        row = bytes(
            0 if 0 <= y < matrix.size and 0 <= x < matrix.size and matrix.modules[y * matrix.size + x] else 255
            for x in range(-4, matrix.size + 4)
        )
        rows.append(b"".join(bytes([pixel]) * scale for pixel in row) * scale)
    (found,) = read_codes(side, side, b"".join(rows))
    return found.text


def test_the_page_shows_both_codes_and_they_can_be_scanned(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    page = visitor.get(visitor.opened(made) + "/codes")
    assert page.status_code == 200
    codes, keys = codes_of(services, made.certificate_id), keyring(services).public
    hc1, shc = make_qr(codes.hc1, "Q"), make_qr(qr_text(codes.shc), "L")
    assert re.findall(r'stroke="#000" d="([^"]+)"', page.text) == [hc1.to_svg_path(), shc.to_svg_path()]
    assert read_hc1(scanned(hc1), keys).name == "Siti Aminah"
    assert read_shc(scanned(shc), keys).name == "Siti Aminah"
    assert f"https://redirect.health.apple.com/SMARTHealthCard/#{numeric(codes.shc)}" in page.text


def test_the_page_is_small_and_has_no_script_and_no_style(visitor: Visitor, made: MadeCertificate) -> None:
    page = visitor.get(visitor.opened(made) + "/codes")
    assert len(gzip.compress(page.data)) <= _MOST_BYTES
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|<style|style=|onclick", page.text)
    assert SITI.nik not in page.text


def test_in_english_each_code_says_what_it_proves(visitor: Visitor, made: MadeCertificate) -> None:
    text = visitor.get(visitor.opened(made) + "/codes?lang=en").text
    assert "Proves this COVID-19 dose" in text
    assert "Proves these vaccine doses" in text


def test_a_vaccine_that_is_not_against_covid_has_the_health_card_alone(services: Services, visitor: Visitor) -> None:
    text = visitor.get(visitor.opened(a_certificate(services)) + "/codes").text
    assert "SMART Health Card" in text
    assert "HC1" not in text


def test_where_nothing_can_be_made_the_page_says_what_still_holds(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services)
    with services.db.write() as conn:
        conn.execute(sa.text("UPDATE dose SET vaccine_system = :long"), {"long": long_and_random()})
    view = visitor.opened(made)
    page, card = visitor.get(view + "/codes"), visitor.get(view + ".smart-health-card")
    assert "tidak ada kode lain" in page.text
    assert '<path stroke="#000"' not in page.text
    assert (card.status_code, "tidak ada kartu" in card.text) == (404, True)


def long_and_random() -> str:
    return "".join(sha512(bytes([place])).hexdigest() for place in range(20))


def test_the_card_file_is_a_smart_health_card(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    card = visitor.get(visitor.opened(made) + ".smart-health-card")
    assert card.content_type == "application/smart-health-card"
    assert card.headers["Content-Disposition"] == 'attachment; filename="kartu-vaksin.smart-health-card"'
    (jws,) = json.loads(card.data)["verifiableCredential"]
    assert jws == codes_of(services, made.certificate_id).shc
    with services.db.read() as conn:
        kinds = list(conn.scalars(sa.select(opening.c.kind)))
    assert sorted(kinds) == ["opened", "shc"]


def test_no_other_browser_sees_a_code(visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate) -> None:
    view, stranger = visitor.opened(made), new_visitor()
    for address in (view + "/codes", view + ".smart-health-card"):
        assert stranger.get(address).status_code == 404
        unknown = stranger.get(address.replace(view, "/certificate/" + "x" * 22))
        assert told(stranger.get(address)) == told(unknown)


def test_a_revocation_closes_the_open_codes_page_at_once(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    view = visitor.opened(made)
    assert visitor.get(view + "/codes").status_code == 200
    with services.db.write() as conn:
        issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())
    for address in (view + "/codes", view + ".smart-health-card"):
        assert visitor.get(address).status_code == 410


def test_the_certificate_page_leads_to_the_codes(visitor: Visitor, made: MadeCertificate) -> None:
    view = visitor.opened(made)
    assert f'href="{view}/codes"' in visitor.get(view).text
