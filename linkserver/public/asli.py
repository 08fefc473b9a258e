"""/asli: is this message ours? Asks the database for our own SMS texts alone, keeps nothing; what was pasted never
stands in an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, request

from linkserver.public.face import Face
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site
from notifier.certificates.genuine import Verdict, judge
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    services = face.services
    settings = services.settings
    texts = SmsTexts(TEMPLATES / "sms", settings.sender_name)

    def is_ours(text: str, link: str) -> bool:
        return texts.is_ours(text, link, services.reader.ever_used)

    @app.get("/asli")
    def asli() -> Response:
        return _page(None)

    @app.post("/asli")
    def judged() -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        text = request.form.get("text", "")
        if not text.strip():
            return _page(None, is_missing=True)
        contacts, more = (settings.help_email,), {"kasus": services.trackers, "me/no": services.objections}
        verdict = judge(services.links, settings.public_url, text, is_ours, contacts=contacts, more=more)
        return _page(verdict)

    def _page(verdict: Verdict | None, *, is_missing: bool = False) -> Response:
        """What was pasted is not shown again: somebody else may stand beside the next one who looks."""
        host = urlsplit(settings.public_url).netloc
        page = render_template("asli.html", verdict=verdict, is_missing=is_missing, host=host)
        response = make_response(page)
        response.status_code = 422 if is_missing else 200
        return response
