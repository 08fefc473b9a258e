"""What a number, a code, a link or a picture is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from notifier.certificates import issue
from notifier.certificates.check import Check, Verdict, check_picture, check_text
from notifier.certificates.codes.made import codes_of
from notifier.certificates.codes.shc import qr_text
from notifier.certificates.limits import CheckLimits, Limit
from notifier.certificates.view import TooManyChecks, verify_url
from notifier.core.errors import Refused
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import persons
from notifier.store.tables import counter
from tests.builders import SITI, a_certificate
from tests.canaries import stands_in
from tests.certificates.pictures import qr_picture, saved
from tests.certificates.signed import STRANGER, Signed, changed, signed

SPELLINGS: dict[str, Callable[[Signed], str]] = {
    "hc1": lambda codes: codes.hc1,
    "jws": lambda codes: codes.jws,
    "shc": lambda codes: qr_text(codes.jws),
    "file": lambda codes: json.dumps({"verifiableCredential": [codes.jws]}),
}


def check(services: Services, text: str) -> Check:
    return check_text(services, text, address="198.51.100.7")


def end(services: Services, codes: Signed, how: str) -> None:
    with services.db.write() as conn:
        ids = {"person_id": codes.made.person_id, "dose_id": codes.made.dose_id}
        if how == "replaced":
            issue.replace(conn, **ids, reason=Reason.CORRECTED, at=services.clock.now())
        elif how == "revoked":
            issue.revoke(conn, codes.made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())


@pytest.mark.parametrize("how", ["valid", "replaced", "revoked"])
def test_a_code_of_ours_tells_its_certificates_state_and_what_it_holds(services: Services, how: str) -> None:
    codes = signed(services)
    end(services, codes, how)
    for spelling, spell in SPELLINGS.items():
        found = check(services, spell(codes))
        assert (found.verdict.value, found.number) == (how, None)
        assert found.holds is not None
        assert (found.holds.name, found.holds.birth_date) == ("Siti Aminah", codes.made.birth_date)
        assert len(found.holds.doses) == (1 if spelling == "hc1" else 2)


def test_a_code_of_another_issuer_is_told_and_its_contents_are_not(services: Services) -> None:
    codes = signed(services, key=STRANGER)
    assert {check(services, spell(codes)) for spell in SPELLINGS.values()} == {Check(Verdict.OTHER_ISSUER)}


def test_a_changed_code_is_forged_wherever_it_was_changed(services: Services) -> None:
    codes = signed(services)
    body, mac = codes.jws.index(".") + 1, codes.jws.rindex(".") + 1
    texts = [changed(codes.hc1, at) for at in range(10, len(codes.hc1) - 4, 41)]
    texts += [changed(codes.jws, at) for at in (body, body + 50, mac - 2, mac, mac + 40)]
    texts += [codes.hc1[:-9], codes.jws[:-8], qr_text(codes.jws)[:-1], "HC1:", "HC1:A", "shc:/9", "HC1:" + "Z" * 5000]
    assert {check(services, text) for text in texts} == {Check(Verdict.FORGED)}


def test_a_code_past_its_own_time_is_expired_and_not_called_forged(services: Services) -> None:
    codes = signed(services, at=services.clock.now() - timedelta(days=800))
    assert check(services, codes.hc1).verdict is Verdict.EXPIRED
    assert check(services, codes.jws).verdict is Verdict.VALID  # the format sets no end


def test_a_code_with_a_name_that_was_corrected_since_is_replaced(services: Services) -> None:
    codes = signed(services)
    with services.db.write() as conn:
        person = replace(SITI, id=codes.made.person_id, name="Siti Aminah Wirawan")
        persons.update(conn, services.sealer, person, at=services.clock.now())
    codes_of(services, codes.made.certificate_id)
    assert check(services, codes.hc1).verdict is Verdict.REPLACED
    assert check(services, codes.jws).verdict is Verdict.REPLACED


def test_a_code_whose_row_is_gone_is_worth_its_signature(services: Services) -> None:
    codes = signed(services)
    with services.db.write() as conn:
        conn.execute(sa.text("DELETE FROM code"))
    assert check(services, codes.hc1).verdict is Verdict.VALID


def test_a_number_says_nothing_about_the_person(services: Services) -> None:
    made = a_certificate(services)
    assert check(services, made.number.lower()) == Check(Verdict.VALID, made.number)
    assert check(services, verify_url(services, made.number)) == Check(Verdict.VALID, made.number)
    assert check(services, "0000-0000-0000").verdict is Verdict.UNKNOWN


def test_a_personal_link_is_neither_looked_up_nor_counted(services: Services) -> None:
    made = a_certificate(services)
    for token in (made.token, changed(made.token, 12)):
        assert check(services, services.settings.public_url + "/c/" + token) == Check(Verdict.PERSONAL_LINK)
    with services.db.read() as conn:
        assert conn.execute(sa.select(counter)).all() == []
        assert conn.scalar(sa.text("SELECT count(*) FROM opening")) == 0


def test_what_holds_several_codes_shows_the_gravest(services: Services) -> None:
    codes = signed(services)
    good, bad = verify_url(services, codes.made.number), changed(codes.hc1, 60)
    data = saved(qr_picture(good, codes.hc1, scale=3))
    checks = check_picture(services, data, address="a")
    assert [found.verdict for found in checks] == [Verdict.VALID, Verdict.VALID]
    assert checks[0].holds is not None
    mixed = check_picture(services, saved(qr_picture(good, bad, scale=3)), address="a")
    assert [found.verdict for found in mixed] == [Verdict.FORGED, Verdict.VALID]


def test_a_card_file_may_be_sent_as_a_picture(services: Services) -> None:
    codes = signed(services)
    data = json.dumps({"verifiableCredential": [codes.jws]}).encode()
    assert [found.verdict for found in check_picture(services, data, address="a")] == [Verdict.VALID]
    for odd in (b"{", b"{\xff\x00}", b"{" + b" " * 9_000_000):
        try:
            [found] = check_picture(services, odd, address="b")
        except Refused as error:
            assert error.reason in {"picture-large", "picture-format"}  # noqa: PT017
        else:
            assert found.verdict is Verdict.UNREADABLE


def test_codes_are_counted_and_too_many_wait(services: Services) -> None:
    one = CheckLimits(address=Limit("x", 1, timedelta(minutes=1)))
    code = signed(services).hc1
    assert check_text(services, code, address="a", limits=one).verdict is Verdict.VALID
    with pytest.raises(TooManyChecks):
        check_text(services, code, address="a", limits=one)


def test_nothing_personal_stands_in_what_a_log_would_print(services: Services) -> None:
    said = repr(check(services, signed(services).hc1))
    assert not [word for word in ("Siti", "1989", "HC1") if stands_in(word, said)]
