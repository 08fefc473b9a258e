"""Passwords: which ones are taken, and how they are kept.

Argon2id with the parameters of the OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane). Rules as in
NIST SP 800-63B: length and a list of common ones, no forced mixture, no forced change.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from notifier.access.common_passwords import COMMON, COMMON_WORDS
from notifier.core.errors import BadInput

SHORTEST, LONGEST = 12, 200
_FEWEST_DIFFERENT = 5
_FEWEST_BESIDE_NAME = 10
_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to. `new_hash`: to be kept instead, where the parameters have changed since."""

    right: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and checks. A check costs the same whether the account exists or not."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, passes: int = _PASSES, lanes: int = _LANES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(_normal(password))

    def check(self, kept: str | None, password: str) -> Checked:
        """Whether `password` is the one that was kept; with None, the same work for nothing."""
        try:
            self._hasher.verify(kept or self._nobody, _normal(password)[: LONGEST * 2])
        except (VerificationError, InvalidHashError):
            return Checked(right=False)
        if kept is None:
            return Checked(right=False)
        return Checked(True, self.hash(password) if self._hasher.check_needs_rehash(kept) else None)


def refuse_weak(password: str, *, username: str) -> None:
    """Raises BadInput for a password that is too short, too long, common, or hardly more than the username."""
    text = _normal(password)
    folded = text.casefold()
    letters = "".join(ch for ch in folded if ch.isalpha())
    if len(text) < SHORTEST:
        raise BadInput.of("password", "password-short", f"use at least {SHORTEST} characters; a sentence is fine")
    if len(text) > LONGEST:
        raise BadInput.of("password", "password-long", f"use at most {LONGEST} characters")
    if folded in COMMON or letters in COMMON_WORDS or len(set(folded)) < _FEWEST_DIFFERENT or _is_run(folded):
        raise BadInput.of("password", "password-common", "many people use this one; choose another")
    if len(username) >= 3 and username.casefold() in folded and len(folded) - len(username) < _FEWEST_BESIDE_NAME:
        raise BadInput.of("password", "password-username", "leave the username out of the password")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _is_run(text: str) -> bool:
    """abcdefghijkl, 1234567890123 and their like: each character follows the one before."""
    steps = {(ord(after) - ord(before)) % 10 for before, after in pairwise(text)}
    return len(steps) == 1
