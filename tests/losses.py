"""What takes a proof away from whoever has proved to be a person: each at once, at every door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from notifier.services import Services
from notifier.store import persons
from notifier.support import not_me

Loss = Callable[[Services, str], None]


def lock(services: Services, person_id: str) -> None:
    with services.db.write() as conn:
        for _ in range(persons.MAX_WRONG_TRIES):
            persons.count_wrong_try(conn, person_id, services.clock.now())


def say_not_theirs(services: Services, person_id: str) -> None:
    """Somebody with the number on file says that the person does not have it."""
    with services.db.write() as conn:
        persons.hold(conn, person_id)
        known = persons.get(conn, services.sealer, person_id)
        assert known.mobile is not None
        number = persons.phone_index(services.sealer, known.mobile)
        not_me.pause(conn, person_id, number, at=services.clock.now())


def correcting(**values: Any) -> Loss:
    """The registry says something else of the person."""

    def correct(services: Services, person_id: str) -> None:
        with services.db.write() as conn:
            known = persons.get(conn, services.sealer, person_id)
            persons.update(conn, services.sealer, replace(known, **values), at=services.clock.now())

    return correct


give_another_number = correcting(phone="+6281211112222")

#: of the number that was proved
OF_NUMBER: dict[str, Loss] = {
    "locked out": lock,
    "said not to be theirs": say_not_theirs,
    "another number": give_another_number,
}
#: and of what was typed
LOSSES: dict[str, Loss] = OF_NUMBER | {
    "another birth date": correcting(birth_date=date(1989, 2, 11)),
    "another NIK": correcting(nik="3174031002890008"),
}
