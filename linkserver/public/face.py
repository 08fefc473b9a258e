"""What every route of the public face is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from linkserver.public.views import Views
from linkserver.words import _, said_dose
from notifier.services import Services


@dataclass(frozen=True, slots=True)
class Face:
    """Built once by `create_app`; safe to share between threads."""

    services: Services
    views: Views
    chosen_language: Callable[[Mapping[str, str]], str]  #: by a browser's cookies


def dose_words(number: int | None, series_total: int | None) -> str:
    """As `said_dose`, in the language of this request."""
    return said_dose(_, number, series_total)
