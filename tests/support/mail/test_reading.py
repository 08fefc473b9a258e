"""What strangers write: the published format in any order and language, rubbish, bombs, and what it may not do."""

from __future__ import annotations

import base64
import random
from datetime import date
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.core.mail_addresses import is_mail_address, message_ids
from notifier.gateways.mail import Envelope, Part
from notifier.gateways.mail.responses import Unreadable, answers, parts_of, read_tree
from notifier.support.mail import texts
from notifier.support.mail.letters import read
from notifier.support.mail.published import LetterFacts, read_facts

TODAY = date(2026, 11, 27)
LABELS = {
    "name": ("Nama", "Nama Lengkap", "NAMA LENGKAP SESUAI KTP", "Full name", "Nama / Name"),
    "nik": ("NIK", "No. KTP", "NIK KTP", "ID number", "Nomor Induk Kependudukan"),
    "birth": ("Tempat, tanggal lahir", "TTL", "Tempat/Tgl Lahir", "Place and date of birth"),
    "phone": ("No. HP", "Nomor handphone", "No. HP/WA", "Phone number", "Nomor ponsel (aktif)"),
    "complaint": ("Keluhan", "Complaint", "Kendala"),
}
VALUES = {
    "name": ("Siti Aminah",),
    "nik": ("3174031002890009", "3174 0310 0289 0009", "3174-0310-0289-0009"),
    "birth": (
        "Jakarta, 10 Februari 1989",
        "Jakarta / 10-02-1989",
        "Jakarta 10/2/1989",
        "Jakarta, February".replace("Jakarta, February", "Jakarta, 10 Feb 1989"),
    ),
    "phone": ("081234567890", "+62 812-3456-7890", "0812 3456 7890 (WA)"),
    "complaint": ("Sertifikat belum muncul",),
}


def facts(text: str) -> LetterFacts:
    return read_facts(texts.tidied(text), today=TODAY, region="ID", allowed={"ID"})


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_the_published_format_is_understood_in_any_order_and_language(seed: int) -> None:
    dice = random.Random(seed)
    lines = []
    for name in dice.sample(list(LABELS), len(LABELS)):
        label, value = dice.choice(LABELS[name]), dice.choice(VALUES[name])
        mark = dice.choice((": ", " : ", " = ", ":", " - ", ":\n"))
        lines.append(dice.choice(("", "- ", "1. ", "* ", "  ")) + label + mark + value)
    found = facts("Selamat pagi,\n\n" + dice.choice(("\n", "\n\n", "\r\n")).join(lines))
    assert found.is_whole
    assert (found.name, found.nik, found.birth_date) == ("Siti Aminah", "3174031002890009", date(1989, 2, 10))
    assert (found.birth_place, found.phone) == ("Jakarta", "+6281234567890")
    assert (found.complaint or "").startswith("Sertifikat belum muncul")


def test_where_and_when_the_dose_was_given_is_understood() -> None:
    found = facts("Nama: Siti\nFaskes: Puskesmas Menteng\nTanggal vaksin: 20 November 2026")
    assert (found.facility, found.given_on, found.nik) == ("Puskesmas Menteng", date(2026, 11, 20), None)


def test_nothing_is_guessed() -> None:
    assert facts("Tanggal lahir: 10-02-89\nNIK: 12345\nNo HP: 021 345678\nNama:").count == 0


@given(st.text(max_size=200))
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_no_fact_raises(text: str) -> None:
    facts(text)
    texts.own_words(texts.tidied(texts.of_html(text)))


@given(st.binary(max_size=300), st.sampled_from(("base64", "quoted-printable", "8bit", "x")), st.text(max_size=12))
@settings(deadline=None)
def test_whatever_bytes_come_they_are_text_without_control_characters(raw: bytes, encoding: str, charset: str) -> None:
    text = texts.tidied(texts.decoded(raw, encoding=encoding, charset=charset))
    text.encode()  # PostgreSQL takes it: no NUL, no half letters
    assert "\0" not in text


@pytest.mark.parametrize("charset", ["zlib_codec", "unicode_escape", "idna", "utf-7", "rot13", "no-such", "", "\x00"])
def test_codecs_that_are_no_alphabets_are_not_used(charset: str) -> None:
    assert texts.decoded(b"Halo \\u0041", encoding="8bit", charset=charset) == "Halo \\u0041"


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("ñandú".encode("latin-1"), "iso-8859-1", "ñandú"),
        ("ñandú ñandú ñandú".encode("latin-1"), "utf-8", "ñandú ñandú ñandú"),  # it lies
        ("Siti ✓".encode(), "us-ascii", "Siti ✓"),
        ("Siti".encode("utf-16"), "utf-16", "Siti"),
        ("halo…".encode()[:-1], "utf-8", "halo\ufffd"),  # cut off within a letter
    ],
)
def test_charsets_that_lie(raw: bytes, charset: str, text: str) -> None:
    cut = base64.b64encode(raw)
    assert texts.decoded(cut, encoding="base64", charset=charset) == text


