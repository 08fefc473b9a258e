"""The pages of a second factor: setting it up, and the recovery codes that are seen once."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import make_response, render_template, session
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import TOKEN
from notifier.access import second_factor, totp
from notifier.access.sessions import HalfIn, SignedIn
from notifier.services import Services

_UNREADABLE = 422


def setup_page(
    services: Services, person: SignedIn | HalfIn, action: str, problems: Mapping[str, str] | None = None
) -> AnyResponse | None:
    """The QR code and the secret that this session is setting up, and the form for the first code, which is sent to
    `action`; None where it is setting up none."""
    from notifier.certificates.qr import make_qr  # draws by a library that no other page of the staff needs

    secret = second_factor.being_set_up(services, session[TOKEN])
    if secret is None:
        return None
    issuer = f"Sertilink {urlsplit(services.settings.staff_url).hostname}"
    body = render_template(
        "second_factor.html",
        qr=make_qr(totp.as_address(secret, issuer=issuer, username=person.username)),
        secret=totp.as_text(secret),
        account=f"{issuer}: {person.username}",
        action=action,
        problems=problems or {},
    )
    return make_response(body, _UNREADABLE if problems else 200)


def codes_page(codes: list[str], *, username: str, onward: str) -> AnyResponse:
    """The recovery codes stand in this answer alone; `onward`: where to go from there."""
    return make_response(render_template("recovery_codes.html", codes=codes, username=username, onward=onward))
