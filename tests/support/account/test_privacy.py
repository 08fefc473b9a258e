"""What an own account keeps is handed over with the rest, and goes with an erasure."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.core.states import OtpPurpose
from notifier.store import tables as t
from notifier.support import otp
from notifier.support.account import family, session
from notifier.support.privacy.erase import erase
from notifier.support.privacy.export import export
from tests.canaries import found_in
from tests.desk import Desk
from tests.support.account.phones import KNOWN, asked, code_of
from tests.support.test_export_erase import WHY, dump, opened

_TABLES = (t.otp_challenge, t.account_session, t.account_open, t.account_proof, t.contact)


def test_an_account_is_told_and_erased(each_desk: Desk) -> None:
    services, reference = each_desk.services, each_desk.record().reference
    each_desk.send()
    challenge = asked(services).challenge
    assert otp.check(services, challenge, code_of(services, challenge), purpose=OtpPurpose.ACCOUNT).phone == KNOWN
    here = session.find(services, session.begin(services, KNOWN))
    assert here is not None
    person_id = str(each_desk.row(reference).person_id)
    assert family.tell_name(services, here, "Siti Aminah").is_right
    assert family.open_by_nik(services, here, person_id, "3174031002890009").is_right
    assert family.open_by_nik(services, here, person_id, "3174031002890009").is_right  # twice
    parts = {part["part"]: part["rows"] for part in export(services, person_id, **WHY)["parts"]}
    assert (len(parts["account_proof"]), len(parts["account_open"])) == (1, 1)
    erase(services, person_id, **WHY)
    with services.db.read() as conn:
        left = {table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) for table in _TABLES}
    assert left == dict.fromkeys(left, 0)
    assert found_in(opened(services, dump(services)), services.links) == []
    assert session.find(services, "x") is None
