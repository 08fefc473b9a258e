"""The catalogues are whole, and a third language is one more folder."""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from linkserver.public.app import create_app
from linkserver.words import LOCALE, Catalogue
from notifier.certificates.facts import DoseFacts, dose_words, status_words
from notifier.core.states import Kind
from notifier.core.words import LANGUAGES
from notifier.intake.people import fresh
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES, Services
from notifier.support.vaccination_status.programmes import FILE
from tests.builders import an_event
from tests.desk import Desk
from tests.web.public.conftest import RIGHT, Visitor
from tests.web.test_words import all_texts

JAVANESE = {
    "Buka sertifikat": "Bukak sertipikat",
    "Periksa sertifikat vaksin": "Priksa sertipikat vaksin",
    "Sah": "Sah tenan",
    "Dosis %(number)s dari %(total)s": "Dosis %(number)s saka %(total)s",
}


def messages(language: str) -> list[Message]:
    found: list[Message] = []
    for file in sorted((LOCALE / language).glob("*.po")):
        with file.open("rb") as stream:
            found += [message for message in read_po(stream, locale=language, abort_invalid=True) if message.id]
    return found


def programme_names() -> set[str]:
    """What the vaccines of the programmes' tables are called; some are called the same everywhere."""
    return {series["name"] for series in tomllib.loads(FILE.read_text())["series"]}


@pytest.mark.parametrize("language", [folder.name for folder in sorted(LOCALE.iterdir())])
def test_no_text_is_unused_fuzzy_empty_or_said_twice(language: str) -> None:
    used, found = all_texts().keys() | programme_names(), messages(language)
    ids = [str(message.id) for message in found]
    assert sorted(set(ids) - used) == []
    assert [message.id for message in found if message.fuzzy or not str(message.string).strip()] == []
    assert sorted({text for text in ids if ids.count(text) > 1}) == []


@pytest.mark.parametrize("language", [folder.name for folder in sorted(LOCALE.iterdir())])
def test_no_file_keeps_what_is_obsolete(language: str) -> None:
    assert [file.name for file in (LOCALE / language).glob("*.po") if "\n#~" in file.read_text()] == []


@pytest.mark.parametrize("language", [folder.name for folder in sorted((TEMPLATES / "sms").iterdir())])
def test_every_language_has_the_sms_that_indonesian_has(language: str) -> None:
    kinds = {file.name for file in (TEMPLATES / "sms" / "id").iterdir()}
    assert {file.name for file in (TEMPLATES / "sms" / language).iterdir()} == kinds


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_of_doses_and_status_what_the_pdf_says(language: str) -> None:
    catalogue = Catalogue()
    for status in ("valid", "replaced", "revoked"):
        assert catalogue.say(language, status_words(status, "id")) == status_words(status, language)
    said = catalogue.say(language, "Dosis %(number)s dari %(total)s") % {"number": 1, "total": 2}
    assert (said, catalogue.say(language, "Dosis %(number)s") % {"number": 3}) == (
        dose_words(1, 2, language),
        dose_words(3, 2, language),
    )


@pytest.fixture
def javanese(tmp_path: Path) -> Path:
    """A catalogue's folder with English and a beginning of Javanese."""
    folder = tmp_path / "locale"
    shutil.copytree(LOCALE / "en", folder / "en")
    (folder / "jv").mkdir()
    entries = [f'msgid "{text}"\nmsgstr "{said}"\n' for text, said in JAVANESE.items()]
    (folder / "jv" / "messages.po").write_text('msgid ""\nmsgstr ""\n\n' + "\n".join(entries))
    return folder


def test_a_third_language_is_a_folder_and_can_be_chosen_on_every_page(
    desk: Desk, services: Services, javanese: Path
) -> None:
    visitor = Visitor(create_app(services, Catalogue(javanese)).test_client())
    desk.record()
    desk.send()
    token = services.links.sign(services.links.find_in(desk.gateway.sent[0].text) or "")
    page = visitor.get(f"/c/{token}")
    assert re.findall(r'<a href="([^"]+)" lang="(\w+)" hreflang="\w+">(\w+)</a>', page.text) == [
        ("?lang=en", "en", "English"),
        ("?lang=jv", "jv", "Jawa"),
    ]
    landing = visitor.get(f"/c/{token}?lang=jv").text
    assert '<html lang="jv">' in landing
    assert "<button>Bukak sertipikat</button>" in landing
    assert "Tanggal lahir penerima vaksin" in landing  # what is not translated yet is Indonesian
    view = visitor.post(f"/c/{token}", RIGHT).location
    certificate = visitor.get(view).text
    assert "Sah tenan · dosis 1 saka 2" in certificate
    assert "10 Februari 1989" in certificate  # as Babel spells it in Javanese
    for path in (view + "/history", "/asli", "/verify", "/nowhere"):
        assert '<html lang="jv">' in visitor.get(path).text


