"""One letter out by SMTP, step by step, so that it is known whether its text had left when something broke."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass

from notifier.gateways.mail import Posted, PostOutcome
from notifier.mail_settings import MailTls

_TAKEN, _FORWARDED, _GO_ON, _PERMANENT = 250, 251, 354, 500  # RFC 5321, 4.2.3
#: what we call ourselves: the address literal of a client without a name of its own (RFC 5321, 4.1.4)
_OURSELVES = "[127.0.0.1]"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters go out. `user` None: it asks for no sign-in. `context`: whom we trust."""

    host: str
    port: int
    tls: MailTls
    user: str | None
    password: str | None
    timeout_s: float
    context: ssl.SSLContext | None = None


def post(server: SmtpServer, *, sender: str, to: str, letter: bytes) -> Posted:
    """Hands a letter with CRLF lines to the server. Until the text is under way nothing can have been taken; after
    that only the server's answer says so."""
    try:
        connection = _connected(server)
    except smtplib.SMTPResponseException as error:
        return Posted(PostOutcome.NOT_SENT, error.smtp_code)  # our account is wrong: the letter is not to blame
    except (OSError, smtplib.SMTPException, ValueError):
        return Posted(PostOutcome.NOT_SENT)
    try:
        return _handed_over(connection, sender, to, letter)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            connection.close()


def reach(server: SmtpServer) -> None:
    """Connects and signs in. Raises what the network or smtplib raises."""
    _connected(server).close()


def _connected(server: SmtpServer) -> smtplib.SMTP:
    context = server.context or ssl.create_default_context()
    if server.tls is MailTls.TLS:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, _OURSELVES, timeout=server.timeout_s, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, _OURSELVES, timeout=server.timeout_s)
    try:
        if server.tls is MailTls.STARTTLS:
            connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
        if server.user and server.password:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _handed_over(connection: smtplib.SMTP, sender: str, to: str, letter: bytes) -> Posted:
    try:
        for code, _ in (connection.mail(sender), connection.rcpt(to)):
            if code not in {_TAKEN, _FORWARDED}:
                return _refused(code)
        code, _ = connection.docmd("DATA")
        if code != _GO_ON:
            return _refused(code)
    except (OSError, smtplib.SMTPException, ValueError):
        return Posted(PostOutcome.NOT_SENT)
    try:
        connection.send(_dotted(letter))
        code, _ = connection.getreply()
    except (OSError, smtplib.SMTPException, ValueError):
        return Posted(PostOutcome.UNKNOWN)
    with suppress(OSError, smtplib.SMTPException):
        connection.docmd("QUIT")
    if code < 0:  # smtplib: an answer without a code
        return Posted(PostOutcome.UNKNOWN)
    return Posted(PostOutcome.SENT, code) if code == _TAKEN else _refused(code)


def _refused(code: int) -> Posted:
    """Before the text, or as the answer to it: in both cases certainly not taken."""
    if code >= _PERMANENT:
        return Posted(PostOutcome.REFUSED, code)
    return Posted(PostOutcome.NOT_SENT, code if code > 0 else None)


def _dotted(letter: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line that begins with a dot gets another, and a dot alone is the end."""
    body = letter.replace(b"\r\n.", b"\r\n..")
    body = b"." + body if body.startswith(b".") else body
    return (body if body.endswith(b"\r\n") else body + b"\r\n") + b".\r\n"
