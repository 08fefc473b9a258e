"""Phones that ask for codes, and what reaches them."""

from __future__ import annotations

from typing import Any

from notifier.core.states import CaseKind, OtpPurpose
from notifier.gateways import OutgoingSms
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import cases, persons
from notifier.support import follow_ups, otp
from notifier.support.otp import Asked
from tests.fakes import FakeGateway

KNOWN, NOBODYS = "+6281234567890", "+6281300000001"
ADDRESS = "198.51.100.7"


def asked(services: Services, phone: str = KNOWN, *, sends: bool = True, **options: Any) -> Asked:
    """Asks for a code to a number; `sends`: the workers have done their part too."""
    asks = {"purpose": OtpPurpose.ACCOUNT, "language": "id", "address": ADDRESS} | options
    answer = otp.request(services, phone, **asks)
    if sends:
        follow_ups.run(services)
        Sender(services).send_batch(100)
    return answer


def code_of(services: Services, challenge: str) -> str:
    """As it stands in the SMS."""
    return services.one_time_codes.code_of(challenge)


def sms_of(services: Services) -> list[OutgoingSms]:
    """What has left, with everything that waited."""
    follow_ups.run(services)
    Sender(services).send_batch(100)
    assert isinstance(services.gateway, FakeGateway)
    return services.gateway.sent


def paused(services: Services, person_id: str) -> None:
    """Somebody says that the number is not this person's."""
    at = services.clock.now()
    with services.db.write() as conn:
        mobile = persons.get(conn, services.sealer, person_id).mobile
        assert mobile is not None
        number = persons.phone_index(services.sealer, mobile)
        case = cases.insert_new(
            conn, kind=CaseKind.NOT_ME, opened_at=at, due_at=at, person_id=person_id, phone_index=number
        )
        assert case is not None
        cases.pause_number(conn, person_id=person_id, phone_index=number, case_id=case.id, at=at)
