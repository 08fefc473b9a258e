"""What `sertilink up` does before the processes start: the database's shape, sample doses, one ready sign-in."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.commands.console import Console
from notifier.commands.demo import feed
from notifier.commands.demo_people import sample_events
from notifier.core.ids import BASE62
from notifier.intake import readers
from notifier.intake.event import now_as_today
from notifier.services import Services
from notifier.settings import Environment, GatewayName, Settings
from notifier.store import events, migrate, staff

SIGN_IN_FILE = "sign-in.txt"
SAMPLES = 3
_USERNAME = "admin"
_FACILITY = "contoh"  # where the sample doses were given


@dataclass(frozen=True)
class Welcome:
    """What to tell whoever started us."""

    samples: tuple[str, ...]  #: initial and birth date of each made-up person, which opens the link of their SMS
    sign_in: str | None  #: username and password, as the file in the data folder keeps them

    def lines(self, settings: Settings) -> list[str]:
        """The addresses and the sign-in, as they are printed once everything answers."""
        lines = [
            "",
            "sertilink is ready",
            f"  public face  {settings.public_url}",
            f"  staff face   {settings.staff_url}",
        ]
        if settings.gateway is GatewayName.CATCHER:
            lines.append(f"  caught SMS   {settings.staff_url}/catcher")
        sign_in = self.sign_in or "sertilink user add NAME --role administrator"
        lines.append(f"  sign-in      {sign_in}")
        if self.samples:
            lines.append(f"  {len(self.samples)} sample doses were fed; their SMS are in the catcher")
            lines.append(f"  birth dates  {', '.join(self.samples)}")
        lines.append("  more SMS: sertilink demo --people 20 (in another shell); Ctrl-C stops everything")
        return [*lines, ""]


def prepare(console: Console, settings: Settings) -> Welcome:
    """Migrates; on the first start of a local installation feeds samples and makes the sign-in. Safe to repeat."""
    services = console.wire(settings, console.clock)
    try:
        migrate.upgrade(services.db)
        if settings.environment is Environment.PRODUCTION:
            return Welcome((), None)
        samples = _feed_samples(services) if settings.gateway is GatewayName.CATCHER else ()
        return Welcome(samples, _sign_in(services, settings.data_folder / SIGN_IN_FILE))
    finally:
        services.close()


def _feed_samples(services: Services) -> tuple[str, ...]:
    with services.db.read() as conn:
        if events.count_by_outcome(conn):
            return ()
    today = now_as_today(services.clock.now())
    samples = list(sample_events(SAMPLES, "first", today))
    feed(services, (readers.from_object(services, data) for data in samples), actor="system")
    people = [data["person"] for data in samples]
    return tuple(f"{person['name'][0]}. {person['birth_date']}" for person in people)


def _sign_in(services: Services, kept: Path) -> str | None:
    """The ready sign-in: made where nobody has an account yet, read from its file afterwards; None where that is gone.

    The file comes first: an account whose password nobody knows would help nobody.
    """
    with services.db.read() as conn:
        known = staff.everyone(conn)
    if known:
        return kept.read_text().strip() if kept.is_file() else None
    password = "-".join("".join(secrets.choice(BASE62) for _ in range(5)) for _ in range(4))
    text = f"{_USERNAME} / {password}"
    kept.unlink(missing_ok=True)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text + "\n")
    accounts.add(
        services,
        Passwords(),
        username=_USERNAME,
        display_name="Administrator",
        password=password,
        role=Role.ADMINISTRATOR,
        facility_id=_FACILITY,
        facility_name="Puskesmas Contoh",
        actor="system",
    )
    return text
