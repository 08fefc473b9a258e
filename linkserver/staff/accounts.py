"""Accounts of staff, for the administrator: the list, a new one, and what is done to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access import manage
from notifier.access.manage import Deed
from notifier.access.passwords import Passwords
from notifier.access.roles import FACILITY_ROLES, Permission, Role
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.services import Services

_UNREADABLE, _CONFLICT, _NOT_THERE = 422, 409, 404
_DONE = frozenset({"role", "deactivate", "reactivate", "second-factor", "sessions"})
_ROLE_FIELDS = ("role", "facility_id", "facility_name")
_FIELDS = ("username", "display_name", *_ROLE_FIELDS)
_ACTIVE = {"yes": True, "no": False}


def blueprint(services: Services, passwords: Passwords) -> Blueprint:
    """`/accounts`, `/accounts/new`, `/accounts/<id>` and what can be done there."""
    part = Blueprint("accounts", __name__)
    _lists(part, services)
    _new(part, services, passwords)
    _one(part, services)
    _deeds(part, services, passwords)
    return part


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/accounts")
    @needs(Permission.STAFF_MANAGE)
    def page() -> str:
        return _list(services)

    @part.post("/accounts")
    @needs(Permission.STAFF_MANAGE)
    def found() -> AnyResponse:
        """A username may be an e-mail address, so it stands in the form alone."""
        wanted = request.form.get("username", "").strip()
        try:
            staff_id = manage.find(services, wanted)
        except NotFound:
            return make_response(_list(services, wanted=wanted), _NOT_THERE)
        return redirect(url_for("accounts.show", staff_id=staff_id), 303)


def _list(services: Services, wanted: str | None = None) -> str:
    asked = {name: request.args.get(name, "").strip() for name in ("role", "facility", "active")}
    role, active = asked["role"] if asked["role"] in set(Role) else "", asked["active"]
    rows, more = manage.listed(
        services,
        role=Role(role) if role else None,
        facility_id=asked["facility"].replace("\0", "")[:200] or None,
        active=_ACTIVE.get(active),
        after=_as_id(request.args.get("after", "")),
    )
    chosen = {"role": role or None, "facility": asked["facility"] or None, "active": active or None}
    return render_template("accounts.html", rows=rows, more=more, chosen=chosen, roles=Role, wanted=wanted)


def _as_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _new(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.get("/accounts/new")
    @needs(Permission.STAFF_MANAGE)
    def new() -> str:
        return _form({name: "" for name in _FIELDS})

    @part.post("/accounts/new")
    @needs(Permission.STAFF_MANAGE)
    def add() -> AnyResponse:
        """The first password stands in this answer alone."""
        typed = _typed(_FIELDS)
        try:
            staff_id, password = manage.add(services, passwords, actor=me().actor, **typed)
        except BadInput as bad:
            return make_response(_form(typed, problems_of(bad)), _UNREADABLE)
        return _password_page(services, staff_id, password)


def _typed(names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in names}


def _form(typed: dict[str, str], problems: dict[str, str] | None = None) -> str:
    return render_template(
        "account_new.html", typed=typed, problems=problems or {}, roles=Role, facility_roles=FACILITY_ROLES
    )


def _password_page(services: Services, staff_id: str, password: str) -> AnyResponse:
    row = manage.show(services, staff_id).row
    body = render_template("first_password.html", row=row, password=password, days=manage.FIRST_PASSWORD_LIFE.days)
    return make_response(body)


def _one(part: Blueprint, services: Services) -> None:
    @part.get("/accounts/<uuid:staff_id>")
    @needs(Permission.STAFF_MANAGE)
    def show(staff_id: UUID) -> str:
        done = request.args.get("done")
        return _page(services, str(staff_id), done=done if done in _DONE else None)


def _deeds(part: Blueprint, services: Services, passwords: Passwords) -> None:
    def add(name: str, do: Callable[[Deed], AnyResponse | None]) -> None:
        @part.post(f"/accounts/<uuid:staff_id>/{name}", endpoint=name.replace("-", "_"))
        @needs(Permission.STAFF_MANAGE)
        def act(staff_id: UUID) -> AnyResponse:
            return _tried(services, str(staff_id), name, do)

    def role(deed: Deed) -> None:
        manage.change_role(services, deed, **_typed(_ROLE_FIELDS))

    def password(deed: Deed) -> AnyResponse:
        made = manage.reset_password(services, passwords, deed)
        return _password_page(services, deed.staff_id, made)

    def sessions(deed: Deed) -> None:
        manage.end_sessions(services, deed)

    add("role", role)
    add("deactivate", lambda deed: manage.deactivate(services, deed))
    add("reactivate", lambda deed: manage.reactivate(services, deed))
    add("password", password)
    add("second-factor", lambda deed: manage.reset_second_factor(services, deed))
    add("sessions", sessions)


def _tried(services: Services, staff_id: str, name: str, do: Callable[[Deed], AnyResponse | None]) -> AnyResponse:
    form = request.form
    seen = form.get("revision", "")
    revision = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else -1
    try:
        answer = do(Deed(staff_id, revision, form.get("reason", ""), me().actor))
    except BadInput as bad:
        return make_response(_page(services, staff_id, deed=name, problems=problems_of(bad)), _UNREADABLE)
    except Refused as refused:
        return make_response(_page(services, staff_id, deed=name, refused=refused.reason), _CONFLICT)
    return answer or redirect(url_for("accounts.show", staff_id=staff_id, done=name), 303)


def _page(services: Services, staff_id: str, **more: Any) -> str:
    account = manage.show(services, staff_id)
    shown: dict[str, Any] = {"deed": None, "problems": {}, "refused": None, "done": None} | more
    row = account.row
    as_is = {"role": row.role, "facility_id": row.facility_id or "", "facility_name": ""}
    return render_template(
        "account_of.html",
        account=account,
        row=row,
        is_own=row.id == me().staff_id,
        roles=Role,
        typed=_typed(_ROLE_FIELDS) if shown["deed"] == "role" else as_is,
        reason=request.form.get("reason", ""),
        now=services.clock.now(),
        **shown,
    )
