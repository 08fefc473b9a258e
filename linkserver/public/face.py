"""What every route of the public face is handed."""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.public.views import Views
from linkserver.robots import is_robot
from notifier.services import Services
from notifier.store.openings import OTHER, ROBOT


@dataclass(frozen=True, slots=True)
class Face:
    """Built once by `create_app`; safe to share between threads."""

    services: Services
    views: Views


def device_kind(user_agent: str) -> str:
    """The kind of device, as "who looked" shows it; nothing that tells one phone from another."""
    if is_robot(user_agent):
        return ROBOT
    agent = user_agent.casefold()
    if "ipad" in agent or "tablet" in agent:
        return "tablet"
    if any(word in agent for word in ("mobi", "android", "iphone", "opera mini", "kaios", "midp")):
        return "phone"
    return "computer" if "mozilla" in agent else OTHER
