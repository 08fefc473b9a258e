"""The good rows of a checked list are recorded as any import is, and counted in the same transaction: a worker that is
killed leaves a piece either whole and counted, or not begun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.core.states import Lane
from notifier.intake.bulk import problems_of
from notifier.intake.one import Item, item_of
from notifier.intake.record import Door, PlanOptions, Recorded, in_transaction, record_within
from notifier.intake.uploads import pieces
from notifier.intake.uploads.pieces import OTHER_FACILITY, ReadLine
from notifier.services import Services
from notifier.store import audit, uploads
from notifier.store.uploads import Row, UploadStatus

REFUSED = "refused"


@dataclass
class _Done:
    """What became of a piece's rows."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  #: of the suppressed ones
    refused: list[dict[str, Any]] = field(default_factory=list)
    results: list[list[Any]] = field(default_factory=list)  #: line, outcome, reason, reference


class Recorder:
    """Records the pieces of one list, in their order."""

    def __init__(self, services: Services, upload: Row) -> None:
        self._services, self._upload = services, upload
        self._actor = f"staff:{upload.started_by}"
        undo = timedelta(minutes=services.settings.undo_minutes)
        own = upload.facility_id
        self._options = PlanOptions(undo=undo, entered_by=upload.started_by, lane=Lane.BULK, only_facility=own)

    def step(self, number: int, token: str) -> Row | None:
        """Records one piece; the list as it stands then, or None where it is not ours to go on with."""
        services, upload_id = self._services, self._upload.id
        with services.db.read() as conn:
            chunk = uploads.chunk(conn, upload_id, number)
            if chunk is None or chunk.body_sealed is None:
                return None
            rows = pieces.read_piece(services, self._upload, chunk)
            refused = uploads.refused_among(conn, upload_id, [row.line for row in rows])
        # what the check refused stays refused, whatever day it is by now
        left = [row for row in rows if row.line not in refused]
        items = {row.line: item_of(services, row.event) for row in left if row.event is not None}

        def work(conn: Connection) -> Row | None:
            held = uploads.hold(conn, upload_id, token)
            if held is None or held.next_chunk != number or held.status != UploadStatus.RECORDING:
                return None
            done = self._recorded(conn, left, items)
            uploads.add_refusals(conn, done.refused)
            uploads.update_chunk(conn, upload_id, number, results=done.results)
            return self._moved_on(conn, held, done, len(rows))

        return in_transaction(services, work)

    def _recorded(self, conn: Connection, rows: Sequence[ReadLine], items: dict[int, Item]) -> _Done:
        answers = record_within(
            conn,
            self._services,
            list(items.values()),
            door=Door.IMPORT,
            actor=self._actor,
            options=self._options,
        )
        answer_of = dict(zip(items, answers, strict=True))
        done = _Done()
        for row in rows:
            self._count(done, row, answer_of.get(row.line), row.problems)
        return done

    def _count(
        self, done: _Done, row: ReadLine, answer: Recorded | BadInput | Conflict | None, problems: tuple[Problem, ...]
    ) -> None:
        if isinstance(answer, BadInput | Conflict):
            problems = _as_checked(problems_of(answer))
        if problems or not isinstance(answer, Recorded):
            done.outcomes[REFUSED] += 1
            done.refused.append(pieces.refusal(self._services, self._upload.id, row, problems))
            return
        done.outcomes[answer.outcome.value] += 1
        reason = answer.reason.value if answer.reason is not None else None
        if answer.outcome == "suppressed" and reason is not None:
            done.reasons[reason] += 1
        done.results.append([row.line, answer.outcome.value, reason, answer.reference])

    def _moved_on(self, conn: Connection, row: Row, done: _Done, rows: int) -> Row | None:
        is_last = row.next_chunk + 1 >= row.chunks
        outcomes = Counter(row.recorded.get("outcomes", {})) + done.outcomes
        reasons = Counter(row.recorded.get("reasons", {})) + done.reasons
        uploads.update(
            conn,
            row.id,
            recorded={"outcomes": dict(outcomes), "reasons": dict(reasons)},
            next_chunk=row.next_chunk + 1,
            rows_done=row.rows_done + rows,
            attempts=0,
            lease_until=self._services.db.lease(pieces.lease_length(self._services)).until,
        )
        if is_last:
            self._end(conn, row, dict(outcomes))
            return None
        return row

    def _end(self, conn: Connection, row: Row, outcomes: dict[str, int]) -> None:
        at = self._services.clock.now()
        uploads.update(conn, row.id, status=UploadStatus.DONE.value, ended_at=at)
        uploads.drop_file(conn, row.id)
        audit.write(
            conn,
            at=at,
            actor=self._actor,
            action="upload.recorded",
            subject="upload",
            subject_id=row.id,
            reference=row.reference,
            **outcomes,
        )


def _as_checked(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """In the words of the check: it may be that another facility has recorded the dose since."""
    return (OTHER_FACILITY,) if any(one.rule == OTHER_FACILITY.rule for one in problems) else problems
