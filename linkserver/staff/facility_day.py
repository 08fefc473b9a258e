"""The facility's list: a day's doses with each one's stage, and what needs help over the last two weeks. A facility's
staff see their own; the others choose one, by its name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import STAGES
from notifier.access.roles import Permission
from notifier.core.errors import NotFound
from notifier.services import Services
from notifier.support import facility_day
from notifier.support.cases import Line as CaseLine
from notifier.support.facility_day import Facility, Stage

_ONE_DAY = timedelta(days=1)
_FIRST_DAY = date(2000, 1, 1)  # there is none before, and some zones could not say when the first of all began


def add_lists(part: Blueprint, services: Services) -> None:
    """`/doses` and `/doses/help`."""

    @part.get("/doses")
    @needs(Permission.DOSES_READ)
    def day() -> str:
        facility = _looked_at(services)
        if facility is None:
            return _chooser(services)
        today = services.clock.now().astimezone(me().zone).date()
        wanted = _wanted_day(today)
        since, until = (datetime.combine(wanted + n * _ONE_DAY, time(), me().zone).astimezone(UTC) for n in (0, 1))
        stage = _wanted_stage()
        return _list(
            services,
            facility,
            facility_day.day(
                services, facility.id, since, until, stage=stage, before=_before(), with_persons=_sees_persons()
            ),
            day=wanted,
            today=today,
            one=_ONE_DAY,
            stage=stage,
            counts=facility_day.counts(services, facility.id, since, until),
        )

    @part.get("/doses/help")
    @needs(Permission.DOSES_READ)
    def asking_for_help() -> str:
        facility = _looked_at(services)
        if facility is None:
            return _chooser(services)
        page = facility_day.asking_for_help(services, facility.id, before=_before(), with_persons=_sees_persons())
        return _list(services, facility, page, day=None, stage=Stage.HELP, days=facility_day.HELP_FOR.days)


def _list(services: Services, facility: Facility, page: facility_day.Page, **more: Any) -> str:
    reports: list[CaseLine] = []
    more_reports = False
    if me().may(Permission.CASES_READ) and _before() is None:
        reports, more_reports = facility_day.not_me_reports(services, facility.id, with_persons=_sees_persons())
    return render_template(
        "doses.html",
        facility=facility,
        is_own=facility.id == me().facility_id,
        at={} if me().only_facility is not None else {"facility": facility.id},
        page=page,
        stages=STAGES,
        number_helps=facility_day.number_helps,
        needs_help=facility_day.needs_help,
        reports=reports,
        more_reports=more_reports,
        is_first=_before() is None,
        **more,
    )


def _looked_at(services: Services) -> Facility | None:
    """The facility whose list is wanted; None where one is to be chosen. Raises NotFound, also for another's."""
    wanted, own = request.args.get("facility", ""), me().only_facility
    if own is not None:
        if wanted and wanted != own:
            raise NotFound("another facility's list")
        wanted = own
    elif "find" not in request.args:
        wanted = wanted or me().facility_id or ""
    if not wanted or "\0" in wanted:
        return None
    try:
        return facility_day.find(services, wanted)
    except NotFound:
        if wanted == me().facility_id:
            return Facility(wanted, wanted)  # nothing was recorded there yet
        raise


def _chooser(services: Services) -> str:
    words = request.args.get("find", "").replace("\0", "")
    found = facility_day.search(services, words) if me().only_facility is None else []
    return render_template("facilities.html", found=found, words=words, bound=me().only_facility is not None)


def _wanted_day(today: date) -> date:
    try:
        return max(_FIRST_DAY, min(date.fromisoformat(request.args.get("day", "")), today))
    except ValueError:
        return today


def _wanted_stage() -> Stage:
    try:
        return Stage(request.args.get("stage", ""))
    except ValueError:
        return Stage.ALL


def _before() -> str | None:
    """The id of the last dose of the page before; anything else starts at the newest."""
    try:
        return str(UUID(request.args.get("before", "")))
    except ValueError:
        return None


def _sees_persons() -> bool:
    return me().may(Permission.PERSONS_READ)
