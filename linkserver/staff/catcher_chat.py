"""The catcher's telephones: a chat window in which somebody plays a person. Local only, as the catcher is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import needs
from linkserver.words import N_
from notifier.access.roles import Permission
from notifier.core.phones import BadPhone, national_form
from notifier.core.states import Said
from notifier.services import Services
from notifier.store.caught_chat import Bubble
from notifier.support.chat import play

_UNREADABLE = 422
_LONGEST = 4_096  # characters of a WhatsApp message
#: what may be sent instead of a text
OTHERS = (
    (Said.VOICE, N_("Pesan suara")),
    (Said.STICKER, N_("Stiker")),
    (Said.PICTURE, N_("Foto")),
    (Said.PLACE, N_("Lokasi")),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One bubble, its text cut into (text, whether it is a link of ours)."""

    bubble: Bubble
    parts: tuple[tuple[str, bool], ...]


def add_routes(part: Blueprint, services: Services) -> None:
    """`/catcher/chat`."""
    link = re.compile(f"({re.escape(services.settings.public_url)}/[0-9A-Za-z/_-]+)", re.ASCII)

    @part.get("/catcher/chat")
    @needs(Permission.CATCHER_READ)
    def chat() -> AnyResponse:
        typed = request.args.get("hp", "").replace("\0", "")
        return make_response(*_page(services, link, typed))

    @part.post("/catcher/chat")
    @needs(Permission.CATCHER_READ)
    def write() -> AnyResponse:
        typed = request.form.get("hp", "").replace("\0", "")
        try:
            phone = play.read_number(services, typed)
        except BadPhone:
            return make_response(*_page(services, link, typed))
        said, text = request.form.get("said", ""), request.form.get("text", "").replace("\0", "")[:_LONGEST]
        kinds = [kind for kind, _word in OTHERS]
        if said in kinds:
            play.write(services, phone, "", Said(said))
        else:
            play.write(services, phone, request.form.get("choice") or text)
        return redirect(url_for("catcher.chat", hp=national_form(phone), live=1), 303)


def _page(services: Services, link: re.Pattern[str], typed: str) -> tuple[str, int]:
    known = [national_form(phone) for phone in play.phones(services)]
    played, wrong = None, False
    if typed:
        try:
            played = play.look(services, play.read_number(services, typed))
        except BadPhone:
            wrong = True
    page = render_template(
        "catcher_chat.html",
        typed=typed,
        wrong=wrong,
        known=known,
        played=played,
        bubbles=[_shown(bubble, link) for bubble in played.bubbles] if played else [],
        others=OTHERS,
        live=request.args.get("live") == "1",  # looks again by itself until the answer is there
        open=services.settings.chats,
    )
    return page, _UNREADABLE if wrong else 200


def _shown(bubble: Bubble, link: re.Pattern[str]) -> Shown:
    pieces = link.split(bubble.text)
    return Shown(bubble, tuple((piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece))
