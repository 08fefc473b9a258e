"""A message of a chat as Twilio's Messages resource wants it: text, a file by its address, or a content template.

Sources: https://www.twilio.com/docs/whatsapp/api, https://www.twilio.com/docs/content/overview,
https://www.twilio.com/docs/content/send-templates-created-with-the-content-template-builder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notifier.gateways import OutgoingChat

SCHEME = "whatsapp:"
#: characters of a template's text; longer ones go with numbers (https://www.twilio.com/docs/content/twilio-quick-reply)
_LONGEST_TEMPLATE = 1024
#: characters of a button, of an entry in a list (https://www.twilio.com/docs/content/twilio-list-picker)
_LONGEST_BUTTON, _LONGEST_ENTRY, _MOST_BUTTONS = 20, 24, 3


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """Our sender, and the content templates that the programme has made at Twilio. `choices`: by the number of options,
    a template whose {{1}} is the text and {{2}}, {{3}}, ... the options, with ids 1, 2, ...; `reopens`: by language,
    an approved template without variables, for after 24 hours."""

    sender: str = field(repr=False)  #: E.164
    choices: Mapping[int, str] = field(default_factory=dict)
    reopens: Mapping[str, str] = field(default_factory=dict)


def form_of(whatsapp: WhatsApp, message: OutgoingChat, callback: str) -> dict[str, Any]:
    """The parameters of the post, in the names of Twilio's library."""
    form: dict[str, Any] = {
        "to": SCHEME + message.to,
        "from_": SCHEME + whatsapp.sender,
        "status_callback": callback,
    }
    if message.reopens and message.language in whatsapp.reopens:
        return form | {"content_sid": whatsapp.reopens[message.language]}
    if message.file_url is not None:
        return form | {"body": message.text, "media_url": [message.file_url]}
    content = whatsapp.choices.get(len(message.options))
    if content is None or message.is_plain or not _fits(message):
        return form | {"body": message.numbered}
    text = "\n\n".join(part for part in (message.text, message.tail) if part)
    variables = {str(place): said for place, said in enumerate((text, *message.options), 1)}
    return form | {"content_sid": content, "content_variables": json.dumps(variables, ensure_ascii=False)}


def _fits(message: OutgoingChat) -> bool:
    longest = _LONGEST_BUTTON if len(message.options) <= _MOST_BUTTONS else _LONGEST_ENTRY
    whole = len(message.text) + len(message.tail) + 2
    return whole <= _LONGEST_TEMPLATE and all(len(option) <= longest for option in message.options)
