"""Twilio's error codes as data: what each means for a message, and what an operator should do.

Codes come with a refusal (create) or with a receipt; a code has one class for both, UNCLEAR_ON_CREATE aside. A code
that is missing here holds the message and raises an alarm. Twilio changes codes (changelog of 2024-07-10), so each row
names its page: https://www.twilio.com/docs/api/errors/<code>.
"""

from __future__ import annotations

from types import MappingProxyType

from notifier.gateways import ErrorMeaning, OutcomeClass

#: As an answer to a create these do not say whether the message went on to a carrier: somebody behind the API failed.
UNCLEAR_ON_CREATE = frozenset({"30008", "30020", "30021", "30410", "30500", "63009", "63010", "63012"})

_WAIT = "Nothing: it is tried again by itself. Look at Twilio's status page if it lasts."
_SLOW_DOWN = "Nothing: it is tried again by itself. If it stays, lower SENDER_RATE or ask Twilio for more throughput."
_ANOTHER_DAY = "Nothing: it is tried again on another day. If that fails too, ask the person for another number."
_NEW_NUMBER = "Ask the person, or the facility that entered the dose, for a mobile number that receives SMS."
_RESPECT = "Do not send again. The person can start again by themselves; offer the certificate at the facility."
_OTHER_WAY = "Offer the certificate another way: at the facility, or by another number."
_TOKEN = "Compare TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN with the Twilio console."  # noqa: S105  # advice
_ACCOUNT = "Open the Twilio console: the account needs attention. The queue waits until it is active."
_TRIAL = "Upgrade the Twilio account: a trial reaches verified numbers alone. The queue waits meanwhile."
_SENDER = "Check TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID in the Twilio console. The queue waits meanwhile."
_SERVICE = "Open the Messaging Service in the Twilio console and see that it has a sender. The queue waits meanwhile."
_REGISTER = "Register the sender with the carrier (Twilio console, Sender IDs). Pause sending until it is approved."
_OURS = "A fault of ours: hold sending and tell the developers this code."
_TEXT = "Read the text that was refused, correct its template, then release the messages that are held."
_TEMPLATE = "Correct the WhatsApp template in the Twilio console, then release the messages that are held."
_FILTERED = "Stop the campaign and ask Twilio which rule the text broke; a link or an unregistered sender is common."
_LOOK_UP = "Nothing yet: the message is looked up at Twilio. If it stays unknown, decide whether to send it again."

_NOT_NOW = OutcomeClass.RATE_LIMITED
_LATER = OutcomeClass.TRY_LATER
_NUMBER = OutcomeClass.NUMBER_BAD
_STOPPED = OutcomeClass.OPTED_OUT
_NO = OutcomeClass.PERMANENT
_SETUP = OutcomeClass.SENDER_MISCONFIGURED
_HOLD = OutcomeClass.HOLD
_UNKNOWN = OutcomeClass.UNKNOWN

