"""/keys, the key set and the revocation lists: public, readable from any page, without a word about anybody."""

from __future__ import annotations

import pytest
from cryptography import x509
from pydantic import SecretBytes

from linkserver import create_public_app
from notifier.certificates import issue
from notifier.certificates.codes.hc1 import read_hc1
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import codes_of
from notifier.certificates.codes.shc import read_shc
from notifier.core.errors import BadSettings
from notifier.core.states import Reason
from notifier.services import Services
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.canaries import stands_in
from tests.fakes import FakeClock
from tests.web.public.conftest import Visitor

_MACHINES = ("/.well-known/jwks.json", "/revocations")


def revoke(services: Services, made: MadeCertificate) -> None:
    with services.db.write() as conn:
        issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())


def kid_of(services: Services) -> str:
    return keyring(services).newest.public.kid


@pytest.mark.parametrize("path", _MACHINES)
def test_what_machines_read_may_be_read_from_anywhere_and_kept_a_while(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    again = visitor.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_key_set_has_what_the_issuer_rules_demand(services: Services, visitor: Visitor) -> None:
    (key,) = visitor.get("/.well-known/jwks.json").json["keys"]
    assert (key["kty"], key["use"], key["alg"], key["crv"]) == ("EC", "sig", "ES256", "P-256")
    assert (key["kid"], key["crlVersion"]) == (kid_of(services), 1)
    assert "d" not in key


def test_old_keys_stay_published(build_services) -> None:
    keys = tuple(SecretBytes(name.ljust(32, b"-")) for name in (b"old", b"new"))
    services = build_services(signing_keys=keys)
    client = create_public_app(services).test_client()
    kids = [key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]]
    assert kids == [key.kid for key in keyring(services).public.all]
    page = client.get("/keys").text
    assert all(kid in page for kid in kids)
    assert page.index(kids[1]) < page.index(kids[0])


def test_a_revoked_certificates_codes_are_listed_by_opaque_ids(
    services: Services, visitor: Visitor, clock: FakeClock
) -> None:
    made = a_certificate(services, vaccine_code="511", product="CoronaVac")
    codes, keys = codes_of(services, made.certificate_id), keyring(services).public
    hc1, shc = read_hc1(codes.hc1, keys), read_shc(codes.shc, keys)
    assert visitor.get("/revocations").json == {"hc1": [], "shc": {kid_of(services): []}, "replaced": []}
    revoke(services, made)
    clock.tick(seconds=11)
    assert visitor.get("/revocations").json == {
        "hc1": [hc1.revocation_id],
        "shc": {kid_of(services): [shc.revocation_id]},
        "replaced": [],
    }
    crl = visitor.get(f"/.well-known/crl/{kid_of(services)}.json")
    assert crl.json == {"kid": kid_of(services), "method": "rid", "ctr": 2, "rids": [shc.revocation_id]}
    assert crl.headers["Access-Control-Allow-Origin"] == "*"
    assert visitor.get("/.well-known/jwks.json").json["keys"][0]["crlVersion"] == 2
    said = visitor.get("/revocations").text + crl.text
    for secret in ("Siti", "1989", SITI.nik, made.number, made.certificate_id, made.public_id, hc1.identifier):
        assert not stands_in(secret, said)


def test_a_replaced_certificates_codes_are_listed_as_such(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services, vaccine_code="511", product="CoronaVac")
    codes, keys = codes_of(services, made.certificate_id), keyring(services).public
    ids = {read_hc1(codes.hc1, keys).revocation_id, read_shc(codes.shc, keys).revocation_id}
    at = services.clock.now()
    with services.db.write() as conn:
        issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=at)
    told = visitor.get("/revocations").json
    assert set(told["replaced"]) == ids
    assert {*told["hc1"], *told["shc"][kid_of(services)]} == ids  # who reads the old lists alone refuses them too


@pytest.mark.parametrize("kid", ["x" * 43, "x", "../jwks"])
def test_a_list_of_an_unknown_key_is_not_found(visitor: Visitor, kid: str) -> None:
    assert visitor.get(f"/.well-known/crl/{kid}.json").status_code == 404
    assert visitor.get(f"/keys/{kid}.pem").status_code == 404


def test_the_certificate_of_a_key_can_be_fetched(services: Services, visitor: Visitor) -> None:
    pem = visitor.get(f"/keys/{kid_of(services)}.pem")
    assert pem.content_type == "application/x-pem-file"
    certificate = x509.load_pem_x509_certificate(pem.data)
    assert certificate.public_key() == keyring(services).newest.public.key


def test_people_get_a_page_and_programs_the_key_set_at_one_address(services: Services, visitor: Visitor) -> None:
    page = visitor.get("/keys", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.content_type.startswith("text/html")
    assert keyring(services).newest.public.hc1_kid.hex() in page.text
    assert "no-store" in page.headers["Cache-Control"]
    for_programs = visitor.get("/keys", headers={"Accept": "application/json"})
    assert for_programs.json == visitor.get("/.well-known/jwks.json").json
    assert for_programs.headers["Vary"] == "Accept"


def test_a_face_without_signing_keys_says_so_at_its_start(build_services) -> None:
    with pytest.raises(BadSettings, match="SIGNING_KEYS"):
        create_public_app(build_services(signing_keys=()))
