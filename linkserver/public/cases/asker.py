"""The cookie between the pages: sealed, since it holds a telephone number; good for half an hour, in this browser, and
an hour after its code at most, however often a page begins it anew: telephones are lent and sold."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from flask import Request, Response

from notifier.core.errors import SealBroken
from notifier.core.ids import new_secret_id
from notifier.services import Services

LIFE = timedelta(minutes=30)
#: how long a code proves a number here
PROOF_LIFE = timedelta(hours=1)
_PLACE = "cookie:kasus"
_MOST_PERSONS = 20


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `phone`: E.164, as it was typed; `is_proven`: a code that went there was right; `proofs`: by person,
    of the birth date or NIK that was right, worth only what support.proof_of_person.still_proved says; `challenge`: of
    the code that was asked for last; `form`: makes one report of a form that is sent twice; `at`: Unix seconds."""

    phone: str = field(repr=False)
    challenge: str = ""
    is_proven: bool = False
    proofs: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: str = ""
    at: int = 0
    proven_at: int = 0

    def with_person(self, person_id: str, proof: str) -> Asker:
        """With one more who proved to be."""
        kept = [one for one in self.proofs.items() if one[0] != person_id]
        return replace(self, proofs=dict([*kept, (person_id, proof)][-_MOST_PERSONS:]))


class Askers:
    """Reads and writes the cookie."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._secure = services.settings.secure
        self.cookie = "__Host-kasus" if self._secure else "kasus"

    def read(self, request: Request) -> Asker | None:
        """Who asks in this browser; None where nobody does any more, or the cookie is not ours."""
        name, _, sealed = request.cookies.get(self.cookie, "").partition(".")
        try:
            text = self._services.sealer.open(_PLACE, name, base64.urlsafe_b64decode(sealed))
            asker = Asker(**json.loads(text))
        except (SealBroken, binascii.Error, ValueError, TypeError):  # the last: as another version wrote it
            return None
        now = self._now()
        is_over = asker.is_proven and asker.proven_at + PROOF_LIFE.total_seconds() <= now
        return asker if now - LIFE.total_seconds() < asker.at <= now and not is_over else None

    def prove(self, response: Response, asker: Asker) -> Response:
        """Remembers that a code has proven the number, just now."""
        return self.keep(response, replace(asker, is_proven=True, proven_at=self._now()))

    def keep(self, response: Response, asker: Asker) -> Response:
        """Remembers who asks, from now on for LIFE."""
        name = new_secret_id()
        text = json.dumps(asdict(replace(asker, at=self._now(), form=asker.form or new_secret_id())))
        sealed = base64.urlsafe_b64encode(self._services.sealer.seal(_PLACE, name, text)).decode()
        response.set_cookie(
            self.cookie,
            f"{name}.{sealed}",
            max_age=LIFE,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return response

    def _now(self) -> int:
        return int(self._services.clock.now().timestamp())
