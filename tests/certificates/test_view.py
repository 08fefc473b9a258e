"""What a certificate says, from the database; what its number says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from notifier.certificates import issue
from notifier.certificates.facts import CertificateFacts
from notifier.certificates.limits import CHECKS
from notifier.certificates.opening import LinkState, try_birth_date
from notifier.certificates.qr import make_qr
from notifier.certificates.view import TooManyChecks, certificate_facts, certificate_with_qr, check_number, open_page
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CertificateStatus, DoseStatus, Reason
from notifier.services import Services
from notifier.store import certificates, doses
from tests.builders import SITI, MadeCertificate, a_certificate


def test_the_facts_are_the_person_s_and_the_doses_of_the_same_vaccine_in_order(each_services: Services) -> None:
    second = a_certificate(each_services, number=2, given_on=date(2026, 11, 22))
    a_certificate(each_services, person_id=second.person_id, number=1, given_on=date(2026, 10, 20))
    a_certificate(each_services, person_id=second.person_id, number=1, vaccine_code="08", given_on=date(2026, 9, 1))
    a_certificate(each_services, number=3)  # somebody else's
    facts = certificate_facts(each_services, second.certificate_id)
    assert (facts.name, facts.nik, facts.birth_date) == (SITI.name, SITI.nik, SITI.birth_date)
    assert [dose.number for dose in facts.doses] == [1, 2]
    assert facts.this_dose.number == 2
    assert (facts.number, facts.status, facts.verify_host) == (second.number, "valid", "127.0.0.1:8000")


def test_of_one_day_doses_stand_by_their_numbers_and_those_without_come_last(each_services: Services) -> None:
    first = a_certificate(each_services, number=None, lot="B")
    for number, lot in ((None, "A"), (2, "C"), (1, "D")):
        a_certificate(each_services, person_id=first.person_id, number=number, lot=lot)
    facts = certificate_facts(each_services, first.certificate_id)
    assert [(dose.number, dose.lot) for dose in facts.doses] == [(1, "D"), (2, "C"), (None, "A"), (None, "B")]


def opened(services: Services, made: MadeCertificate) -> CertificateFacts:
    """What the page behind its link shows to whoever knows the birth date."""
    tried = try_birth_date(services, made.token, made.birth_date, device="phone", address="203.0.113.9")
    look, facts, qr = open_page(services, made.public_id, tried.proof)
    assert look is not None
    assert look.state is LinkState.LIVE
    assert facts is not None
    assert qr is not None
    return facts


def test_the_page_says_what_the_certificate_says(each_services: Services) -> None:
    made = a_certificate(each_services, number=2)
    a_certificate(each_services, person_id=made.person_id, number=1, given_on=date(2026, 10, 20))
    a_certificate(each_services, person_id=made.person_id, number=3, status=DoseStatus.WITHDRAWN.value)
    facts = opened(each_services, made)
    assert [dose.number for dose in facts.doses] == [1, 2]
    assert facts == certificate_facts(each_services, made.certificate_id)


def test_the_page_shows_its_own_dose_though_it_has_become_somebody_else_s(each_services: Services) -> None:
    made, other = a_certificate(each_services), a_certificate(each_services, person=replace(SITI, name="Budi Santoso"))
    with each_services.db.write() as conn:
        doses.update(conn, made.dose_id, at=each_services.clock.now(), person_id=other.person_id)
    facts = opened(each_services, made)
    assert (facts.name, facts.this_dose.lot) == (SITI.name, "LOT-7")
    assert facts == certificate_facts(each_services, made.certificate_id)


def test_without_a_code_the_product_makes_the_series(services: Services) -> None:
    made = a_certificate(services, vaccine_code=None, product="CoronaVac")
    a_certificate(services, person_id=made.person_id, vaccine_code=None, product="CORONAVAC", number=2)
    a_certificate(services, person_id=made.person_id, vaccine_code=None, product="Influenza", number=3)
    assert [dose.number for dose in certificate_facts(services, made.certificate_id).doses] == [1, 2]


def test_the_qr_code_is_made_once_and_names_nobody(each_services: Services) -> None:
    made = a_certificate(each_services)
    _facts, qr = certificate_with_qr(each_services, made.certificate_id)
    assert qr == make_qr(f"http://127.0.0.1:8000/verify?n={made.number}")
    other = make_qr("another")
    with each_services.db.write() as conn:
        certificates.keep_qr(conn, made.certificate_id, other.to_bytes())
    assert certificate_with_qr(each_services, made.certificate_id)[1] == other


def test_no_certificate_and_no_birth_date_are_told_apart(services: Services) -> None:
    with pytest.raises(NotFound):
        certificate_facts(services, "0190a000-0000-7000-8000-000000000000")
    made = a_certificate(services, person=replace(SITI, birth_date=None))
    with pytest.raises(Refused, match="birth-date-unknown"):
        certificate_facts(services, made.certificate_id)


def test_a_number_says_valid_replaced_revoked_or_nothing(each_services: Services) -> None:
    valid, replaced, revoked = (a_certificate(each_services) for _ in range(3))
    now = each_services.clock.now()
    with each_services.db.write() as conn:
        issue.replace(conn, person_id=replaced.person_id, dose_id=replaced.dose_id, reason=Reason.CORRECTED, at=now)
        issue.revoke(conn, revoked.dose_id, reason=Reason.WITHDRAWN, at=now)
    found = [check_number(each_services, made.number, address="") for made in (valid, replaced, revoked)]
    assert found == [CertificateStatus.VALID, CertificateStatus.REPLACED, CertificateStatus.REVOKED]
    as_typed = valid.number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert check_number(each_services, as_typed, address="") is CertificateStatus.VALID
    assert check_number(each_services, "0000-0000-0000", address="") is None
    assert check_number(each_services, "' OR 1=1 --", address="") is None


def test_checks_are_limited(services: Services) -> None:
    once = replace(CHECKS, address=replace(CHECKS.address, most=1))
    made = a_certificate(services)
    check_number(services, made.number, address="203.0.113.9", limits=once)
    with pytest.raises(TooManyChecks) as caught:
        check_number(services, made.number, address="203.0.113.9", limits=once)
    assert 0 < caught.value.retry_after_s <= 60
    assert check_number(services, made.number, address="198.51.100.7", limits=once) is CertificateStatus.VALID


def test_one_visitor_s_flood_uses_up_nothing_that_others_share(services: Services) -> None:
    few = replace(CHECKS, overall=replace(CHECKS.overall, most=3), address=replace(CHECKS.address, most=1))
    made = a_certificate(services)
    check_number(services, made.number, address="203.0.113.9", limits=few)
    for _ in range(5):
        with pytest.raises(TooManyChecks):
            check_number(services, made.number, address="203.0.113.9", limits=few)
    assert check_number(services, made.number, address="198.51.100.7", limits=few) is CertificateStatus.VALID
