"""What every page of the staff face needs: language, the reader's zone, the navigation, the words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask, g, request, session

from linkserver.staff import vocabulary
from linkserver.staff.gate import me
from linkserver.words import N_, Catalogue, _, install_words, language
from notifier.access.roles import Permission
from notifier.access.sessions import SignedIn
from notifier.certificates.facts import masked_nik
from notifier.core import words as dates
from notifier.core.phones import masked_phone, national_form
from notifier.services import Services
from notifier.support.agents.seen import without_numbers

LANGUAGE = "language"

#: the rail: text, endpoint, who sees it, the paths that belong to it
RAIL = (
    (N_("Beranda"), "home.page", Permission.HOME, "/"),
    (N_("Dosis"), "doses.day", Permission.DOSES_READ, "/doses"),
    (N_("Unggah daftar"), "uploads.page", Permission.UPLOADS, "/uploads"),
    (N_("Pesan"), "messages.search", Permission.MESSAGES_READ, "/messages"),
    (N_("Daftar kerja"), "work.page", Permission.MESSAGES_READ, "/work"),
    (N_("Kirim ulang"), "resends.page", Permission.BULK_READ, "/resends"),
    (N_("Kasus"), "cases.page", Permission.CASES_READ, "/cases"),
    (N_("Perbaikan data"), "own_corrections.page", Permission.CASES_READ, "/requests"),
    (N_("Meja layanan"), "desk.page", Permission.DESK, "/desk"),
    (N_("Jejak audit"), "audit.page", Permission.AUDIT_READ, "/audit"),
    (N_("Akun petugas"), "accounts.page", Permission.STAFF_MANAGE, "/accounts"),
    (N_("Kunci API"), "keys.page", Permission.API_KEYS_MANAGE, "/keys"),
    (N_("Setelan"), "settings.page", Permission.SETTINGS_READ, "/settings"),
    (N_("Penangkap SMS"), "catcher.page", Permission.CATCHER_READ, "/catcher"),
)


def install_screen(app: Flask, services: Services, catalogue: Catalogue) -> None:
    """Gives the templates their words, dates and navigation."""

    def choose() -> str:
        wish = g.me.language if g.get("me") else session.get(LANGUAGE) or (g.half.language if g.get("half") else None)
        return wish if wish in catalogue.languages else catalogue.languages[0]

    install_words(app, catalogue, choose)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        settings=services.settings,
        programme=lambda: services.programme,
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
        device_words=vocabulary.DEVICES,
        field_words=vocabulary.FIELDS,
        checked_words=vocabulary.CHECKED,
        upload_words=vocabulary.UPLOADS,
        column_words=vocabulary.COLUMNS,
        record_words=vocabulary.RECORDED,
        row_rule=vocabulary.row_rule_words,
        row_place=vocabulary.place_words,
        which_words=vocabulary.WHICH,
        actor_words=vocabulary.ACTORS,
        subject_words=vocabulary.SUBJECTS,
        key_state_words=vocabulary.KEY_STATES,
        scope_words=vocabulary.SCOPES,
        masked=masked_phone,
        masked_nik=masked_nik,
        call_words=vocabulary.CALLS,
        pile_words=vocabulary.PILES,
        registry_words=vocabulary.REGISTRY,
        registry_problems=vocabulary.REGISTRY_PROBLEMS,
        registry_refused=vocabulary.REFUSED,
        letter_words=vocabulary.DEAD_LETTERS,
        source_words=vocabulary.STOP_SOURCES,
        request_id=lambda: g.get("request_id", "-"),
    )
    app.jinja_env.filters.update(
        moment=_in_zone(services, dates.full_moment),
        soon=_in_zone(services, dates.long_moment),
        hour=_in_zone(services, dates.clock_time),
        age=lambda moment: _age(services.clock.now() - moment),
        national=national_form,
        without_numbers=without_numbers,
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


def _age(passed: timedelta) -> str:
    """How long ago, in the largest unit of which there are two."""
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes >= 2 * 24 * 60:
        return _("%(count)s hari", count=minutes // (24 * 60))
    if minutes >= 2 * 60:
        return _("%(count)s jam", count=minutes // 60)
    return _("%(count)s menit", count=minutes)
