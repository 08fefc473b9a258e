"""What every page of the staff face needs: language, the reader's zone, the navigation, the words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask, g, request, session

from linkserver.staff import vocabulary
from linkserver.staff.gate import me
from linkserver.words import N_, Catalogue, install_words, language
from notifier.access.roles import Permission
from notifier.access.sessions import SignedIn
from notifier.core import words as dates
from notifier.core.phones import masked_phone, national_form
from notifier.services import Services

LANGUAGE = "language"

#: the rail: text, endpoint, who sees it, the paths that belong to it
RAIL = (
    (N_("Beranda"), "home.page", Permission.HOME, "/"),
    (N_("Dosis"), "doses.day", Permission.DOSES_READ, "/doses"),
    (N_("Pesan"), "messages.search", Permission.MESSAGES_READ, "/messages"),
    (N_("Kirim ulang"), "resends.page", Permission.BULK_READ, "/resends"),
    (N_("Kasus"), "cases.page", Permission.CASES_READ, "/cases"),
    (N_("Setelan"), "settings.page", Permission.SETTINGS_READ, "/settings"),
    (N_("Penangkap SMS"), "catcher.page", Permission.CATCHER_READ, "/catcher"),
)


def install_screen(app: Flask, services: Services, catalogue: Catalogue) -> None:
    """Gives the templates their words, dates and navigation."""

    def choose() -> str:
        wish = g.me.language if g.get("me") else session.get(LANGUAGE)
        return wish if wish in catalogue.languages else catalogue.languages[0]

    install_words(app, catalogue, choose)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        settings=services.settings,
        who=_who,
        rail=lambda: _rail(app),
        languages=catalogue.languages,
        may=lambda name: _who() is not None and me().may(Permission(name)),
        state_words=vocabulary.STATES,
        reason_words=vocabulary.REASONS,
        deed_words=vocabulary.DEEDS,
        outcome_words=vocabulary.OUTCOMES,
        kind_words=vocabulary.KINDS,
        case_words=vocabulary.CASES,
        outcome_of_case=vocabulary.CASE_OUTCOMES,
        role_words=vocabulary.ROLES,
        masked=masked_phone,
        request_id=lambda: g.get("request_id", "-"),
    )
    app.jinja_env.filters.update(
        moment=_in_zone(services, dates.full_moment),
        soon=_in_zone(services, dates.long_moment),
        hour=_in_zone(services, dates.clock_time),
        national=national_form,
    )


def viewer_zone(services: Services) -> ZoneInfo:
    """The zone that times are shown in: the reader's, else the programme's."""
    person = _who()
    return person.zone if person else services.zone


def _who() -> SignedIn | None:
    person: SignedIn | None = g.get("me")
    return person


def _in_zone(services: Services, form: Callable[[datetime, ZoneInfo, str], str]) -> Callable[[datetime], str]:
    return lambda moment: form(moment, viewer_zone(services), language())


def _rail(app: Flask) -> list[tuple[str, str, bool]]:
    """(text, endpoint, whether we are there) of what exists and this reader may open."""
    person = _who()
    if person is None:
        return []
    return [
        (text, endpoint, request.path == path or (path != "/" and request.path.startswith(path + "/")))
        for text, endpoint, permission, path in RAIL
        if endpoint in app.view_functions and person.may(permission)
    ]
