"""Who looked: openings, and the one row that says whether a link may be opened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import DoseStatus
from notifier.store.engine import Database
from notifier.store.hot import HotRead, Row
from notifier.store.sealed import Sealer
from notifier.store.tables import certificate, dose, facility, link, opening, person

#: the kind of device of a program that is nobody's browser: previews, scanners, scripts
ROBOT = "robot"
OTHER = "other"


class OpeningKind(StrEnum):
    """What was done at a link, or with the number of its certificate."""

    OPENED = "opened"
    WRONG_DATE = "wrong-date"
    PAGE = "page"  #: the open page was looked at again, much later
    PDF = "pdf"
    CARD = "card"
    LARGE = "large"
    PNG = "png"
    SHC = "shc"
    VERIFIED = "verified"  #: somebody checked the certificate's number or code; at no link


#: whoever did one of these had the page before the eyes
OPENS = (OpeningKind.OPENED, OpeningKind.PAGE)
NO_DOWNLOADS = (*OPENS, OpeningKind.WRONG_DATE, OpeningKind.VERIFIED)


_LINK = sa.select(
    link.c.id.label("link_id"),
    link.c.public_id,
    link.c.certificate_id,
    link.c.person_id,
    link.c.expires_at,
    link.c.revoked_at,
    link.c.revoke_reason,
    link.c.paused_at,
    certificate.c.status.label("certificate_status"),
    certificate.c.end_reason.label("certificate_end_reason"),
    person.c.wrong_tries.label("person_wrong_tries"),
    person.c.locked_at.label("person_locked_at"),
    person.c.birth_date_sealed,
).select_from(
    link.join(certificate, certificate.c.id == link.c.certificate_id).join(person, person.c.id == link.c.person_id)
)

# written once: SQLAlchemy takes longer to build a statement than to send it
_BY_PUBLIC_ID = _LINK.where(link.c.public_id == sa.bindparam("public_id"))
_FOR_TRY = _BY_PUBLIC_ID.with_for_update(of=person)

#: what a certificate shows, a row for each dose that its person has had, and for its own whatever became of it
_SHOWN = (
    certificate.c.number.label("certificate_number"),
    certificate.c.issued_at,
    certificate.c.qr,
    person.c.name_sealed,
    person.c.nik_sealed,
    person.c.time_zone.label("person_zone"),
    dose.c.status.label("dose_status"),
    (dose.c.id == certificate.c.dose_id).label("is_own"),
    dose.c.number,
    dose.c.series_total,
    dose.c.product,
    dose.c.vaccine_code,
    dose.c.vaccine_system,
    dose.c.lot,
    dose.c.given_on,
    dose.c.facility,
    facility.c.time_zone.label("facility_zone"),
)
_HAD = sa.or_(
    sa.and_(dose.c.person_id == certificate.c.person_id, dose.c.status == DoseStatus.GIVEN.value),
    dose.c.id == certificate.c.dose_id,
)
_OF_CERTIFICATE = (
    sa.select(
        certificate.c.id.label("certificate_id"),
        certificate.c.person_id,
        certificate.c.status.label("certificate_status"),
        person.c.birth_date_sealed,
        *_SHOWN,
    )
    .select_from(
        certificate.join(person, person.c.id == certificate.c.person_id)
        .join(dose, _HAD)
        .outerjoin(facility, facility.c.id == dose.c.facility_id)
    )
    .where(certificate.c.id == sa.bindparam("certificate_id"))
)
# by the person alone: with _HAD, which asks two indexes for each row, it takes half as long again; in no order, which
# would cost a tenth
_OF_LINK = (
    sa.select(*_LINK.selected_columns, *_SHOWN)
    .select_from(
        _LINK.get_final_froms()[0]
        .outerjoin(dose, dose.c.person_id == certificate.c.person_id)
        .outerjoin(facility, facility.c.id == dose.c.facility_id)
    )
    .where(link.c.public_id == sa.bindparam("public_id"))
)
_HOT_LINK, _HOT_PAGE = HotRead(_BY_PUBLIC_ID), HotRead(_OF_LINK)


def find(conn: Connection, public_id: str, *, for_try: bool = False) -> sa.Row[*tuple[Any, ...]] | None:
    """A link with what decides whether it opens. `for_try` locks the person's row until the transaction ends, so that
    no right date slips past a lock that falls at the same moment (SQLite's write transaction does that anyway)."""
    return conn.execute(_FOR_TRY if for_try else _BY_PUBLIC_ID, {"public_id": public_id}).first()


def look_up(db: Database, public_id: str) -> Row | None:
    """A link as `find` has it, outside of any transaction: what a page waits for."""
    return _HOT_LINK.first(db, public_id=public_id)


def birth_date(sealer: Sealer, row: sa.Row[Any]) -> str | None:
    """The person's birth date of a row of `find`, as YYYY-MM-DD. Raises SealBroken."""
    if row.birth_date_sealed is None:
        return None
    return sealer.open("person:birth_date", row.person_id, row.birth_date_sealed)


def certificate_with_doses(conn: Connection, certificate_id: str) -> list[sa.Row[Any]]:
    """A certificate with its person, sealed, in a row for each dose, in no order; none where there is no
    such certificate."""
    return list(conn.execute(_OF_CERTIFICATE, {"certificate_id": certificate_id}))


def find_with_doses(db: Database, public_id: str) -> list[Row]:
    """A link as `find` has it, in rows as those of `certificate_with_doses`, one for each dose of the person whatever
    became of it; in one statement, since a page waits, and in no order. The certificate's own dose is not among them
    where it has become somebody else's."""
    return _HOT_PAGE.rows(db, public_id=public_id)


def name_and_nik(sealer: Sealer, row: sa.Row[Any]) -> tuple[str, str | None]:
    """Whose certificate it is, of a row of the two before. Raises SealBroken."""
    nik = sealer.open("person:nik", row.person_id, row.nik_sealed) if row.nik_sealed is not None else None
    return sealer.open("person:name", row.person_id, row.name_sealed), nik


def add(conn: Connection, row: sa.Row[Any], *, kind: OpeningKind, device: str, at: datetime) -> None:
    """One deed at a link; `row` is a row of `find`, `device` a kind of device, never a fingerprint."""
    conn.execute(
        opening.insert(),
        {
            "id": new_id(),
            "link_id": row.link_id,
            "certificate_id": row.certificate_id,
            "person_id": row.person_id,
            "at": at,
            "kind": kind.value,
            "device": device,
        },
    )


def add_check(conn: Connection, *, certificate_id: str, person_id: str, device: str, at: datetime) -> None:
    """Somebody asked whether the certificate of this number is valid."""
    row = {"id": new_id(), "link_id": None, "certificate_id": certificate_id, "person_id": person_id}
    conn.execute(opening.insert(), row | {"at": at, "kind": OpeningKind.VERIFIED.value, "device": device})


def seen_since(conn: Connection, link_id: str, moment: datetime) -> bool:
    """Whether the page of a link was opened or looked at after a moment."""
    statement = sa.select(opening.c.id).where(opening.c.link_id == link_id, opening.c.at > moment)
    return conn.execute(statement.where(opening.c.kind.in_(_values(OPENS))).limit(1)).first() is not None


def of_certificate(
    conn: Connection, person_id: str, certificate_id: str, limit: int, *, checks: bool = False, by_robots: bool = False
) -> list[sa.Row[Any]]:
    """What people did with one certificate of a person at its links, or their `checks` of it, or all that robots did;
    newest first."""
    is_check = opening.c.kind == OpeningKind.VERIFIED.value
    theirs = sa.and_(opening.c.device != ROBOT, is_check if checks else ~is_check)
    statement = sa.select(opening.c.at, opening.c.kind, opening.c.device).where(
        opening.c.person_id == person_id,
        opening.c.certificate_id == certificate_id,
        opening.c.device == ROBOT if by_robots else theirs,
    )
    return list(conn.execute(statement.order_by(opening.c.at.desc(), opening.c.id.desc()).limit(limit)))


def counts_of_certificate(conn: Connection, person_id: str, certificate_id: str) -> dict[tuple[OpeningKind, bool], int]:
    """How often each deed was done with one certificate: by people (False) and by robots (True)."""
    by_robot = (opening.c.device == ROBOT).label("by_robot")
    statement = (
        sa.select(opening.c.kind, by_robot, sa.func.count())
        .where(opening.c.person_id == person_id, opening.c.certificate_id == certificate_id)
        .group_by(opening.c.kind, by_robot)
    )
    return {(OpeningKind(kind), bool(robot)): count for kind, robot, count in conn.execute(statement)}


def first_use(conn: Connection, link_ids: Collection[str]) -> dict[str, tuple[datetime | None, datetime | None]]:
    """When people first opened and first downloaded at each link, None where never; robots do not count."""
    opened, downloaded = opening.c.kind.in_(_values(OPENS)), opening.c.kind.not_in(_values(NO_DOWNLOADS))
    first = [sa.func.min(sa.case((kinds, opening.c.at))) for kinds in (opened, downloaded)]
    statement = sa.select(opening.c.link_id, *first).where(
        opening.c.link_id.in_(list(link_ids)), opening.c.device != ROBOT
    )
    found = {row[0]: (row[1], row[2]) for row in conn.execute(statement.group_by(opening.c.link_id))}
    return {link_id: found.get(link_id, (None, None)) for link_id in link_ids}


def of_link(conn: Connection, link_id: str, limit: int = 50) -> list[sa.Row[Any]]:
    """What was done at a link, newest first."""
    return _newest(conn, opening.c.link_id == link_id, limit)


def checks_of(conn: Connection, person_id: str, certificate_id: str, limit: int = 10) -> list[sa.Row[Any]]:
    """Who checked the number of a person's certificate, newest first."""
    return _newest(
        conn,
        sa.and_(
            opening.c.person_id == person_id,
            opening.c.certificate_id == certificate_id,
            opening.c.kind == OpeningKind.VERIFIED.value,
        ),
        limit,
    )


def _newest(conn: Connection, where: sa.ColumnElement[bool], limit: int) -> list[sa.Row[Any]]:
    statement = sa.select(opening).where(where).order_by(opening.c.at.desc(), opening.c.id.desc())
    return list(conn.execute(statement.limit(limit)))


def _values(kinds: Collection[OpeningKind]) -> list[str]:
    return [kind.value for kind in kinds]
