"""The mail server as the settings name it (gateways.mail.Mail)."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager

from notifier.gateways.mail import Mailbox, Posted, imap, smtp
from notifier.settings import Settings


class MailServer:
    """IMAP in, SMTP out. Connects to nothing until it is asked to."""

    def __init__(self, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        password = settings.mail_password.get_secret_value() if settings.mail_password else ""
        host, timeout = settings.mail_host or "", settings.provider_timeout
        self._imap = imap.ImapServer(
            host, settings.mail_port, settings.mail_tls, settings.mail_user or "", password,
            settings.mail_folder, timeout, context,
        )  # fmt: skip
        self._smtp = smtp.SmtpServer(
            settings.mail_smtp_host or host, settings.mail_smtp_port, settings.mail_smtp_tls, settings.mail_user,
            password, timeout, context,
        )  # fmt: skip

    def open_mailbox(self) -> AbstractContextManager[Mailbox]:
        """Connects and opens the folder. Raises MailAway."""
        return imap.open_folder(self._imap)

    def reach(self) -> str:
        """Signs in at both servers and opens the folder. Raises MailAway, or what smtplib raises."""
        with imap.open_folder(self._imap) as box:
            waiting = len(box.waiting())
        smtp.reach(self._smtp)
        return f"{self._imap.host} opens {self._imap.folder} ({waiting} waiting); {self._smtp.host} takes letters"

    def post(self, *, sender: str, to: str, letter: bytes) -> Posted:
        """Hands one finished letter to the server. Never raises for what the network does."""
        return smtp.post(self._smtp, sender=sender, to=to, letter=letter)
