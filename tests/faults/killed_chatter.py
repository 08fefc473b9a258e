"""A worker in a chat, killed with SIGKILL at the point that is armed. Started by test_chat_killed."""

from __future__ import annotations

from pathlib import Path

from notifier.gateways.twilio import WhatsApp
from notifier.gateways.twilio.line import Line  # loaded beforehand: it is heavy, and each worker is a fork
from notifier.services import build
from notifier.settings import Settings
from notifier.support.chat import work
from notifier.support.chat.wishes import Rooms
from tests.conftest import TEST_KEYS
from tests.messages.killed_worker import settings_of

__all__ = ["Line", "WhatsApp", "chat_settings", "work_on"]


def chat_settings(url: str, folder: Path, twilio: str, orders: Path | None = None) -> Settings:
    """The same for the killed process and for those who clean up behind it."""
    base = settings_of(folder, twilio, orders).model_dump(exclude=set(TEST_KEYS))
    own = {"database_url": url, "whatsapp_from": "+6281110500567", "provider_timeout": 30}
    return Settings(**(base | own), **TEST_KEYS)


def work_on(url: str, folder: str, twilio: str, orders: str) -> None:
    """Reads and answers what waits; never comes back where the armed point is on the way."""
    services = build(chat_settings(url, Path(folder), twilio, Path(orders)))
    work.run(services, Rooms())
