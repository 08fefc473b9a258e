"""Every route of the staff face against everybody who could call it: roles, nobody, somebody half-way in, API keys,
colleagues of another facility, forms without a token. The rows stand in matrix.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from linkserver.staff.gate import STAGE_PAGES, TOKEN
from notifier.access import api_keys, second_factor, sessions
from notifier.access.api_keys import Scope
from notifier.access.roles import FACILITY_ROLES, Role
from notifier.access.sessions import Stage
from notifier.services import Services
from notifier.store.tables import metadata
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, SITI, Desk, NewDesk, add_staff
from tests.web.staff.matrix import OBJECTS, ROUTES
from tests.web.staff.objects import MAKERS

ROLES = {
    "worker": Role.HEALTH_WORKER,
    "lead": Role.FACILITY_LEAD,
    "operator": Role.OPERATOR,
    "supervisor": Role.SUPERVISOR,
    "auditor": Role.AUDITOR,
    "admin": Role.ADMINISTRATOR,
}
STEPS = [stage for stage in Stage if stage is not Stage.FULL]
#: what a form may hold: enough that most deeds would be done, were they not refused
FORM = SITI | {
    "reason": "diminta lewat telepon",
    "when": "now",
    "step": "record",
    "revision": "0",
    "role": "auditor",
    "what": "phone",
}


@dataclass(frozen=True)
class Call:
    """One route and method, with its row."""

    rule: Rule
    method: str

    @property
    def key(self) -> str:
        return f"{self.rule.endpoint} {self.method}"

    @property
    def row(self) -> str:
        return ROUTES.get(self.key, "nobody")

    @property
    def roles(self) -> set[Role]:
        """The roles that the row names."""
        names = set(ROLES) if self.row == "all" else set(self.row.split()) & set(ROLES)
        return {ROLES[name] for name in names}

    def objects(self) -> Iterator[tuple[str, str]]:
        """(parameter, what stands there)."""
        part = self.rule.endpoint.rpartition(".")[0] or self.rule.endpoint
        for name in self.rule.arguments:
            yield name, OBJECTS.get(f"{part}.{name}", "missing")

    def path(self, value: Callable[[str, str], Any] = lambda name, kind: None) -> str:
        """With `value(parameter, kind)` for each parameter; something that does not exist where that is None."""
        nothing = {"UUIDConverter": UUID(int=0), "IntegerConverter": 0}
        values = {
            name: value(name, kind) or nothing.get(type(self.rule._converters[name]).__name__, "0000000000")
            for name, kind in self.objects()
        }
        built = self.rule.build(values, append_unknown=False)
        assert built is not None
        return built[1]

    def send(self, desk: Desk, path: str, **more: Any) -> TestResponse:
        return desk.get(path, **more) if self.method == "GET" else getattr(desk, self.method.lower())(path, **more)


def calls(app: Flask) -> list[Call]:
    return [
        Call(rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


Seat = Callable[[str, Stage], Desk]


@pytest.fixture
def seat(app: Flask, services: Services) -> Seat:
    """A browser that holds a new session of an account at a stage, and a CSRF token of that session."""

    def take(staff_id: str, stage: Stage = Stage.FULL) -> Desk:
        with services.db.write() as conn:
            token = sessions.start(conn, staff_id, services.clock.now(), stage=stage).token
            if stage is Stage.ENROL:
                second_factor.begin(conn, services, token)
        desk = Desk(app.test_client())
        with desk.client.session_transaction() as cookie:
            cookie[TOKEN] = token
        desk.get("/account" if stage is Stage.FULL else _page_of(app, stage))
        assert desk.token
        return desk

    return take


def _page_of(app: Flask, stage: Stage) -> str:
    [rule] = [rule for rule in app.url_map.iter_rules(STAGE_PAGES[stage]) if "GET" in (rule.methods or set())]
    return rule.rule


def test_every_route_has_its_row_and_every_row_its_route(app: Flask) -> None:
    assert {call.key for call in calls(app)} == set(ROUTES)
    assert list(ROUTES) == sorted(ROUTES)
    assert list(OBJECTS) == sorted(OBJECTS)


def test_every_row_says_who_and_every_parameter_what(app: Flask) -> None:
    known = {"all", "open"} | {f"step {stage}" for stage in STEPS} | {f"key {scope.value}" for scope in Scope}
    assert {row for row in ROUTES.values() if row not in known and not set(row.split()) <= set(ROLES)} == set()
    kinds = {kind for call in calls(app) for _, kind in call.objects()}
    assert {kind for kind in kinds if kind not in MAKERS and not kind.startswith("nobody's: ")} == set()


@pytest.mark.parametrize("role", Role)
def test_each_role_may_call_what_its_rows_say_and_is_forbidden_the_rest(
    app: Flask, services: Services, seat: Seat, role: Role
) -> None:
    staff_id = add_staff(services, "someone", role, FACILITY)
    wrong = []
    desk = seat(staff_id)
    for call in calls(app):
        answer = call.send(desk, call.path())
        if call.method != "GET":
            desk = seat(staff_id)  # the last one may have ended
        if call.row == "open":
            right = answer.status_code not in {401, 403}
        elif call.row.startswith("key "):
            right = answer.status_code == 401
        elif call.row.startswith("step "):
            right = (answer.status_code, answer.location) == (303, "/")
        elif role in call.roles:
            asks_again = (answer.location or "").startswith("/sign-in") and call.key not in _SIGN_OUT
            right = answer.status_code not in {401, 403} and not asks_again
        else:
            right = answer.status_code == 403
        if not right or answer.status_code >= 500:
            wrong.append(f"{call.key} ({call.row}): {answer.status_code} {answer.location}")
    assert wrong == []


_SIGN_OUT = {"sign_in.leave POST", "account.leave_everywhere POST"}


def test_nobody_gets_past_the_sign_in(app: Flask, services: Services) -> None:
    """Neither without anything, nor with a made-up cookie, nor with an API key at a page for people."""
    key = api_keys.add(services, name="SIMPUS", scopes=list(Scope), actor="test")
    wrong = []
    for headers, planted in (({}, None), ({}, "A" * 43), ({"Authorization": f"Bearer {key.text}"}, None)):
        desk = Desk(app.test_client())
        if planted:
            with desk.client.session_transaction() as cookie:
                cookie[TOKEN] = planted
        desk.get("/sign-in")
        desk.headers.update(headers)
        for call in calls(app):
            answer = call.send(desk, call.path())
            if call.row == "open":
                right = answer.status_code < 500 and answer.status_code not in {401, 403}
            elif call.row.startswith("key "):
                right = answer.status_code < 500 and (answer.status_code == 401) != bool(headers)
            else:
                right = answer.status_code == 303 and answer.location.partition("?")[0] == "/sign-in"
            if not right:
                wrong.append(f"{call.key} ({call.row}): {answer.status_code} {answer.location} {planted} {headers}")
    assert wrong == []


@pytest.mark.parametrize("stage", STEPS)
def test_who_is_half_way_in_reaches_the_page_of_that_step_alone(
    app: Flask, services: Services, seat: Seat, stage: Stage
) -> None:
    staff_id = add_staff(services, "boss", Role.ADMINISTRATOR, FACILITY)
    wrong = []
    desk = seat(staff_id, stage)
    for call in calls(app):
        answer = call.send(desk, call.path())
        if call.method != "GET":
            desk = seat(staff_id, stage)
        if call.row == "open":
            right = answer.status_code not in {401, 403}
        elif call.row.startswith("key "):
            right = answer.status_code == 401
        elif call.row == f"step {stage}":
            right = answer.status_code in {200, 422, 303} and answer.location in {None, "/sign-in"}
        else:
            right = (answer.status_code, answer.location) == (303, _page_of(app, stage))
        if not right:
            wrong.append(f"{call.key} ({call.row}): {answer.status_code} {answer.location}")
    assert wrong == []


@pytest.mark.parametrize("scope", Scope)
def test_a_key_opens_the_routes_of_its_scope_alone(app: Flask, services: Services, scope: Scope) -> None:
    key = api_keys.add(services, name="SIMPUS", scopes=[scope], actor="test")
    desk = Desk(app.test_client(), headers={"Authorization": f"Bearer {key.text}"})
    wrong = []
    for call in calls(app):
        if call.row.startswith("key "):
            answer = call.send(desk, call.path())
            if (answer.status_code in {401, 403}) == (call.row == f"key {scope.value}") or answer.status_code >= 500:
                wrong.append(f"{call.key}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("role", sorted(FACILITY_ROLES))
def test_what_is_another_facilitys_is_not_there(
    app: Flask, services: Services, new_desk: NewDesk, seat: Seat, role: Role
) -> None:
    """And what is the own facility's is: or the test would prove nothing."""
    made = {
        facility: {
            kind: make(services, new_desk(f"{kind}.{facility}", Role.HEALTH_WORKER, facility))
            for kind, make in MAKERS.items()
        }
        for facility in (FACILITY, OTHER_FACILITY)
    }
    staff_id = add_staff(services, "someone", role, FACILITY)
    theirs = [call for call in calls(app) if role in call.roles and any(kind in MAKERS for _, kind in call.objects())]

    def status(call: Call, facility: str) -> int:
        path = call.path(lambda _name, kind: made[facility].get(kind))
        more = {} if call.method == "GET" else {"data": FORM}
        return call.send(seat(staff_id), path, **more).status_code

    before = _everything(services)
    others = {call.key: status(call, OTHER_FACILITY) for call in theirs}
    assert {key: answer for key, answer in others.items() if answer != 404} == {}
    assert _everything(services) | {"session": []} == before | {"session": []}
    own = {call.key: status(call, FACILITY) for call in theirs}
    assert {key: answer for key, answer in own.items() if answer in {403, 404} or answer >= 500} == {}


