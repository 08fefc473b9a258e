"""The same deed of an account many times at once is one deed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from notifier.services import Services
from notifier.store.tables import account_open, account_proof, audit, link, number_pause, support_case, suppression
from notifier.support.account import deeds, family, session
from notifier.support.account.session import Session
from tests.builders import MadeCertificate, a_certificate
from tests.support.account.phones import KNOWN

Deed = Callable[[Services, Session, MadeCertificate], object]

#: the deed, and how many rows of which table it leaves
DEEDS: dict[str, tuple[Deed, sa.Table, sa.ColumnElement[bool]]] = {
    "name": (
        lambda services, here, _made: family.tell_name(services, here, "Siti Aminah"),
        account_proof,
        sa.true(),
    ),
    "open": (
        lambda services, here, made: family.open_by_birth_date(services, here, made.person_id, date(1989, 2, 10)),
        account_open,
        sa.true(),
    ),
    "certificate": (
        lambda services, here, made: deeds.open_certificate(
            services, here, made.person_id, made.certificate_id, device="phone"
        ),
        link,
        link.c.number_index.is_not(None),
    ),
    "not mine": (
        lambda services, here, made: deeds.say_not_mine(services, here, made.person_id),
        support_case,
        sa.true(),
    ),
    "stop": (lambda services, here, _made: deeds.stop_sms(services, here), suppression, sa.true()),
    "sign out": (
        lambda services, here, _made: session.end(services, here),
        audit,
        audit.c.action == "account.signed-out",
    ),
}


@pytest.mark.parametrize("name", DEEDS)
def test_ten_times_at_once_is_once(each_services: Services, name: str) -> None:
    deed, table, where = DEEDS[name]
    made = a_certificate(each_services)
    here = session.find(each_services, session.begin(each_services, KNOWN))
    assert here is not None
    if name != "name":
        family.tell_name(each_services, here, "Siti Aminah")
        family.open_by_birth_date(each_services, here, made.person_id, date(1989, 2, 10))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: deed(each_services, here, made), range(10)))
    with each_services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(table).where(where)) == 1
        assert conn.scalar(sa.select(sa.func.count()).select_from(number_pause)) == (name == "not mine")
