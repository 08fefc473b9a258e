"""/verify and /cek: what a certificate's number says, and nothing more."""

from __future__ import annotations

import pytest

from notifier.certificates import issue
from notifier.core.states import Reason
from notifier.services import Services
from tests.builders import MadeCertificate, a_certificate
from tests.canaries import stands_in
from tests.web.public.conftest import Visitor

PERSONAL = ("Siti", "Aminah", "1989", "Influenza", "3174", "Menteng", "dosis")


@pytest.mark.parametrize("path", ["/verify", "/cek"])
def test_the_empty_page_asks_for_a_number(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status_code == 200
    assert "Nomor sertifikat" in page.text
    assert visitor.post(path, {"n": "  "}).status_code == 422


@pytest.mark.parametrize(
    ("how", "title"),
    [
        ("valid", "Sertifikat ini sah"),
        ("replaced", "Sertifikat ini sudah diganti"),
        ("revoked", "Sertifikat ini dicabut"),
    ],
)
def test_each_state_of_a_certificate_has_its_words(services: Services, visitor: Visitor, how: str, title: str) -> None:
    made, now = a_certificate(services), services.clock.now()
    with services.db.write() as conn:
        if how == "replaced":
            issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=now)
        elif how == "revoked":
            issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=now)
    for answer in (visitor.get(f"/verify?n={made.number}"), visitor.post("/cek", {"n": made.number.lower()})):
        assert answer.status_code == 200
        assert f"<h1>{title}</h1>" in answer.text
        assert not [word for word in PERSONAL if stands_in(word, answer.text)]


def test_an_unknown_number_is_unknown_however_strange(visitor: Visitor) -> None:
    for number in ("0000-0000-0000", "'; DROP TABLE certificate --", "%00", "😀", "<b>x</b>"):
        answer = visitor.post("/verify", {"n": number})
        assert answer.status_code == 404
        assert "Nomor ini tidak kami kenali" in answer.text
        assert "<b>x" not in answer.text


def test_too_many_checks_wait(visitor: Visitor, made: MadeCertificate) -> None:
    statuses = [visitor.get(f"/verify?n={made.number}").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert 0 < int(visitor.get(f"/verify?n={made.number}").headers["Retry-After"]) <= 60


def test_a_change_of_language_keeps_the_number(visitor: Visitor, made: MadeCertificate) -> None:
    page = visitor.get(f"/verify?n={made.number}").text
    assert f'href="?n={made.number}&amp;lang=en"' in page
    assert "This certificate is valid" in visitor.get(f"/verify?n={made.number}&lang=en").text
