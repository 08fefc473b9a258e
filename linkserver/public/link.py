"""/c/<token>: the landing says nothing about anybody and changes nothing; the birth date opens."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request, url_for

from linkserver.ahead import LandingAhead
from linkserver.devices import device_kind
from linkserver.public.buttons import is_pressed, lead, led_on
from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, UNREADABLE, link_page, state_page
from linkserver.security import answer_ahead, is_cross_site
from linkserver.words import N_, SOURCE_LANGUAGE, language
from notifier.certificates.birth_dates import read_birth_date
from notifier.certificates.opening import Answer, LinkState, Try, look, press_button, try_birth_date
from notifier.core.errors import BadInput, Problem
from notifier.core.link_tokens import TOKEN_LENGTH, trimmed
from notifier.settings import LinkCheck

_FIELDS = ("day", "month", "year")
_LONGEST_FIELD = 20
_SAYS_WHOSE_AT = 3  # tries left from which the page says whose birth date it asks for

DATE_WORDS = {
    "day-missing": N_("Isi tanggalnya, misalnya 17"),
    "day-unreadable": N_("Tulis tanggal dengan angka 1 sampai 31, misalnya 17"),
    "month-missing": N_("Isi bulannya, misalnya 8 atau Agustus"),
    "month-unreadable": N_("Tulis bulan dengan angka 1 sampai 12 atau namanya, misalnya 8 atau Agustus"),
    "year-missing": N_("Isi tahunnya, misalnya 1984"),
    "year-digits": N_("Tulis tahun dengan 4 angka, misalnya 1984"),
    "date-too-early": N_("Tahun ini terlalu lama. Periksa lagi keempat angkanya"),
    "date-impossible": N_("Tanggal ini tidak ada di bulan itu. Periksa tanggal dan bulannya"),
    "date-future": N_("Tanggal ini belum terjadi. Periksa tahunnya"),
}


def add_routes(app: Flask, face: Face) -> None:
    """Opens the door `link`."""

    landings: dict[str, str] = {}
    ahead = LandingAhead(
        lambda token: look(face.services, token).state is LinkState.LIVE, lambda: landings.get(SOURCE_LANGUAGE)
    )
    answer_ahead(app, ahead)

    @app.get("/c/<path:token>")
    def landing(token: str) -> Response:
        canonical = _trimmed(token)
        seen = look(face.services, canonical)
        if seen.state is not LinkState.LIVE:
            return link_page(seen)
        if canonical != token:
            return lead(url_for("landing", token=canonical), 302)
        return _landing(face, landings)

    @app.post("/c/<path:token>")
    def open_link(token: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        token = _trimmed(token)
        device, address = device_kind(request.user_agent.string), request.remote_addr or ""
        if not is_pressed() and face.services.settings.link_check is LinkCheck.NONE:
            return _answer(face, press_button(face.services, token, device=device, address=address))
        seen = look(face.services, token)  # before the form is judged: nobody corrects a date for a dead link
        if is_pressed():
            return led_on(token, seen)
        if seen.state is not LinkState.LIVE:
            return link_page(seen)
        typed = [request.form.get(name, "")[:_LONGEST_FIELD] for name in _FIELDS]
        today = face.services.clock.now().astimezone(face.services.zone).date()
        try:
            born = read_birth_date(*typed, today=today)
        except BadInput as error:
            return _form(face, problems=error.problems, status=422)
        return _answer(face, try_birth_date(face.services, token, born, device=device, address=address))


def _landing(face: Face, written: dict[str, str]) -> Response:
    """The same bytes for every live link, so drawn once a language. A query may choose another one, and stands in the
    page's own links."""
    if request.query_string:
        return _form(face)
    page = written.get(language())
    if page is None:
        page = written[language()] = _form(face).get_data(as_text=True)
    return make_response(page)


def _answer(face: Face, tried: Try) -> Response:
    if tried.answer is Answer.LIMITED:
        return state_page(LIMITED, retry_after_s=tried.retry_after_s)
    if tried.answer is Answer.WRONG:
        return _form(face, tries_left=tried.look.tries_left, status=422)
    if tried.answer is not Answer.OPENED or tried.look.public_id is None:
        return link_page(tried.look)
    response = lead("", 303)
    view = face.views.add(request, response, tried.look.public_id, tried.proof)
    response.location = url_for("certificate", view=view)
    return response


def _form(
    face: Face, *, problems: tuple[Problem, ...] = (), tries_left: int | None = None, status: int = 200
) -> Response:
    """The landing: without problems the same bytes for every live link."""
    # of a GET nothing: what is shown then is kept for everybody, and a crafted one can bring a body
    typed = request.form if request.method == "POST" else {}
    page = render_template(
        "landing.html",
        asks=face.services.settings.link_check is not LinkCheck.NONE,
        problems=[(problem.field, DATE_WORDS[problem.rule]) for problem in problems],
        typed={name: typed.get(name, "")[:_LONGEST_FIELD] for name in _FIELDS},
        tries_left=tries_left,
        says_whose=tries_left is not None and tries_left <= _SAYS_WHOSE_AT,
    )
    response = make_response(page)
    response.status_code = status
    return response


def _trimmed(token: str) -> str:
    """A token without what phones leave behind it; what has no chance to be one stays as it is."""
    short = trimmed(trimmed(token).rstrip("/"))
    return short if len(short) == TOKEN_LENGTH else token