def test_a_form_without_its_token_is_refused_and_changes_nothing(
    app: Flask, services: Services, new_desk: NewDesk, seat: Seat
) -> None:
    made = {kind: make(services, new_desk(kind, Role.HEALTH_WORKER)) for kind, make in MAKERS.items()}
    someone, boss = (
        add_staff(services, name, role, FACILITY)
        for name, role in (("someone", Role.AUDITOR), ("boss", Role.ADMINISTRATOR))
    )
    stranger = Desk(app.test_client())
    stranger.get("/sign-in")
    desks = {"open": stranger} | {f"step {stage}": seat(boss, stage) for stage in STEPS}
    desk = seat(boss)
    before = _everything(services)
    wrong = []
    for call in calls(app):
        if call.method == "GET" or call.row.startswith("key "):
            continue
        path = call.path(lambda name, kind: someone if name == "staff_id" else made.get(kind))
        caller = desks.get(call.row, desk)
        for token in (None, "", "x", "IjEi.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb", _of(stranger, but=caller)):
            form = FORM | ({} if token is None else {"csrf_token": token})
            answer = caller.client.open(path, method=call.method, data=form)
            if answer.status_code != 400:
                wrong.append(f"{call.key} with {token!r}: {answer.status_code}")
    assert wrong == []
    assert _everything(services) == before
    assert desk.get("/").status_code == 200


