"""What a page waits for is read past SQLAlchemy, and says the very same."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from notifier.store import openings
from notifier.store.health import AWAY
from notifier.store.hot import HotRead
from notifier.store.tables import link, person
from tests.desk import Desk


def public_id(desk: Desk) -> str:
    return str(desk.link(desk.record().reference).public_id)


def as_pairs(row: Any) -> dict[str, Any]:
    return dict(row._asdict())


def test_a_link_is_read_as_in_a_transaction(each_desk: Desk) -> None:
    which = public_id(each_desk)
    with each_desk.services.db.write() as conn:
        conn.execute(link.update().values(revoked_at=each_desk.services.clock.now(), revoke_reason="corrected"))
        slow = openings.find(conn, which)
    fast = openings.look_up(each_desk.services.db, which)
    assert slow is not None
    assert fast is not None
    assert as_pairs(fast) == dict(slow._mapping)


def test_a_page_is_read_as_a_certificate_in_a_transaction(each_desk: Desk) -> None:
    [fast] = openings.find_with_doses(each_desk.services.db, public_id(each_desk))
    with each_desk.services.db.read() as conn:
        [slow] = openings.certificate_with_doses(conn, fast.certificate_id)
    pairs = as_pairs(fast)
    assert {name: pairs[name] for name in slow._mapping} == dict(slow._mapping)


def test_what_is_not_there_is_none(each_desk: Desk) -> None:
    assert openings.look_up(each_desk.services.db, "0" * 11) is None
    assert openings.find_with_doses(each_desk.services.db, "0" * 11) == []


def test_what_was_committed_a_moment_ago_is_seen_and_nothing_stays_open(each_desk: Desk) -> None:
    db, which = each_desk.services.db, public_id(each_desk)
    assert openings.look_up(db, which).person_wrong_tries == 0  # type: ignore[union-attr]  # it is there
    with db.write() as conn:
        conn.execute(person.update().values(wrong_tries=3))
    assert openings.look_up(db, which).person_wrong_tries == 3  # type: ignore[union-attr]  # as above


def test_an_error_is_the_one_that_pages_answer_and_quotes_nothing(each_desk: Desk) -> None:
    broken = HotRead(sa.select(sa.column("nowhere")).where(sa.column("nowhere") == sa.bindparam("secret")))
    with pytest.raises(AWAY) as raised:
        broken.rows(each_desk.services.db, secret="0812")
    assert "0812" not in str(raised.value)
    assert openings.look_up(each_desk.services.db, "0" * 11) is None  # the next one has a connection again
