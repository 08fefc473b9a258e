"""Is this message ours? Judged by the link's signature and our one address alone; no database, nothing about anybody.

A text is called genuine only where each address in it has exactly the form that we send. Everything else that a phone
could turn into a link lowers the verdict, so that a trick which is not known here is doubted, never believed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from urllib.parse import urlsplit

from notifier.core.errors import BadToken
from notifier.core.link_tokens import LinkSigner, trimmed

#: characters of a pasted text; our longest SMS has 160
LONGEST_TEXT = 2_000

_BETWEEN = re.compile(r"[\s<>\"“”]+")
_BEFORE = "([{'‘’«*_~"
_SCHEMES = r"(?:tel|sms|smsto|mailto|intent|market|whatsapp|javascript|data):\S"
_NUMBERED = r"\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
#: what phones make a link of: a scheme, a name with a dot and letters behind it, or four numbers with dots
_ADDRESS = re.compile(rf"[a-z][a-z0-9+.-]{{0,30}}:[/\\]|{_SCHEMES}|[^\W_]\.(?:xn--|[^\W\d_]{{2}})|{_NUMBERED}", re.I)
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]{0,30}:)?[/\\]*([^/\\?#]*)", re.I)
_PHONE = re.compile(r"(?<!\d)(?:\+\d|628|08[1-9])[\d ().-]{6,18}\d")
_DOTS = str.maketrans({"。": ".", "｡": ".", "．": "."})
_SAME_SHAPE = str.maketrans("01357|аеорсухі", "oieslllaeopcyxi"[:5] + "l" + "aeopcyxi")
_ALIKE = 0.84  # of difflib's ratio: one or two letters of our name changed, added or left out


class Verdict(StrEnum):
    """What a pasted text turned out to be; the gravest thing found in it."""

    FAKE = "fake"  #: our token under another address, or an address made to look like ours
    ALTERED = "altered"  #: our host, but not as we write it: another scheme or port, or a name before an @
    EXTRA = "extra"  #: something of ours together with an address or a phone number that is not ours
    FOREIGN = "foreign"  #: another address
    DAMAGED = "damaged"  #: our address, but no signature of ours: cut off, mistyped or made up
    GENUINE = "genuine"  #: a link that we signed, under our address, and no other
    OURS = "ours"  #: a page of ours that is no personal link
    NOTHING = "nothing"  #: nothing that a phone would open


_GRAVEST_FIRST = tuple(Verdict)
_OF_OURS = frozenset({Verdict.GENUINE, Verdict.DAMAGED, Verdict.OURS})


def judge(signer: LinkSigner, public_url: str, text: str, our_phones: Sequence[str] = ()) -> Verdict:
    """What `text` (at most LONGEST_TEXT characters are looked at) is, for an installation at `public_url`."""
    words = [_bare(word) for word in _BETWEEN.split(text[:LONGEST_TEXT])]
    found = {_judge_address(signer, public_url, word) for word in words if _ADDRESS.search(word.translate(_DOTS))}
    rest = " ".join(word for word in words if not _ADDRESS.search(word.translate(_DOTS)))
    if found & _OF_OURS and (Verdict.FOREIGN in found or _has_other_phone(rest, our_phones)):
        found.add(Verdict.EXTRA)
    return next((verdict for verdict in _GRAVEST_FIRST if verdict in found), Verdict.NOTHING)


def _judge_address(signer: LinkSigner, public_url: str, word: str) -> Verdict:
    ours = urlsplit(public_url)
    exact = re.fullmatch(rf"(?:{ours.scheme}://)?{re.escape(ours.netloc)}(/[!-~]*)?", word, re.I | re.ASCII)
    if exact is not None:
        return _judge_path(signer, exact[1] or "/")
    if signer.find_in(word) is not None:
        return Verdict.ALTERED if _is_at_our_host(word, ours.hostname or "") else Verdict.FAKE
    if _is_at_our_host(word, ours.hostname or ""):
        return Verdict.ALTERED
    return Verdict.FAKE if _looks_like(word, ours.netloc) else Verdict.FOREIGN


def _judge_path(signer: LinkSigner, path: str) -> Verdict:
    parts = re.split(r"[/?#\\]", path)
    if parts[1] != "c":
        return Verdict.OURS
    try:
        signer.read(trimmed(parts[2]) if len(parts) > 2 else "")
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
    name = _authority(word).rpartition("@")[2]
    return name.rpartition(":")[0] == host or name.rstrip(".") == host


def _looks_like(word: str, ours: str) -> bool:
    """Whether somebody took care that it reads like our address; what merely differs is FOREIGN."""
    authority = _authority(word)
    host = authority.rpartition("@")[2]
    wanted, shape = _shape(ours), _shape(authority)
    if wanted in shape or wanted in _shape(word):
        return True
    if not host.isascii() or "xn--" in host:
        return True
    return SequenceMatcher(None, wanted, shape[: 3 * len(wanted)]).quick_ratio() >= _ALIKE


def _shape(text: str) -> str:
    """Letters and digits as an eye in a hurry reads them."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_SAME_SHAPE).replace("rn", "m").replace("vv", "w")
    return "".join(ch for ch in plain if ch.isalnum())


def _bare(word: str) -> str:
    """A word without the brackets, stops and invisible marks that messengers put around it."""
    invisible = "".join({ch for ch in word if unicodedata.category(ch) == "Cf"})
    return trimmed(word.strip(invisible).lstrip(_BEFORE)).strip(invisible)


def _has_other_phone(text: str, ours: Sequence[str]) -> bool:
    known = {_digits(number) for number in ours}
    return any(_digits(match.group()) not in known for match in _PHONE.finditer(text))


def _digits(number: str) -> str:
    """A number without its punctuation, a national 0 written as 62."""
    digits = re.sub(r"\D", "", number)
    return "62" + digits[1:] if digits.startswith("0") else digits
