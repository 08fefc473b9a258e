"""All there is to know about Twilio's Messages API.

`gateway` implements the Gateway protocol; `client` and `line` speak HTTP; `outcomes` reads what came back; `errors` and
`statuses` are Twilio's words as data; `signature` checks its webhooks; `inbound` reads and answers what people write to
us; `whatsapp` writes the messages of a chat. May live here: what would be thrown away with Twilio. May not: states,
schedules, decisions, the environment, the database.
"""

from notifier.gateways.twilio.gateway import TwilioGateway
from notifier.gateways.twilio.whatsapp import WhatsApp

__all__ = ["TwilioGateway", "WhatsApp"]
