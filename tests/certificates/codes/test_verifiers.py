"""SMART Health Cards of ours, before the verifier that others use (npm kill-the-clipboard)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from notifier.certificates import issue
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import codes_of
from notifier.certificates.codes.revoked import revocations
from notifier.certificates.codes.shc import card_file, qr_text
from notifier.core.states import Reason
from notifier.services import Services
from tests.builders import SITI, a_certificate
from tests.certificates.codes.codes import sample
from tests.requirements import VERIFIERS, require


def issuer_of(services: Services) -> dict[str, Any]:
    """Our address with what we publish there."""
    listed, keys = revocations(services), keyring(services).public
    lists = [listed.card_list(key.kid) for key in keys.all]
    return {"iss": services.settings.public_url, "crls": lists, **listed.jwks(keys)}


@pytest.fixture
def verifier():
    """Asks the verifier about several cards in one go: node takes half a second to start."""
    require("node")

    def ask(issuer: dict[str, Any], *cards: tuple[str, str]) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["node", "shc.mjs"],
            cwd=VERIFIERS,
            input=json.dumps({"issuer": issuer, "cards": cards}),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return ask


def test_somebody_elses_verifier_accepts_every_shape_of_a_card_and_refuses_a_changed_byte(
    services: Services, verifier
) -> None:
    jws = codes_of(services, a_certificate(services).certificate_id).shc or ""
    head, body, tail = jws.split(".")
    middle = len(body) // 2
    changed = body[:middle] + ("A" if body[middle] != "A" else "B") + body[middle + 1 :]
    accepted = [("jws", jws), ("qr", qr_text(jws)), ("file", card_file(jws).decode())]
    refused = [("jws", f"{head}.{changed}.{tail}"), ("jws", f"{head}.{body}.{tail[:-2]}AA")]
    answers = verifier(issuer_of(services), *accepted, *refused)
    for answer in answers[:3]:
        patient, dose = (entry["resource"] for entry in answer["bundle"]["entry"])
        assert (patient["name"], patient["birthDate"]) == ([{"text": SITI.name}], "1989-02-10")
        assert (dose["occurrenceDateTime"], dose["lotNumber"]) == ("2026-11-22", "LOT-7")
    assert [answer.get("error") for answer in answers[3:]] == ["SignatureVerificationError"] * 2


def test_somebody_elses_verifier_obeys_our_revocation_list(services: Services, verifier) -> None:
    revoked, valid = a_certificate(services), a_certificate(services)
    cards = [("jws", codes_of(services, made.certificate_id).shc or "") for made in (revoked, valid)]
    assert all("bundle" in answer for answer in verifier(issuer_of(services), *cards))
    with services.db.write() as conn:
        issue.revoke(conn, revoked.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())
    first, second = verifier(issuer_of(services), *cards)
    assert first == {"error": "SHCRevokedError"}
    assert "bundle" in second


def test_the_verifier_itself_tells_the_specifications_example_from_a_foreign_key(services: Services, verifier) -> None:
    jws = sample("shc-example-00-d-jws.txt")
    issuer = {"iss": "https://spec.smarthealth.cards/examples/issuer", "crls": []}
    own_key, _ = json.loads(sample("jwks.json"))["keys"]
    assert "bundle" in verifier(issuer | {"keys": [own_key]}, ("jws", jws))[0]
    ours = keyring(services).newest.public.jwk
    assert "error" in verifier(issuer | {"keys": [ours | {"kid": own_key["kid"]}]}, ("jws", jws))[0]