def _of(stranger: Desk, *, but: Desk) -> str:
    """The CSRF token of somebody else's browser."""
    return stranger.token if stranger is not but else "of-nobody"


def _everything(services: Services) -> dict[str, list[str]]:
    """Every row of every table."""
    with services.db.read() as conn:
        return {table.name: sorted(map(repr, conn.execute(table.select()))) for table in metadata.sorted_tables}


def test_the_same_form_with_its_token_is_heard(app: Flask, services: Services, new_desk: NewDesk, seat: Seat) -> None:
    """Or the refusals above would prove nothing."""
    made = {kind: make(services, new_desk(kind, Role.HEALTH_WORKER)) for kind, make in MAKERS.items()}
    someone, boss = (
        add_staff(services, name, role, FACILITY)
        for name, role in (("someone", Role.AUDITOR), ("boss", Role.ADMINISTRATOR))
    )
    wrong = []
    for call in calls(app):
        if call.method == "GET" or Role.ADMINISTRATOR not in call.roles:
            continue
        path = call.path(lambda name, kind: someone if name == "staff_id" else made.get(kind))
        for form in ({}, dict.fromkeys(FORM, "\0"), FORM):
            status = call.send(seat(boss), path, data=form).status_code
            if status == 400 or status >= 500:
                wrong.append(f"{call.key} with {form}: {status}")
    assert wrong == []
