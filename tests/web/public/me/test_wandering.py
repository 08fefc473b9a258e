"""Whatever somebody does in an account, in whatever order: no fault of ours, and nothing of anybody else's."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from notifier.core.ids import new_id
from notifier.services import Services
from notifier.store.tables import person
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.fakes import FakeClock
from tests.web.public.conftest import NewVisitor
from tests.web.public.me.conftest import Owner

STRANGER = replace(
    SITI, name="Budi Santoso", nik="3174031505850003", birth_date=date(1985, 5, 15), phone="+6281298765432"
)
COUSIN = replace(SITI, name="Citra Lestari", nik=None, birth_date=date(2015, 1, 2))
_RUBBISH = ["", "x", "\0", "../../me", "%00", "0" * 36, "<b>", "\U0001f600" * 9, "A" * 5000]
_TAILS = ["", "/certificate", "/language", "/data", "/not-mine", "/next-dose.ics", "/correct", "/nothing"]
_PLACES = ["/me", "/me/code", "/me/code/again", "/me/name", "/me/sms", "/me/app.webmanifest"]


def a_form(chance: random.Random, made: list[MadeCertificate]) -> dict[str, str]:
    fields = {
        "phone": ["0812-3456-7890", "081298765432", *_RUBBISH],
        "code": ["000000", *_RUBBISH],
        "name": ["Siti Aminah", "Budi Santoso", *_RUBBISH],
        "day": ["10", "2", *_RUBBISH],
        "month": ["2", "1", "Mei", *_RUBBISH],
        "year": ["1989", "2015", *_RUBBISH],
        "nik": ["3174031002890009", "3174031505850003", *_RUBBISH],
        "certificate": [*(each.certificate_id for each in made), new_id(), *_RUBBISH],
        "show": ["history", *_RUBBISH],
        "language": ["id", "en", *_RUBBISH],
        "not-mine": ["undo", "undo", "ask"],
        "sms": ["stop", "start", *_RUBBISH],
    }
    chosen = chance.sample(sorted(fields), chance.randint(1, 5))
    return {name: chance.choice(fields[name]) for name in chosen}


@pytest.mark.parametrize("seed", range(3))
def test_no_way_leads_to_somebody_else(
    services: Services, new_visitor: NewVisitor, clock: FakeClock, seed: int
) -> None:
    chance = random.Random(seed)
    made = [a_certificate(services, person=each) for each in (SITI, COUSIN, STRANGER)]
    with services.db.read() as conn:
        before = conn.execute(sa.select(person).where(person.c.id == made[2].person_id)).one()
    owner = Owner(new_visitor(), services).sign_in()
    owner.open(made[0].person_id)
    whose = [*(each.person_id for each in made), new_id(), *_RUBBISH[1:]]
    statuses = set()
    for _ in range(150):
        clock.tick(seconds=chance.choice([0, 1, 20]))
        path = chance.choice(
            [*_PLACES, *(f"/me/{quote(chance.choice(whose), safe='')}{chance.choice(_TAILS)}" for _ in range(8))]
        )
        if chance.random() < 0.5:
            answer = owner.get(path)
        else:
            answer = owner.post(path, **a_form(chance, made)) if chance.random() < 0.7 else owner.press(path)
        statuses.add(answer.status_code)
        assert answer.status_code < 500, path
        assert not any(secret in answer.text for secret in ("Budi", "Santoso", "3174031505850003")), path
        if answer.location and "/certificate/" in answer.location:
            assert "Santoso" not in owner.get(answer.location).text
    with services.db.read() as conn:
        assert conn.execute(sa.select(person).where(person.c.id == made[2].person_id)).one() == before
    assert {200, 303, 404} <= statuses
