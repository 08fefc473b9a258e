"""Mail addresses and message ids: the plain shapes alone, so that nothing that is put into a header can end it."""

from __future__ import annotations

import re
import secrets

MAX_ADDRESS_LENGTH = 254  # RFC 5321, errata 1690
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)
#: the plain form of RFC 5322 `msg-id`; whatever else stands there is not quoted back
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,120}@[!-;=?A-~]{1,120}>", re.ASCII)
_LONGEST_LINE = 4000


def is_mail_address(text: str) -> bool:
    """Whether `text` is one ASCII address without a name, quotes or blanks."""
    return len(text) <= MAX_ADDRESS_LENGTH and _ADDRESS.fullmatch(text) is not None


def same_address(text: str) -> str:
    """The form in which two spellings of an address are one."""
    return text.strip().casefold()


def message_ids(text: str) -> list[str]:
    """The message ids in a header, in their order."""
    return _MESSAGE_ID.findall(text[:_LONGEST_LINE])


def new_message_id(address: str) -> str:
    """A message id of ours, at the domain of `address`: random, so that who names it has seen the letter."""
    return f"<{secrets.token_hex(16)}@{address.rpartition('@')[2]}>"
