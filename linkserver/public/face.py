"""What every route of the public face is handed."""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.public.views import Views
from linkserver.words import _
from notifier.services import Services


@dataclass(frozen=True, slots=True)
class Face:
    """Built once by `create_app`; safe to share between threads."""

    services: Services
    views: Views


def dose_words(number: int | None, series_total: int | None) -> str:
    """As certificates.facts.dose_words has them, which knows the two languages of the documents, in every language."""
    if number is None:
        return ""
    if series_total is None or number > series_total:
        return _("Dosis %(number)s", number=number)
    return _("Dosis %(number)s dari %(total)s", number=number, total=series_total)
