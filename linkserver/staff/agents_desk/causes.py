"""`/desk/causes`: what cases are about, by facility, as a table and as bars."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from linkserver.staff import charts
from linkserver.staff.gate import needs
from linkserver.staff.vocabulary.case_reports import CAUSES
from linkserver.words import N_, _
from notifier.access.roles import Permission
from notifier.core.causes import Cause
from notifier.services import Services
from notifier.support.agents import causes

_SHOWN = 12  # facilities among the bars; the table has them all
_NOT_KNOWN = N_("Belum diketahui")
#: what is stacked: whose turn a cause makes it
GROUPS: dict[str, tuple[Cause, ...]] = {
    "missed": (Cause.NOT_ENTERED, Cause.WITHDRAWN),
    "stopped": (Cause.NUMBER_FAILED, Cause.NUMBER_BAD, Cause.NUMBER_DIFFERS, Cause.NOT_ME, Cause.OPTED_OUT),
    "waiting": (Cause.TOO_YOUNG, Cause.STILL_YOUNG, Cause.SCHEDULED, Cause.QUIET_HOURS, Cause.HELD),
    "delivered": (Cause.DELIVERED, Cause.OPENED, Cause.CORRECTED, Cause.LOCKED),
    "moving": (),  # and everything else
}
GROUP_WORDS: dict[str, str] = {
    "delivered": N_("Sudah sampai, tetapi tidak terbuka"),
    "moving": N_("Lainnya, dan yang belum diketahui"),
    "waiting": N_("Masih menunggu waktunya"),
    "missed": N_("Tidak dicatat fasilitas"),
    "stopped": N_("Nomornya bermasalah"),
}


def add_routes(part: Blueprint, services: Services) -> None:
    """`/desk/causes`."""

    @part.get("/desk/causes")
    @needs(Permission.DESK)
    def cause_page() -> str:
        asked = request.args.get("days", "")
        days = int(asked) if asked in {str(one) for one in causes.PERIODS} else causes.PERIODS[1]
        counted = causes.count(services, days)
        shown = counted.facilities[:_SHOWN]
        return render_template(
            "desk_causes.html",
            counted=counted,
            days=days,
            periods=causes.PERIODS,
            chart=charts.rows([grouped(one.numbers) for one in shown], [_name(one) for one in shown]),
            cause_words={**CAUSES, causes.NO_CAUSE: _NOT_KNOWN},
            group_words=GROUP_WORDS,
            name_of=_name,
        )


def grouped(numbers: dict[str, int]) -> dict[str, int]:
    """Numbers by cause as numbers by what is stacked."""
    group_of = {cause.value: name for name, members in GROUPS.items() for cause in members}
    found = dict.fromkeys(charts.STACK, 0)
    for cause, number in numbers.items():
        found[group_of.get(cause, "moving")] += number
    return found


def _name(one: causes.FacilityCauses) -> str:
    if one.facility_id is None:
        return _("Fasilitas belum diketahui")
    return one.name or one.facility_id
