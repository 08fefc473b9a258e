"""`/m/<token>`: a certificate's PDF for the provider to fetch, once its owner was proved in the chat.

The token is signed under a salt of its own, so that no link of an SMS opens a file and no file's token a page. It works
for minutes and a few fetches, and only as long as the link beside it in the chat does: revoked, paused, locked or
replaced, the file is gone too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.errors import BadToken
from notifier.core.link_tokens import LinkSigner
from notifier.services import Services
from notifier.store import certificates, chat_files, openings
from notifier.store.openings import OpeningKind

_SALT = "sertilink.chat-file.v1"
LIFE = timedelta(minutes=5)
MOST_FETCHES = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """What may be drawn now."""

    certificate_id: str


def signer(services: Services) -> LinkSigner:
    """The signer of files' tokens."""
    return LinkSigner([key.get_secret_value() for key in services.settings.link_keys], _SALT)


def offer(conn: Connection, services: Services, certificate_id: str, person_id: str, at: datetime) -> tuple[str, str]:
    """A new link to a certificate, and a file beside it: (the link's address, the file's public id, its link's id)."""
    expires_at = at + timedelta(days=services.settings.link_days)
    link_id = certificates.add_link(
        conn, certificate_id=certificate_id, person_id=person_id, at=at, expires_at=expires_at
    )
    public_id = certificates.load_links(conn, [link_id])[link_id].public_id
    file = chat_files.add(conn, link_id=link_id, at=at, expires_at=at + LIFE)
    return services.link_url(public_id), file


def address_of(services: Services, public_id: str) -> str:
    """Where the provider fetches a file."""
    return f"{services.settings.public_url}/m/{signer(services).sign(public_id)}"


def fetch(services: Services, token: str, *, device: str) -> Fetched | None:
    """Counts a fetch, and notes it where the person sees who looked; None where nothing may be fetched (any more). A
    forged token reads nothing."""
    try:
        public_id = signer(services).read(token)
    except BadToken:
        return None
    now = services.clock.now()
    with services.db.write() as conn:
        row = chat_files.fetch(conn, public_id, most=MOST_FETCHES, at=now)
        found = openings.find(conn, row.public_id) if row is not None else None
        if row is None or found is None:
            return None
        openings.add(conn, found, kind=OpeningKind.PDF, device=device, at=now)
    return Fetched(row.certificate_id)


def is_there(services: Services, token: str) -> bool:
    """Whether a fetch would be allowed; counts nothing."""
    try:
        public_id = signer(services).read(token)
    except BadToken:
        return False
    with services.db.read() as conn:
        return chat_files.is_live(conn, public_id, most=MOST_FETCHES, at=services.clock.now())
