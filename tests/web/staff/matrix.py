"""Who may call what, written out by hand: not read from what the routes declare, so that the two can disagree.

A new route needs its line in ROUTES, in the order of the alphabet: "endpoint METHOD": who. Who is
    the roles, out of `worker lead operator supervisor auditor admin`, or `all` of them;
    `open`           to everybody, signed in or not
    `key <scope>`    another system with an API key of this scope, and nobody else
    `step <stage>`   somebody half-way through the sign-in, at this stage, and nobody else
A route whose path has a parameter needs a line in OBJECTS too: what stands there, one of the makers in objects.py, or
`nobody's: ` and why no facility owns it.
"""

from __future__ import annotations

ROUTES: dict[str, str] = {
    "account.begin_second_factor POST": "all",
    "account.change_password POST": "all",
    "account.confirm_second_factor POST": "all",
    "account.end_others POST": "all",
    "account.end_session POST": "all",
    "account.leave_everywhere POST": "all",
    "account.page GET": "all",
    "account.remove_second_factor POST": "all",
    "account.renew_recovery_codes POST": "all",
    "account.second_factor GET": "all",
    "accounts.add POST": "admin",
    "accounts.deactivate POST": "admin",
    "accounts.found POST": "admin",
    "accounts.new GET": "admin",
    "accounts.page GET": "admin",
    "accounts.password POST": "admin",
    "accounts.reactivate POST": "admin",
    "accounts.role POST": "admin",
    "accounts.second_factor POST": "admin",
    "accounts.sessions POST": "admin",
    "accounts.show GET": "admin",
    "api.add_vaccination POST": "key vaccinations:write",
    "api.docs GET": "open",
    "api.notification GET": "key notifications:read",
    "api.openapi GET": "open",
    "asset GET": "open",
    "cases.close POST": "lead operator supervisor admin",
    "cases.confirm POST": "lead operator supervisor admin",
    "cases.page GET": "all",
    "cases.reveal POST": "lead operator supervisor admin",
    "cases.show GET": "all",
    "cases.undo POST": "lead operator supervisor admin",
    "cases.unlock POST": "lead operator supervisor admin",
    "catcher.page GET": "worker lead operator supervisor admin",
    "doses.day GET": "worker lead admin",
    "doses.done GET": "worker lead admin",
    "doses.enter POST": "worker lead admin",
    "doses.new GET": "worker lead admin",
    "fhir.add_bundle POST": "key vaccinations:write",
    "fhir.add_immunization POST": "key vaccinations:write",
    "home.page GET": "all",
    "messages.cancel POST": "worker lead operator supervisor admin",
    "messages.found POST": "all",
    "messages.reveal POST": "lead operator supervisor admin",
    "messages.search GET": "all",
    "messages.send_again POST": "worker lead operator supervisor admin",
    "messages.show GET": "all",
    "messages.unlock POST": "lead operator supervisor admin",
    "plain.healthz GET": "open",
    "plain.readyz GET": "open",
    "plain.robots GET": "open",
    "settings.hold POST": "supervisor admin",
    "settings.page GET": "operator supervisor auditor admin",
    "settings.release POST": "supervisor admin",
    "sign_in.choose_language POST": "open",
    "sign_in.choose_password POST": "step password",
    "sign_in.code GET": "step code",
    "sign_in.enrol POST": "step enrol",
    "sign_in.enter POST": "open",
    "sign_in.leave POST": "all",
    "sign_in.own_password GET": "step password",
    "sign_in.page GET": "open",
    "sign_in.second_factor GET": "step enrol",
    "sign_in.show_code POST": "step code",
}

#: "blueprint.parameter" (or "endpoint" where it has no blueprint): what stands in the path
OBJECTS: dict[str, str] = {
    "accounts.staff_id": "nobody's: an administrator looks after the accounts of every facility",
    "api.reference": "nobody's: a key is no facility's",
    "asset.name": "nobody's: a file of ours",
    "cases.reference": "case",
    "doses.reference": "message",
    "messages.reference": "message",
}
