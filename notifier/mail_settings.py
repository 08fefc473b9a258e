"""What can be set about the mailbox that people write to (the door `email`). Part of Settings, which reads it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from notifier.core.mail_addresses import is_mail_address


class MailTls(StrEnum):
    """How a connection to the mail server is kept secret."""

    TLS = "tls"  #: from the first byte
    STARTTLS = "starttls"
    OFF = "off"  #: in clear: never in production


class MailTaken(StrEnum):
    """What becomes of a letter at the mail server once it is a case here."""

    DELETE = "delete"  #: with the photos that nobody asked for
    KEEP = "keep"


class MailSettings(BaseModel):
    """Names as in the environment, lower case, without the prefix. Without `mail_host` no letter is read or sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    mail_host: str | None = None
    mail_port: int = Field(993, ge=1, le=65535)
    mail_tls: MailTls = MailTls.TLS
    mail_user: str | None = None
    mail_password: SecretStr | None = None
    mail_folder: str = Field("INBOX", pattern=r"^[A-Za-z0-9._/ -]{1,100}$")
    mail_taken: MailTaken = MailTaken.DELETE
    mail_address: str | None = None  # that people write to and that we answer from; HELP_EMAIL unless set
    mail_smtp_host: str | None = None  # MAIL_HOST unless set
    mail_smtp_port: int = Field(465, ge=1, le=65535)
    mail_smtp_tls: MailTls = MailTls.TLS

    @field_validator("mail_address")
    @classmethod
    def _address_can_be_written_to(cls, value: str | None) -> str | None:
        if value is not None and not is_mail_address(value):
            raise ValueError("write one address, such as bantuan@dinkes.example.id")
        return value
