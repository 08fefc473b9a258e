"""The provider's webhooks: delivery receipts, and what people write to our sender. Signed, small, answered fast; a
forged or repeated one changes nothing."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from linkserver.public.face import Face
from linkserver.security import answer_ahead
from linkserver.webhook_ahead import PATH, InboundAhead
from linkserver.words import Catalogue
from notifier.gateways import BadWebhook
from notifier.messages import receipts
from notifier.support import inbound
from notifier.support.chat import outbox

_MAX_BODY = 16 * 1024
_MAX_INBOUND = 64 * 1024  # a WhatsApp message has up to 4,096 characters, 12 bytes each in a form


def add_routes(app: Flask, face: Face) -> None:
    """Always open: without receipts nobody knows what arrived, and a STOP is always heard."""
    answer_ahead(app, InboundAhead(face.services, app.extensions["words"], _MAX_INBOUND))

    @app.post("/twilio/status/<reference>")
    def twilio_status(reference: str) -> Response:
        request.max_content_length = _MAX_BODY
        try:
            receipt = face.services.gateway.read_receipt(reference, _path(), request.form.to_dict(), _signature())
        except BadWebhook:
            return _refused(app)
        if not outbox.note(face.services, receipt):
            receipts.apply(face.services, receipt)
        return Response(status=204)

    @app.post(PATH)
    def twilio_inbound() -> Response:
        request.max_content_length = request.max_form_memory_size = _MAX_INBOUND
        gateway = face.services.gateway
        try:
            message = gateway.read_inbound(_path(), request.form.to_dict(), _signature())
        except BadWebhook:
            return _refused(app)
        answer = gateway.answer_inbound(inbound.take(face.services, message, _catalogue()))
        return Response(answer.body, content_type=answer.content_type)


def _catalogue() -> Catalogue:
    words: Catalogue = current_app.extensions["words"]
    return words


def _path() -> str:
    """What follows our public address, as the provider signed it."""
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def _signature() -> str:
    return request.headers.get("X-Twilio-Signature", "")


def _refused(app: Flask) -> Response:
    app.logger.warning("a webhook without a valid signature was refused")
    return Response(status=403)
