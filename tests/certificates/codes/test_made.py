"""Codes of real certificates: made once, kept sealed, made anew when untrue, revoked with their certificate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretBytes

from notifier.certificates import issue
from notifier.certificates.check import Verdict, check_code
from notifier.certificates.codes import made as made_module
from notifier.certificates.codes.ahead import is_due, make_ahead
from notifier.certificates.codes.card import CodeKind, Missing
from notifier.certificates.codes.hc1 import LIFE, read_hc1
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.made import RENEW_BEFORE, Codes, codes_of
from notifier.certificates.codes.revoked import revocations, standing
from notifier.certificates.codes.shc import read_shc
from notifier.certificates.view import certificate_facts
from notifier.core.states import CertificateStatus, Reason
from notifier.services import Services
from notifier.store import persons
from notifier.store.tables import code
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.canaries import stands_in
from tests.desk import Desk
from tests.fakes import FakeClock

CORONAVAC = {"vaccine_code": "511", "product": "CoronaVac"}


def rows(services: Services) -> list[sa.Row]:
    with services.db.read() as conn:
        return list(conn.execute(sa.select(code).order_by(code.c.made_at, code.c.id)))


def cards(services: Services, certificate: MadeCertificate):
    found, keys = codes_of(services, certificate.certificate_id), keyring(services).public
    return read_hc1(found.hc1 or "", keys), read_shc(found.shc or "", keys)


def jwks(services: Services):
    return revocations(services).jwks(keyring(services).public)


def rename(services: Services, certificate: MadeCertificate, name: str) -> None:
    with services.db.write() as conn:
        person = replace(SITI, id=certificate.person_id, name=name)
        persons.update(conn, services.sealer, person, at=services.clock.now())


def end(services: Services, certificate: MadeCertificate, how: str) -> None:
    with services.db.write() as conn:
        at = services.clock.now()
        if how == "revoked":
            issue.revoke(conn, certificate.dose_id, reason=Reason.WITHDRAWN, at=at)
        else:
            person_id, dose_id = certificate.person_id, certificate.dose_id
            issue.replace(conn, person_id=person_id, dose_id=dose_id, reason=Reason.CORRECTED, at=at)


def test_both_codes_are_made_at_the_first_look_and_stay_the_same(services: Services, clock: FakeClock):
    made = a_certificate(services, **CORONAVAC)
    first = codes_of(services, made.certificate_id)
    clock.tick(days=30)
    again = codes_of(services, made.certificate_id)
    assert first.hc1
    assert first.shc
    assert (again.texts, again.missing) == (first.texts, {})
    assert len(rows(services)) == 2


def test_what_is_stored_is_sealed_and_its_public_columns_tell_nothing(services: Services):
    made = a_certificate(services, **CORONAVAC)
    found = codes_of(services, made.certificate_id)
    for row in rows(services):
        plain = repr(row._asdict() | {"text_sealed": b""})
        assert not any(stands_in(word, plain) for word in ("Siti", "1989", SITI.nik, made.number, found.hc1, found.shc))
        assert found.shc.encode() not in row.text_sealed
    assert len({row.revocation_id for row in rows(services)}) == 2


def test_a_dose_that_hc1_cannot_hold_has_a_card_and_a_recorded_reason(services: Services):
    made = a_certificate(services)  # influenza
    found = codes_of(services, made.certificate_id)
    assert (found.hc1, found.missing) == (None, {CodeKind.HC1: Missing.NOT_COVID})
    assert found.shc
    stored = rows(services)
    codes_of(services, made.certificate_id)
    assert rows(services) == stored


def test_ten_at_once_make_one_code_of_each_kind(each_services: Services):
    made = a_certificate(each_services, **CORONAVAC)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: codes_of(each_services, made.certificate_id), range(10)))
    assert {one.hc1 for one in found} == {found[0].hc1}
    assert {one.shc for one in found} == {found[0].shc}
    assert len(rows(each_services)) == 2


@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_a_certificate_that_has_ended_gets_no_code_and_its_old_ones_are_revoked(services: Services, how: str):
    made, never = a_certificate(services, **CORONAVAC), a_certificate(services, **CORONAVAC)
    hc1, shc = cards(services, made)
    assert revocations(services).hc1 == ()
    assert standing(services, shc) is CertificateStatus.VALID
    end(services, made, how)
    end(services, never, how)
    listed = revocations(services)
    assert listed.hc1 == (hc1.revocation_id,)
    assert listed.shc == {shc.key_id: (shc.revocation_id,)}
    assert standing(services, hc1) is CertificateStatus(how)
    assert codes_of(services, never.certificate_id).texts == {}
    assert cards(services, made) == (hc1, shc)
    assert len(rows(services)) == 2


def test_a_certificate_that_ends_while_its_codes_are_made_gets_none(services: Services, monkeypatch):
    made = a_certificate(services, **CORONAVAC)
    facts = made_module.certificate_facts(services, made.certificate_id)
    end(services, made, "revoked")
    assert codes_of(services, made.certificate_id, facts).texts == {}


def test_a_corrected_name_revokes_the_code_and_makes_a_true_one(each_services: Services):
    made = a_certificate(each_services, **CORONAVAC)
    old = cards(each_services, made)
    rename(each_services, made, "Siti Aminah Rahmawati")
    new = cards(each_services, made)
    assert {card.name for card in new} == {"Siti Aminah Rahmawati"}
    assert [standing(each_services, card) for card in (*old, *new)] == [CertificateStatus.REPLACED] * 2 + [
        CertificateStatus.VALID
    ] * 2
    assert revocations(each_services).hc1 == (old[0].revocation_id,)
    assert revocations(each_services).shc[old[1].key_id] == (old[1].revocation_id,)


def test_a_name_that_hc1_cannot_spell_ends_the_code_without_a_new_one(services: Services):
    made = a_certificate(services, **CORONAVAC)
    old, _ = cards(services, made)
    rename(services, made, "ꦱꦶꦠꦶ")
    found = codes_of(services, made.certificate_id)
    assert (found.hc1, found.missing) == (None, {CodeKind.HC1: Missing.NAME_NOT_LATIN})
    assert revocations(services).hc1 == (old.revocation_id,)
    rename(services, made, "Siti")
    assert codes_of(services, made.certificate_id).hc1


def test_a_later_dose_makes_no_earlier_code_untrue(services: Services):
    first = a_certificate(services, number=1, given_on=date(2026, 10, 1), **CORONAVAC)
    before = cards(services, first)
    second = a_certificate(services, person_id=first.person_id, number=2, **CORONAVAC)
    assert cards(services, first) == before
    assert [dose.given_on for dose in cards(services, second)[1].doses] == [date(2026, 10, 1), date(2026, 11, 22)]
    assert revocations(services).hc1 == ()


def test_an_hc1_code_that_ends_soon_is_signed_anew_under_its_own_name(services: Services, clock: FakeClock):
    made = a_certificate(services, **CORONAVAC)
    hc1, shc = cards(services, made)
    clock.tick(seconds=(LIFE - RENEW_BEFORE + timedelta(days=1)).total_seconds())
    renewed, same = cards(services, made)
    assert (renewed.identifier, renewed.revocation_id) == (hc1.identifier, hc1.revocation_id)
    assert renewed.expires_at == clock.now() + LIFE
    assert same == shc
    assert revocations(services).hc1 == ()


def test_after_a_rotation_old_codes_hold_and_new_ones_bear_the_new_key(build_services):
    old, new = SecretBytes(b"old".ljust(32, b"-")), SecretBytes(b"new".ljust(32, b"-"))
    before = build_services(signing_keys=(old,))
    first = a_certificate(before, **CORONAVAC)
    held = cards(before, first)
    after = build_services(signing_keys=(old, new))
    assert cards(after, first) == held
    assert {card.key_id for card in cards(after, a_certificate(after, **CORONAVAC))} == {
        keyring(after).newest.public.kid
    }
    assert [key["kid"] for key in jwks(after)["keys"]] == [key.kid for key in keyring(after).public.all]


def test_once_a_key_is_taken_away_its_codes_are_made_anew(build_services):
    old, new = SecretBytes(b"old".ljust(32, b"-")), SecretBytes(b"new".ljust(32, b"-"))
    before = build_services(signing_keys=(old,))
    first = a_certificate(before, **CORONAVAC)
    held = cards(before, first)
    after = build_services(signing_keys=(new,))
    fresh = cards(after, first)
    assert {card.key_id for card in fresh} == {keyring(after).newest.public.kid}
    assert standing(after, held[0]) is CertificateStatus.REPLACED


def test_each_revocation_raises_the_version_of_the_keys_list(services: Services):
    made = [a_certificate(services, **CORONAVAC) for _ in range(2)]
    for certificate in made:
        cards(services, certificate)
    (kid,) = (key["kid"] for key in jwks(services)["keys"])
    versions = [jwks(services)["keys"][0]["crlVersion"]]
    for certificate in made:
        end(services, certificate, "revoked")
        versions.append(jwks(services)["keys"][0]["crlVersion"])
    assert versions == [1, 2, 3]
    listed = revocations(services).card_list(kid)
    assert (listed["method"], listed["ctr"], len(listed["rids"])) == ("rid", 3, 2)


def test_codes_are_made_ahead_once_the_message_was_accepted(each_desk: Desk, clock: FakeClock):
    services = each_desk.services
    assert not is_due(services)
    each_desk.record(dose=CORONAVAC)
    each_desk.record(event_id="e-2", dose={"id": "dose-2", "number": 2} | CORONAVAC)
    each_desk.record(event_id="e-3", person={"id": "p-3", "phone": None}, dose={"id": "dose-3"})
    clock.tick(seconds=1)
    each_desk.send()
    assert not is_due(services)  # it has only just left
    clock.tick(seconds=30)
    assert is_due(services)
    assert not make_ahead(services)
    assert len(rows(services)) == 4
    assert not is_due(services)
    stored = rows(services)
    assert not make_ahead(services)
    assert rows(services) == stored


def test_many_are_made_in_small_batches(desk: Desk, clock: FakeClock):
    for place in range(3):
        more = {"person": {"id": f"p-{place}", "nik": None, "phone": f"0812000000{place}"}}
        desk.record(event_id=f"e-{place}", dose={"id": f"d-{place}"}, **more)
        desk.send()
        clock.tick(seconds=10)
    clock.tick(seconds=30)
    assert [make_ahead(desk.services, size=1) for _ in range(4)] == [True, True, True, False]
    assert len(rows(desk.services)) == 6


def test_what_cannot_be_made_stops_nobody_else(desk: Desk, clock: FakeClock):
    recorded = desk.record(dose=CORONAVAC)
    desk.send()
    with desk.services.db.write() as conn:
        conn.execute(sa.text("UPDATE person SET name_sealed = x'00'"))
    clock.tick(seconds=1)
    desk.record(event_id="e-2", person={"id": "p-2", "nik": None}, dose={"id": "dose-2"} | CORONAVAC)
    desk.send()
    clock.tick(seconds=30)
    assert recorded.reference
    make_ahead(desk.services)
    assert len(rows(desk.services)) == 2


def test_a_process_without_signing_keys_makes_none_ahead(build_services):
    services = build_services(signing_keys=())
    assert (is_due(services), make_ahead(services)) == (False, False)


def two_doses(desk: Desk, clock: FakeClock) -> list[str]:
    """Siti's certificates of two doses, whose SMS have left."""
    recorded = [
        desk.record(event_id=f"event-{number}", dose={"id": f"dose-{number}", "number": number, **CORONAVAC})
        for number in (1, 2)
    ]
    desk.send()
    clock.tick(minutes=1)
    return [desk.certificate(one.reference).id for one in recorded]


