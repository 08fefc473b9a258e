"""/m/<token>: the PDF that a chat sends, for the provider to fetch. Whatever does not work: there is no such page."""

from __future__ import annotations

from flask import Flask, Response, abort, request

from linkserver.devices import device_kind
from linkserver.public.face import Face
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.signing import pdf_signer
from notifier.certificates.view import certificate_with_qr
from notifier.core.errors import Refused
from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.services import TEMPLATES
from notifier.support.chat import files

_TYPE = "application/pdf"
_NAME = "sertifikat-vaksin.pdf"


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `whatsapp`."""
    renderer, signer = CertificateRenderer(TEMPLATES / "certificate"), pdf_signer(face.services)

    @app.get(f"/m/<string(length={TOKEN_LENGTH}):token>")
    def file(token: str) -> Response:
        if request.method == "HEAD":  # a provider that asks for the type first uses up nothing
            return _pdf(b"") if files.is_there(face.services, token) else abort(404)
        fetched = files.fetch(face.services, token, device=device_kind(request.user_agent.string))
        if fetched is None:
            abort(404)
        try:
            facts, qr = certificate_with_qr(face.services, fetched.certificate_id)
        except Refused:  # nothing can be drawn without a birth date
            abort(404)
        return _pdf(signer.sign(renderer.pdf(facts, qr), face.services.clock.now()))


def _pdf(data: bytes) -> Response:
    response = Response(data, content_type=_TYPE)
    response.headers["Content-Disposition"] = f'inline; filename="{_NAME}"'
    return response