def test_a_page_s_words_without_its_scripts() -> None:
    page = "<HTML><style>p{}</style><body><p>Nama: Siti</p><script>x<y</script><!-- no -->NIK:&nbsp;1<br>akhir"
    assert texts.tidied(texts.of_html(page)) == "Nama: Siti\nNIK: 1\nakhir"


def test_what_is_quoted_is_cut_off() -> None:
    text = "Terima kasih.\n> lama\nPada Sen, 23 Nov 2026 bantuan@contoh.example menulis:\nNIK: 3174031002890009"
    assert texts.own_words(text) == "Terima kasih."


# structures


def test_a_deep_nest_of_parts_is_unreadable_and_not_an_end_of_ours() -> None:
    for bomb in (b"(" * 5_000 + b")" * 5_000, b"()" * 30_000, b"(" * 50, b")" * 50):
        with pytest.raises(Unreadable):
            parts_of(read_tree([b"1 (UID 1 BODYSTRUCTURE " + bomb + b")"]))
    many = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL NIL NIL)' * 300
    with pytest.raises(Unreadable):
        parts_of(read_tree([b"(" + many + b' "MIXED")'])[0])


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.tuples(st.binary(max_size=20), st.binary(max_size=20))), max_size=6)
)
@settings(deadline=None)
def test_whatever_a_server_says_is_a_tree_or_unreadable(pieces: list[Any]) -> None:
    try:
        tree = read_tree(pieces)
        parts_of(answers(tree, 1).get("BODYSTRUCTURE"))
    except Unreadable:
        pass


def test_names_in_literals_and_answers_about_others_do_not_confuse() -> None:
    told = [
        b"4 (UID 9 FLAGS (\\Seen))",
        (
            b'5 (UID 7 BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "BASE64" 20 1 NIL NIL NIL)'
            b'("IMAGE" "JPEG" ("NAME" {9}',
            b'k(t)p".jp',
        ),
        b') NIL NIL "BASE64" 90000 NIL ("ATTACHMENT" ("FILENAME" "a\\"b")) NIL NIL) "MIXED"))',
    ]
    parts = parts_of(answers(read_tree(told), 7)["BODYSTRUCTURE"])
    assert [(part.section, part.kind, part.is_attached) for part in parts] == [
        ("1", "text/plain", False),
        ("2", "image/jpeg", True),
    ]


# headers

PLAIN = [Part("1", "text/plain", "utf-8", "7bit", 10, False)]


def letter(headers: bytes) -> Any:
    return read(Envelope(1, 1, headers, PLAIN), lambda part, most: b"halo", own=[])


@pytest.mark.parametrize(
    "value",
    [
        b"(" * 30_000,
        b'"' * 30_000,
        b"<" * 30_000,
        b"a@b," * 7_000,
        b"=?utf-8?q?" * 3_000,
        b"a.b." * 7_000,
        b"\xff" * 30_000,
    ],
)
@pytest.mark.parametrize("name", [b"From", b"Subject", b"References"])
def test_headers_that_were_made_to_keep_us_busy_do_not(name: bytes, value: bytes) -> None:
    start = process_time()
    assert letter(name + b": " + value + b"\r\n\r\n").sender is None
    assert process_time() - start < 2


@pytest.mark.parametrize(
    "sender",
    [
        b"a@b.example, c@d.example",
        b"a@b.example\r\nFrom: c@d.example",
        b"=?utf-8?q?a=40b.example=0d=0aBcc=3a_x=40y.example?=",
        b'"a\\r\\nBcc: x@y.example"@b.example',
        b"a@[127.0.0.1]",
        b"a@localhost",
        "sité@b.example".encode(),
        b"<>",
        b"",
    ],
)
def test_a_sender_that_is_not_one_plain_address_is_not_answered(sender: bytes) -> None:
    found = letter(b"From: " + sender + b"\r\n\r\n")
    assert (found.sender, found.may_answer) == (None, False)


def test_what_could_end_a_header_is_no_message_id_and_no_address() -> None:
    assert message_ids("<a@b> <c@d\r\nBcc: x@y> <e f@g> <<h@i>") == ["<a@b>", "<h@i>"]
    assert not any(map(is_mail_address, ("a@b.c\r\n", "a b@c.d", "a@b..c", ".a@b.c", "a@-b.c", "a" * 65 + "@b.c")))
    assert is_mail_address("siti.aminah+ktp@surat.example.id")
