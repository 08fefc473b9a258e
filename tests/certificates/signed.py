"""Codes signed with an installation's own keys for a certificate that stands in its database, and with a stranger's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from notifier.certificates.codes.hc1 import make_hc1
from notifier.certificates.codes.keys import SigningKey, keyring, signing_key
from notifier.certificates.codes.made import codes_of
from notifier.certificates.codes.shc import make_shc
from notifier.certificates.codes.uvci import new_uvci
from notifier.certificates.view import certificate_facts
from notifier.services import Services
from notifier.store.persons import Person
from tests.builders import CVX_SYSTEM, SITI, MadeCertificate, a_certificate

STRANGER = signing_key(b"a stranger's key".ljust(32, b"-"), "ID")


@dataclass(frozen=True)
class Signed:
    """A certificate and both of its codes."""

    made: MadeCertificate
    hc1: str
    jws: str


def signed(
    services: Services, *, key: SigningKey | None = None, at: datetime | None = None, person: Person = SITI
) -> Signed:
    """Two doses of CoronaVac and the codes of the second; signed with `key` instead of ours, or at another moment."""
    first = a_certificate(services, person=person, **_dose(1))
    made = a_certificate(services, person_id=first.person_id, **_dose(2))
    if key is None and at is None:
        codes = codes_of(services, made.certificate_id)
        return Signed(made, codes.hc1 or "", codes.shc or "")
    facts, signer = certificate_facts(services, made.certificate_id), key or keyring(services).newest
    at = at or services.clock.now()
    return Signed(
        made,
        make_hc1(facts, signer, country="ID", uvci=new_uvci("ID"), at=at),
        make_shc(facts, signer, issuer_url=services.settings.public_url, rid="elsewhere", at=at),
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
