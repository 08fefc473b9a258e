"""What is fetched from a certificate's page: four files, each signed or drawn, named without a person, and counted."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from pyhanko.pdf_utils.reader import PdfFileReader

from linkserver import create_public_app
from notifier.certificates.limits import DOWNLOADS
from notifier.core.errors import BadSettings
from notifier.services import Services
from notifier.store.tables import opening
from tests.builders import MadeCertificate
from tests.fakes import FakeClock
from tests.pdf_keys import a_pdf_key
from tests.web.public.conftest import NewVisitor, Visitor

FILES = {
    ".pdf": ("pdf", "sertifikat-vaksin.pdf", "vaccine-certificate.pdf"),
    "/card.pdf": ("card", "sertifikat-vaksin-ukuran-ktp.pdf", "vaccine-certificate-card-size.pdf"),
    "/large.pdf": ("large", "sertifikat-vaksin-huruf-besar.pdf", "vaccine-certificate-large-print.pdf"),
    ".png": ("png", "sertifikat-vaksin.png", "vaccine-certificate.png"),
}
PDFS = [path for path in FILES if path.endswith(".pdf")]


def kinds(services: Services) -> list[str]:
    with services.db.read() as conn:
        return sorted(conn.scalars(sa.select(opening.c.kind).where(opening.c.kind != "opened")))


@pytest.mark.parametrize("path", FILES)
def test_each_file_comes_whole_and_is_an_event_of_its_own(
    services: Services, visitor: Visitor, made: MadeCertificate, path: str
) -> None:
    kind, name, english = FILES[path]
    view = visitor.opened(made)
    file = visitor.get(view + path)
    assert file.status_code == 200
    assert int(file.headers["Content-Length"]) == len(file.data)
    assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert file.headers["Cache-Control"] == "no-store"
    assert kinds(services) == [kind]
    there = visitor.get(f"{view}{path}?lang=en")
    assert there.headers["Content-Disposition"] == f'attachment; filename="{english}"'


@pytest.mark.parametrize("path", FILES)
def test_a_look_at_the_head_is_no_download(
    services: Services, visitor: Visitor, made: MadeCertificate, path: str
) -> None:
    head = visitor.client.head(visitor.opened(made) + path)
    assert head.status_code == 200
    assert head.data == b""
    assert int(head.headers["Content-Length"]) > 20_000
    assert kinds(services) == []


@pytest.mark.parametrize("path", PDFS)
def test_every_pdf_is_signed_in_the_issuer_s_name_at_our_own_time(
    services: Services, visitor: Visitor, made: MadeCertificate, path: str, clock: FakeClock
) -> None:
    reader = PdfFileReader(BytesIO(visitor.get(visitor.opened(made) + path).data))
    [signature] = reader.embedded_signatures
    assert signature.sig_object["/M"] == f"D:{clock.now():%Y%m%d%H%M%S}Z"
    assert services.settings.issuer_name in signature.sig_object["/Location"]
    assert signature.signer_cert.subject.native["common_name"] == "Dinas Kesehatan Contoh"


@pytest.mark.parametrize("path", FILES)
def test_a_file_opens_in_no_other_browser(new_visitor: NewVisitor, made: MadeCertificate, path: str) -> None:
    assert new_visitor().get(new_visitor().opened(made) + path).status_code == 404


def test_the_page_says_how_heavy_the_pdf_is(visitor: Visitor, made: MadeCertificate) -> None:
    view = visitor.opened(made)
    said = re.search(r">Unduh PDF \((\d+)\sKB\)<", visitor.get(view).text)
    assert said is not None
    assert abs(int(said[1]) - len(visitor.get(view + ".pdf").data) / 1000) <= 3
    assert "Download PDF (" in visitor.get(view + "?lang=en").text


def test_the_page_leads_to_every_file(visitor: Visitor, made: MadeCertificate) -> None:
    view = visitor.opened(made)
    page = visitor.get(view).text
    for path in FILES:
        assert f'href="{view}{path}" download' in page
    assert page.index("Simpan gambar") < page.index("Lainnya") < page.index("Unduh ukuran KTP")


@pytest.mark.parametrize("path", ["/card", "/large.png", "/card.pdf/", ".txt", "/../x.pdf", "/card.pdf%00"])
def test_there_is_no_other_file(visitor: Visitor, made: MadeCertificate, path: str) -> None:
    assert visitor.get(visitor.opened(made) + path).status_code == 404


def test_the_face_refuses_to_start_without_a_key_for_pdfs(build_services: Any) -> None:
    with pytest.raises(BadSettings, match="SERTILINK_PDF_SIGNING_KEY"):
        create_public_app(build_services(pdf_signing_key=None))
    create_public_app(build_services(pdf_signing_key=None, doors=("verify",)))  # no PDFs there


def test_a_new_key_signs_from_the_next_start_on(
    build_services: Any, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    visitor = new_visitor(build_services(pdf_signing_key=a_pdf_key("Penerbit Baru")))
    reader = PdfFileReader(BytesIO(visitor.get(visitor.opened(made) + ".pdf").data))
    assert reader.embedded_signatures[0].signer_cert.subject.native["common_name"] == "Penerbit Baru"


def test_one_link_cannot_keep_the_server_drawing(
    services: Services, visitor: Visitor, made: MadeCertificate, clock: FakeClock
) -> None:
    view = visitor.opened(made)
    asked = [visitor.get(view + ".smart-health-card").status_code for _ in range(DOWNLOADS.most - 1)]
    assert asked == [200] * len(asked)
    assert visitor.client.head(view + ".pdf").status_code == 200
    refused = [visitor.get(view + path) for path in (".pdf", "/card.pdf", "/large.pdf", ".png", ".smart-health-card")]
    assert [answer.status_code for answer in refused] == [429] * 5
    assert 0 < int(refused[0].headers["Retry-After"]) <= 600
    assert visitor.get(view).status_code == 200
    with services.db.read() as conn:
        noted = list(conn.scalars(sa.select(opening.c.kind)))
    assert noted.count("shc") == len(asked)
    assert len(noted) == 1 + len(asked)
    clock.tick(minutes=10)
    assert visitor.get(view + ".pdf").status_code == 200
