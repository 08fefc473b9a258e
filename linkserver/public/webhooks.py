"""The provider's webhooks: delivery receipts, and what people write to our sender. Signed, small, answered fast; a
forged or repeated one changes nothing."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from linkserver.public.face import Face
from linkserver.words import N_, Catalogue
from notifier.core.opt_out_words import Meaning
from notifier.gateways import BadWebhook
from notifier.messages import receipts
from notifier.settings import Settings
from notifier.support import opt_out

_MAX_BODY = 16 * 1024
_MAX_INBOUND = 64 * 1024  # a WhatsApp message has up to 4,096 characters, 12 bytes each in a form
_ANSWER_LANGUAGES = ("id", "en")  # nobody can say which one who writes STOP reads

#: one GSM-7 segment in both languages together
ANSWERS = {
    Meaning.STOP: N_("Pesan ke nomor ini dihentikan. Balas MULAI untuk menerima lagi."),
    Meaning.START: N_("Nomor ini menerima pesan lagi. Balas BERHENTI untuk menghentikan."),
    Meaning.HELP: N_("Bantuan: %(phone)s. Balas BERHENTI agar tidak dikirimi lagi."),
}


def add_routes(app: Flask, face: Face) -> None:
    """Always open: without receipts nobody knows what arrived, and a STOP is always heard."""

    @app.post("/twilio/status/<reference>")
    def twilio_status(reference: str) -> Response:
        request.max_content_length = _MAX_BODY
        try:
            receipt = face.services.gateway.read_receipt(reference, _path(), request.form.to_dict(), _signature())
        except BadWebhook:
            return _refused(app)
        receipts.apply(face.services, receipt)
        return Response(status=204)

    @app.post("/twilio/inbound")
    def twilio_inbound() -> Response:
        request.max_content_length = request.max_form_memory_size = _MAX_INBOUND
        gateway = face.services.gateway
        try:
            message = gateway.read_inbound(_path(), request.form.to_dict(), _signature())
        except BadWebhook:
            return _refused(app)
        received = opt_out.receive(face.services, message)
        text = answer_text(_catalogue(), face.services.settings, received.meaning) if received.wants_answer else None
        answer = gateway.answer_inbound(text)
        return Response(answer.body, content_type=answer.content_type)


def answer_text(catalogue: Catalogue, settings: Settings, meaning: Meaning) -> str:
    """What is sent back, in both languages."""
    said = [catalogue.say(language, ANSWERS[meaning]) for language in _ANSWER_LANGUAGES]
    values = {"phone": settings.help_phone or settings.help_whatsapp}
    return f"{settings.sender_name}: {' / '.join(text % values for text in said)}"


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
