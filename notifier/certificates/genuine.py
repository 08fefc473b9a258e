"""Is this message ours? Judged by the link's signature and our one address alone; no database, nothing about anybody.

A text is called genuine only where it is a link of exactly the form that we send, alone or in exactly the words of our
SMS. Everything else lowers the verdict, so that a trick which is not known here is doubted, never believed: a link
can be copied out of a genuine message into a request for money.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from urllib.parse import urlsplit

from notifier.core.errors import BadToken
from notifier.core.link_tokens import LinkSigner, trimmed

#: characters of a pasted text; our longest SMS has 160
LONGEST_TEXT = 2_000

#: a word ends at a blank or a quotation mark, and where a new address begins without one
_BETWEEN = re.compile(r"[\s<>\"“”]+|(?<=[:(])(?=https?://)", re.I)
_BEFORE = "([{'‘’«*_~"
_SCHEMES = r"(?:tel|sms|smsto|mailto|intent|market|whatsapp|javascript|data):\S"
_NUMBERED = r"\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
#: what phones make a link of: a scheme, a name with a dot and letters behind it, or four numbers with dots
_ADDRESS = re.compile(rf"[a-z][a-z0-9+.-]{{0,30}}:[/\\]|{_SCHEMES}|[^\W_]\.(?:xn--|[^\W\d_]{{2}})|{_NUMBERED}", re.I)
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]{0,30}:)?[/\\]*([^/\\?#]*)", re.I)
#: full stops of other scripts, which browsers take for ours
_DOTS = str.maketrans(dict.fromkeys("。｡．", "."))
#: what an eye in a hurry takes for the same letter: digits, capital I, Cyrillic
_ALIKE = str.maketrans("01i|35" + "аеорсухі", "ollles" + "aeopcyxl")
_NEARLY = 0.84  # of difflib's ratio: one or two letters of our name changed, added or left out

#: pages of the door `cases` that are no personal link
_PAGE_OF_CASES = re.compile(r"/kasus/?(?:kode|siapa|sebab|lapor)?(?:[?#].*)?")
_A_NAME = 8  # letters of a part of our host that are nobody else's by chance


class Verdict(StrEnum):
    """What a pasted text turned out to be; the gravest thing found in it."""

    FAKE = "fake"  #: our token under another address, or an address made to look like ours
    ALTERED = "altered"  #: our host, but not as we write it: another scheme or port, or a name before an @
    FOREIGN = "foreign"  #: an address that is not ours, whatever stands beside it
    EXTRA = "extra"  #: nothing but addresses of ours, in words that are not those of our SMS
    DAMAGED = "damaged"  #: our address, but no signature of ours: cut off, mistyped or made up
    GENUINE = "genuine"  #: a link that we signed, alone or in the words of our SMS
    OURS = "ours"  #: a page of ours that is no link to a certificate, alone or in the words of our SMS
    NOTHING = "nothing"  #: nothing that a phone would open


_GRAVEST_FIRST = tuple(Verdict)


def judge(
    signer: LinkSigner,
    public_url: str,
    text: str,
    is_our_sms: Callable[[str, str], bool],
    contacts: Sequence[str] = (),
    more: Mapping[str, LinkSigner] | None = None,
) -> Verdict:
    """What `text` is, for an installation at `public_url`. `is_our_sms` says whether words with a link are those of an
    SMS of ours; `contacts` are addresses of ours that are no pages (e-mail); `more` are the signers of our other links,
    by the beginning of their paths: `kasus`, `me/no`. Of a longer text than LONGEST_TEXT only the beginning is looked
    at, and it is never called genuine."""
    words = [bare for word in _BETWEEN.split(text[:LONGEST_TEXT]) if (bare := _bare(word))]
    addresses = [word for word in words if _ADDRESS.search(word.translate(_DOTS)) and word not in contacts]
    signers = {"c": signer, **(more or {})}
    found = {_judge_address(signers, public_url, word) for word in addresses}
    verdict = next((each for each in _GRAVEST_FIRST if each in found), Verdict.NOTHING)
    if verdict not in {Verdict.GENUINE, Verdict.OURS}:
        return verdict
    if len(text) > LONGEST_TEXT:
        return Verdict.EXTRA
    is_alone = words == addresses[:1]
    plain = "".join(ch for ch in text if unicodedata.category(ch) != "Cf")
    in_our_words = len(addresses) == 1 and is_our_sms(plain, addresses[0])
    return verdict if is_alone or in_our_words else Verdict.EXTRA


def _judge_address(signers: Mapping[str, LinkSigner], public_url: str, word: str) -> Verdict:
    ours = urlsplit(public_url)
    exact = re.fullmatch(rf"(?:{ours.scheme}://)?{re.escape(ours.netloc)}(/[!-~]*)?", word, re.I | re.ASCII)
    if exact is not None:
        return _judge_path(signers, exact[1] or "/")
    if _is_at_our_host(word, ours.hostname or ""):
        return Verdict.ALTERED
    if any(signer.find_in(word) is not None for signer in signers.values()) or _looks_like(word, ours.netloc):
        return Verdict.FAKE
    return Verdict.FOREIGN


def _judge_path(signers: Mapping[str, LinkSigner], path: str) -> Verdict:
    part = re.match(rf"/+({'|'.join(signers)})\b", path, re.I)
    if part is None or (part[1].lower() == "kasus" and _PAGE_OF_CASES.fullmatch(path)):
        return Verdict.OURS
    name = part[1].lower()  # ours is written in small letters, and after one stroke
    try:
        signers[name].read(re.split("[?#]", path.removeprefix(f"/{name}/"))[0])  # what follows changes nothing
    except BadToken:
        return Verdict.DAMAGED
    return Verdict.GENUINE


def _authority(word: str) -> str:
    """User, host and port as browsers read them: their dots, any number of slashes, backslashes as slashes."""
    found = _HOST.match(unicodedata.normalize("NFKC", word.translate(_DOTS)))
    return found[1].lower() if found is not None else ""


def _is_at_our_host(word: str, host: str) -> bool:
    if not word.isascii():
        return False
    return re.sub(r":\d*$", "", _authority(word).rpartition("@")[2]).rstrip(".") == host


def _looks_like(word: str, ours: str) -> bool:
    """Whether somebody took care that it reads like our address; what merely differs is FOREIGN."""
    authority = _authority(word)
    host = authority.rpartition("@")[2]
    wanted, shape = _shape(ours), _shape(authority)
    name = _shape(max(ours.split("."), key=len))
    if wanted in shape or wanted in _shape(word) or (len(name) >= _A_NAME and name in shape):
        return True
    if not host.isascii() or "xn--" in host:
        return True
    return SequenceMatcher(None, wanted, shape[: 3 * len(wanted)]).quick_ratio() >= _NEARLY


def _shape(text: str) -> str:
    """Letters and digits as an eye in a hurry reads them."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")
    return "".join(ch for ch in plain if ch.isalnum())


def _bare(word: str) -> str:
    """A word without the brackets, stops and invisible marks that messengers put around it."""
    invisible = "".join({ch for ch in word if unicodedata.category(ch) == "Cf"})
    return trimmed(word.strip(invisible).lstrip(_BEFORE)).strip(invisible)
