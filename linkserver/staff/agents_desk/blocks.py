"""`/desk/texts`: ready-made texts for answers. The programme's own take the place of ours; every version is kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.settings import base_revision
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Conflict, Refused
from notifier.services import Services
from notifier.support import programme
from notifier.support.agents import blocks
from notifier.support.agents.blocks import Block


def add_routes(part: Blueprint, services: Services) -> None:
    """`/desk/texts`, `/desk/texts/<language>/<name>`."""

    @part.get("/desk/texts")
    @needs(Permission.DESK)
    def texts() -> str:
        return _list(services)

    @part.post("/desk/texts")
    @needs(Permission.SETTINGS_WRITE)
    def new_text() -> AnyResponse:
        try:
            name = blocks.new_name(request.form.get("name", ""))
        except BadInput as bad:
            return make_response(_list(services, problems_of(bad)), 422)
        language = "en" if request.form.get("language") == "en" else "id"
        return redirect(url_for("desk.text", language=language, name=name), 303)

    @part.get("/desk/texts/<language>/<name>")
    @needs(Permission.DESK)
    def text(language: str, name: str) -> str:
        block = blocks.find(services, language, name)
        return _page(services, block, block.text)

    @part.post("/desk/texts/<language>/<name>")
    @needs(Permission.SETTINGS_WRITE)
    def change_text(language: str, name: str) -> AnyResponse:
        block = blocks.find(services, language, name)
        typed, step = request.form.get("text", ""), request.form.get("step")
        reason, base = request.form.get("reason", ""), base_revision()
        try:
            if step == "reset":
                blocks.reset(services, block, base=base, reason=reason, actor=me().actor)
            else:
                blocks.save(services, block, typed, base=base, reason=reason, actor=me().actor)
        except BadInput as bad:
            return make_response(_page(services, block, typed, problems=problems_of(bad)), 422)
        except Refused as refused:
            return make_response(_page(services, block, typed, refused=refused.reason), 409)
        except Conflict:
            return make_response(_page(services, block, typed, is_overtaken=True), 409)
        return redirect(url_for("desk.texts", done="text" if step != "reset" else "reset"), 303)


def _list(services: Services, problems: dict[str, str] | None = None) -> str:
    return render_template(
        "desk_texts.html",
        blocks=blocks.listed(services),
        problems=problems or {},
        form=request.form,
        done=request.args.get("done"),
    )


def _page(services: Services, block: Block, typed: str, **more: Any) -> str:
    shown: dict[str, Any] = {"problems": {}, "refused": None, "is_overtaken": False}
    return render_template(
        "desk_text.html",
        block=block,
        typed=typed,
        most=blocks.MAX_BLOCK,
        changes=programme.history(services, block.key),
        reason=request.form.get("reason", ""),
        **(shown | more),
    )
