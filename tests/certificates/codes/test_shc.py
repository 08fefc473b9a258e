"""SMART Health Cards: HL7's own examples are read, ours have what the specification wants, nobody else's pass."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from notifier.certificates.codes.card import BadCode, CodeKind, Distrust, Missing, NoCode
from notifier.certificates.codes.keys import PublicKeys, SigningKey
from notifier.certificates.codes.packing import base64url
from notifier.certificates.codes.shc import (
    LONGEST_JWS,
    apple_link,
    card_file,
    make_shc,
    numeric,
    qr_text,
    read_shc,
)
from notifier.certificates.codes.signature import sign
from tests.certificates.codes.codes import (
    ISSUER_URL,
    KEY,
    KEYS,
    NOW,
    OLD_KEY,
    a_dose,
    facts,
    sample,
    sample_keys,
)


def make(key: SigningKey = KEY, **changes: Any) -> str:
    return make_shc(facts(**changes), key, issuer_url=ISSUER_URL, rid="opaque123", at=NOW)


def claims_of(jws: str) -> dict[str, Any]:
    body = jws.split(".")[1]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return json.loads(zlib.decompress(raw, wbits=-15))


def signed(payload: bytes, header: dict[str, Any] | None = None, key: SigningKey = KEY) -> str:
    """A card of any contents with a signature that holds."""
    head = header or {"zip": "DEF", "alg": "ES256", "kid": KEY.public.kid}
    squeeze = zlib.compressobj(wbits=-15)
    packed = squeeze.compress(payload) + squeeze.flush()
    text = f"{base64url(json.dumps(head).encode())}.{base64url(packed)}"
    return f"{text}.{base64url(sign(key.private, text.encode()))}"


def reason_for(text: str, keys: PublicKeys = KEYS) -> Distrust:
    with pytest.raises(BadCode) as error:
        read_shc(text, keys)
    return error.value.reason


CARD = make()


@pytest.mark.parametrize("name", ["shc-example-00-d-jws.txt", "shc-example-01-d-jws.txt"])
def test_the_specifications_own_example_is_read(name: str):
    card = read_shc(sample(name), sample_keys())
    assert (card.name, card.birth_date) == ("John B. Anyperson", date(1951, 1, 20))
    assert [(dose.vaccine_code, dose.given_on, dose.lot) for dose in card.doses] == [
        ("207", date(2021, 1, 1), "0000001"),
        ("207", date(2021, 1, 29), "0000007"),
        ("229", date(2022, 9, 5), "0000001"),
    ]
    assert {dose.facility for dose in card.doses} == {"ABC General Hospital"}


def test_the_digits_of_the_specifications_example_are_ours_too():
    jws = sample("shc-example-00-d-jws.txt")
    digits = sample("shc-example-00-f-qr-code-numeric-value-0.txt")
    assert qr_text(jws) == digits
    assert read_shc(digits, sample_keys()) == read_shc(jws, sample_keys())


def test_a_card_says_what_the_specification_wants_and_nothing_else():
    claims = claims_of(CARD)
    assert (claims["iss"], claims["nbf"]) == (ISSUER_URL, int(NOW.timestamp()))
    assert set(claims) == {"iss", "nbf", "vc"}
    assert (claims["vc"]["type"], claims["vc"]["rid"]) == (["https://smarthealth.cards#health-card"], "opaque123")
    patient, first, second = (entry["resource"] for entry in claims["vc"]["credentialSubject"]["fhirBundle"]["entry"])
    assert patient == {
        "resourceType": "Patient",
        "name": [{"text": "Siti Aminah"}],
        "birthDate": "1989-02-10",
    }
    assert first == {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "511"}]},
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": "2026-10-01",
        "lotNumber": "LOT-1",
        "performer": [{"actor": {"display": "Puskesmas Menteng"}}],
    }
    assert second["occurrenceDateTime"] == "2026-10-02"
    assert facts().nik not in json.dumps(claims)


@pytest.mark.parametrize("shape", [str, qr_text, lambda jws: card_file(jws).decode()])
def test_a_card_is_read_as_jws_as_digits_and_as_a_file(shape):
    card = read_shc(f" {shape(CARD)}\n", KEYS)
    assert (card.kind, card.name, len(card.doses)) == (CodeKind.SHC, "Siti Aminah", 2)
    assert (card.revocation_id, card.key_id, card.issued_at, card.expires_at) == (
        "opaque123",
        KEY.public.kid,
        NOW,
        None,
    )


def test_another_librarys_jws_verifier_accepts_a_card_and_refuses_a_changed_byte():
    """joserfc; the verifier of cards as such is in test_verifiers.py."""
    key, registry = ECKey.import_key(KEY.public.jwk), JWSRegistry(strict_check_header=False)
    found = jws.deserialize_compact(CARD.encode(), key, registry=registry)
    assert found.headers() == {"zip": "DEF", "alg": "ES256", "kid": key.thumbprint()}
    head, body, tail = CARD.split(".")
    changed = "A" if body[99] != "A" else "B"
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(f"{head}.{body[:99]}{changed}{body[100:]}.{tail}", key, registry=registry)


def test_apples_link_has_the_card_behind_the_hash_alone():
    address, _, behind = apple_link(CARD).partition("#")
    assert address == "https://redirect.health.apple.com/SMARTHealthCard/"
    assert behind == numeric(CARD)


@pytest.mark.parametrize("name", ["Suharto", "ꦱꦶꦠꦶ ꦄꦩꦶꦤꦃ", "سيتي أمينة", "dr. Siti Aminah, S.Kom."])
def test_any_name_is_written_as_it_is(name: str):
    assert read_shc(make(name=name), KEYS).name == name


def test_what_is_optional_is_left_out_before_a_card_grows_too_long_for_one_code():
    many = tuple(a_dose(n, facility=sha256(bytes([n])).hexdigest()) for n in range(1, 8))
    jws = make(doses=many, this_dose=many[0])
    card = read_shc(jws, KEYS)
    assert len(jws) <= LONGEST_JWS
    assert {dose.facility for dose in card.doses} == {None}
    assert [dose.lot for dose in card.doses] == [dose.lot for dose in many]


def test_a_card_too_long_even_so_is_not_made():
    many = tuple(
        a_dose(n % 9 + 1, given_on=date(2000 + n, n % 12 + 1, n % 28 + 1), vaccine_code=str(n * 7919))
        for n in range(60)
    )
    with pytest.raises(NoCode) as error:
        make(doses=many, this_dose=many[0])
    assert error.value.reason is Missing.TOO_LONG


@pytest.mark.parametrize("lot", ["Lot # 0123L45A", "batch no. 0123L45A", "Bets: 0123L45A", "0123L45A"])
def test_a_lot_number_stands_without_its_label(lot: str):
    dose = a_dose(lot=lot)
    assert read_shc(make(this_dose=dose, doses=(dose,)), KEYS).doses[0].lot == "0123L45A"


def test_a_lot_number_that_the_format_has_no_room_for_is_left_out_not_cut():
    long = a_dose(lot="A" * 21)
    assert read_shc(make(this_dose=long, doses=(long,)), KEYS).doses[0].lot is None


def test_a_dose_without_a_code_is_told_by_its_product():
    dose = a_dose(vaccine_code=None, vaccine_system=None, product="Vaksin Polio Tetes")
    assert read_shc(make(this_dose=dose, doses=(dose,)), KEYS).doses[0].vaccine == "Vaksin Polio Tetes"


def test_a_card_of_an_old_key_stays_valid_until_the_key_is_taken_away():
    old = make(OLD_KEY)
    assert read_shc(old, KEYS).key_id == OLD_KEY.public.kid
    assert reason_for(old, PublicKeys([KEY.public])) is Distrust.UNKNOWN_KEY


def test_each_changed_character_is_refused():
    for at, letter in enumerate(CARD):
        changed = CARD[:at] + ("A" if letter != "A" else "B") + CARD[at + 1 :]
        assert reason_for(changed) in set(Distrust), at


def test_a_card_signed_by_another_key_under_our_kid_is_forged():
    assert reason_for(signed(b"{}", key=OLD_KEY)) is Distrust.FORGED


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "zip": "DEF", "kid": KEY.public.kid},
        {"alg": "HS256", "zip": "DEF", "kid": KEY.public.kid},
        {"alg": "ES256", "kid": KEY.public.kid},
        {"alg": "ES256", "zip": "DEF"},
        {"alg": "ES256", "zip": "DEF", "kid": 7},
    ],
)
def test_only_es256_with_deflate_and_a_key_name_is_believed(header: dict[str, Any]):
    assert reason_for(signed(b"{}", header)) is Distrust.UNREADABLE


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"7",
        b'{"vc":{}}',
        b'{"nbf":NaN}',
        b'{"nbf":1,"nbf":1}',
        b"[" * 9000 + b"]" * 9000,
        b'{"a":' * 1500 + b"1" + b"}" * 1500,
        b"9" * 9000,
        b"\xff",
        b" " * 20_000,
        json.dumps({"nbf": 1e300, "vc": {"credentialSubject": {"fhirBundle": {"entry": []}}}}).encode(),
    ],
)
def test_a_strange_payload_is_unreadable_even_with_our_signature(payload: bytes):
    assert reason_for(signed(payload)) is Distrust.UNREADABLE


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_stands_in_a_signed_bundle_nothing_but_bad_code_is_raised(entry: object):
    claims = {"nbf": 1, "vc": {"credentialSubject": {"fhirBundle": {"entry": entry}}}}
    assert reason_for(signed(json.dumps(claims).encode())) is Distrust.UNREADABLE


@settings(max_examples=100, deadline=None)
@given(st.text(), st.sampled_from(["", "shc:/", "{", '{"verifiableCredential":', "eyJ."]))
def test_any_text_at_all_is_merely_unreadable(text: str, start: str):
    assert reason_for(start + text) is Distrust.UNREADABLE


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="0123456789/", max_size=400))
def test_any_digits_at_all_are_merely_unreadable(digits: str):
    assert reason_for(f"shc:/{digits}") is Distrust.UNREADABLE


def test_a_bomb_and_a_novel_are_refused():
    assert reason_for(signed(b'{"a":"' + b"a" * 5_000_000 + b'"}')) is Distrust.UNREADABLE
    assert reason_for("shc:/" + "56" * 5_000_000) is Distrust.UNREADABLE
