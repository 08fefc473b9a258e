"""Certificates and the links that open them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.states import NOT_LEFT, CertificateStatus, Reason
from notifier.store.bulk import insert_rows
from notifier.store.tables import certificate, dose, link, notification
from notifier.store.types import RowId


def insert(conn: Connection, *, certificate_id: str, number: str, person_id: str, dose_id: str, at: datetime) -> None:
    row = new_row(certificate_id=certificate_id, number=number, person_id=person_id, dose_id=dose_id, at=at)
    conn.execute(certificate.insert(), row)


def end(
    conn: Connection, dose_id: str, *, status: CertificateStatus, reason: Reason, at: datetime, replaced_by: str | None
) -> int:
    """Ends the valid certificates of a dose; how many there were."""
    return conn.execute(
        certificate.update()
        .where(certificate.c.dose_id == dose_id, certificate.c.status == CertificateStatus.VALID.value)
        .values(status=status.value, end_reason=reason.value, ended_at=at, replaced_by=replaced_by)
    ).rowcount


def valid_of_dose(conn: Connection, dose_id: str) -> str | None:
    """The id of the dose's valid certificate."""
    return conn.scalar(
        sa.select(certificate.c.id).where(
            certificate.c.dose_id == dose_id, certificate.c.status == CertificateStatus.VALID.value
        )
    )


def get(conn: Connection, certificate_id: str) -> sa.Row[Any]:
    return conn.execute(sa.select(certificate).where(certificate.c.id == certificate_id)).one()


def find_by_number(conn: Connection, number: str) -> sa.Row[Any] | None:
    """A certificate by the number printed on it."""
    return conn.execute(sa.select(certificate).where(certificate.c.number == number)).first()


def keep_qr(conn: Connection, certificate_id: str, qr: bytes) -> None:
    """Stores the drawn QR, so that it is made once."""
    conn.execute(certificate.update().where(certificate.c.id == certificate_id).values(qr=qr))


def add_link(conn: Connection, *, certificate_id: str, person_id: str, at: datetime, expires_at: datetime) -> str:
    """A new link to a certificate; its row id."""
    row = new_link_row(
        link_id=new_id(), certificate_id=certificate_id, person_id=person_id, at=at, expires_at=expires_at
    )
    conn.execute(link.insert(), row)
    return str(row["id"])


def load_links(conn: Connection, ids: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Links by id, each with its certificate's `certificate_status`."""
    statement = sa.select(link, certificate.c.status.label("certificate_status")).join(certificate)
    return {row.id: row for row in conn.execute(statement.where(link.c.id.in_(list(ids))))}


def revoke_links(conn: Connection, dose_id: str, *, reason: Reason, at: datetime) -> int:
    """Revokes every live link to any certificate of a dose; how many."""
    certificates = sa.select(certificate.c.id).where(certificate.c.dose_id == dose_id)
    return conn.execute(
        link.update()
        .where(link.c.certificate_id.in_(certificates), link.c.revoked_at.is_(None))
        .values(revoked_at=at, revoke_reason=reason.value)
    ).rowcount


def revoke_sent_links(
    conn: Connection, person_id: str, *, reason: Reason, at: datetime, certificate_id: str | None = None
) -> int:
    """Revokes every live link of a person, or to one certificate alone, whose SMS has left, or may have; how many."""
    waiting = sa.select(notification.c.link_id).where(
        notification.c.person_id == person_id,
        notification.c.link_id.is_not(None),
        notification.c.status.in_([state.value for state in NOT_LEFT]),
    )
    statement = link.update().where(link.c.person_id == person_id, link.c.revoked_at.is_(None))
    if certificate_id is not None:
        statement = statement.where(link.c.certificate_id == certificate_id)
    statement = statement.where(link.c.id.not_in(waiting))
    return conn.execute(statement.values(revoked_at=at, revoke_reason=reason.value)).rowcount


def count_live_links(conn: Connection, dose_id: str, now: datetime) -> int:
    """How many links to a dose's valid certificate open it still and are with somebody: their SMS has left, or may
    have."""
    waiting = sa.select(notification.c.link_id).where(
        notification.c.dose_id == dose_id,
        notification.c.link_id.is_not(None),
        notification.c.status.in_([state.value for state in NOT_LEFT]),
    )
    live = sa.select(sa.func.count()).select_from(link.join(certificate, certificate.c.id == link.c.certificate_id))
    live = live.where(certificate.c.dose_id == dose_id, certificate.c.status == CertificateStatus.VALID.value)
    live = live.where(link.c.revoked_at.is_(None), link.c.expires_at > now, link.c.id.not_in(waiting))
    return conn.scalar(live) or 0


def renew_expiry(conn: Connection, link_ids: Collection[str], expires_at: datetime) -> None:
    """A link's life counts from the moment its SMS leaves."""
    conn.execute(link.update().where(link.c.id.in_(list(link_ids))).values(expires_at=expires_at))


def count_link_try(conn: Connection, link_id: str) -> None:
    """Counts a wrong birth date at one link."""
    conn.execute(link.update().where(link.c.id == link_id).values(wrong_tries=link.c.wrong_tries + 1))


def mark_opened(conn: Connection, link_id: str, at: datetime) -> None:
    """The first time that a person opened the link."""
    conn.execute(link.update().where(link.c.id == link_id, link.c.opened_at.is_(None)).values(opened_at=at))


_OF_PERSON = (
    sa.select(certificate, dose.c.number.label("dose_number"), dose.c.series_total, dose.c.product, dose.c.given_on)
    .join(dose, dose.c.id == certificate.c.dose_id)
    .where(certificate.c.person_id == sa.bindparam("of_person", type_=RowId))
    .order_by(dose.c.given_on.desc(), certificate.c.issued_at.desc())
)


def of_person(conn: Connection, person_id: str) -> list[sa.Row[Any]]:
    """A person's certificates with their doses' columns, newest dose first."""
    return list(conn.execute(_OF_PERSON, {"of_person": person_id}))


def new_row(*, certificate_id: str, number: str, person_id: str, dose_id: str, at: datetime) -> dict[str, Any]:
    """A valid certificate, to be inserted."""
    return {
        "id": certificate_id,
        "number": number,
        "person_id": person_id,
        "dose_id": dose_id,
        "status": CertificateStatus.VALID.value,
        "issued_at": at,
    }


def new_link_row(
    *, link_id: str, certificate_id: str, person_id: str, at: datetime, expires_at: datetime
) -> dict[str, Any]:
    """A live link, to be inserted."""
    return {
        "id": link_id,
        "public_id": new_public_id(),
        "certificate_id": certificate_id,
        "person_id": person_id,
        "created_at": at,
        "expires_at": expires_at,
    }


def insert_many(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds certificates (`new_row`)."""
    insert_rows(conn, certificate, rows)


def insert_links(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds links (`new_link_row`)."""
    insert_rows(conn, link, rows)
