"""What somebody pasted to be checked, or what a QR code holds: a number, a signed code, or an address. No database.

An address is looked at, never followed. A personal link is told by its form alone: whether it is genuine, whose it is
and whether it still works stay unsaid.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

from notifier.certificates.genuine import Verdict as Message
from notifier.certificates.genuine import judge
from notifier.certificates.issue import read_number
from notifier.core.link_tokens import TOKEN_LENGTH, LinkSigner

#: characters that are looked at; a code of five doses has about 2,500
LONGEST = 10_000
LONGEST_NUMBER = 60

_HC1 = re.compile(r"(?<![0-9A-Za-z])HC1:[0-9A-Z $%*+\-./:]*")
_SHC = re.compile(r"shc:/([0-9/]*)", re.IGNORECASE | re.ASCII)
_JWS = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_NUMBER_AT = re.compile(r"/(?:verify|cek)/?\?(?:[^\s#]*&)?n=([0-9A-Za-z-]{1,60})(?=[&#\s]|$)", re.ASCII)
_TOKEN = re.compile(rf"[0-9A-Za-z]{{{TOKEN_LENGTH}}}", re.ASCII)


class Kind(StrEnum):
    NUMBER = "number"
    CODE = "code"
    PERSONAL_LINK = "personal-link"  #: /c/<token> of ours
    OTHER_ADDRESS = "other-address"  #: an address that is not exactly ours, whatever it is
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Pasted:
    """`text` is the number, or the code without what stood around it; empty for the other kinds."""

    kind: Kind
    text: str = field(default="", repr=False)


def read_pasted(signer: LinkSigner, public_url: str, text: str) -> Pasted:
    """Sorts what was pasted, for an installation at `public_url`."""
    text = "".join(ch for ch in text[:LONGEST] if ch.isprintable() or ch.isspace()).strip()
    code = _find_code(text)
    if code is not None:
        return Pasted(Kind.CODE, code) if code else Pasted(Kind.NOTHING)
    if _TOKEN.fullmatch(text):
        return Pasted(Kind.PERSONAL_LINK)
    address = judge(signer, public_url, text, lambda _text, _link: True)  # the words around a link do not matter here
    if address in {Message.GENUINE, Message.DAMAGED}:
        return Pasted(Kind.PERSONAL_LINK)
    if address in {Message.OURS, Message.EXTRA}:
        found = _NUMBER_AT.search(text)
        if found is not None:
            return Pasted(Kind.NUMBER, found[1])
        return Pasted(Kind.PERSONAL_LINK if "/c/" in text else Kind.NOTHING)
    if address is not Message.NOTHING:
        return Pasted(Kind.OTHER_ADDRESS)
    number = read_number(text)
    if number is not None or 0 < len(text) <= LONGEST_NUMBER:
        return Pasted(Kind.NUMBER, number or text)
    return Pasted(Kind.NOTHING)


def _find_code(text: str) -> str | None:
    """The code in a text; empty for a file that holds none; None where it is no code's text at all."""
    if text.startswith("{"):
        return _in_file(text)
    unbroken = re.sub(r"[\r\n\t]", "", text)  # a blank may be a digit of base45
    found = _HC1.search(unbroken)
    if found is not None:
        return found[0].rstrip()
    found = _SHC.search(re.sub(r"\s", "", text))
    if found is not None:
        return "shc:/" + found[1]
    bare = re.sub(r"\s", "", text)
    return bare if _JWS.fullmatch(bare) and bare.startswith("ey") else None


def _in_file(text: str) -> str:
    """The first code of a `.smart-health-card` file."""
    try:
        codes = json.loads(text)["verifiableCredential"]
        return codes[0] if isinstance(codes[0], str) and _JWS.fullmatch(codes[0]) else ""
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