def verdicts(desk: Desk, found: Codes) -> list[str]:
    """What the verify page says of HC1 and card."""
    return [check_code(desk.services, text or "", address="").verdict for text in (found.hc1, found.shc)]


LATER = {"event_id": "event-3", "recorded_at": "2026-11-24T03:00:00Z"}


@pytest.mark.parametrize("how", ["entered_in_error", "corrected"])
def test_a_card_that_holds_a_dose_which_is_no_longer_so_ends_at_once(
    each_desk: Desk, clock: FakeClock, how: str
) -> None:
    _one, two = two_doses(each_desk, clock)
    before = codes_of(each_desk.services, two)
    assert verdicts(each_desk, before) == [Verdict.VALID] * 2
    each_desk.record(event_type=how, dose={**CORONAVAC, "given_on": "2026-11-20"}, **LATER)
    assert verdicts(each_desk, before) == [Verdict.VALID, Verdict.REPLACED]  # HC1 holds its own dose alone
    listed = revocations(each_desk.services).shc[keyring(each_desk.services).newest.public.kid]
    assert read_shc(before.shc or "", keyring(each_desk.services).public).revocation_id in listed
    after = codes_of(each_desk.services, two)
    assert (after.hc1, verdicts(each_desk, after)) == (before.hc1, [Verdict.VALID] * 2)


