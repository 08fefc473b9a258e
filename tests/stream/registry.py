"""A registry that publishes while something happens to the stream."""

from __future__ import annotations

import threading

from tests.installation import Installation, body_of

AT_ONCE = 20
_PAUSE_S = 0.8


class Registry(threading.Thread):
    """Publishes `count` events, a few at a time; at once what is left where it is told to `hurry`."""

    def __init__(self, installation: Installation, count: int) -> None:
        super().__init__(daemon=True)
        self._installation = installation
        self._hurried = threading.Event()
        self.count = count
        self.published = 0

    def run(self) -> None:
        while self.published < self.count:
            self._installation.publish(*map(body_of, range(self.published, self.published + AT_ONCE)))
            self.published += AT_ONCE
            self._hurried.wait(_PAUSE_S)

    def hurry(self) -> None:
        """Returns when all are published."""
        self._hurried.set()
        self.join()
