"""What will be sent about a dose that is about to be recorded: the very words, their cost, and when."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.segments import Size, measure
from notifier.core.states import Kind
from notifier.intake.effects import options_for
from notifier.intake.event import Event
from notifier.messages.plan import Forecast, PlanOptions, forecast
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES, Services
from notifier.store import doses
from notifier.support.dose_checks import Known

#: as long as a real token, and can be none: nothing is signed here
_SAMPLE = "contoh".ljust(TOKEN_LENGTH, "x")


@dataclass(frozen=True, slots=True)
class Preview:
    """An SMS that does not exist yet. `text` names the person by the initial alone; its link is a sample of real
    length."""

    text: str
    size: Size
    when: Forecast


def preview(services: Services, event: Event, known: Known | None, options: PlanOptions) -> Preview:
    """The SMS about a dose. `options`: those that it will be recorded with; `known`: the person, where on record."""
    data = event.person
    if data is None:
        raise TypeError("a dose that was typed has a person")  # the form's reader sees to it
    texts = SmsTexts(TEMPLATES / "sms", services.settings.sender_name)
    text = texts.render(
        Kind.CERTIFICATE,
        language=data.language or "",
        name=data.name,
        dose_number=event.dose.number,
        link=f"{services.settings.public_url}/c/{_SAMPLE}",
        own=services.programme.texts,
    )
    when = forecast(
        services,
        _zone(services, event, known),
        Kind.CERTIFICATE,
        accepted_at=services.clock.now(),
        options=options_for(event, options),
    )
    return Preview(text, measure(text), when)


def _zone(services: Services, event: Event, known: Known | None) -> ZoneInfo:
    facility_id = event.dose.facility_id
    zone = known.person.time_zone if known else None
    if zone is None and facility_id is not None:
        with services.db.read() as conn:
            zone = doses.facility_zone(conn, facility_id)
    return ZoneInfo(zone or services.settings.timezone)
