"""A registry that publishes while something happens to the stream."""

from __future__ import annotations

import threading

from tests.installation import Installation, body_of

AT_ONCE = 20
_PAUSE_S = 0.8


class Registry(threading.Thread):
    """Publishes events, a few at a time, until it is told to `end`: a slow machine never finds the registry done."""

    def __init__(self, installation: Installation, least: int) -> None:
        super().__init__(daemon=True)
        self._installation = installation
        self._ending = threading.Event()
        self.least = least
        self.published = 0

    def run(self) -> None:
        while self.published < self.least or not self._ending.is_set():
            self._installation.publish(*map(body_of, range(self.published, self.published + AT_ONCE)))
            self.published += AT_ONCE
            self._ending.wait(_PAUSE_S)

    def end(self) -> int:
        """Publishes at once what is wanting to `least`, and returns how many there are now in all."""
        self._ending.set()
        self.join()
        return self.published
