"""What proved a request is asked again by the transaction that acts on it: whoever is locked out, has another number,
or is said not to be the owner of this one, changes nothing any more."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from notifier.core.errors import NotFound, Refused
from notifier.core.own_corrections import Field, Proof, RequestState
from notifier.services import Services
from notifier.store import own_corrections, persons
from notifier.support.own_corrections import review
from notifier.support.own_corrections.asking import (
    Asked,
    ask,
    number_proved,
    of_person,
    send_evidence,
    withdraw,
)
from tests.databases import postgres_database
from tests.desk import Desk
from tests.fakes import FakeClock, OvertakenDatabase
from tests.losses import OF_NUMBER, lock
from tests.messages.test_races import Build, waits_for_a_lock
from tests.polling import eventually
from tests.requirements import require
from tests.support.test_photos import a_photo

OLD, NEW = "+6281234567890", "+6281298765432"
STAFF = "staff:00000000-0000-7000-8000-000000000001"


def wish(services: Services, person_id: str, about: Field, value: str) -> Asked:
    return ask(services, person_id, about, value, door="me", proved_by=Proof.OTP, on_number=OLD)


def approve(services: Services, asked: Asked) -> Asked:
    return review.approve(services, asked.reference, only_facility=None, reason="KTP cocok", actor=STAFF)


def state_of(services: Services, asked: Asked) -> str:
    with services.db.read() as conn:
        row = own_corrections.find(conn, asked.reference, None)
    assert row is not None
    return str(row.state)


def name_of(services: Services, person_id: str) -> str:
    with services.db.read() as conn:
        return persons.get(conn, services.sealer, person_id).name


@pytest.mark.parametrize("loss", OF_NUMBER)
def test_whoever_loses_the_proof_while_they_ask_is_refused_and_nothing_is_kept(each_desk: Desk, loss: str) -> None:
    services, person_id = each_desk.services, person_with(each_desk, "Siti Amniah")
    overtaken = OvertakenDatabase(services.db, lambda: OF_NUMBER[loss](services, person_id))
    with pytest.raises(NotFound):
        wish(replace(services, db=overtaken), person_id, Field.NAME, "Siti Aminah")  # a slip, which needs nobody
    assert overtaken.meanwhile == []
    assert name_of(services, person_id) == "Siti Amniah"
    assert of_person(services, person_id) == []


@pytest.mark.parametrize("loss", OF_NUMBER)
def test_nobody_approves_what_was_asked_by_somebody_who_lost_the_proof(each_desk: Desk, loss: str) -> None:
    services, person_id = each_desk.services, person_with(each_desk, "Siti Aminah")
    asked = wish(services, person_id, Field.NAME, "Siti Maryam")
    overtaken = OvertakenDatabase(services.db, lambda: OF_NUMBER[loss](services, person_id))
    with pytest.raises(Refused) as refused:
        approve(replace(services, db=overtaken), asked)
    assert overtaken.meanwhile == []
    assert refused.value.reason == "proof-over"
    assert name_of(services, person_id) == "Siti Aminah"
    assert state_of(services, asked) == "review"  # to be refused, or approved once they are unlocked


@pytest.mark.parametrize("loss", OF_NUMBER)
def test_a_new_numbers_code_is_worth_nothing_where_the_proof_went_at_that_moment(each_desk: Desk, loss: str) -> None:
    services, person_id = each_desk.services, person_with(each_desk, "Siti Aminah")
    asked = wish(services, person_id, Field.PHONE, NEW)
    overtaken = OvertakenDatabase(services.db, lambda: OF_NUMBER[loss](services, person_id))
    with pytest.raises(Refused) as refused:
        number_proved(replace(services, db=overtaken), asked.reference, NEW, door="me")
    assert refused.value.reason == "changed-meanwhile"
    assert state_of(services, asked) == "number"


@pytest.mark.parametrize("loss", ["locked out", "said not to be theirs"])
def test_whoever_lost_the_proof_neither_withdraws_nor_sends_a_picture(desk: Desk, loss: str) -> None:
    services, person_id = desk.services, person_with(desk, "Siti Aminah")
    asked = wish(services, person_id, Field.NAME, "Siti Maryam")
    review.ask_evidence(services, asked.reference, only_facility=None, reason="cek akta", actor=STAFF)
    OF_NUMBER[loss](services, person_id)
    with pytest.raises(NotFound):
        send_evidence(services, person_id, asked.reference, a_photo(), door="me")
    with pytest.raises(NotFound):
        withdraw(services, person_id, asked.reference, door="me")
    assert state_of(services, asked) == "evidence"


def test_a_door_that_has_closed_meanwhile_keeps_everything_out(desk: Desk) -> None:
    services, person_id = desk.services, person_with(desk, "Siti Aminah")
    asked = wish(services, person_id, Field.NAME, "Siti Maryam")

    def closed(_conn: object) -> bool:
        return False

    with pytest.raises(NotFound):
        ask(services, person_id, Field.PHONE, NEW, door="me", proved_by=Proof.OTP, on_number=OLD, is_open=closed)
    with pytest.raises(NotFound):
        withdraw(services, person_id, asked.reference, door="me", is_open=closed)
    assert [row.state for row in of_person(services, person_id)] == ["review"]


def test_a_lock_that_falls_in_the_same_moment_is_waited_for(build_services: Build) -> None:
    require("postgres")
    with postgres_database() as url:
        services = build_services(database_url=url)
        person_id = person_with(Desk(services), "Siti Amniah")
        said: list[str] = []

        def press() -> None:
            try:
                wish(services, person_id, Field.NAME, "Siti Aminah")
                said.append("done")
            except NotFound:
                said.append("closed")

        asker = threading.Thread(target=press)
        with services.db.write() as conn:
            for _ in range(persons.MAX_WRONG_TRIES):
                persons.count_wrong_try(conn, person_id, services.clock.now())
            asker.start()
            eventually(lambda: waits_for_a_lock(services))
        asker.join()
        assert said == ["closed"]
        assert name_of(services, person_id) == "Siti Amniah"
        services.db.close()


def test_other_requests_go_on_with_a_number_that_its_owner_has_changed(desk: Desk, clock: FakeClock) -> None:
    services, person_id = desk.services, person_with(desk, "Siti Aminah")
    name = wish(services, person_id, Field.NAME, "Siti Maryam")
    number = wish(services, person_id, Field.PHONE, NEW)
    number_proved(services, number.reference, NEW, door="me")
    clock.tick(minutes=1)
    assert approve(services, name).state is RequestState.DONE
    assert name_of(services, person_id) == "Siti Maryam"


def test_whoever_is_unlocked_again_is_approved(desk: Desk) -> None:
    services, person_id = desk.services, person_with(desk, "Siti Aminah")
    asked = wish(services, person_id, Field.NAME, "Siti Maryam")
    lock(services, person_id)
    with pytest.raises(Refused):
        approve(services, asked)
    with services.db.write() as conn:
        persons.unlock(conn, person_id)
    assert approve(services, asked).state is RequestState.DONE


def person_with(desk: Desk, name: str) -> str:
    return str(desk.row(desk.record(person={"name": name}).reference).person_id)
