"""What somebody wrote to our sender, kept before the framework wakes: a chat comes as hundreds of webhooks a second,
and the provider waits for each. Whatever is not as the provider sends it goes the long way, and so does whatever goes
wrong here: it is met again there, and answered as what it is. Keeping a message twice keeps it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from notifier.catalogue import Catalogue
from notifier.gateways import InboundAnswer
from notifier.services import Services
from notifier.support import inbound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/twilio/inbound"
_TYPES = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8")


class InboundAhead:
    """`longest`: bytes of a body that are read."""

    def __init__(self, services: Services, catalogue: Catalogue, longest: int) -> None:
        self._services = services
        self._catalogue = catalogue
        self._longest = longest

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """The answer, or None for the long way, which finds the body unread."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST" or environ.get("QUERY_STRING"):
            return None
        length = environ.get("CONTENT_LENGTH") or ""
        if environ.get("CONTENT_TYPE", "").lower() not in _TYPES or not length.isdecimal():
            return None
        if int(length) > self._longest:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        try:
            answer = self._answer(body, environ.get("HTTP_X_TWILIO_SIGNATURE", ""))
        except Exception:  # a forged one, or no database: the long way says so
            return None
        said = answer.body.encode()
        start_response("200 OK", [("Content-Type", answer.content_type), ("Content-Length", str(len(said)))])
        return [said]

    def _answer(self, body: bytes, signature: str) -> InboundAnswer:
        gateway = self._services.gateway
        message = gateway.read_inbound(PATH, _form(body), signature)
        return gateway.answer_inbound(inbound.take(self._services, message, self._catalogue))


def _form(body: bytes) -> dict[str, str]:
    """By name; of two of a name the first, as the framework has it."""
    return dict(reversed(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")))
