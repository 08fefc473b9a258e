"""Events from Redis without a moment in which only this process has them: Kombu's Redis transport, taking in one step.

Kombu pops a message (BRPOP) and notes it as unacknowledged in a second round trip: a SIGKILL in between loses it. Here
the server itself does both in one script, up to a prefetch window at once, and the blocking wait only looks
(BLMOVE of a list's last item to its own end). So a message is at each moment in its queue or in the notes. A delivery
is a lease of `visibility_timeout` seconds: what is neither acknowledged nor given back by then returns to its queue,
also by the sweep of another process.

What differs from Kombu's notes: they hold the queue's name and the item as it came, and go back unread, so that an item
that is no Kombu message can neither stop the sweep nor be lost by it. Such an item is delivered with itself as body.
Tags are ours, as two items may bear the same. One queue a channel, always acknowledged (what Celery and our step use);
publishing, bindings, fan-out and remote control are Kombu's own. `global_keyprefix` is not supported.

Relied on in Kombu 5.7: MultiChannelPoller calls `_brpop_start` where the prefetch window has room, `_brpop_read` once
the reply is there, `qos.restore_visible` at the start and every `unacked_restore_interval`; `_in_poll` and
`_brpop_sent_at` tell its health check what is under way; `Empty` from a reader is no fault; `_put` pushes left, so that
the right end is the queue's head. Redis 6.2 or newer (BLMOVE), as Kombu itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cached_property
from queue import Empty
from time import monotonic, time
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from kombu.utils.json import loads

_SCHEMES = {"redis": "sertilink-redis", "rediss": "sertilink-rediss"}
_MOST_AT_ONCE = 500
_MOST_SWEPT = 1000

# Nothing of a script is rolled back where the server refuses one of its commands (no memory left): each writes a
# message's new place before it clears the old one.

# KEYS: notes, index, then the queue's lists by priority. ARGV: how many, now, a prefix for tags, the queue.
_TAKE = """
local found = {}
for list = 3, #KEYS do
    while #found / 2 < tonumber(ARGV[1]) do
        local item = redis.call('LINDEX', KEYS[list], -1)
        if not item then break end
        local tag = ARGV[3] .. '-' .. (#found / 2)
        redis.call('ZADD', KEYS[2], ARGV[2], tag)
        redis.call('HSET', KEYS[1], tag, ARGV[4] .. '\\n' .. item)
        redis.call('RPOP', KEYS[list])
        found[#found + 1] = tag
        found[#found + 1] = item
    end
end
return found
"""

# Each list of tags goes back newest first, so that the oldest ends nearest to the head.
_BACK = """
local function back(tag, push)
    local note = redis.call('HGET', KEYS[1], tag)
    if note then
        local border = string.find(note, '\\n', 1, true)
        redis.call(push, string.sub(note, 1, border - 1), string.sub(note, border + 1))
    end
    redis.call('HDEL', KEYS[1], tag)
    redis.call('ZREM', KEYS[2], tag)
end
"""
_RESTORE = f"{_BACK} for at = #ARGV, 2, -1 do back(ARGV[at], ARGV[1]) end"
_SWEEP = f"""{_BACK}
local tags = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for at = #tags, 1, -1 do back(tags[at], 'RPUSH') end
return #tags
"""
_TO_THE_HEAD, _TO_THE_END = "RPUSH", "LPUSH"


class QoS(redis.QoS):
    """Deliveries in hand. The notes in Redis are written by the script that takes."""

    def append(self, message: Any, delivery_tag: str) -> None:
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        self.ack_many([delivery_tag])

    def ack_many(self, tags: Sequence[str]) -> None:
        """Forgets the notes in one round trip. Where that fails they return by the sweep; here they are let go of."""
        try:
            with self.channel.conn_or_acquire() as client:
                client.pipeline().zrem(self.unacked_index_key, *tags).hdel(self.unacked_key, *tags).execute()
        finally:
            for tag in tags:
                virtual.QoS.ack(self, tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            self.ack(delivery_tag)
            return
        try:
            self._restore([delivery_tag], _TO_THE_END)
        finally:
            virtual.QoS.ack(self, delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        self._flush()
        tags = list(self._delivered)
        self._delivered.clear()
        self._restore(tags, _TO_THE_HEAD)

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        self._restore([tag], _TO_THE_END if leftmost else _TO_THE_HEAD)

    def restore_visible(self, start: int = 0, num: int | None = None, interval: int = 1) -> None:
        """Puts back what was taken longer than `visibility_timeout` ago, by whomever."""
        self.channel.sweep(keys=self._notes, args=[time() - self.visibility_timeout, _MOST_SWEPT])

    def _restore(self, tags: Sequence[str], push: str) -> None:
        for start in range(0, len(tags), _MOST_SWEPT):
            self.channel.restore(keys=self._notes, args=[push, *tags[start : start + _MOST_SWEPT]])

    @property
    def _notes(self) -> list[str]:
        return [self.unacked_key, self.unacked_index_key]


class Channel(redis.Channel):
    """Takes from one queue: what came, up to the prefetch window, in one atomic step."""

    QoS = QoS

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        if queue not in self._fanout_queues and (no_ack or self.active_queues not in ([], [queue])):
            raise ValueError("this transport serves one acknowledged queue a channel")
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Waits for a message and leaves it where it is."""
        [queue] = self.active_queues
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        # a message with a priority lies in a list of its own: it waits for the next one or for the time-out
        self.client.connection.send_command("BLMOVE", queue, queue, "RIGHT", "RIGHT", timeout or self.brpop_timeout)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            self.client.parse_response(self.client.connection, "BLMOVE", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        taken = [(queue, self._take(queue)) for queue in self.active_queues]
        for queue, messages in taken:
            for message in messages:
                self.connection._deliver(message, queue)
        if not any(messages for _, messages in taken):
            raise Empty
        return True

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for message in self._take(queue, most=1):
            return message
        raise Empty

    def _take(self, queue: str, most: int | None = None) -> list[dict[str, Any]]:
        if most is None:
            room = self.qos.can_consume_max_estimate()
            most = _MOST_AT_ONCE if room is None else min(room, _MOST_AT_ONCE)
        keys = [self.unacked_key, self.unacked_index_key]
        keys += [self._q_for_pri(queue, priority) for priority in self.priority_steps]
        found = self.take(keys=keys, args=[most, time(), uuid4().hex, queue])
        return [self._payload(tag.decode(), item) for tag, item in zip(found[::2], found[1::2], strict=True)]

    def _payload(self, tag: str, item: bytes) -> dict[str, Any]:
        """The message as Kombu knows it, under our tag; what is no Kombu message becomes the body of one."""
        try:
            payload = loads(item.decode())
            payload["properties"]["delivery_tag"] = tag
            self.Message(payload, channel=self)
        except Exception:  # whatever a stranger may have pushed; the reasons are given to the whole body
            payload = {"body": item, "headers": {}, "properties": {"delivery_tag": tag, "delivery_info": {}}}
        result: dict[str, Any] = payload
        return result

    @cached_property
    def take(self) -> Any:
        return self._create_client().register_script(_TAKE)

    @cached_property
    def restore(self) -> Any:
        return self._create_client().register_script(_RESTORE)

    @cached_property
    def sweep(self) -> Any:
        return self._create_client().register_script(_SWEEP)


class Transport(redis.Transport):
    """Kombu's transport for the URLs that `url` gives."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        if client.transport_cls == _SCHEMES["rediss"] and not client.ssl:
            client.ssl = {"ssl_cert_reqs": ssl.CERT_NONE}  # what Kombu does with `rediss` and no options
        super().__init__(client, **kwargs)


def url(broker_url: str) -> str:
    """The URL under which this transport serves a Redis URL (or several, with `;`). Registers the transport."""
    for scheme in _SCHEMES.values():
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    parts = (part.partition("://") for part in broker_url.split(";"))
    return ";".join(f"{_SCHEMES[scheme]}://{rest}" for scheme, _, rest in parts)


def options(installation: str, lease_seconds: float) -> dict[str, Any]:
    """Transport options: notes of our own, as another installation or the workers may hold theirs for longer."""
    return {
        "unacked_key": f"{installation}.unacked",
        "unacked_index_key": f"{installation}.unacked-index",
        "visibility_timeout": lease_seconds,
        "unacked_restore_interval": max(1.0, min(10.0, lease_seconds / 3)),
        "unacked_restore_throttle": 1,
    }
