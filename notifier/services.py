"""Services: everything that a room needs from outside itself, built once by `build(settings)` and handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from notifier.catalogue import Catalogue
from notifier.core.clock import Clock, SystemClock
from notifier.core.errors import BadSettings
from notifier.core.link_tokens import CASE_TRACKER_SALT, OBJECTION_SALT, LinkSigner
from notifier.core.one_time_codes import OneTimeCodes
from notifier.core.schedule import QuietHours
from notifier.faults import Armed, Faults, Unarmed
from notifier.gateways import Gateway
from notifier.gateways.catcher import Catcher
from notifier.gateways.mail import Mail
from notifier.programme import Programme, ProgrammeReader
from notifier.settings import GatewayName, Settings
from notifier.store.engine import Database
from notifier.store.memory import Memory
from notifier.store.sealed import Sealer

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True)
class Services:
    """What a use case is given. `link_signer` is None in a process that holds no link keys."""

    settings: Settings
    clock: Clock
    db: Database
    sealer: Sealer
    gateway: Gateway
    link_signer: LinkSigner | None
    reader: ProgrammeReader
    memory: Memory
    faults: Faults = field(default_factory=Unarmed)
    catalogue: Catalogue = field(default_factory=Catalogue)  #: read when the first text is asked for
    mail: Mail | None = None  #: None: the door `email` is closed, or there is no mail server

    @property
    def links(self) -> LinkSigner:
        """The signer of certificate links. Raises BadSettings in a process without link keys."""
        if self.link_signer is None:
            raise BadSettings(["SERTILINK_LINK_KEYS: not loaded in this process"])
        return self.link_signer

    @property
    def one_time_codes(self) -> OneTimeCodes:
        """The maker of one-time codes. Raises BadSettings in a process without link keys."""
        if self.link_signer is None:
            raise BadSettings(["SERTILINK_LINK_KEYS: not loaded in this process"])
        return OneTimeCodes([key.get_secret_value() for key in self.settings.link_keys])

    @property
    def programme(self) -> Programme:
        """What the programme set in the browser over the environment, as it stood some seconds ago at most."""
        return self.reader.read()

    @property
    def quiet(self) -> QuietHours | None:
        """The hours without SMS, as they are in force."""
        return self.programme.quiet

    @property
    def zone(self) -> ZoneInfo:
        """The programme's zone."""
        return ZoneInfo(self.settings.timezone)

    @property
    def trackers(self) -> LinkSigner:
        """The signer of the trackers of cases: the same keys, a salt of its own. Raises BadSettings in a process
        without link keys."""
        return self.links.salted(CASE_TRACKER_SALT)

    def tracker_url(self, public_id: str) -> str:
        """The whole address of a case's tracker, as it stands in the SMS."""
        return f"{self.settings.public_url}/kasus/{self.trackers.sign(public_id)}"

    @property
    def objections(self) -> LinkSigner:
        """The signer of what a number that was replaced is sent. Raises BadSettings in a process without link keys."""
        return self.links.salted(OBJECTION_SALT)

    def objection_url(self, public_id: str) -> str:
        """The whole address where the old number objects, as it stands in the SMS."""
        return f"{self.settings.public_url}/me/no/{self.objections.sign(public_id)}"

    @property
    def account_url(self) -> str:
        """Where people find what is theirs; the same for everybody."""
        return f"{self.settings.public_url}/me"

    def link_url(self, public_id: str) -> str:
        """The whole address of a link, as it stands in the SMS."""
        return f"{self.settings.public_url}/c/{self.links.sign(public_id)}"

    def close(self) -> None:
        """Lets go of connections and threads."""
        self.gateway.close()
        self.db.close()


def build(settings: Settings, clock: Clock | None = None) -> Services:
    """The real parts. Connects to nothing yet. Raises BadSettings where a key is missing."""
    clock = clock or SystemClock()
    if not settings.data_keys or not settings.index_key:
        raise BadSettings(["SERTILINK_DATA_KEYS, SERTILINK_INDEX_KEY: set them, or run `sertilink up` once"])
    db = Database(settings.database_url, clock, pool_size=max(5, settings.worker_concurrency + 2))
    sealer = Sealer([key.get_secret_value() for key in settings.data_keys], settings.index_key[-1].get_secret_value())
    link_keys = [key.get_secret_value() for key in settings.link_keys]
    return Services(
        settings=settings,
        clock=clock,
        db=db,
        sealer=sealer,
        gateway=_gateway(settings, db, sealer, clock),
        link_signer=LinkSigner(link_keys) if link_keys else None,
        reader=ProgrammeReader(db, clock, settings),
        memory=Memory(settings.data_folder),
        faults=Armed(settings.test_fault_points) if settings.test_fault_points else Unarmed(),
        mail=_mail(settings),
    )


def _mail(settings: Settings) -> Mail | None:
    if "email" not in settings.doors or not settings.mail_host:
        return None
    from notifier.gateways.mail.server import MailServer  # only where there is one

    return MailServer(settings)


def _gateway(settings: Settings, db: Database, sealer: Sealer, clock: Clock) -> Gateway:
    if settings.gateway is GatewayName.CATCHER:
        return Catcher(db, sealer, clock)
    from notifier.gateways.twilio import TwilioGateway, WhatsApp  # heavy: a local process never loads it

    return TwilioGateway(
        account_sid=settings.twilio_account_sid or "",
        auth_tokens=tuple(token.get_secret_value() for token in settings.twilio_auth_token),
        from_number=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        api_base=settings.twilio_api_base,
        public_url=settings.public_url,
        timeout_s=settings.provider_timeout,
        concurrency=settings.provider_concurrency,
        whatsapp_sender=WhatsApp(
            settings.whatsapp_from,
            {int(count): sid for count, sid in _named(settings.whatsapp_choices)},
            dict(_named(settings.whatsapp_reopen)),
        )
        if settings.whatsapp_from
        else None,
    )


def _named(templates: tuple[str, ...]) -> list[tuple[str, str]]:
    """(name, SID) of content templates, as the settings spell them."""
    return [(name, sid) for name, _equals, sid in (part.partition("=") for part in templates)]
