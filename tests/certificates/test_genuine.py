"""Is it ours? Only the exact form is called genuine; every trick that we know is called what it is."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.certificates.genuine import LONGEST_TEXT, Verdict, judge
from notifier.core.link_tokens import LinkSigner, new_public_id
from notifier.core.states import Kind
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES

URL = "https://sertifikat.dinkes.go.id"
HOST = "sertifikat.dinkes.go.id"
SIGNER = LinkSigner([b"k" * 32])
TOKEN = SIGNER.sign("0000000000A")
LINK = f"{URL}/c/{TOKEN}"
TEXTS = SmsTexts(TEMPLATES / "sms", "Kemenkes")
EMAIL = "bantuan@dinkes.go.id"
LINKED = (Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL)


def said_of(text: str, url: str = URL) -> Verdict:
    return judge(SIGNER, url, text, TEXTS.is_ours, contacts=(EMAIL,))


def our_sms(kind: Kind = Kind.CERTIFICATE, language: str = "id", name: str = "Siti", dose: int | None = 1) -> str:
    return TEXTS.render(kind, language=language, name=name, dose_number=dose, link=LINK)


@pytest.mark.parametrize("kind", LINKED)
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", ["Siti", "Ñandú", "محمد", "123", "Y"])
@pytest.mark.parametrize("dose", [None, 1, 12])
def test_each_sms_of_ours_is_genuine_as_it_is(kind: Kind, language: str, name: str, dose: int | None) -> None:
    assert said_of(our_sms(kind, language, name, dose)) is Verdict.GENUINE


@pytest.mark.parametrize(
    "text",
    [
        LINK,
        LINK + ".",
        f" {LINK}\n",
        f"({LINK})",
        f"“{LINK}”",
        f"<{LINK}>",
        f"{HOST}/c/{TOKEN}",
        LINK.replace("https://serti", "HTTPS://SERTI"),
        LINK + "?lang=en",
        "\u200e" + LINK + "\u200f",
        our_sms().replace(" ", "\u00a0"),
        our_sms().replace(" ", "\n"),
        "\u2060" + our_sms(),
    ],
)
def test_what_phones_and_messengers_add_does_not_hurt(text: str) -> None:
    assert said_of(text) is Verdict.GENUINE


@pytest.mark.parametrize(
    "more",
    [
        "Kirim Rp50.000 ke rekening BCA 1234567890.",
        "Transfer 50 ribu dulu ke 0812-9999-8888",
        "Hubungi +62 812 9999 8888",
        "Balas dengan kode OTP Anda",
        "x",
        "😀",
    ],
)
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_genuine_link_in_other_words_is_not_genuine_as_a_whole(more: str, language: str) -> None:
    for text in (f"{our_sms(language=language)} {more}", f"{more}\n{LINK}", our_sms().replace("isi", more)):
        assert said_of(text) is Verdict.EXTRA


def test_words_of_ours_with_a_word_changed_are_not_ours() -> None:
    assert said_of(our_sms().replace("Kemenkes", "Kemenkss")) is Verdict.EXTRA
    assert said_of(our_sms().replace("isi tanggal lahir", "isi PIN")) is Verdict.EXTRA
    assert said_of(our_sms() + our_sms()) is not Verdict.GENUINE


def test_what_stands_behind_the_longest_text_is_never_called_genuine() -> None:
    assert said_of(our_sms() + " " * LONGEST_TEXT) is Verdict.EXTRA
    assert said_of(LINK + " " * LONGEST_TEXT + "https://evil.example") is Verdict.EXTRA


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "bit.ly/3xYz",
        "wa.me/6281299998888",
        "http://10.0.0.7/c/x",
        "javascript://alert(1)",
        "tel:+6281299998888",
        "penipu@gmail.com",
    ],
)
def test_another_address_is_foreign_also_beside_a_genuine_link(address: str) -> None:
    assert said_of(address) is Verdict.FOREIGN
    for text in (f"{our_sms()} {address}", f"{address} {LINK}", f"{LINK}\u00a0{address}"):
        assert said_of(text) is Verdict.FOREIGN


@pytest.mark.parametrize(
    "address",
    [
        f"https://evil.example/c/{TOKEN}",
        f"https://{HOST}@evil.example/c/{TOKEN}",
        f"https://{HOST}@evil.example/",
        f"https://{HOST}%40evil.example/",
        f"https://{HOST}.evil.example/c/{TOKEN}",
        f"https://{HOST}:443.evil.example/c/{TOKEN}",
        f"https://evil.example/{HOST}/c/x",
        f"https://evil.example\\{HOST}/c/x",
        "https://sertifikat-dinkes-go.id/c/x",
        "https://sertifikat.dinkes.g0.id",
        "https://sert1fikat.dinkes.go.id",
        "https://sertlfikat.dinkes.go.id",
        "https://sertifikat.dinkess.go.id",
        "https://sertifikat.dinkes.go.id.co",
        "https://sеrtifikat.dinkes.go.id",  # a Cyrillic е
        "https://sertifikat。dinkes。go。id。evil.example",
        "https://xn--srtifikat-8ug.dinkes.go.id/",
        "https://sertifikat.dinkes.go\u200b.id/c/x",
        f"https://sertifikat.dinkes.go.id\u200b.evil.example/c/{TOKEN}",
    ],
)
def test_an_address_made_to_look_like_ours_is_a_fake(address: str) -> None:
    assert said_of(address) is Verdict.FAKE
    assert said_of(f"{our_sms()} {address}") is Verdict.FAKE


def test_names_that_look_like_ours_are_fakes_whatever_our_name_is() -> None:
    ours = "https://pedulilindungi.id"
    for name in ("pedulilindungia.com", "peduli-lindungi.id", "peduIilindungi.id", "pedulilindungi.id.evil.example"):
        assert said_of(f"https://{name}/login", ours) is Verdict.FAKE


@pytest.mark.parametrize(
    "address",
    [
        f"http://{HOST}/c/{TOKEN}",
        f"https://{HOST}:8443/c/{TOKEN}",
        f"https://evil@{HOST}/c/{TOKEN}",
        f"https://{HOST}./c/{TOKEN}",
        f"ftp://{HOST}/",
        f"https:/{HOST}/c/{TOKEN}",
    ],
)
def test_our_host_in_another_form_is_altered(address: str) -> None:
    assert said_of(address) is Verdict.ALTERED


@pytest.mark.parametrize(
    "path",
    [
        f"/c/{TOKEN[:-1]}",
        f"/c/{TOKEN}x",
        f"/c/{TOKEN[:20]}",
        "/c/",
        "/c",
        f"/c/{TOKEN}/stop",
        f"//c/{TOKEN}",
        f"/C/{TOKEN}",
        f"/c/{TOKEN.swapcase()}",
        f"/c/%{ord(TOKEN[0]):x}{TOKEN[1:]}",
        f"/c/{TOKEN[::-1]}",
    ],
)
def test_a_link_of_ours_that_was_cut_or_changed_is_damaged(path: str) -> None:
    assert said_of(URL + path) is Verdict.DAMAGED
    assert said_of(our_sms().replace(LINK, URL + path)) is Verdict.DAMAGED


def test_a_page_of_ours_is_ours_but_only_alone() -> None:
    for path in ("", "/", "/verify?n=7K3M-9QXT-2B4D", "/asli"):
        assert said_of(URL + path) is Verdict.OURS
        assert said_of(f"Kirim uang lalu buka {URL}{path}") is Verdict.EXTRA


@pytest.mark.parametrize(
    "text", ["", "halo", "Sertifikat Anda siap", "0812-9999-8888", EMAIL, TOKEN, "…", "\x00", "a.b"]
)
def test_without_an_address_there_is_nothing_to_judge(text: str) -> None:
    assert said_of(text) is Verdict.NOTHING


def test_another_installation_or_key_is_not_ours() -> None:
    stranger = LinkSigner([b"s" * 32]).sign(new_public_id())
    assert said_of(f"{URL}/c/{stranger}") is Verdict.DAMAGED
    assert said_of(LINK, "https://lain.example") is not Verdict.GENUINE


_PIECES = st.sampled_from(
    [
        LINK,
        URL,
        HOST,
        TOKEN,
        "/c/",
        "@",
        ".",
        ":",
        "\\",
        "%2e",
        "\u200b",
        "\x00",
        "evil.example",
        "https://",
        " ",
        "Rp1",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(_PIECES, max_size=8).map("".join)))
@example("." * LONGEST_TEXT)
@example("a." * LONGEST_TEXT)
@example("http://" * 500)
@example("﷽" * LONGEST_TEXT + ".id")
def test_nothing_breaks_it_and_only_our_own_link_is_genuine(text: str) -> None:
    verdict = said_of(text)
    if verdict is Verdict.GENUINE:
        plain = "".join(text.split()).strip("\u200b").rstrip(".:,;!?)]}>'\"").lstrip("\u200b([{'‘’«*_~<\"")
        assert urlsplit(plain if "://" in plain else f"https://{plain}").hostname == HOST
        assert TOKEN in text
        assert "evil" not in text
