"""Events about somebody who was erased: none of them makes the person anew; an operator decides.

A door that keeps dead letters keeps the event there, sealed; the others tell whoever sent it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Problem
from notifier.services import Services
from notifier.store import erased

PROBLEM = Problem(
    "person.id",
    "erased-person",
    "this person was erased on request; an operator decides (`sertilink person readmit`) whether they come back",
)


def marks(services: Services, keys: Iterable[bytes]) -> set[bytes]:
    """The marks that erasures would have left of these blind indexes."""
    return {erased.mark_of(services.sealer, key) for key in keys}


def refuse(conn: Connection, services: Services, keys: Iterable[bytes]) -> None:
    """Raises BadInput where an event's dose or person was erased. The caller holds the locks of `keys`."""
    if erased.among_marks(conn, marks(services, keys)):
        raise BadInput([PROBLEM])
