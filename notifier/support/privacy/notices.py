"""Drafts of the notices that a breach asks for: Indonesian, then English, from templates/notices/*.txt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier.core.words import full_moment
from notifier.services import TEMPLATES, Services
from notifier.support.privacy.exposure import Datum, Exposed, Exposure, How

_DATA: dict[Datum, tuple[str, str]] = {
    Datum.SMS: (
        "huruf pertama nama, dan bahwa ada sertifikat vaksinasi (isi SMS)",
        "the first letter of the name, and that there is a vaccination certificate (the text of the SMS)",
    ),
    Datum.NAME: ("nama lengkap", "full name"),
    Datum.BIRTH_DATE: ("tanggal lahir (diketahui oleh yang membuka)", "date of birth (known to whoever opened it)"),
    Datum.NIK: ("NIK, delapan angka di tengahnya tertutup", "national ID number, eight digits in the middle hidden"),
    Datum.VACCINE: ("vaksin, nomor lot, tanggal, dan tempat", "vaccine, lot number, day and place"),
}
_HOW: dict[How, tuple[str, str]] = {
    How.LINK: ("Tautan ke sertifikat sampai ke orang lain.", "The link to a certificate reached somebody else."),
    How.NUMBER: (
        "SMS dikirim ke nomor telepon milik orang lain.",
        "SMS went to a phone number that is somebody else's.",
    ),
    How.SPAN: (
        "Data yang dibuka atau dikirim pada waktu itu terdampak.",
        "What was opened or sent within that time is affected.",
    ),
}


class Notices:
    """Writes drafts; `[...]` in them is to be completed by hand."""

    def __init__(self, services: Services) -> None:
        self._zone = services.zone
        settings = services.settings
        self._contact = {
            "issuer": settings.issuer_name,
            "help_phone": settings.help_phone,
            "help_email": settings.help_email,
        }
        loader = FileSystemLoader(TEMPLATES / "notices")
        self._templates = Environment(loader=loader, undefined=StrictUndefined, autoescape=False)  # noqa: S701  # .txt

    def to_person(self, exposure: Exposure, one: Exposed) -> str | None:
        """For one person; None where nothing was exposed, or nobody can say any more who it was."""
        if one.person is None or not one.data:
            return None
        return self._written(
            "person.txt", exposure, one.data, one.since, one.until, name=one.person.name, certain=one.certain
        )

    def to_authority(self, exposure: Exposure) -> str | None:
        """For the authority, about all of them; None where nobody's data were exposed."""
        people = [one for one in exposure.people if one.data]
        if not people:
            return None
        certain = sum(one.certain for one in people)
        return self._written(
            "authority.txt",
            exposure,
            {kind for one in people for kind in one.data},
            min(one.since for one in people),
            max(one.until for one in people),
            people=len(people),
            certain=certain,
            possible=len(people) - certain,
            **self._moments(found=exposure.found_at, due=exposure.due_at),
        )

    def _written(
        self, template: str, exposure: Exposure, data: Iterable[Datum], since: datetime, until: datetime, **more: Any
    ) -> str:
        kinds = sorted(data, key=list(Datum).index)
        values: Mapping[str, Any] = {
            "kinds_id": [_DATA[kind][0] for kind in kinds],
            "kinds_en": [_DATA[kind][1] for kind in kinds],
            "how_id": _HOW[exposure.how][0],
            "how_en": _HOW[exposure.how][1],
            "reference": exposure.incident,
            **self._moments(since=since, until=until),
            **self._contact,
            **more,
        }
        return self._templates.get_template(template).render(values) + "\n"

    def _moments(self, **moments: datetime) -> dict[str, str]:
        return {
            f"{name}_{language}": full_moment(moment, self._zone, language)
            for name, moment in moments.items()
            for language in ("id", "en")
        }
