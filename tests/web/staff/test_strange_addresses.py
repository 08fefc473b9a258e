"""Words in addresses and forms that no page of ours writes: an answer, never a fault of the server."""

from __future__ import annotations

import pytest

from linkserver import create_staff_app
from notifier.access.roles import Role
from notifier.services import Services
from tests.web.staff.conftest import Desk, NewDesk, add_staff

_ADDRESSES = (
    "/messages?before=a%00b",
    "/messages?facility=a%00b",
    "/messages?reason=a%00b",
    "/resends?before=a%00b",
    "/doses?facility=pkm-1&day=0001-01-01",
    "/doses?facility=pkm-1&day=9999-12-31",
)


@pytest.mark.parametrize("address", _ADDRESSES)
def test_a_strange_word_in_an_address_is_no_fault(each_services: Services, address: str) -> None:
    add_staff(each_services, "adi", Role.ADMINISTRATOR)
    desk = Desk(create_staff_app(each_services).test_client())
    desk.sign_in("adi")
    assert desk.get(address).status_code == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59-12:00"])
def test_a_time_that_no_clock_can_show_is_told_beside_its_field(new_desk: NewDesk, at: str) -> None:
    boss = new_desk("adi", Role.ADMINISTRATOR)
    reference = boss.entered()
    told = {"reason": "tidak sampai", "why": "tidak sampai", "when": "at", "at": at, "state": "failed"}
    assert boss.post(f"/messages/{reference}/resend", told).status_code == 422
    assert boss.post("/resends/new", told | {"key": "ABCDEFGH12"}).status_code == 422
