"""The JSON door: doses in, and what became of their messages out. Routes and errors are described in openapi.py."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, url_for

from linkserver.staff.gate import anyone, the_key, with_key
from linkserver.staff.machine import Fault, answer_faults, problem_json, read_body
from linkserver.staff.openapi import document
from notifier.access.api_keys import Scope
from notifier.core.errors import Problem
from notifier.core.ids import read_reference
from notifier.intake import readers
from notifier.intake.answer import NOTHING_NEW, moment, report
from notifier.intake.record import Door, record
from notifier.services import Services
from notifier.store import notifications


def blueprint(services: Services) -> Blueprint:
    """The routes under /api."""
    api = Blueprint("api", __name__)
    answer_faults(api, problem_json)

    @api.post("/api/v1/vaccinations")
    @with_key(Scope.VACCINATIONS_WRITE)
    def add_vaccination() -> tuple[Response, int, dict[str, str]]:
        event = readers.from_json(services, read_body("application/json"))
        recorded = record(services, event, door=Door.API, actor=the_key().actor)
        status = HTTPStatus.OK if recorded.outcome in NOTHING_NEW else HTTPStatus.ACCEPTED
        headers = {"Location": url_for("api.notification", reference=recorded.reference)} if recorded.reference else {}
        return jsonify(report(recorded)), status, headers

    @api.get("/api/v1/notifications/<reference>")
    @with_key(Scope.NOTIFICATIONS_READ)
    def notification(reference: str) -> Response:
        with services.db.read() as conn:
            row = notifications.find(conn, read_reference(reference))
        if row is None:
            problem = Problem("reference", "not-found", "there is no notification with this reference")
            raise Fault(HTTPStatus.NOT_FOUND, [problem])
        return jsonify(_report(row))

    @api.get("/api/openapi.json")
    @anyone
    def openapi() -> Response:
        return jsonify(document(services.settings.staff_url))

    @api.get("/api/docs")
    @anyone
    def docs() -> str:
        return render_template("api.html", document=document(services.settings.staff_url))

    return api


def _report(row: notifications.Row) -> dict[str, Any]:
    """Where a notification stands; nothing of whom it is about."""
    return {
        "reference": row.reference,
        "kind": row.kind,
        "channel": row.channel,
        "generation": row.generation,
        "state": row.status,
        "reason": row.reason,
        "provider_code": row.provider_code,
        "attempts": row.attempts,
        "accepted_at": moment(row.accepted_at),
        "due_at": moment(row.due_at),
        "left_at": moment(row.left_at),
        "ended_at": moment(row.ended_at),
    }
