"""The rooms that a chat reaches into, in their real form: what each says, in the chat's words."""

from __future__ import annotations

from notifier.services import Services
from notifier.support.chat.wishes import Rooms


def open_rooms(services: Services) -> Rooms:
    """Those that this installation has open."""
    return Rooms()
