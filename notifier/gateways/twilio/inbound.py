"""What people write to our sender: Twilio's webhook form in our words, and the TwiML that answers it.

Sources: https://www.twilio.com/docs/messaging/guides/webhook-request,
https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out, https://www.twilio.com/docs/messaging/twiml
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from twilio.twiml.messaging_response import MessagingResponse

from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel, Said
from notifier.gateways import BadWebhook, Inbound, InboundAnswer

#: where Twilio hands messages on, below our public address
PATH = "/twilio/inbound"

_BUTTON = re.compile(r"[1-9][0-9]?", re.ASCII)
_MEDIA = MappingProxyType({"audio": Said.VOICE, "image": Said.PICTURE, "video": Said.PICTURE})
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_SID = 64
#: RCS shares its opt-outs with SMS at Twilio since March 2026
_CHANNELS = MappingProxyType({"": Channel.SMS, "rcs": Channel.SMS, "whatsapp": Channel.WHATSAPP})

#: Advanced Opt-Out's parameter: Twilio has acted, and has answered with the texts of the Messaging Service
_OPT_OUT_TYPES = MappingProxyType({"STOP": Meaning.STOP, "START": Meaning.START, "HELP": Meaning.HELP})

#: A whole SMS that is one of these, in any case, makes Twilio block or unblock the number by itself, CANCEL and YES
#: among them, so our list follows. By WhatsApp it does not, and there they are ordinary words of a chat.
_SMS_KEYWORDS = MappingProxyType(
    dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), Meaning.STOP)
    | dict.fromkeys(("START", "YES", "UNSTOP"), Meaning.START)
    | dict.fromkeys(("HELP", "INFO"), Meaning.HELP)
)


def read(form: Mapping[str, str]) -> Inbound:
    """A form whose signature was checked. Raises BadWebhook where it names no message or nobody who wrote it."""
    sid, address = form.get("MessageSid", ""), form.get("From", "")
    if not sid or len(sid) > _LONGEST_SID:
        raise BadWebhook("MessageSid is missing")
    if not address:
        raise BadWebhook("From is missing")
    scheme, _, number = address.rpartition(":")
    channel = _CHANNELS.get(scheme)
    text = _button(form) or form.get("Body", "")
    said = _OPT_OUT_TYPES.get(form.get("OptOutType", "").upper())
    return Inbound(
        provider_sid=sid,
        channel=channel or Channel.SMS,
        sender=number if channel and _E164.fullmatch(number) else None,
        text=text,
        provider_meaning=said or (_SMS_KEYWORDS.get(text.strip().upper()) if channel is Channel.SMS else None),
        is_answered=said is not None,
        said=_kind(form) if channel is Channel.WHATSAPP else Said.TEXT,
    )


def _button(form: Mapping[str, str]) -> str:
    """The number behind a button, or an entry of a list, that was pressed; "" where none was."""
    payload = form.get("ButtonPayload") or form.get("ListId") or ""
    return payload if _BUTTON.fullmatch(payload) else ""


def _kind(form: Mapping[str, str]) -> Said:
    """What came besides the text, or instead: Twilio names the type of the first medium, and shows a place."""
    if form.get("Latitude"):
        return Said.PLACE
    if form.get("NumMedia", "0") in ("", "0"):
        return Said.TEXT
    medium = form.get("MediaContentType0", "").partition(";")[0].strip().lower()
    if medium == "image/webp":
        return Said.STICKER  # https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
    return _MEDIA.get(medium.partition("/")[0], Said.FILE)


def answer(text: str | None) -> InboundAnswer:
    """TwiML with at most one message. Twilio drops it (21610) where it has just blocked the number by itself."""
    if not text:
        return _NOTHING
    response = MessagingResponse()
    response.message(text)
    return InboundAnswer(str(response), _TYPE)


_TYPE = "text/xml; charset=utf-8"
#: what most messages get: a chat is answered by a worker
_NOTHING = InboundAnswer(str(MessagingResponse()), _TYPE)
