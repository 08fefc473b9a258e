"""SMS texts of the programme's own: what is let through, how they are filled, what they cost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.segments import is_gsm7, measure
from notifier.core.states import Kind
from notifier.messages import own_text
from notifier.messages.own_text import Checked, check, fill
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES

LINK = "https://sertifikat.example.go.id/c/"[:34] + "x" * TOKEN_LENGTH
GOOD = "((pengirim)): Sertifikat vaksin ((inisial)) ((dosis)) siap. Buka ((tautan)) lalu isi tanggal lahir ((inisial))"


def looked_at(typed: str, *, bears_link: bool = True, language: str = "id") -> Checked:
    return check(typed, language=language, sender="KEMENKES-RI", link=LINK, bears_link=bears_link)


def rules(typed: str, *, bears_link: bool = True) -> list[str]:
    return [fault.rule for fault in looked_at(typed, bears_link=bears_link).faults]


def filled(text: str, *, initial: str = "S", dose: int | None = 1, language: str = "id") -> str:
    return fill(text, language=language, sender="Kemenkes", initial=initial, dose=dose, link="<link>")


def test_a_plain_text_passes_and_its_cost_is_that_of_the_longest_values() -> None:
    found = looked_at(GOOD)
    assert found.faults == ()
    longest = fill(GOOD, language="id", sender="KEMENKES-RI", initial="", dose=12, link=LINK)
    assert found.size == measure(longest)
    assert not looked_at("((pengirim)): buka ((tautan)) dan isi tanggal lahir").is_long


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("((pengirim)) " + "x" * 600 + " ((tautan))", "length"),
        ("((pengirim)): “siap” ((tautan))", "gsm7"),
        ("((pengirim)): siap 😀 ((tautan))", "gsm7"),
        ("((pengirim)) ((nama)) ((tautan))", "placeholder"),
        ("((pengirim)) ((NIK)) ((tautan))", "placeholder"),
        ("((pengirim)) (()) ((tautan))", "placeholder"),
        ("((pengirim) ((tautan))", "brackets"),
        ("siap ((tautan))", "sender"),
        ("((pengirim)) ((pengirim)) ((tautan))", "sender"),
        ("((pengirim)): siap", "link-once"),
        ("((pengirim)) ((tautan)) ((tautan))", "link-once"),
        ("((pengirim)): buka ((tautan)).", "link-space"),
        ("((pengirim)): buka:((tautan)) lalu", "link-space"),
        ("((pengirim)): buka (((tautan))) lalu", "link-space"),
        ("((pengirim)): hubungi 0812-3456-7890 ((tautan))", "digits"),
        ("((pengirim)): 3174031002890009 ((tautan))", "digits"),
        ("((pengirim)): lahir 10/02/1989 ((tautan))", "digits"),
        ("((pengirim)): lihat https://evil.example ((tautan))", "address"),
        ("((pengirim)): lihat bit.ly/abc ((tautan))", "address"),
        ("((pengirim)): lihat WWW.EVIL ((tautan))", "address"),
        ("((pengirim)): siap.buka ((tautan)) sekarang", "address"),
        ("((pengirim)): Klik di sini ((tautan))", "click"),
        ("((pengirim)): click ((tautan))", "click"),
        ("((pengirim)): SEGERA buka ((tautan))", "urgent"),
        ("((pengirim)) ((tautan)) " + "panjang sekali " * 20, "segments"),
    ],
)
def test_what_a_text_may_not_hold(typed: str, rule: str) -> None:
    assert rule in rules(typed)


def test_what_broke_a_rule_is_named() -> None:
    found = {fault.rule: fault.what for fault in looked_at("((pengirim)) klik ((nama)) “a” ((tautan))").faults}
    assert found == {"gsm7": "“ ”", "placeholder": "nama", "click": "klik"}


def test_a_kind_without_a_link_may_have_none() -> None:
    assert rules("((pengirim)): terkunci.", bears_link=False) == []
    assert rules("((pengirim)): terkunci ((tautan))", bears_link=False) == ["no-link"]


def test_a_short_number_to_call_is_no_phone_number_of_a_person() -> None:
    assert rules("((pengirim)): tanya 119, salah 5 kali. ((tautan))") == []


def test_a_text_of_two_segments_is_let_through_and_said_to_be_dear() -> None:
    found = looked_at(GOOD + " lalu simpan pesan ini supaya mudah ditemukan lagi nanti")
    assert (found.faults, found.is_long, found.size.segments) == ((), True, 2)


def test_a_text_without_initial_and_dose_still_reads() -> None:
    assert filled(GOOD) == "Kemenkes: Sertifikat vaksin S. dosis 1 siap. Buka <link> lalu isi tanggal lahir S."
    bare = "Kemenkes: Sertifikat vaksin penerima vaksin siap. Buka <link> lalu isi tanggal lahir penerima vaksin"
    assert filled(GOOD, initial="", dose=None) == bare
    assert filled("((inisial)). ((dosis)).", language="en") == "S. dose 1."
    assert filled("((inisial)). ((dosis)).", initial="", language="en") == "the vaccinated person. dose 1."


def test_what_looks_like_a_template_is_left_as_it_is() -> None:
    assert filled("{{ 7*7 }} {% if x %} %(a)s $b {sender}") == "{{ 7*7 }} {% if x %} %(a)s $b {sender}"


def test_typed_placeholders_are_tidied() -> None:
    assert own_text.tidied("  (( Tautan ))\n\n ((PENGIRIM)) ") == "((tautan)) ((pengirim))"


@given(st.text(st.sampled_from("((()))pengirim tautan inisial dosis.\n😀a1{}%"), max_size=80))
@example("((((tautan))))((pengirim))")
def test_a_text_that_passes_holds_sender_and_link_once_and_no_placeholder_is_left(typed: str) -> None:
    found = looked_at(typed)
    if found.faults:
        return
    for sample in found.samples:
        assert sample.split().count(LINK) == 1
        assert sample.count("KEMENKES-RI") == 1
        assert "((" not in sample
        assert is_gsm7(sample)
    assert found.size.segments <= own_text.MOST_SEGMENTS


def test_own_texts_are_used_by_language_and_then_the_files() -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")

    def said(language: str, own: dict[str, str]) -> str:
        return texts.render(Kind.CERTIFICATE, language=language, name="Siti", dose_number=1, link="<l>", own=own)

    own = {"id/certificate": "((pengirim)): punya kami ((tautan))"}
    assert said("id", own) == "Kemenkes: punya kami <l>"
    assert said("fr", own) == "Kemenkes: punya kami <l>"
    assert said("en-GB", own) == said("en", {})
    assert said("en", {"en/certificate": "((pengirim)): our own ((tautan))"}) == "Kemenkes: our own <l>"


def test_an_sms_in_our_own_words_is_ours_and_one_more_word_makes_it_none() -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    mine = GOOD.replace("siap", "Anda siap")
    own = [("id", mine)]
    for initial, dose in (("S", 1), ("", None), ("S", None)):
        sms = fill(mine, language="id", sender="Kemenkes", initial=initial, dose=dose, link=LINK)
        assert texts.is_ours(sms, LINK, lambda: own)
        assert not texts.is_ours(sms, LINK)
        assert not texts.is_ours(sms + " Kirim uang", LINK, lambda: own)
