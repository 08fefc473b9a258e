"""The work lists: what waits for somebody, and the same decision for the rows that are ticked."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, NotFound
from notifier.core.schedule import PROMISE
from notifier.messages.alarms import AHEAD
from notifier.services import Services
from notifier.store.work import MOST_COUNTED, Pile
from notifier.support import work
from notifier.support.unknown import Decided
from notifier.support.work import DEEDS, Deed

_UNREADABLE = 422
_REFUSED = re.compile(r"([0-9A-Za-z-]{1,36})\.([a-z-]{1,40})", re.ASCII)
_MOST_TOLD = 50


def blueprint(services: Services) -> Blueprint:
    """`/work`, `/work/<pile>`, `/work/stopped`."""
    part = Blueprint("work", __name__)

    @part.get("/work")
    @needs(Permission.MESSAGES_READ)
    def page() -> str:
        seen = work.overview(
            services,
            only_facility=me().only_facility,
            with_cases=me().may(Permission.CASES_READ),
            with_letters=me().may(Permission.DEAD_LETTERS_READ),
        )
        return render_template("work.html", seen=seen, most=MOST_COUNTED, hours=AHEAD.seconds // 3600)

    @part.get("/work/<name>")
    @needs(Permission.MESSAGES_READ)
    def pile(name: str) -> str:
        return _pile_page(services, _pile(name))

    @part.post("/work/<name>")
    @needs(Permission.MESSAGES_ACT)
    def decide(name: str) -> AnyResponse:
        chosen, deed = _pile(name), request.form.get("deed", "")
        if deed not in DEEDS.get(chosen, ()):
            abort(_UNREADABLE)
        try:
            decided = _decide(services, Deed(deed))
        except BadInput as bad:
            return make_response(_pile_page(services, chosen, problems=problems_of(bad)), _UNREADABLE)
        where: dict[str, Any] = {"name": name, "facility": request.form.get("facility", "").replace("\0", "") or None}
        return redirect(url_for("work.pile", deed=deed, **where, **_told(decided)), 303)

    _stopped(part, services)
    return part


def _stopped(part: Blueprint, services: Services) -> None:
    @part.get("/work/stopped")
    @needs(Permission.MESSAGES_READ)
    def stopped() -> str:
        return _stopped_page(services)

    @part.post("/work/stopped")
    @needs(Permission.CASES_ACT)
    def lift() -> AnyResponse:
        try:
            if request.form.get("asked") != "yes":
                raise BadInput.of("asked", "required", "the person must have asked for it")
            decided = _decide(services, Deed.LIFT)
        except BadInput as bad:
            return make_response(_stopped_page(services, problems=problems_of(bad)), _UNREADABLE)
        return redirect(url_for("work.stopped", deed=Deed.LIFT.value, **_told(decided)), 303)


def _pile(name: str) -> Pile:
    try:
        return Pile(name)
    except ValueError:
        raise NotFound("there is no such list") from None


def _decide(services: Services, deed: Deed) -> Decided:
    is_all = request.form.get("all") == "yes"  # of the page as it was shown, whatever stands there by now
    return work.decide(
        services,
        deed,
        request.form.getlist("shown" if is_all and deed is not Deed.LIFT else "row"),
        reason=request.form.get("reason", ""),
        actor=me().actor,
        only_facility=me().only_facility,
    )


def _told(decided: Decided) -> dict[str, Any]:
    """What became of the rows, for the address of the page that says so."""
    refused = " ".join(f"{one}.{rule}" for one, rule in decided.refused[:_MOST_TOLD] if one.isascii())
    return {"done": decided.done, "refused": refused or None}


def _after_deed() -> dict[str, Any]:
    """The same, read again."""
    done = request.args.get("done", "")
    refused = [found.groups() for found in map(_REFUSED.fullmatch, request.args.get("refused", "").split()) if found]
    is_told = request.args.get("deed", "") in set(Deed) and done.isascii() and done.isdigit() and len(done) < 4
    if not is_told:
        return {"done": None, "deed": None, "refused": []}
    return {"done": int(done), "deed": request.args["deed"], "refused": refused[:_MOST_TOLD]}


def _pile_page(services: Services, pile: Pile, problems: dict[str, str] | None = None) -> str:
    values = request.form if problems else request.args
    seen = work.page(
        services,
        pile,
        only_facility=me().only_facility,
        facility=values.get("facility", "").replace("\0", "") or None,
        with_persons=me().may(Permission.PERSONS_READ),
        after=values.get("after") or None,
    )
    return render_template(
        "pile.html",
        pile=pile,
        seen=seen,
        deeds=DEEDS.get(pile, ()) if me().may(Permission.MESSAGES_ACT) else (),
        now=services.clock.now(),
        promise=PROMISE,
        problems=problems or {},
        ticked=set(request.form.getlist("row")),
        form=request.form,
        after=values.get("after", ""),
        **_after_deed(),
    )


def _stopped_page(services: Services, problems: dict[str, str] | None = None) -> str:
    values = request.form if problems else request.args
    lines, more = work.stopped(
        services,
        only_facility=me().only_facility,
        with_persons=me().may(Permission.PERSONS_READ),
        after=values.get("after") or None,
    )
    return render_template(
        "stopped.html",
        lines=lines,
        more=more,
        problems=problems or {},
        ticked=set(request.form.getlist("row")),
        form=request.form,
        after=values.get("after", ""),
        **_after_deed(),
    )
