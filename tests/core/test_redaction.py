"""What a log line may not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.redaction import redacted

TOKEN = "2NSA8EP7MKZ5aBcDeFgHiJkLmNoPqRsTu"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /c/{TOKEN} HTTP/1.1",
        f"GET /c/{TOKEN}. HTTP/1.1",
        f"GET /C/{TOKEN}",
        f"GET %2Fc%2F{TOKEN}",
        f"http://127.0.0.1:8000/c/{TOKEN}/renew",
        f"Invalid HTTP request line: 'GETX /c/{TOKEN}'",
        f"token {TOKEN} was read",
        f"token {TOKEN[:25]} was cut",
        f"/verify?lang=en&n={TOKEN}",
        f"/m/{TOKEN}",
        f"/certificate/{TOKEN[:22]}.pdf",
        f"/kasus/{TOKEN}",
    ],
)
def test_no_part_of_a_token_is_left(line: str) -> None:
    said = redacted(line)
    assert "[hidden]" in said
    assert not [start for start in range(len(TOKEN) - 8) if TOKEN[start : start + 8] in said]


def test_a_token_without_a_digit_is_one_too() -> None:
    token = "QNSAxEPvMKZwaBcDeFgHiJkLmNoPqRsTu"
    assert len(token) == TOKEN_LENGTH
    assert redacted(f"Unsupported transfer coding: '{token}'") == "Unsupported transfer coding: '[hidden]'"


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::7"])
def test_a_visitor_s_address_is_hidden(address: str) -> None:
    line = f"Invalid request from ip={address}: Invalid HTTP Version: (9, 9)"
    assert redacted(line) == "Invalid request from ip=[hidden]: Invalid HTTP Version: (9, 9)"


@pytest.mark.parametrize("number", ["+6281234567890", "081234567890", "3174031002890009"])
def test_numbers_of_people_are_hidden(number: str) -> None:
    assert number not in redacted(f"to {number}, please")


@pytest.mark.parametrize(
    "line",
    [
        "Listening at: http://127.0.0.1:8000 (12345)",
        "2026-11-23T03:00:00.123+00:00 worker 4711 took 0.012345 s",
        'File "/srv/linkserver/public/certificate.py", line 40, in certificate_with_person',
        "01a20b21-1cb3-7ef6-9fbe-553314264036",
        "GET /certificates/ HTTP/1.1",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line) == line


_PIECES = st.sampled_from(
    ["/c/", "%2Fc%2f", "/certificate/", "?", "ip=", "203.0.113.9", "+", "0", "a", "Z", "-", ".", " ", "\n", "é", TOKEN]
)


@given(st.lists(_PIECES | st.text(max_size=3) | st.from_regex(r"[0-9A-Za-z]{7,34}", fullmatch=True), max_size=8))
def test_what_looks_harmless_at_a_glance_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    slash = "/"  # brings every rule to bear
    assert redacted(f"{slash} {text}") == f"{slash} {redacted(text)}"
