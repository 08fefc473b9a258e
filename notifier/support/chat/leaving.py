"""Replies on their way: a few posts at once, while the worker reads on."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from notifier.services import Services
from notifier.support.chat import outbox
from notifier.support.chat.outbox import Fresh, Going

_POSTS_AT_ONCE = 8
#: what is tried again later falls due while others chat
_LOOK_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


class Posts:
    """What one worker posts. Its own fresh replies leave at once; all others are looked for when it begins, when one
    of its posts is done while some wait for their turn, and once a second."""

    def __init__(
        self, services: Services, pool: ThreadPoolExecutor, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._seconds = seconds
        self._pool = pool
        self._flying: set[Future[bool]] = set()
        self._others_wait = True
        self._looked_at = -math.inf

    def send(self, fresh: Sequence[Fresh], *, more: bool) -> None:
        """Lets fresh replies leave; `more`: others were written, which wait for their turn."""
        self._others_wait |= more
        if not fresh:
            return
        if self._is_full():
            self._others_wait = True
            return
        going = outbox.begin_fresh(self._services, fresh)
        self._others_wait |= len(going.ready) < len(fresh)
        self._fly(going)

    def send_others(self) -> bool:
        """Lets leave what waits besides; whether anything did."""
        landed = {one for one in self._flying if one.done()}
        self._flying -= landed
        self._others_wait |= any(one.result() for one in landed) or self._seconds() - self._looked_at >= _LOOK_AGAIN_S
        if not self._others_wait or (self._flying and not landed) or self._is_full():
            return False
        self._looked_at = self._seconds()
        going = outbox.begin(self._services)
        self._others_wait = going.claimed > 0 or bool(self._flying)
        self._fly(going)
        return going.claimed > 0

    def wait(self, pause_s: float, is_enough: Callable[[], bool]) -> bool:
        """Until a post is done, or it is enough, looking once in a pause; False where nothing is on its way."""
        if not self._flying:
            return False
        while not wait(self._flying, timeout=pause_s, return_when=FIRST_COMPLETED).done and not is_enough():
            pass
        return True

    def _is_full(self) -> bool:
        return sum(not one.done() for one in self._flying) >= _POSTS_AT_ONCE

    def _fly(self, going: Going) -> None:
        if going.ready:
            self._flying.add(self._pool.submit(_post, self._services, going))


@contextmanager
def leaving(services: Services) -> Iterator[Posts]:
    """A worker's posts; all are done when it ends."""
    with ThreadPoolExecutor(_POSTS_AT_ONCE, thread_name_prefix="chat") as pool:
        yield Posts(services, pool)


def _post(services: Services, going: Going) -> bool:
    """Whether some of what was posted waits again. What a post raises is said here, since nobody asks the future for
    it; its replies are doubted later."""
    try:
        return outbox.post(services, going).again > 0
    except Exception as error:
        _log.error("replies were not recorded", extra={"error": type(error).__name__, "replies": len(going.ready)})
        return False
