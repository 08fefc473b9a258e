"""Issuing: a certificate for a dose, its replacement by a corrected one, and its revocation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.ids import REFERENCE_ALPHABET, new_id, random_letters, read_reference
from notifier.core.states import CertificateStatus, Reason
from notifier.store import certificates

_GROUPS, _GROUP_LENGTH = 3, 4  # 60 bits: nobody finds one by trying


def new_number() -> str:
    """The number printed on a certificate, such as 7K3M-9QXT-2B4D: random, so that it tells nothing."""
    letters = random_letters(_GROUPS * _GROUP_LENGTH)
    return "-".join(letters[i : i + _GROUP_LENGTH] for i in range(0, len(letters), _GROUP_LENGTH))


def read_number(typed: str) -> str | None:
    """A number as a person typed it, in the form in which it is stored: case, blanks and hyphens do not matter, nor O
    for 0 or I and L for 1. None where it cannot be a number of ours."""
    letters = read_reference(typed)
    if len(letters) != _GROUPS * _GROUP_LENGTH or not set(letters) <= set(REFERENCE_ALPHABET):
        return None
    return "-".join(letters[i : i + _GROUP_LENGTH] for i in range(0, len(letters), _GROUP_LENGTH))


def issue(conn: Connection, *, person_id: str, dose_id: str, at: datetime) -> str:
    """A valid certificate for a dose; its row id."""
    certificate_id = new_id()
    certificates.insert(
        conn, certificate_id=certificate_id, number=new_number(), person_id=person_id, dose_id=dose_id, at=at
    )
    return certificate_id


def replace(conn: Connection, *, person_id: str, dose_id: str, reason: Reason, at: datetime) -> str:
    """A new certificate instead of the valid one, whose links stop at once; the new one's row id."""
    certificate_id = new_id()
    certificates.end(conn, dose_id, status=CertificateStatus.REPLACED, reason=reason, at=at, replaced_by=certificate_id)
    certificates.revoke_links(conn, dose_id, reason=reason, at=at)
    certificates.insert(
        conn, certificate_id=certificate_id, number=new_number(), person_id=person_id, dose_id=dose_id, at=at
    )
    return certificate_id


def revoke(conn: Connection, dose_id: str, *, reason: Reason, at: datetime) -> None:
    """Ends the certificate of a dose and every link to it."""
    certificates.end(conn, dose_id, status=CertificateStatus.REVOKED, reason=reason, at=at, replaced_by=None)
    certificates.revoke_links(conn, dose_id, reason=reason, at=at)
