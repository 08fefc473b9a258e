"""What was pasted: numbers, codes, our links and everything else, sorted without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.certificates.pasted import LONGEST, Kind, Pasted, read_pasted
from notifier.core.link_tokens import LinkSigner

OURS = "https://sertifikat.example.id"
SIGNER = LinkSigner([b"k" * 32])
TOKEN = SIGNER.sign("9UtRNKgH7IR")
JWS = "eyJhbGciOiJFUzI1NiJ9.Zm9v-_8.c2lnbmF0dXJl"


def read(text: str) -> Pasted:
    return read_pasted(SIGNER, OURS, text)


@pytest.mark.parametrize(
    "text", ["7K3M-9QXT-2B4D", " 7k3m9qxt2b4d\n", "7k3m 9qxt 2b4d", f"{OURS}/verify?n=7K3M-9QXT-2B4D"]
)
def test_a_number_is_read_however_it_is_written(text: str) -> None:
    assert read(text) == Pasted(Kind.NUMBER, "7K3M-9QXT-2B4D")


@pytest.mark.parametrize("path", ["verify?n=", "cek?n=", "verify?lang=en&n="])
def test_our_verify_link_is_its_number(path: str) -> None:
    assert read(f"{OURS}/{path}7K3M-9QXT-2B4D").text == "7K3M-9QXT-2B4D"
    assert read(f"sertifikat.example.id/{path}7K3M-9QXT-2B4D&x=1").text == "7K3M-9QXT-2B4D"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("HC1:6BF AB$C/:9 ", "HC1:6BF AB$C/:9"),
        ("HC1:6BF AB$C terima kasih", "HC1:6BF AB$C"),
        ("Ini sertifikat saya:\nHC1:6BF\r\nABC", "HC1:6BFABC"),
        ("shc:/5676290952", "shc:/5676290952"),
        ("SHC:/5676 290\n952", "shc:/5676290952"),
        (JWS, JWS),
        (f" {JWS[:20]}\n{JWS[20:]}", JWS),
        (f'{{"verifiableCredential": ["{JWS}"]}}', JWS),
    ],
)
def test_a_code_is_taken_out_of_what_surrounds_it(text: str, code: str) -> None:
    assert read(text) == Pasted(Kind.CODE, code)


@pytest.mark.parametrize(
    "text", [f"{OURS}/c/{TOKEN}", f"{OURS}/c/{'A' * 33}", TOKEN, "Z" * 33, f"Kemenkes: {OURS}/c/{TOKEN} lalu"]
)
def test_a_personal_link_is_told_by_its_form_alone(text: str) -> None:
    assert read(text) == Pasted(Kind.PERSONAL_LINK)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://evil.example/verify?n=7K3M-9QXT-2B4D",
        f"https://evil.example/{OURS}/verify?n=7K3M-9QXT-2B4D",
        "https://sertifikat.example.id@evil.example/verify?n=7K3M-9QXT-2B4D",
        "https://sertifikat.example.id.evil.example/verify?n=7K3M-9QXT-2B4D",
        "http://sertifikat.example.id/verify?n=7K3M-9QXT-2B4D",
        f"https://evil.example/c/{TOKEN}",
        f"{OURS}/verify?n=7K3M-9QXT-2B4D https://evil.example/",
        "WIFI:T:WPA;S:x;P:y; evil.example",
    ],
)
def test_any_other_address_is_foreign_whatever_it_holds(text: str) -> None:
    assert read(text) == Pasted(Kind.OTHER_ADDRESS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "\0\0",
        "x" * 61,
        "{",
        '{"verifiableCredential": [1]}',
        '{"verifiableCredential": []}',
        "[" * 5000,
        OURS,
    ],
)
def test_the_rest_is_nothing(text: str) -> None:
    assert read(text).kind is Kind.NOTHING


def test_deep_json_is_no_fault() -> None:
    assert read('{"a":' * 1900 + "1").kind is Kind.NOTHING
    assert read('{"verifiableCredential":' + "[" * (LONGEST - 30)).kind is Kind.NOTHING


def test_what_was_pasted_never_shows_in_a_log() -> None:
    assert "7K3M" not in repr(read("7K3M-9QXT-2B4D"))


@given(st.text())
def test_no_text_makes_a_fault(text: str) -> None:
    found = read(text)
    assert (found.kind in {Kind.NUMBER, Kind.CODE}) == bool(found.text)
