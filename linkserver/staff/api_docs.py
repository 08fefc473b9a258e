"""The API's description: for programs as OpenAPI, for people as a page. Open to anyone; it says nothing of anybody."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from linkserver.staff.gate import anyone
from linkserver.staff.openapi import document
from notifier.services import Services
from notifier.support.magic_numbers import NUMBERS, RULES


def blueprint(services: Services) -> Blueprint:
    """`/api/openapi.json` and `/api/docs`."""
    part = Blueprint("api_docs", __name__)
    described = document(services.settings.staff_url)

    @part.get("/api/openapi.json")
    @anyone
    def openapi() -> Response:
        return jsonify(described)

    @part.get("/api/docs")
    @anyone
    def page() -> str:
        return render_template("api.html", document=described, numbers=NUMBERS, rules=RULES)

    return part
