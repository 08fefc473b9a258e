"""Which codes no longer hold. Opaque ids alone: nothing here tells who, what or when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.codes.card import Card, CodeKind
from notifier.certificates.codes.keys import PublicKeys, keyring
from notifier.core.states import CertificateStatus
from notifier.services import Services
from notifier.store import codes


@dataclass(frozen=True, slots=True)
class Revocations:
    """`hc1`: the first 128 bits of the SHA-256 of each `ci`, hexadecimal. `shc`: each `rid`, by the key's `kid`.
    `replaced`: those among them that a newer code, or certificate, has taken the place of; the others are revoked."""

    hc1: tuple[str, ...]
    shc: Mapping[str, tuple[str, ...]]
    replaced: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The list at /revocations."""
        shc = {kid: list(rids) for kid, rids in self.shc.items()}
        return {"hc1": list(self.hc1), "shc": shc, "replaced": list(self.replaced)}

    def version(self, kid: str) -> int:
        """How often the list of a key has changed: 1 while it is empty. Ids are added, never taken away."""
        return 1 + len(self.shc.get(kid, ()))

    def card_list(self, kid: str) -> dict[str, Any]:
        """A SMART Health Card Revocation List: /.well-known/crl/<kid>.json."""
        return {"kid": kid, "method": "rid", "ctr": self.version(kid), "rids": list(self.shc.get(kid, ()))}

    def jwks(self, keys: PublicKeys) -> dict[str, Any]:
        """/.well-known/jwks.json, as the issuer rules of SMART Health Cards want it: every key whose codes hold, with
        the version of its revocation list."""
        return {"keys": [key.jwk | {"crlVersion": self.version(key.kid)} for key in keys.all]}


def revocations(services: Services) -> Revocations:
    """Everything that does not hold now. Raises BadSettings in a process without signing keys."""
    with services.db.read() as conn:
        rows = codes.revoked(conn)
    shc: dict[str, list[str]] = defaultdict(list, {key.kid: [] for key in keyring(services).public.all})
    for row in rows:
        if row.kind == CodeKind.SHC:
            shc[row.key_id].append(row.revocation_id)
    return Revocations(
        tuple(sorted(row.revocation_id for row in rows if row.kind == CodeKind.HC1)),
        {kid: tuple(rids) for kid, rids in shc.items()},
        tuple(sorted(row.revocation_id for row in rows if status_of(row) is CertificateStatus.REPLACED)),
    )


def standing(services: Services, card: Card) -> CertificateStatus | None:
    """How a genuine code stands: valid, replaced or revoked; None where this database has never heard of it (it was
    restored from an older copy: the signature alone is proof then)."""
    with services.db.read() as conn:
        row = found(conn, card)
    return status_of(row) if row is not None else None


def found(conn: Connection, card: Card) -> sa.Row[Any] | None:
    """What this database knows of a genuine code: see store.codes.find."""
    return codes.find(conn, card.kind, card.revocation_id) if card.revocation_id is not None else None


def status_of(row: sa.Row[Any]) -> CertificateStatus:
    """The standing of a code that was `found`: a newer code of a valid certificate replaces an older one."""
    status = CertificateStatus(row.status)
    return CertificateStatus.REPLACED if row.ended_at and status is CertificateStatus.VALID else status
