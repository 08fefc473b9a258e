"""HC1: what it says, what it refuses to say, and that nobody else's bytes pass for it."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import cbor2
import cwt
import pytest
from base45 import b45decode, b45encode
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.certificates.codes.card import BadCode, CodeKind, Distrust, Missing, NoCode
from notifier.certificates.codes.hc1 import LIFE, PREFIX, make_hc1, read_hc1
from notifier.certificates.codes.keys import VALID_UNTIL, PublicKeys
from notifier.certificates.codes.names import name_fields
from notifier.certificates.codes.signature import sign
from notifier.certificates.codes.uvci import check_character, new_uvci, revocation_id
from notifier.certificates.facts import CertificateFacts
from notifier.core.ids import REFERENCE_ALPHABET
from tests.certificates.codes.codes import KEY, KEYS, NOW, OLD_KEY, UVCI, a_dose, facts


def make(given_facts: CertificateFacts | None = None, key=KEY, at=NOW, **changes: Any) -> str:
    return make_hc1(given_facts or facts(**changes), key, country="ID", uvci=UVCI, at=at)


def unpack(text: str) -> bytes:
    return zlib.decompress(b45decode(text.removeprefix(PREFIX)))


def pack(message: bytes) -> str:
    return PREFIX + b45encode(zlib.compress(message)).decode()


def claims_of(text: str) -> dict[Any, Any]:
    return cbor2.loads(cbor2.loads(unpack(text)).value[2])


def reason_for(text: str) -> Distrust:
    with pytest.raises(BadCode) as error:
        read_hc1(text, KEYS)
    return error.value.reason


CODE = make()
MESSAGE = unpack(CODE)


def test_a_code_says_what_the_eu_schema_demands_and_nothing_else():
    claims = claims_of(CODE)
    assert set(claims) == {1, 4, 6, -260}
    assert claims[-260] == {
        1: {
            "ver": "1.3.0",
            "nam": {"fn": "Siti Aminah", "fnt": "SITI<AMINAH"},
            "dob": "1989-02-10",
            "v": [
                {
                    "tg": "840539006",
                    "vp": "J07BX03",
                    "mp": "CoronaVac",
                    "ma": "Sinovac-Biotech",
                    "dn": 2,
                    "sd": 2,
                    "dt": "2026-10-02",
                    "co": "ID",
                    "is": "Dinas Kesehatan Contoh",
                    "ci": UVCI,
                }
            ],
        }
    }


def test_a_code_is_read_back_with_what_it_holds():
    card = read_hc1(CODE, KEYS)
    assert (card.kind, card.name, card.birth_date) == (CodeKind.HC1, "Siti Aminah", date(1989, 2, 10))
    (dose,) = card.doses
    assert (dose.number, dose.series_total, dose.given_on) == (2, 2, date(2026, 10, 2))
    assert (dose.vaccine, dose.vaccine_code) == ("CoronaVac", "CoronaVac")
    assert (card.issued_at, card.expires_at) == (NOW, NOW + LIFE)
    assert (card.revocation_id, card.key_id) == (revocation_id(UVCI), KEY.public.kid)


def test_somebody_elses_verifier_accepts_a_code_and_refuses_a_changed_byte():
    """The library `cwt`, which knows COSE and HC1 without us."""
    key = cwt.COSEKey.from_pem(certificate_key(), kid=KEY.public.hc1_kid)
    decoded = cwt.decode(MESSAGE, keys=[key])
    assert decoded[-260][1]["nam"]["fnt"] == "SITI<AMINAH"
    at = MESSAGE.index(b"SITI")
    with pytest.raises(cwt.VerifyError):
        cwt.decode(MESSAGE[:at] + b"B" + MESSAGE[at + 1 :], keys=[key])


def certificate_key() -> str:
    return KEY.public.pem


def test_each_changed_byte_of_the_signed_message_is_refused():
    for at in range(len(MESSAGE)):
        changed = bytearray(MESSAGE)
        changed[at] ^= 1
        assert reason_for(pack(bytes(changed))) in set(Distrust), at


def test_a_code_of_an_old_key_stays_valid_until_the_key_is_taken_away():
    old = make(key=OLD_KEY)
    assert read_hc1(old, KEYS).key_id == OLD_KEY.public.kid
    with pytest.raises(BadCode) as error:
        read_hc1(old, PublicKeys([KEY.public]))
    assert error.value.reason is Distrust.UNKNOWN_KEY


def test_of_two_keys_with_one_kid_both_are_tried():
    twin = replace(OLD_KEY.public, certificate=KEY.public.certificate)
    assert twin.hc1_kid == KEY.public.hc1_kid
    assert read_hc1(CODE, PublicKeys([twin, KEY.public])).key_id == KEY.public.kid


def test_a_code_signed_by_another_key_under_our_kid_is_forged():
    protected, _, payload, _ = cbor2.loads(MESSAGE).value
    signature = sign(OLD_KEY.private, cbor2.dumps(["Signature1", protected, b"", payload]))
    assert reason_for(pack(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature])))) is Distrust.FORGED


@pytest.mark.parametrize("algorithm", [-37, -8, -35, 5, "ES256", None])
def test_only_es256_is_believed(algorithm: object):
    header = cbor2.dumps({1: algorithm, 4: KEY.public.hc1_kid})
    _, _, payload, signature = cbor2.loads(MESSAGE).value
    assert reason_for(pack(cbor2.dumps([header, {}, payload, signature]))) is Distrust.UNREADABLE


def test_a_kid_in_the_unprotected_header_is_believed_too():
    payload = cbor2.loads(MESSAGE).value[2]
    header = cbor2.dumps({1: -7})
    signature = sign(KEY.private, cbor2.dumps(["Signature1", header, b"", payload]))
    text = pack(cbor2.dumps(cbor2.CBORTag(18, [header, {4: KEY.public.hc1_kid}, payload, signature])))
    assert read_hc1(text, KEYS).name == "Siti Aminah"


@pytest.mark.parametrize(
    ("dose", "reason"),
    [
        (a_dose(None), Missing.NO_DOSE_NUMBER),
        (a_dose(1, series_total=None), Missing.NO_SERIES),
        (a_dose(1, series_total=10), Missing.DOSE_OUT_OF_RANGE),
        (a_dose(product="Influenza", vaccine_code="140"), Missing.NOT_COVID),
        (a_dose(product="Vaksin COVID-19", vaccine_code=None, vaccine_system=None), Missing.PRODUCT_UNCLEAR),
        (a_dose(product="Vaksin Zifivax", vaccine_code="513"), Missing.PRODUCT_UNCLEAR),
        (a_dose(product="AstraZeneca", vaccine_code="210"), Missing.PRODUCT_UNCLEAR),
        (a_dose(product="Comirnaty", vaccine_code="511"), Missing.PRODUCT_UNCLEAR),
        (a_dose(product="", vaccine_code=None), Missing.NOT_COVID),
    ],
)
def test_a_dose_that_lacks_what_the_eu_demands_gets_no_code_and_a_reason(dose, reason: Missing):
    with pytest.raises(NoCode) as error:
        make(this_dose=dose)
    assert error.value.reason is reason


@pytest.mark.parametrize(
    ("changes", "product"),
    [
        ({"product": "Covishield", "vaccine_code": "210"}, "Covishield"),
        ({"product": "VAXZEVRIA (AstraZeneca)", "vaccine_code": "210"}, "EU/1/21/1529"),
        ({"product": "Pfizer", "vaccine_code": "208"}, "EU/1/20/1528"),
        ({"product": "CORONAVAC 0,5 mL", "vaccine_code": "93000001", "vaccine_system": "kfa"}, "CoronaVac"),
        ({"product": "Spikevax", "vaccine_code": None, "vaccine_system": None}, "EU/1/20/1507"),
    ],
)
def test_code_and_product_name_lead_to_the_product_of_the_value_set(changes: dict[str, Any], product: str):
    (entry,) = claims_of(make(this_dose=a_dose(**changes)))[-260][1]["v"]
    assert entry["mp"] == product


@pytest.mark.parametrize(("number", "total", "said"), [(3, 2, (3, 3)), (2, 1, (2, 1)), (1, 2, (1, 2)), (1, 1, (1, 1))])
def test_a_booster_is_numbered_as_the_eu_numbers_it(number: int, total: int, said: tuple[int, int]):
    (entry,) = claims_of(make(this_dose=a_dose(number, series_total=total)))[-260][1]["v"]
    assert (entry["dn"], entry["sd"]) == said


def test_a_code_ends_before_the_certificate_of_its_key_does():
    claims = claims_of(make(at=VALID_UNTIL - timedelta(days=1)))
    assert claims[4] == int(VALID_UNTIL.timestamp())


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Suharto", {"fn": "Suharto", "fnt": "SUHARTO"}),
        ("dr. Siti Aminah, S.Kom.", {"fn": "dr. Siti Aminah, S.Kom.", "fnt": "DR<SITI<AMINAH<SKOM"}),
        ("Nur'aini Al-Fatih", {"fn": "Nur'aini Al-Fatih", "fnt": "NURAINI<AL<FATIH"}),
        ("D'Červenková Panklová", {"fn": "D'Červenková Panklová", "fnt": "DCERVENKOVA<PANKLOVA"}),
        ("Jo\u0308rg Weiß", {"fn": "Jörg Weiß", "fnt": "JOERG<WEISS"}),
        ("Øystein Þór Łukasz", {"fn": "Øystein Þór Łukasz", "fnt": "OEYSTEIN<THOR<LUKASZ"}),
        ("A. " * 40, {"fnt": "<".join("A" * 25)}),
    ],
)
def test_a_name_stands_as_it_is_and_in_passport_letters(name: str, fields: dict[str, str]):
    assert claims_of(make(name=name))[-260][1]["nam"] == fields


@pytest.mark.parametrize("name", ["ꦱꦶꦠꦶ", "سيتي أمينة", "ᬲᬶᬢᬶ", "Siti 2", "Siti ꦱ", "'-.", "Siti😀"])
def test_a_name_that_we_cannot_transliterate_for_sure_gets_no_code(name: str):
    with pytest.raises(NoCode) as error:
        make(name=name)
    assert error.value.reason is Missing.NAME_NOT_LATIN


def test_a_name_too_long_for_its_field_is_read_back_in_passport_letters():
    name = "Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha Hadiningrat Sastroamidjojo"
    assert read_hc1(make(name=name), KEYS).name == "RADEN AJENG KUSUMANINGRUM WIRAWAN PRADNYAPARAMITHA"


@given(st.text(min_size=1, max_size=80))
def test_any_name_becomes_passport_letters_or_no_code(name: str):
    try:
        fields = name_fields(name)
    except NoCode:
        return
    assert re.fullmatch(r"[A-Z]([A-Z<]{0,48}[A-Z])?", fields["fnt"])
    assert "<<" not in fields["fnt"]


def test_a_birth_date_outside_the_format_gets_no_code():
    with pytest.raises(NoCode) as error:
        make(birth_date=date(1899, 12, 31))
    assert error.value.reason is Missing.BIRTH_DATE_OUT_OF_RANGE


def test_the_national_number_is_nowhere_in_a_code():
    assert facts().nik.encode() not in MESSAGE


@pytest.mark.parametrize(
    ("uvci", "check"),
    [
        ("URN:UVCI:01:NL:187/37512422923", "Z"),
        ("URN:UVCI:01:SE:EHM/V12907267LAJW", "E"),
        ("URN:UVCI:01:SE:EHM/V12916227TFJJ", "Q"),
        ("URN:UVCI:01:SE:EHM/C878/123456789ABC", "B"),
    ],
)
def test_the_check_character_is_that_of_published_identifiers(uvci: str, check: str):
    assert check_character(uvci) == check


def test_an_identifier_is_new_each_time_and_checks():
    first, second = new_uvci("ID"), new_uvci("ID")
    assert first != second
    text, check = first.split("#")
    assert set(REFERENCE_ALPHABET) < set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")  # whatever is drawn can be checked
    assert (check_character(text), len(first) <= 50) == (check, True)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mutated_text_is_refused_or_says_the_same(data: st.DataObject):
    at = data.draw(st.integers(0, len(CODE) - 1))
    letter = data.draw(st.characters(min_codepoint=1, max_codepoint=0x2FF))
    changed = CODE[:at] + letter + CODE[at + 1 :]
    try:
        card = read_hc1(changed, KEYS)
    except BadCode:
        return
    assert card == read_hc1(CODE, KEYS)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")))
def test_any_text_at_all_is_merely_unreadable(text: str):
    assert reason_for(PREFIX + text) is Distrust.UNREADABLE
    if not text.strip().startswith(PREFIX):
        assert reason_for(text) is Distrust.UNREADABLE


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_merely_unreadable(message: bytes):
    assert reason_for(pack(message)) in {Distrust.UNREADABLE, Distrust.UNKNOWN_KEY}


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner),
    )
)
def test_whatever_stands_in_a_signed_payload_nothing_but_bad_code_is_raised(payload: object):
    header = cbor2.dumps({1: -7, 4: KEY.public.hc1_kid})
    raw = cbor2.dumps({1: "ID", 4: 1, 6: 1, -260: {1: payload}})
    signature = sign(KEY.private, cbor2.dumps(["Signature1", header, b"", raw]))
    assert reason_for(pack(cbor2.dumps([header, {}, raw, signature]))) is Distrust.UNREADABLE


def test_a_bomb_a_tower_and_a_novel_are_refused():
    assert reason_for(pack(b"\0" * 5_000_000)) is Distrust.UNREADABLE
    assert reason_for(pack(b"\x81" * 9_000 + b"\0")) is Distrust.UNREADABLE
    assert reason_for(PREFIX + "A" * 10_000_000) is Distrust.UNREADABLE
