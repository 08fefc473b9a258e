"""The catalogue: every text has its English, and no translation loses a value."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from linkserver.words import LOCALE, Catalogue
from tests.web.texts import ROOT, texts_of

PLACES = ("linkserver", "notifier/support", "templates/pages", "templates/staff")
_VALUE = re.compile(r"%\((\w+)\)s")


def all_texts() -> dict[str, str]:
    return {text: where for place in PLACES if (ROOT / place).is_dir() for where, text in texts_of(ROOT / place)}


def test_the_extractor_finds_texts_in_code_and_templates() -> None:
    texts = all_texts()
    assert {"Buka sertifikat", "Tautan ini sudah tidak berlaku"} <= texts.keys()


@pytest.mark.parametrize("language", [folder.name for folder in sorted(LOCALE.iterdir())])
def test_every_text_can_be_said(language: str) -> None:
    catalogue = Catalogue()
    missing = {text: where for text, where in all_texts().items() if not catalogue.has(language, text)}
    assert missing == {}


@pytest.mark.parametrize("language", [folder.name for folder in sorted(LOCALE.iterdir())])
def test_no_translation_loses_a_value_or_brings_markup(language: str) -> None:
    catalogue = Catalogue()
    for text in all_texts():
        said = catalogue.say(language, text)
        assert sorted(_VALUE.findall(said)) == sorted(_VALUE.findall(text)), text
        assert "<" not in said


def test_two_files_may_not_translate_one_text_apart(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    for name, said in (("a.po", "Open"), ("b.po", "Unlock")):
        (folder / name).write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Buka"\nmsgstr "{said}"\n')
    with pytest.raises(ValueError, match="translated apart"):
        _ = Catalogue(tmp_path).languages


def test_a_third_language_is_one_more_folder(tmp_path: Path) -> None:
    (tmp_path / "jv").mkdir()
    (tmp_path / "jv" / "messages.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Buka"\nmsgstr "Bukak"\n')
    catalogue = Catalogue(tmp_path)
    assert catalogue.languages == ("id", "jv")
    assert (catalogue.say("jv", "Buka"), catalogue.say("jv", "Tutup")) == ("Bukak", "Tutup")


@pytest.mark.parametrize("file", sorted(LOCALE.glob("*/*.po")), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_text_stands_twice_in_a_file(file: Path) -> None:
    texts = re.findall(r'^msgid "(.+)"$', file.read_text("utf-8"), re.MULTILINE)
    assert sorted(text for text, count in Counter(texts).items() if count > 1) == []
