"""What the registry could not be told: looked at, tried again, or told otherwise."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.support import registry_desk
from notifier.support.registry_desk import Deed

_UNREADABLE = 422


def blueprint(services: Services) -> Blueprint:
    """`/work/registry`."""
    part = Blueprint("registry", __name__)

    @part.get("/work/registry")
    @needs(Permission.DEAD_LETTERS_READ)
    def page() -> str:
        return _page(services)

    @part.post("/work/registry")
    @needs(Permission.DEAD_LETTERS_ACT)
    def decide() -> AnyResponse:
        deed = request.form.get("deed", "")
        if deed not in set(Deed):
            abort(_UNREADABLE)
        try:
            done = registry_desk.decide(
                services,
                Deed(deed),
                request.form.getlist("row"),
                reason=request.form.get("reason", ""),
                actor=me().actor,
            )
        except BadInput as bad:
            return make_response(_page(services, problems_of(bad)), _UNREADABLE)
        return redirect(url_for("registry.page", done=done), 303)

    return part


def _page(services: Services, problems: dict[str, str] | None = None) -> str:
    done = request.args.get("done", "")
    return render_template(
        "registry.html",
        lines=registry_desk.listed(services),
        done=int(done) if done.isascii() and done.isdigit() and len(done) < 4 else None,
        problems=problems or {},
        ticked=set(request.form.getlist("row")),
        form=request.form,
    )
