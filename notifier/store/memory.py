"""What a worker remembers of the database's mark, outside the database: in memory and in its data folder.

Only so can it know that the database before it is an older copy (store.epochs).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_NAME = "epoch.json"


class Memory:
    """The highest mark seen, and of which installation. Reads its file when it is first asked."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._installation: str | None = None
        self._mark = 0
        self._has_read = False

    @property
    def mark(self) -> int:
        self._read()
        return self._mark

    def is_behind(self, row: Any) -> bool:
        """Whether a database with this `epoch` row has lost what we have seen. None (it never ticked) is behind a mark
        of nothing only: an emptied database holds nothing that could be sent again."""
        self._read()
        return row is not None and row.installation == self._installation and row.mark < self._mark

    def note(self, row: Any) -> None:
        """Remembers a mark that was committed. A folder that cannot be written costs the memory over a restart only."""
        self._read()
        if row.installation == self._installation and row.mark <= self._mark:
            return
        self._installation, self._mark = row.installation, row.mark
        draft = self._path.with_name(f"{_NAME}.{os.getpid()}")
        try:
            draft.write_text(json.dumps({"installation": row.installation, "mark": row.mark}), encoding="ascii")
            draft.replace(self._path)
        except OSError:
            return

    def _read(self) -> None:
        if self._has_read:
            return
        self._has_read = True
        try:
            kept = json.loads(self._path.read_text(encoding="ascii"))
            self._installation, self._mark = str(kept["installation"]), int(kept["mark"])
        except (OSError, ValueError, KeyError, TypeError):
            return
