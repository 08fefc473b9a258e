"""Is this certificate genuine? By its number, by a signed code, by a link, or by a picture of any of them.

A number says nothing about the person. A code says what it holds itself, and only while we stand behind it or once did.
A personal link is not looked up and not counted; another address is never followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from notifier.certificates.codes.card import BadCode, Card, Distrust
from notifier.certificates.codes.hc1 import PREFIX as HC1
from notifier.certificates.codes.hc1 import read_hc1
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.revoked import found, status_of
from notifier.certificates.codes.shc import read_shc
from notifier.certificates.issue import read_number
from notifier.certificates.limits import CHECKS, CheckLimits, Limit
from notifier.certificates.pasted import LONGEST, Kind, read_pasted
from notifier.certificates.pictures import read_picture
from notifier.certificates.view import check_number, count_check, note_check
from notifier.core.states import CertificateStatus
from notifier.services import Services
from notifier.store.openings import OTHER


class Verdict(StrEnum):
    """What was found; the most telling first, so that of several codes in a picture the first of these is shown."""

    FORGED = "forged"  #: a code whose signature does not hold, or so damaged that there is none to judge
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"  #: a code whose own time is over; the certificate itself may well be valid
    OTHER_ISSUER = "other-issuer"  #: a code signed with a key that is not ours
    VALID = "valid"
    UNKNOWN = "unknown"  #: a number that we never gave
    OTHER_ADDRESS = "other-address"
    PERSONAL_LINK = "personal-link"
    UNREADABLE = "unreadable"  #: nothing that can be checked


@dataclass(frozen=True, slots=True)
class Check:
    """`number` is a certificate's number where the check was by number; `holds` what a code of ours says."""

    verdict: Verdict
    number: str | None = None
    holds: Card | None = field(default=None, repr=False)


_STATUS = {
    CertificateStatus.VALID: Verdict.VALID,
    CertificateStatus.REPLACED: Verdict.REPLACED,
    CertificateStatus.REVOKED: Verdict.REVOKED,
}
_ALONE = {
    Kind.PERSONAL_LINK: Verdict.PERSONAL_LINK,
    Kind.OTHER_ADDRESS: Verdict.OTHER_ADDRESS,
    Kind.NOTHING: Verdict.UNREADABLE,
}
_BY_TELLING = tuple(Verdict)
_DISTRUST = {Distrust.UNKNOWN_KEY: Verdict.OTHER_ISSUER, Distrust.FORGED: Verdict.FORGED}


def check_text(
    services: Services, text: str, *, address: str, device: str = OTHER, limits: CheckLimits = CHECKS
) -> Check:
    """What a pasted or scanned text is worth, for a visitor at `address`. The person sees later that somebody checked,
    with which kind of `device`. Raises TooManyChecks."""
    pasted = read_pasted(services.links, services.settings.public_url, text)
    if pasted.kind in _ALONE:
        return Check(_ALONE[pasted.kind])
    if pasted.kind is Kind.NUMBER:
        status = check_number(services, pasted.text, address=address, device=device, limits=limits)
        return Check(_STATUS[status] if status else Verdict.UNKNOWN, read_number(pasted.text))
    return check_code(services, pasted.text, address=address, device=device, limits=limits)


def check_code(
    services: Services, text: str, *, address: str, device: str = OTHER, limits: CheckLimits = CHECKS
) -> Check:
    """What a code (`HC1:...`, `shc:/...`, a JWS) is worth. Raises TooManyChecks; BadSettings in a process
    without signing keys."""
    count_check(services, address=address, limits=limits)
    keys = keyring(services).public
    try:
        card = read_hc1(text, keys) if text.startswith(HC1) else read_shc(text, keys)
    except BadCode as error:
        return Check(_DISTRUST.get(error.reason, Verdict.FORGED))
    return Check(_verdict(services, card, device, limits.noted), holds=card)


def check_picture(services: Services, data: bytes, *, address: str, device: str = OTHER) -> list[Check]:
    """The checks of all QR codes in a picture, the most telling first; or of a `.smart-health-card` file.

    The caller counts the upload (limits.PICTURES) before it takes it in. Raises TooManyChecks; Refused with the reasons
    of `read_picture`.
    """
    texts = (data.decode("utf-8", "replace"),) if _is_card_file(data) else read_picture(data)
    checks = [check_text(services, text, address=address, device=device) for text in texts]
    return sorted(checks, key=lambda check: (_BY_TELLING.index(check.verdict), check.holds is None))


def _is_card_file(data: bytes) -> bool:
    return data[:1] == b"{" and len(data) <= LONGEST


def _verdict(services: Services, card: Card, device: str, noted: Limit) -> Verdict:
    """A code that this database has never heard of is worth its signature: nobody revoked it."""
    now = services.clock.now()
    with services.db.write() as conn:
        row = found(conn, card)
        if row is not None:
            note_check(conn, row.certificate_id, row.person_id, device=device, limit=noted, at=now)
    status = status_of(row) if row is not None else None
    if status in {CertificateStatus.REPLACED, CertificateStatus.REVOKED}:
        return _STATUS[status]
    is_over = card.expires_at is not None and card.expires_at <= now
    return Verdict.EXPIRED if is_over else Verdict.VALID