_ROWS = (
    # the account, its credentials, the request as such
    ("10001", _SETUP, "The account is not active.", _ACCOUNT),
    ("10002", _SETUP, "A trial account does not have this feature.", _TRIAL),
    ("20001", _SETUP, "Twilio does not know a parameter that we sent.", _OURS),
    ("20003", _SETUP, "The account or its token was not accepted.", _TOKEN),
    ("20004", _SETUP, "Twilio does not allow this method at this address.", "Check TWILIO_API_BASE."),
    ("20005", _SETUP, "The account is not active.", _ACCOUNT),
    ("20006", _SETUP, "Access was denied.", _TOKEN),
    ("20008", _SETUP, "Test credentials were used where real ones are needed.", _TOKEN),
    ("20010", _SETUP, "This action is switched off for the account.", _ACCOUNT),
    ("20011", _SETUP, "Twilio does not accept our TLS version.", "Update Python and OpenSSL on this machine."),
    ("20012", _SETUP, "Twilio does not accept our TLS cipher.", "Update Python and OpenSSL on this machine."),
    ("20404", _SETUP, "The account or the address does not exist.", "Check TWILIO_ACCOUNT_SID and TWILIO_API_BASE."),
    ("20426", _SETUP, "Twilio demands a newer protocol.", "Update Python and OpenSSL on this machine."),
    ("20429", _NOT_NOW, "Too many requests at once; none of them was processed.", _SLOW_DOWN),
    ("20500", _UNKNOWN, "Twilio failed inside; the message may or may not have been taken.", _LOOK_UP),
    ("20503", _NOT_NOW, "Twilio's service is away for the moment.", _WAIT),
    ("90010", _SETUP, "The account is not active.", _ACCOUNT),
    # the recipient's number
    ("21211", _NUMBER, "The number is not a phone number.", _NEW_NUMBER),
    ("21217", _NUMBER, "The number does not look like a phone number.", _NEW_NUMBER),
    ("21265", _NUMBER, "The number is a short code, which cannot receive our SMS.", _NEW_NUMBER),
    ("21266", _NUMBER, "The number is our own sender.", _NEW_NUMBER),
    ("21604", _NUMBER, "The recipient's number is missing.", _NEW_NUMBER),
    ("21614", _NUMBER, "The number is not a mobile number.", _NEW_NUMBER),
    ("21635", _NUMBER, "The number is a landline.", _NEW_NUMBER),
    ("30005", _NUMBER, "The carrier does not know this number; it may have been given up.", _NEW_NUMBER),
    ("30006", _NUMBER, "The number is a landline, or its carrier takes no SMS from us.", _NEW_NUMBER),
    ("21610", _STOPPED, "The person told this sender to stop.", _RESPECT),
    ("21612", _NO, "SMS from our sender cannot be brought to this number.", f"{_OTHER_WAY} If many fail so: {_SENDER}"),
    ("30004", _NO, "The carrier or the person blocks messages from us.", _OTHER_WAY),
    # the sender and its settings
    ("21212", _SETUP, "The sender is not a valid one.", _SENDER),
    ("21219", _SETUP, "A trial account may not write to this number.", _TRIAL),
    ("21401", _SETUP, "The sender is not a number or name that may send SMS.", _SENDER),
    ("21408", _SETUP, "The account may not send to this country.", "Allow Indonesia in the console's geo permissions."),
    ("21601", _SETUP, "The sender is not an SMS number of this account.", _SENDER),
    ("21603", _SETUP, "The request named no sender.", _SENDER),
    ("21606", _SETUP, "The sender may not send to this destination.", _SENDER),
    ("21607", _SETUP, "A trial account sends from its trial number alone.", _TRIAL),
    ("21608", _SETUP, "A trial account writes to verified numbers alone.", _TRIAL),
    ("21609", _SETUP, "Twilio cannot call our address.", "Set PUBLIC_URL to an https address open to the internet."),
    ("21611", _NOT_NOW, "The sender's queue at Twilio is full.", _SLOW_DOWN),
    ("21616", _SETUP, "The sender matches several numbers of the account.", "Write TWILIO_FROM in full: +62..."),
    ("21624", _SETUP, "Twilio does not accept the validity period.", _OURS),
    ("21626", _SETUP, "Twilio does not accept the status callback's events.", _OURS),
    ("21657", _SETUP, "The sender's name is not allowed in this country.", _REGISTER),
    ("21659", _SETUP, "The sender is not Twilio's, or is of another country.", _SENDER),
    ("21660", _SETUP, "The sender belongs to another account.", _SENDER),
    ("21661", _SETUP, "The sender cannot send SMS.", _SENDER),
    ("21701", _SETUP, "The Messaging Service does not exist.", _SERVICE),
    ("21702", _SETUP, "The Messaging Service takes no new messages.", _SERVICE),
    ("21703", _SETUP, "The Messaging Service has no number that fits.", _SERVICE),
    ("21704", _SETUP, "The Messaging Service has no number at all.", _SERVICE),
    ("21705", _SETUP, "The Messaging Service is not valid.", _SERVICE),
    ("21709", _SETUP, "The Messaging Service may not use this sender name.", _REGISTER),
    ("30002", _SETUP, "The account was suspended before the message went out.", _ACCOUNT),
    ("30012", _SETUP, "The validity period is too short.", _OURS),
    ("30013", _SETUP, "The validity period is too long.", _OURS),
    ("30018", _SETUP, "The carrier wants the sender's name registered first.", _REGISTER),
    ("30024", _SETUP, "The carrier does not know our sending number.", _REGISTER),
    ("30032", _SETUP, "The toll-free number has not been verified.", _REGISTER),
    ("30034", _SETUP, "The sending number is not registered for the United States.", _REGISTER),
    # the text
    ("21602", _HOLD, "The text is empty.", _OURS),
    ("21617", _HOLD, "The text is longer than 1600 characters.", _TEXT),
    ("21618", _HOLD, "Twilio does not send this text.", _TEXT),
    ("21619", _HOLD, "Twilio could not create the message.", _OURS),
    ("30007", _NO, "Twilio or the carrier filtered the message out.", _FILTERED),
    ("30019", _NO, "The message is too large for the carrier.", _TEXT),
    # delivery failed, and may go well another day
    ("30001", _LATER, "The message waited too long in Twilio's queue.", _SLOW_DOWN),
    ("30003", _LATER, "The phone is off, out of reach, or cannot receive.", _ANOTHER_DAY),
    ("30008", _LATER, "The carrier gave no reason.", _ANOTHER_DAY),
    ("30017", _LATER, "The carrier's network is congested.", _ANOTHER_DAY),
    ("30020", _LATER, "Twilio failed inside while scheduling.", _ANOTHER_DAY),
    ("30021", _LATER, "Twilio failed inside while choosing a sender.", _ANOTHER_DAY),
    ("30022", _NOT_NOW, "The carrier's rate for our sender was exceeded.", _SLOW_DOWN),
    ("30023", _LATER, "The carrier's daily number of messages is reached.", _ANOTHER_DAY),
    ("30027", _LATER, "The carrier's daily number of messages is reached.", _ANOTHER_DAY),
    ("30036", _LATER, "The message waited longer than its validity period, so it was not sent.", _SLOW_DOWN),
    ("30410", _LATER, "The carrier did not answer in time; Twilio does not try again by itself.", _ANOTHER_DAY),
    ("30500", _LATER, "Twilio failed inside while sending.", _ANOTHER_DAY),
    # WhatsApp and other channels
    ("21654", _HOLD, "Variables were sent without a template.", _TEMPLATE),
    ("21655", _HOLD, "The template does not exist.", _TEMPLATE),
    ("21656", _HOLD, "The template's variables are not valid.", _TEMPLATE),
    ("63001", _SETUP, "The channel did not accept our credentials.", _SENDER),
    ("63002", _SETUP, "The channel does not know our sender.", _SENDER),
    ("63003", _NUMBER, "The channel does not know this number.", _NEW_NUMBER),
    ("63005", _HOLD, "The channel does not accept this content.", _TEMPLATE),
    ("63006", _HOLD, "The content cannot be written for this channel.", _TEMPLATE),
    ("63007", _SETUP, "Twilio has no channel for our sender.", _SENDER),
    ("63008", _SETUP, "The channel is set up wrongly.", _SENDER),
    ("63009", _LATER, "The channel's provider failed inside.", _ANOTHER_DAY),
    ("63010", _LATER, "Twilio failed inside while sending to the channel.", _ANOTHER_DAY),
    ("63011", _HOLD, "The channel does not accept the request.", _OURS),
    ("63012", _LATER, "The channel's provider failed inside.", _ANOTHER_DAY),
    ("63013", _HOLD, "The message breaks a rule of the channel.", _TEMPLATE),
    ("63014", _STOPPED, "The person blocked us or took back consent.", _RESPECT),
    ("63015", _SETUP, "The sandbox writes to people who joined it alone.", "Use a WhatsApp sender of your own."),
    ("63016", _HOLD, "Outside the 24-hour window WhatsApp takes approved templates alone.", _TEMPLATE),
    ("63017", _NOT_NOW, "The account sends too much at once.", _SLOW_DOWN),
    ("63018", _NOT_NOW, "The channel takes no more for the moment.", _SLOW_DOWN),
    ("63020", _SETUP, "The WhatsApp business account has a problem.", _ACCOUNT),
    ("63021", _HOLD, "The channel calls the content invalid.", _TEMPLATE),
    ("63022", _SETUP, "The sender's WhatsApp name certificate is not valid.", _SENDER),
    ("63023", _HOLD, "The channel gave a general error.", _OURS),
    ("63024", _NUMBER, "The number is not on this channel.", _NEW_NUMBER),
    ("63026", _HOLD, "The channel marked our content as spam.", _FILTERED),
    ("63027", _HOLD, "The template does not exist in this language.", _TEMPLATE),
    ("63028", _HOLD, "The template has another number of variables.", _TEMPLATE),
    ("63030", _HOLD, "The channel does not support a parameter that we sent.", _OURS),
    ("63031", _NUMBER, "The number is our own sender.", _NEW_NUMBER),
    ("63032", _NO, "WhatsApp does not let us write to this person.", _OTHER_WAY),
    ("63033", _NO, "The recipient may not receive messages.", _OTHER_WAY),
    ("63038", _SETUP, "The account's number of messages a day is used up.", _ACCOUNT),
    ("63041", _HOLD, "WhatsApp paused the template.", _TEMPLATE),
)  # fmt: skip

ERRORS = tuple(
    ErrorMeaning(code, kind, meaning, advice, f"https://www.twilio.com/docs/api/errors/{code}")
    for code, kind, meaning, advice in _ROWS
)
_BY_CODE = MappingProxyType({row.code: row for row in ERRORS})


def explain(code: str) -> ErrorMeaning | None:
    """The row of a code; None where the table lacks it."""
    return _BY_CODE.get(code)
