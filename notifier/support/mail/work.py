"""What a worker does about letters: reads the mailbox, sends what is due. Several may at once."""

from __future__ import annotations

import logging

from notifier.gateways.mail import MailAway
from notifier.services import Services
from notifier.support.mail import outbox, take

_log = logging.getLogger(__name__)


def run(services: Services) -> bool:
    """Whether more of either waits. A mail server that is away is tried again at the next turn."""
    if services.mail is None:
        return False
    try:
        more = take.take(services)
    except MailAway as error:
        _log.error("the mailbox cannot be read", extra={"error": str(error)})
        more = False
    return outbox.send_due(services) or more
