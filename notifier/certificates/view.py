"""What one certificate says, gathered from the database; and what its number says to somebody who checks it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.facts import CertificateFacts, DoseFacts
from notifier.certificates.issue import read_number
from notifier.certificates.limits import CHECKS, CheckLimits, Limit, address_index, first_wait, seconds_to_wait
from notifier.certificates.opening import LinkState, Look, is_proof, look_of
from notifier.certificates.qr import QrMatrix, make_qr
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CertificateStatus, DoseStatus
from notifier.services import Services
from notifier.store import certificates, openings
from notifier.store.openings import OTHER, ROBOT


def certificate_facts(services: Services, certificate_id: str) -> CertificateFacts:
    """The facts of a certificate, with the doses of the same vaccine that its person has had.

    Raises NotFound; Refused("birth-date-unknown") where nothing can be drawn without a birth date; SealBroken.
    """
    return certificate_with_qr(services, certificate_id)[0]


def certificate_with_qr(services: Services, certificate_id: str) -> tuple[CertificateFacts, QrMatrix]:
    """The facts and the QR code; drawn at the first call and stored."""
    with services.db.read() as conn:
        facts, stored = facts_with_stored_qr(conn, services, certificate_id)
    return facts, _qr(services, certificate_id, facts.number, stored)


def facts_with_stored_qr(
    conn: Connection, services: Services, certificate_id: str
) -> tuple[CertificateFacts, bytes | None]:
    """The facts as the caller's transaction sees them, and the QR code where it was drawn before."""
    rows = openings.certificate_with_doses(conn, certificate_id)
    if not rows:
        raise NotFound("certificate")
    return _facts(services, rows, openings.birth_date(services.sealer, rows[0])), rows[0].qr


def open_page(
    services: Services, public_id: str, proof: str
) -> tuple[Look | None, CertificateFacts | None, QrMatrix | None]:
    """What the page behind a link shows that is open in a browser: the look as `opening.look_again` has it, and, where
    it is live, the facts and the QR code. Raises as `certificate_facts`."""
    rows = openings.find_with_doses(services.db, public_id)
    row = rows[0] if rows else None
    look = look_of(row, services.clock.now())
    if row is None or look.state is not LinkState.LIVE:
        return look, None, None
    born = openings.birth_date(services.sealer, row)
    if not is_proof(services, public_id, born, proof):
        return None, None, None
    if not any(each.is_own for each in rows):
        with services.db.read() as conn:
            rows = openings.certificate_with_doses(conn, row.certificate_id)
    facts = _facts(services, rows, born)
    return look, facts, _qr(services, row.certificate_id, facts.number, row.qr)


def _facts(services: Services, rows: Sequence[sa.Row[Any]], born: str | None) -> CertificateFacts:
    row, own = rows[0], next(row for row in rows if row.is_own)
    if born is None:
        raise Refused("birth-date-unknown")
    name, nik = openings.name_and_nik(services.sealer, row)
    this = _dose_facts(own)
    doses = [
        this if dose is own else _dose_facts(dose)
        for dose in sorted(rows, key=_place)
        if dose.dose_status == DoseStatus.GIVEN and _same_series(dose, own)
    ]
    if all(dose is not this for dose in doses):
        doses.append(this)  # a withdrawn dose's certificate is revoked, but staff may still look at it
    return CertificateFacts(
        number=row.certificate_number,
        status=CertificateStatus(row.certificate_status).value,
        issuer=services.settings.issuer_name,
        name=name,
        nik=nik,
        birth_date=date.fromisoformat(born),
        issued_at=row.issued_at,
        time_zone=row.person_zone or own.facility_zone or services.settings.timezone,
        verify_host=urlsplit(services.settings.public_url).netloc,
        doses=tuple(doses),
        this_dose=this,
    )


def verify_url(services: Services, number: str) -> str:
    """What the QR code holds: nothing about the person."""
    return f"{services.settings.public_url}/verify?n={number}"


class TooManyChecks(Exception):
    """More checks than the limits allow; `retry_after_s` says how long to wait."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("too many checks")


def check_number(
    services: Services, typed: str, *, address: str, device: str = OTHER, limits: CheckLimits = CHECKS
) -> CertificateStatus | None:
    """Whether a certificate of this number is valid, replaced or revoked; None where there is none. Nothing about the
    person. Raises TooManyChecks. What cannot be a number is never looked up. The person sees later that somebody
    checked, with which kind of `device`."""
    number = read_number(typed)
    if number is None:
        return None
    now = services.clock.now()
    with services.db.write() as conn:
        wait = _wait(conn, services, address, limits, now)
        row = None if wait else certificates.find_by_number(conn, number)
        if row is not None:
            note_check(conn, row.id, row.person_id, device=device, limit=limits.noted, at=now)
    if wait:
        raise TooManyChecks(wait)
    return CertificateStatus(row.status) if row is not None else None


def count_check(services: Services, *, address: str, limits: CheckLimits = CHECKS) -> None:
    """Counts one more check of the visitor at `address`. Raises TooManyChecks where it was one too many."""
    with services.db.write() as conn:
        wait = _wait(conn, services, address, limits, services.clock.now())
    if wait:
        raise TooManyChecks(wait)


def note_check(
    conn: Connection, certificate_id: str, person_id: str, *, device: str, limit: Limit, at: datetime
) -> None:
    """An event that the person sees later. People's and robots' checks are limited apart, so that a flood of one hides
    none of the other."""
    kind = ROBOT if device == ROBOT else "person"
    if not seconds_to_wait(conn, limit, f"{kind}:{certificate_id}", at):
        openings.add_check(conn, certificate_id=certificate_id, person_id=person_id, device=device, at=at)


def _wait(conn: Connection, services: Services, address: str, limits: CheckLimits, at: datetime) -> int:
    visitor = address_index(services.sealer, address)
    return first_wait(conn, (limits.address, visitor), (limits.overall, ""), at=at)


def _place(dose: sa.Row[Any]) -> tuple[date, bool, int, tuple[str, ...]]:
    """Where a dose stands among others: by its day, its number, where it has one, and else by what is seen of it."""
    seen = (dose.product or "", dose.lot or "", dose.facility or "")
    return dose.given_on or date.max, dose.number is None, dose.number or 0, seen


def _same_series(dose: sa.Row[Any], own: sa.Row[Any]) -> bool:
    """The same code of the same code system; where a registry gave no code, the same product."""
    if own.vaccine_code:
        return bool(dose.vaccine_code == own.vaccine_code and dose.vaccine_system == own.vaccine_system)
    return (dose.product or "").casefold() == (own.product or "").casefold()


def _dose_facts(dose: sa.Row[Any]) -> DoseFacts:
    return DoseFacts(
        number=dose.number,
        series_total=dose.series_total,
        product=dose.product or dose.vaccine_code or "",
        vaccine_code=dose.vaccine_code,
        lot=dose.lot,
        given_on=dose.given_on,
        facility=dose.facility,
        vaccine_system=dose.vaccine_system,
    )


def _qr(services: Services, certificate_id: str, number: str, stored: bytes | None) -> QrMatrix:
    """Made once a certificate, and stored."""
    if stored is not None:
        return QrMatrix.from_bytes(stored)
    made = make_qr(verify_url(services, number))
    with services.db.write() as conn:
        certificates.keep_qr(conn, certificate_id, made.to_bytes())
    return made
