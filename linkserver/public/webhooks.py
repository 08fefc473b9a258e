"""The provider's delivery receipts: signed, small, answered fast; a forged one changes nothing."""

from __future__ import annotations

from flask import Flask, Response, request

from linkserver.public.face import Face
from notifier.gateways import BadWebhook
from notifier.messages import receipts

_MAX_BODY = 16 * 1024


def add_routes(app: Flask, face: Face) -> None:
    """Always open: without receipts nobody knows what arrived."""

    @app.post("/twilio/status/<reference>")
    def twilio_status(reference: str) -> Response:
        request.max_content_length = _MAX_BODY
        query = request.query_string.decode("ascii", "replace")
        path = f"{request.path}?{query}" if query else request.path
        try:
            receipt = face.services.gateway.read_receipt(
                reference, path, request.form.to_dict(), request.headers.get("X-Twilio-Signature", "")
            )
        except BadWebhook:
            app.logger.warning("a webhook without a valid signature was refused")
            return Response(status=403)
        receipts.apply(face.services, receipt)
        return Response(status=204)
