"""/verify with codes, links and pictures: each verdict in its words, and attacks that end as a page."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from flask import request
from werkzeug.test import TestResponse

from linkserver import create_public_app
from notifier.certificates import issue
from notifier.certificates.pictures import LARGEST
from notifier.core.states import Reason
from notifier.services import Services
from tests.builders import MadeCertificate
from tests.canaries import stands_in
from tests.certificates.pictures import png_bomb, qr_picture, saved
from tests.certificates.signed import STRANGER, changed, signed
from tests.web.public.conftest import Visitor

PERSONAL = ("Siti", "Aminah", "1989", "CoronaVac", "3174", "Menteng")


def uploaded(visitor: Visitor, data: bytes, name: str = "foto.png", **options: Any) -> TestResponse:
    form = {"picture": (BytesIO(data), name)}
    return visitor.post("/verify/picture", form, content_type="multipart/form-data", **options)


def test_a_valid_code_shows_what_it_holds_and_no_more(services: Services, visitor: Visitor) -> None:
    codes = signed(services)
    for text in (codes.hc1, codes.jws):
        page = visitor.post("/verify", {"n": text})
        assert page.status_code == 200
        assert "<h1>Sertifikat ini sah</h1>" in page.text
        assert "<dd>Siti Aminah</dd>" in page.text
        assert "10 Februari 1989" in page.text
        assert not [
            word for word in ("3174", "Menteng", "81234567890", codes.made.number) if stands_in(word, page.text)
        ]
    assert "2 Oktober 2026" in page.text
    english = visitor.post("/verify?lang=en", {"n": codes.hc1}).text
    assert "This certificate is valid" in english
    assert "Dose 2 of 2" in english


@pytest.mark.parametrize(
    ("how", "title"), [("replaced", "Sertifikat ini sudah diganti"), ("revoked", "Sertifikat ini dicabut")]
)
def test_a_code_that_was_ended_says_so(services: Services, visitor: Visitor, how: str, title: str) -> None:
    codes, now = signed(services), services.clock.now()
    with services.db.write() as conn:
        if how == "replaced":
            ids = {"person_id": codes.made.person_id, "dose_id": codes.made.dose_id}
            issue.replace(conn, **ids, reason=Reason.CORRECTED, at=now)
        else:
            issue.revoke(conn, codes.made.dose_id, reason=Reason.WITHDRAWN, at=now)
    assert f"<h1>{title}</h1>" in visitor.post("/verify", {"n": codes.hc1}).text


def test_forged_and_foreign_codes_show_nothing_of_what_they_claim(services: Services, visitor: Visitor) -> None:
    codes, foreign = signed(services), signed(services, key=STRANGER).hc1
    for text, title in ((changed(codes.hc1, 80), "Kode ini palsu atau rusak"), (foreign, "Kode ini bukan dari kami")):
        page = visitor.post("/verify", {"n": text})
        assert f"<h1>{title}</h1>" in page.text
        assert not [word for word in PERSONAL if stands_in(word, page.text)]


def test_a_personal_link_is_not_opened_and_not_repeated(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    page = visitor.post("/verify", {"n": f"{services.settings.public_url}/c/{made.token}"})
    assert "<h1>Ini tautan pribadi</h1>" in page.text
    assert "Jangan bagikan tautan ini" in page.text
    assert made.token not in page.text
    assert not [word for word in PERSONAL if stands_in(word, page.text)]
    unsigned = visitor.post("/verify", {"n": f"{services.settings.public_url}/c/{'A' * 33}"})
    assert unsigned.text == page.text


def test_a_foreign_address_is_told_and_never_linked(visitor: Visitor) -> None:
    texts = ("javascript:alert(1)", "https://evil.example/verify?n=7K3M-9QXT-2B4D")
    pages = [visitor.post("/verify", {"n": text}) for text in texts]
    pages += [uploaded(visitor, saved(qr_picture(text))) for text in texts]
    for page in pages:
        assert "<h1>Alamat ini bukan alamat kami</h1>" in page.text
        assert "evil" not in page.text
        assert "javascript" not in page.text
        assert "Alamat kami hanya http://127.0.0.1:8000" in page.text


def test_a_picture_of_a_certificate_is_checked(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    picture = qr_picture(f"{services.settings.public_url}/verify?n={made.number}").convert("RGB")
    for kind in ("PNG", "JPEG", "WEBP"):
        page = uploaded(visitor, saved(picture, kind), "../../etc/passwd")
        assert "<h1>Sertifikat ini sah</h1>" in page.text
        assert made.number in page.text
        assert "passwd" not in page.text


def test_our_own_picture_of_a_certificate_can_be_uploaded(visitor: Visitor, made: MadeCertificate) -> None:
    page = uploaded(visitor, visitor.get(visitor.opened(made) + ".png").data)
    assert "<h1>Sertifikat ini sah</h1>" in page.text


NO_PICTURE = {
    "empty": (b"", "Pilih gambarnya dulu"),
    "nul": (b"\0" * 5000, "Pilih gambar PNG, JPEG, atau WebP"),
    "pdf": (b"%PDF-1.7 ", "PDF belum dapat dibaca di sini"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Pilih gambar PNG, JPEG, atau WebP"),
    "gif": (b"GIF89a" + b"\0" * 60, "Pilih gambar PNG, JPEG, atau WebP"),
    "bomb": (png_bomb(50_000, 50_000), "Gambar ini terlalu besar"),
    "truncated": (saved(qr_picture("x" * 300), "JPEG")[:900], "Gambar ini rusak atau terpotong"),
    "blank": (saved(qr_picture(size=(90, 90))), "Tidak ada kode QR yang terbaca"),
    "large": (bytes(LARGEST + 1), "Gambar ini lebih besar dari 8 MB"),
    "huge": (bytes(50_000_000), "Gambar ini lebih besar dari 8 MB"),
}


def test_what_is_no_picture_of_a_code_is_a_kind_page(visitor: Visitor) -> None:
    for what, (data, words) in NO_PICTURE.items():
        page = uploaded(visitor, data)
        assert page.status_code == 422, what
        assert page.text.count(words) == 2, what  # on top and beside the field
        assert 'href="#picture"' in page.text


def test_uploads_have_a_limit_of_their_own_and_large_ones_count_too(visitor: Visitor) -> None:
    sent = [b"no picture", bytes(LARGEST * 2), *[b"no picture"] * 11]
    statuses = [uploaded(visitor, data).status_code for data in sent]
    assert statuses == [422] * 12 + [429]
    assert visitor.post("/verify", {"n": "0000-0000-0000"}).status_code == 404


def test_a_picture_never_becomes_a_file(services: Services) -> None:
    app = create_public_app(services)
    kinds: list[str] = []
    app.after_request(lambda response: kinds.append(type(request.files["picture"].stream).__name__) or response)
    assert uploaded(Visitor(app.test_client()), bytes(2_000_000)).status_code == 422
    assert kinds == ["BytesIO"]


def test_a_large_body_is_for_pictures_alone(visitor: Visitor) -> None:
    assert visitor.post("/verify", {"n": "x" * 20_000}).status_code == 413
    form = {"n": "x" * 20_000, "picture": (BytesIO(b"x"), "x.png")}
    assert visitor.post("/verify/picture", form, content_type="multipart/form-data").status_code in {413, 422}


def test_strange_texts_end_as_a_verdict(visitor: Visitor) -> None:
    for text in ("\0" * 50, "x" * 9_000, "😀" * 200, "[" * 5_000, "HC1:" + "A" * 9_000, "shc:/" + "1" * 9_000):
        page = visitor.post("/verify", {"n": text})
        assert page.status_code in {200, 404, 422}
        assert re.search("<h1>.+</h1>", page.text)


def test_going_back_to_an_upload_leads_to_the_form(visitor: Visitor) -> None:
    again = visitor.get("/verify/picture?lang=en&_scheme=javascript&_external=1&_anchor=x")
    assert (again.status_code, again.location) == (302, "/verify?lang=en")
