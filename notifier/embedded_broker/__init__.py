"""A durable message broker in one SQLite file: the Kombu transport of an installation without a broker server.

What may live here: the file (`file.py`) and the Kombu side of it (`transport.py`). Nothing here imports from another
room.

Promises, the same that `tests/broker` asks of RabbitMQ and Redis:

* a message is on disk (WAL, synchronous=FULL) before `publish` returns, and stays until it is acknowledged;
* a delivery is a lease: `ack` deletes the message, `reject` deletes it or puts it back in its old place;
* leases of a closed channel end at once; those of a dead process within a second or two, because every consuming
  process holds a POSIX lock on one byte of `<file>-consumers`, which the kernel drops however the process ends; all
  others after `visibility_timeout`, which must therefore be longer than the longest task;
* a message that comes back has `delivery_info["redelivered"]` and, in header `x-delivery-count`, the number of earlier
  deliveries;
* direct, topic and fan-out exchanges live in the file, so Celery's remote control works across processes;
* expired messages and the queues of dead nodes are removed, and the space they took is given back.

Delivery is at least once. One host, local disk: WAL and POSIX locks do not work over a network file system. A file that
is deleted or replaced under us, a full disk or a lock that lasts is `BrokerUnavailable`, after which Celery connects
again. Not here: priorities, dead-letter exchanges, exclusivity (`exclusive` only means: gone when its channel is).

Transport options, in seconds: `visibility_timeout` (600), `polling_interval` (0.1), `busy_timeout` (10, the wait for
the write lock; the newest connection's value counts for the process).
"""

import os
from urllib.parse import quote

from kombu.transport import TRANSPORT_ALIASES

SCHEME = "sertilink-sqlite"


def register() -> None:
    """Make Kombu know `sertilink-sqlite:` URLs. Called by whoever builds a Celery app or a Connection."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}.transport:Transport"


def broker_url(path: str | os.PathLike[str]) -> str:
    """The URL of the broker in this file: `sertilink-sqlite:///relative.db` or `sertilink-sqlite:////absolute.db`.

    The path survives exactly; in a URL written by hand, spaces and `% ; # ?` need percent-encoding (to Kombu `;` is a
    list of URLs).
    """
    return f"{SCHEME}:///{quote(os.fspath(path))}"
