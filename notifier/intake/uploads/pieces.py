"""The sealed pieces of a list, and the lines that lie in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from notifier.core.errors import BadInput, Problem
from notifier.core.ids import new_ids
from notifier.intake import readers
from notifier.intake.event import Event, now_as_today
from notifier.intake.rows import Layout, read_row
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import desk
from notifier.store.uploads import Row

PIECE_ROWS = 500
_BODY, _REFUSED, _HEADINGS, _NAME = "upload_chunk:body", "upload_refusal:body", "upload:headings", "upload:name"
#: a line that was too long to be kept
TOO_LONG = None
_DETAIL = "a line has at most 65536 bytes"

Line = tuple[int, str | None]


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One row of the file: an event, or what is wrong with it. `text` is "" for a line that was too long."""

    line: int
    text: str
    event: Event | None
    problems: tuple[Problem, ...] = ()


def lease_length(services: Services) -> timedelta:
    """How long a worker may be silent over a piece before another takes the list up."""
    return timedelta(seconds=services.settings.lease_seconds)


def sealed_piece(services: Services, upload_id: str, number: int, lines: Sequence[Line]) -> dict[str, Any]:
    """The row of one piece, to be inserted."""
    [row_id] = new_ids(1)
    body = services.sealer.seal(_BODY, row_id, json.dumps(lines))
    return {"id": row_id, "upload_id": upload_id, "number": number, "body_sealed": body}


def lines_of(services: Services, chunk: Row) -> list[Line]:
    """The lines of a piece. Raises SealBroken."""
    return [(number, text) for number, text in json.loads(services.sealer.open(_BODY, chunk.id, chunk.body_sealed))]


def read_piece(services: Services, upload: Row, chunk: Row) -> list[ReadLine]:
    """The rows of a piece, each an event or its problems; lines without content are left out."""
    reader = _Reader(services, upload)
    read = (reader.read(number, text) for number, text in lines_of(services, chunk))
    return [row for row in read if row is not None]


class _Reader:
    """Reads lines as the list's columns say, the own facility filled in where the list is a facility's."""

    def __init__(self, services: Services, upload: Row) -> None:
        self._layout = Layout(upload.delimiter, tuple(upload.columns))
        self._own = upload.facility_id
        self._otherwise: dict[str, object] = {}
        if upload.facility_id is not None:
            with services.db.read() as conn:
                name = desk.facility_name(conn, upload.facility_id)
            self._otherwise = {"facility_id": upload.facility_id} | ({"facility": name} if name else {})
        self._terms: dict[str, Any] = {
            "today": now_as_today(services.clock.now()),
            "hash_key": readers.hash_key(services),
            "require_birth_date": services.settings.link_check is not LinkCheck.NONE,
        }

    def read(self, number: int, text: str | None) -> ReadLine | None:
        if text is None:
            return ReadLine(number, "", None, (Problem("row", "line-too-long", _DETAIL),))
        try:
            event = read_row(self._layout, text, otherwise=self._otherwise, **self._terms)
        except BadInput as error:
            return ReadLine(number, text, None, error.problems)
        if event is None:
            return None
        if self._own is not None and event.dose.facility_id != self._own:
            return ReadLine(number, text, None, (OTHER_FACILITY,))
        return ReadLine(number, text, event)


#: also for a dose that another facility recorded
OTHER_FACILITY = Problem("facility_id", "other-facility", "a facility uploads its own doses only")


def refusal(services: Services, upload_id: str, row: ReadLine, problems: Sequence[Problem]) -> dict[str, Any]:
    """The row of a refused line, to be inserted."""
    [row_id] = new_ids(1)
    return {
        "id": row_id,
        "upload_id": upload_id,
        "line": row.line,
        "problems": [{"field": p.field, "rule": p.rule, "detail": p.detail} for p in problems],
        "body_sealed": services.sealer.seal(_REFUSED, row_id, json.dumps(row.text)),
    }


def refused_text(services: Services, row: Row) -> str:
    """The line of a refused row, as it stood in the file. Raises SealBroken."""
    text: str = json.loads(services.sealer.open(_REFUSED, row.id, row.body_sealed))
    return text


def sealed_head(services: Services, upload_id: str, name: str, headings: Sequence[str]) -> dict[str, bytes]:
    """What the list's own row keeps sealed."""
    seal = services.sealer.seal
    return {
        "name_sealed": seal(_NAME, upload_id, name),
        "headings_sealed": seal(_HEADINGS, upload_id, json.dumps(list(headings))),
    }


def headings_of(services: Services, upload: Row) -> list[str]:
    """What stands above each column. Raises SealBroken."""
    found: list[str] = json.loads(services.sealer.open(_HEADINGS, upload.id, upload.headings_sealed))
    return found


def name_of(services: Services, upload: Row) -> str:
    """The file's name. Raises SealBroken."""
    return services.sealer.open(_NAME, upload.id, upload.name_sealed)