@pytest.mark.parametrize("button", ["not-me", "stop", "replace"])
def test_a_change_of_language_asks_the_same_question_again(desk: Desk, visitor: Visitor, button: str) -> None:
    desk.record()
    desk.send()
    link = "/c/" + desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[0].text) or "")
    at = visitor.post(link, RIGHT).location + "/replace" if button == "replace" else f"{link}/{button}"
    question = visitor.post(at, {button: "ask"})
    assert f'<form method="post" action="?lang=en"><button class="link" name="{button}" value="ask"' in question.text
    english = visitor.post(f"{at}?lang=en", {button: "ask"})
    assert (english.status_code, question.status_code) == (200, 200)
    assert '<html lang="en">' in english.text
    assert f'name="{button}" value="yes"' in english.text


def test_a_third_language_of_sms_is_a_folder_too(services: Services, tmp_path: Path) -> None:
    folder = tmp_path / "sms"
    shutil.copytree(TEMPLATES / "sms", folder)
    (folder / "jv").mkdir()
    (folder / "jv" / "certificate.txt").write_text("{{ sender }}: Sertipikat {{ initial }}. siap. Bukak {{ link }} .")
    texts = SmsTexts(folder, "Kemenkes")
    person = fresh(services, an_event(person={"language": "jv-ID"}).person, None)  # type: ignore[arg-type]

    def said(kind: Kind) -> str:
        return texts.render(kind, language=person.language, name="Siti", dose_number=1, link="https://x.id/c/a")

    assert said(Kind.CERTIFICATE) == "Kemenkes: Sertipikat S. siap. Bukak https://x.id/c/a ."
    assert "diperbarui" in said(Kind.CORRECTION)  # not written yet in Javanese
    assert texts.is_ours(said(Kind.CERTIFICATE), "https://x.id/c/a")


@pytest.mark.parametrize("language", ["../../pages", "xx", "", "id_ID", "en-x"])
def test_a_language_that_we_have_no_sms_in_is_no_fault(language: str) -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    assert texts.render(Kind.CERTIFICATE, language=language, name="A", dose_number=1, link="l")


@pytest.mark.parametrize(("wish", "shown"), [("en", "en"), ("id", "id"), ("xx", "id"), ("EN", "id"), ("../en", "id")])
def test_a_choice_is_kept_and_rubbish_is_none(visitor: Visitor, wish: str, shown: str) -> None:
    assert f'<html lang="{shown}">' in visitor.get(f"/asli?lang={wish}").text
    assert f'<html lang="{shown}">' in visitor.get("/asli").text


def test_what_the_shop_set_the_phone_to_decides_nothing(visitor: Visitor) -> None:
    answers: list[Any] = [
        visitor.get("/asli", headers={"Accept-Language": asked}).data
        for asked in ("en-GB,en;q=0.9", "id", "*", "jv, \x7f")
    ]
    assert len(set(answers)) == 1
    assert b'<html lang="id">' in answers[0]


def test_a_dose_of_an_unknown_number_has_no_words() -> None:
    dose = DoseFacts(None, None, "X", None, None, date(2026, 11, 23), None)
    assert dose_words(dose.number, dose.series_total, "jv") == ""
    assert (dose_words(2, 2, "jv"), status_words("valid", "jv")) == ("Dosis 2 dari 2", "Sah")


@pytest.mark.parametrize("path", ["/revocations", "/.well-known/jwks.json", "/robots.txt"])
def test_what_caches_keep_for_everybody_sets_nobody_s_language(visitor: Visitor, path: str) -> None:
    assert "Set-Cookie" not in visitor.get(f"{path}?lang=en").headers
    assert "Set-Cookie" in visitor.get("/verify?lang=en").headers
