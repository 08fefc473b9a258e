"""The codes of a certificate: made once, at the first opening or ahead of it, and kept sealed.

A stored code is given out as long as it says what the registry says. Where it does not (a name was corrected), or its
key is not ours any more, it joins the revocation list and a new one is made. A certificate that was replaced or revoked
never gets a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.codes.card import BadCode, Card, CardDose, CodeKind, Missing, NoCode
from notifier.certificates.codes.hc1 import hc1_card, make_hc1, read_hc1
from notifier.certificates.codes.keys import Keyring, PublicKeys, keyring
from notifier.certificates.codes.shc import make_shc, read_shc, shc_card
from notifier.certificates.codes.uvci import new_uvci, revocation_id
from notifier.certificates.facts import CertificateFacts
from notifier.certificates.view import certificate_facts, facts_with_stored_qr
from notifier.core.ids import new_secret_id
from notifier.core.states import CertificateStatus
from notifier.services import Services
from notifier.store import codes

RENEW_BEFORE = timedelta(days=90)  # of a code's end
_RID_BITS = 80
_ANY_RID = new_secret_id(_RID_BITS)  # one as long as the real ones: it is measured, never given out

_READ: dict[CodeKind, Callable[[str, PublicKeys], Card]] = {CodeKind.HC1: read_hc1, CodeKind.SHC: read_shc}
_Rows = Mapping[str, sa.Row[Any]]


@dataclass(frozen=True, slots=True)
class Codes:
    """What a certificate has: the text of each code, or why there is none (never a word for the person)."""

    texts: Mapping[CodeKind, str] = field(repr=False)
    missing: Mapping[CodeKind, Missing]

    @property
    def hc1(self) -> str | None:
        """`HC1:...`, as the QR code holds it."""
        return self.texts.get(CodeKind.HC1)

    @property
    def shc(self) -> str | None:
        """The JWS; see codes.shc for the shapes that it takes."""
        return self.texts.get(CodeKind.SHC)


def codes_of(services: Services, certificate_id: str, facts: CertificateFacts | None = None) -> Codes:
    """The codes of a certificate; `facts` spares a look where the caller has them. Two callers at once make one code.

    Raises as `certificate_facts` does, and BadSettings in a process without signing keys.
    """
    facts = facts or certificate_facts(services, certificate_id)
    maker = _Maker(services, keyring(services), certificate_id, facts, services.clock.now())
    with services.db.read() as conn:
        stored: _Rows = codes.current(conn, certificate_id)
    if CertificateStatus(facts.status) is CertificateStatus.VALID:
        stored = maker.brought_up_to_date(stored)
    texts = {CodeKind(kind): codes.text_of(services.sealer, row) for kind, row in stored.items()}
    return Codes(
        {kind: text for kind, text in texts.items() if text is not None},
        {CodeKind(kind): Missing(row.reason) for kind, row in stored.items() if row.reason},
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes and compares the codes of one certificate at one moment."""

    services: Services
    ring: Keyring
    certificate_id: str
    facts: CertificateFacts
    at: datetime

    def brought_up_to_date(self, seen: _Rows) -> _Rows:
        """What is stored, once everything that is lacking or untrue was made anew."""
        wanted = {kind: self._wanted(kind) for kind in CodeKind}
        stale = {kind: card for kind, card in wanted.items() if not self._holds(seen.get(kind), card)}
        if not stale:
            return seen
        with self.services.db.write() as conn:
            status = codes.lock(conn, self.certificate_id)
            stored = codes.current(conn, self.certificate_id)
            if facts_with_stored_qr(conn, self.services, self.certificate_id)[0] != self.facts:
                return stored  # corrected this very moment: what we know is no longer so; the next look knows better
            for kind, card in stale.items():
                row = stored.get(kind)
                # somebody else was faster, or the certificate has ended meanwhile
                if status is CertificateStatus.VALID and _version(row) == _version(seen.get(kind)):
                    self._settle(conn, kind, row, card)
            return codes.current(conn, self.certificate_id)

    def _wanted(self, kind: CodeKind) -> Card | Missing:
        """What a code made now would say, or why there can be none."""
        settings = self.services.settings
        try:
            if kind is CodeKind.HC1:
                return hc1_card(self.facts, country=settings.country, at=self.at)
            return shc_card(self.facts, self.ring.newest, issuer_url=settings.public_url, rid=_ANY_RID, at=self.at)
        except NoCode as error:
            return error.reason

    def _holds(self, row: sa.Row[Any] | None, wanted: Card | Missing) -> bool:
        """Whether what is stored needs no change."""
        if row is None or isinstance(wanted, Missing):
            return row is not None and row.reason == wanted
        card = self._stored_card(row)
        return card is not None and _is_true(card, wanted) and not self._ends_soon(card)

    def _stored_card(self, row: sa.Row[Any]) -> Card | None:
        """What a stored code says; None where there is none, or its key was taken away."""
        text = codes.text_of(self.services.sealer, row)
        return None if text is None else self._read(CodeKind(row.kind), text)

    def _read(self, kind: CodeKind, text: str) -> Card | None:
        try:
            return _READ[kind](text, self.ring.public)
        except BadCode:
            return None

    def _ends_soon(self, card: Card) -> bool:
        return card.expires_at is not None and card.expires_at - self.at < RENEW_BEFORE

    def _settle(self, conn: Connection, kind: CodeKind, row: sa.Row[Any] | None, wanted: Card | Missing) -> None:
        """A true code that ends soon is signed anew under its own name; anything else makes room for a new one."""
        card = None if row is None else self._stored_card(row)
        if row is not None and card is not None and isinstance(wanted, Card) and _is_true(card, wanted):
            text, key_id = self._make(kind, card.identifier or ""), self.ring.newest.public.kid
            codes.renew(conn, self.services.sealer, row, text=text, key_id=key_id, at=self.at)
            return
        if row is not None:
            codes.end(conn, row, at=self.at)
        reason = wanted if isinstance(wanted, Missing) else self._add(conn, kind)
        if reason is not None:
            codes.add_reason(conn, certificate_id=self.certificate_id, kind=kind, reason=reason, at=self.at)

    def _add(self, conn: Connection, kind: CodeKind) -> Missing | None:
        """A new code; or why there can be none after all: with another identifier a card may be a letter too long."""
        is_hc1 = kind is CodeKind.HC1
        identifier = new_uvci(self.services.settings.country) if is_hc1 else new_secret_id(_RID_BITS)
        try:
            text = self._make(kind, identifier)
        except NoCode as error:
            return error.reason
        codes.add(
            conn,
            self.services.sealer,
            certificate_id=self.certificate_id,
            kind=kind,
            text=text,
            key_id=self.ring.newest.public.kid,
            revocation_id=revocation_id(identifier) if is_hc1 else identifier,
            at=self.at,
        )
        return None

    def _make(self, kind: CodeKind, identifier: str) -> str:
        """The code under its name. Raises NoCode."""
        key, settings = self.ring.newest, self.services.settings
        if kind is CodeKind.HC1:
            return make_hc1(self.facts, key, country=settings.country, uvci=identifier, at=self.at)
        return make_shc(self.facts, key, issuer_url=settings.public_url, rid=identifier, at=self.at)


def _version(row: sa.Row[Any] | None) -> tuple[str, datetime] | None:
    return None if row is None else (row.id, row.made_at)


def _is_true(stored: Card, now: Card) -> bool:
    """Whether a code still says nothing but the truth. A dose that came later makes no earlier code untrue."""
    if (stored.name, stored.birth_date) != (now.name, now.birth_date):
        return False
    return all(any(_same(dose, known) for known in now.doses) for dose in stored.doses)


def _same(stored: CardDose, known: CardDose) -> bool:
    """The same dose; lot and place count only where both have them, since they go first from a long card."""
    for mine, theirs in ((stored.lot, known.lot), (stored.facility, known.facility)):
        if mine is not None and theirs is not None and mine != theirs:
            return False
    names = ("given_on", "vaccine_code", "vaccine", "number", "series_total")
    return all(getattr(stored, name) == getattr(known, name) for name in names)
