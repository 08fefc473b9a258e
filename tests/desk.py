"""A desk for flow tests: records, sends and looks, in the words of the tests."""

from __future__ import annotations

from typing import Any

from notifier.gateways import Receipt, ReceiptState
from notifier.intake.record import Door, PlanOptions, Recorded, record
from notifier.messages import receipts
from notifier.messages.send import Sender, SendReport
from notifier.services import Services
from notifier.store import attempts, audit, certificates, notifications
from tests.builders import an_event
from tests.fakes import FakeGateway


class Desk:
    """What a test does to one installation."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._sender = Sender(services)

    @property
    def gateway(self) -> FakeGateway:
        assert isinstance(self.services.gateway, FakeGateway)
        return self.services.gateway

    def record(self, options: PlanOptions | None = None, **changes: Any) -> Recorded:
        return record(self.services, an_event(**changes), door=Door.API, actor="door:api", options=options)

    def send(self, limit: int = 500) -> SendReport:
        return self._sender.send_batch(limit)

    def row(self, reference: str | None) -> notifications.Row:
        assert reference is not None
        with self.services.db.read() as conn:
            found = notifications.find(conn, reference)
        assert found is not None
        return found

    def state(self, reference: str | None) -> str:
        return str(self.row(reference).status)

    def rows(self) -> list[notifications.Row]:
        with self.services.db.read() as conn:
            return notifications.newest(conn, 10_000)

    def attempts(self, reference: str | None) -> list[Any]:
        with self.services.db.read() as conn:
            return attempts.of_notification(conn, self.row(reference).id)

    def link(self, reference: str | None) -> Any:
        with self.services.db.read() as conn:
            return next(iter(certificates.load_links(conn, [self.row(reference).link_id]).values()))

    def certificate(self, reference: str | None) -> Any:
        with self.services.db.read() as conn:
            return certificates.get(conn, self.row(reference).certificate_id)

    def audit(self, subject_id: str) -> list[str]:
        with self.services.db.read() as conn:
            return [row.action for row in audit.of_subjects(conn, [subject_id])]

    def receive(self, word: str, which: int = -1, code: str | None = None) -> receipts.Applied:
        """A delivery receipt for the `which`-th SMS that was sent."""
        reference = self.gateway.sent[which].attempt_reference
        return receipts.apply(
            self.services, Receipt(reference, "SM" + "0" * 32, ReceiptState(word), word, code, raw=b"form")
        )
