"""What we tell the registry, over its two ways: a queue of the broker, and a webhook.

The event is thin: ids of the registry's own and names of fields. What the fields hold now is asked for with an API key
(docs/registry.md). The webhook is signed as Standard Webhooks 1.0 asks: HMAC-SHA256 over id, time and body, so that a
copy with another body, or sent again a day later, is known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from kombu import Connection, Exchange, Producer, Queue

#: seconds for a connection, and for each answer
TIMEOUT_S = 5.0
_SECRET_PREFIX = "whsec_"  # noqa: S105  # how Standard Webhooks marks a secret in base64
_MOST_ANSWER = 1024  # bytes; what a registry says more is not read
_AGAIN = frozenset({408, 425, 429})
_OK = range(200, 300)
_FAULT = 500


@dataclass(frozen=True, slots=True)
class RegistryMessage:
    """One event to be told. `doses`: the registry's ids of the doses; `fields`: names of what changed."""

    event_id: str
    event_type: str
    occurred_at: datetime
    doses: tuple[str, ...]
    fields: tuple[str, ...]

    def body(self) -> bytes:
        """Its JSON, the same on both ways."""
        told: dict[str, Any] = {
            "event_id": self.event_id,
            "event_type": self.event_type,
            "occurred_at": self.occurred_at.isoformat(),
            "dose_ids": list(self.doses),
            "changed": list(self.fields),
        }
        return json.dumps(told, separators=(",", ":")).encode()


class Told(StrEnum):
    """What one post came to."""

    TAKEN = "taken"
    AGAIN = "again"  #: not taken now; worth another try
    REFUSED = "refused"  #: not taken, and never will be as it is
    AWAY = "away"  #: nobody answers there; the next ones need not be tried now


@dataclass(frozen=True, slots=True)
class Answer:
    """`problem`: a short word for people, never anything that the registry wrote."""

    told: Told
    problem: str = ""


def registry_queue(name: str, *, on_rabbitmq: bool) -> Queue:
    """The queue that a registry reads: durable; on RabbitMQ a quorum queue."""
    arguments = {"x-queue-type": "quorum"} if on_rabbitmq else None
    exchange = Exchange(name, type="direct", durable=True)
    return Queue(name, exchange, routing_key=name, durable=True, queue_arguments=arguments)


def publish(connect: Callable[[], Connection], name: str, messages: Sequence[RegistryMessage]) -> None:
    """Puts events on the registry's queue. Returns when the broker has them; raises what kombu raises where it may not
    have: then all are sent again, and the registry knows the copies by their ids."""
    with connect() as connection:
        queue = registry_queue(name, on_rabbitmq=connection.transport.driver_type == "amqp")
        with connection.channel() as channel:
            producer = Producer(channel)
            for message in messages:
                producer.publish(
                    message.body(),
                    exchange=queue.exchange,
                    routing_key=queue.routing_key,
                    declare=[queue],
                    content_type="application/json",
                    content_encoding="utf-8",
                    delivery_mode=2,
                    message_id=message.event_id,
                )


def sign(secrets: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. With several secrets each signs, so that one can be changed."""
    moment = str(int(at.timestamp()))
    said = b".".join((event_id.encode(), moment.encode(), body))
    made = [base64.b64encode(hmac.digest(_secret(secret), said, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }


def _secret(text: str) -> bytes:
    if text.startswith(_SECRET_PREFIX):
        try:
            return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return text.encode()


class Webhook:
    """Posts to one address. Follows no redirect: what is signed for one address goes to no other."""

    def __init__(self, url: str, secrets: Sequence[str], timeout_s: float = TIMEOUT_S) -> None:
        self._parts = urlsplit(url)
        self._secrets = secrets
        self._timeout_s = timeout_s

    def post(self, message: RegistryMessage, at: datetime) -> Answer:
        """Tells one event; `at`: now."""
        body = message.body()
        headers = sign(self._secrets, message.event_id, at, body) | {"content-type": "application/json"}
        link = self._link()
        try:
            link.request("POST", self._parts.path or "/", body=body, headers=headers)
            answer = link.getresponse()
            answer.read(_MOST_ANSWER)
            return _answer_of(answer.status)
        except TimeoutError:
            return Answer(Told.AWAY, "timeout")
        except (OSError, http.client.HTTPException) as error:
            return Answer(Told.AWAY, "tls" if isinstance(error, ssl.SSLError) else "no-connection")
        finally:
            link.close()

    def _link(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)


def _answer_of(status: int) -> Answer:
    if status in _OK:
        return Answer(Told.TAKEN)
    problem = f"http-{status}"
    return Answer(Told.AGAIN if status in _AGAIN or status >= _FAULT else Told.REFUSED, problem)
