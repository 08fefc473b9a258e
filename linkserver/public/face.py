"""What every route of the public face is handed."""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.public.views import Views
from notifier.services import Services


@dataclass(frozen=True, slots=True)
class Face:
    """Built once by `create_app`; safe to share between threads."""

    services: Services
    views: Views
