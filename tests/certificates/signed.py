"""Codes signed with an installation's own keys for a certificate that stands in its database, and with a stranger's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from notifier.certificates.codes.hc1 import make_hc1
from notifier.certificates.codes.keys import SigningKey, keyring, signing_key
from notifier.certificates.codes.shc import make_shc
from notifier.certificates.codes.uvci import new_uvci, revocation_id
from notifier.certificates.view import certificate_facts
from notifier.core.ids import new_id
from notifier.services import Services
from notifier.store.tables import code
from tests.builders import CVX_SYSTEM, MadeCertificate, a_certificate

STRANGER = signing_key(b"a stranger's key".ljust(32, b"-"), "ID")
RID = "c2lnbmVkLnB5"


@dataclass(frozen=True)
class Signed:
    """A certificate and both of its codes."""

    made: MadeCertificate
    hc1: str
    jws: str


def signed(services: Services, *, key: SigningKey | None = None, at: datetime | None = None, rid: str = RID) -> Signed:
    """Two doses of CoronaVac and the codes of the second; `key` instead of ours."""
    first = a_certificate(services, **_dose(1))
    made = a_certificate(services, person_id=first.person_id, **_dose(2))
    facts, signer = certificate_facts(services, made.certificate_id), key or keyring(services).newest
    at, uvci = at or services.clock.now(), new_uvci("ID")
    issuer = services.settings.public_url
    ids = {"hc1": revocation_id(uvci), "shc": rid}
    with services.db.write() as conn:
        for kind, named in ids.items():
            row = {"id": new_id(), "certificate_id": made.certificate_id, "kind": kind, "key_id": signer.public.kid}
            conn.execute(code.insert(), row | {"revocation_id": named, "made_at": at, "text_sealed": b"-"})
    return Signed(
        made,
        make_hc1(facts, signer, country="ID", uvci=uvci, at=at),
        make_shc(facts, signer, issuer_url=issuer, rid=rid, at=at),
    )


def changed(text: str, at: int) -> str:
    """`text` with one character changed into another of the same kind."""
    other = "7" if text[at] != "7" else "3"
    return text[:at] + other + text[at + 1 :]


def _dose(number: int) -> dict[str, object]:
    return {
        "number": number,
        "product": "CoronaVac",
        "vaccine_code": "511",
        "vaccine_system": CVX_SYSTEM,
        "given_on": date(2026, 10, number),
    }