def test_cards_that_cannot_hold_the_dose_stay(desk: Desk, clock: FakeClock) -> None:
    flu = desk.record(event_id="flu", dose={"id": "flu-1"})
    first = desk.record(event_id="event-1", dose={"id": "dose-1", **CORONAVAC})
    desk.send()
    clock.tick(minutes=1)
    found = [codes_of(desk.services, desk.certificate(one.reference).id) for one in (flu, first)]
    clock.tick(minutes=1)
    desk.record(event_id="event-2", dose={"id": "dose-2", "number": 2, **CORONAVAC})
    desk.record(event_type="entered_in_error", dose={"id": "dose-2", **CORONAVAC}, **LATER)
    assert [verdicts(desk, one)[1] for one in found] == [Verdict.VALID] * 2


@pytest.mark.parametrize("change", [{"name": "Siti Aminah Lestari"}, {"birth_date": "1989-02-11", "nik": None}])
def test_another_name_or_birth_date_ends_the_codes_of_every_dose(
    each_desk: Desk, clock: FakeClock, change: dict[str, str | None]
) -> None:
    found = [codes_of(each_desk.services, one) for one in two_doses(each_desk, clock)]
    each_desk.record(event_type="corrected", dose={**CORONAVAC}, person=change, **LATER)
    assert [verdicts(each_desk, one) for one in found] == [[Verdict.REPLACED] * 2] * 2


def test_nothing_is_signed_that_was_corrected_meanwhile(each_desk: Desk, clock: FakeClock) -> None:
    _one, two = two_doses(each_desk, clock)
    read_before = certificate_facts(each_desk.services, two)
    each_desk.record(event_type="corrected", dose={**CORONAVAC}, person={"name": "Siti Aminah Lestari"}, **LATER)
    assert codes_of(each_desk.services, two, read_before).texts == {}
    assert read_hc1(codes_of(each_desk.services, two).hc1 or "", keyring(each_desk.services).public).name == (
        "Siti Aminah Lestari"
    )
