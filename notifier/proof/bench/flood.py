"""The floor of `dispatch`: a bare asynchronous client that posts ready-made bodies, and does nothing else.

Started as a process: `python -m notifier.proof.bench.flood URL COUNT IN_FLIGHT < bodies.json`; posts COUNT of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import cycle, islice

import aiohttp


async def flood(url: str, bodies: list[bytes], in_flight: int) -> int:
    """Posts every body; how many were accepted."""
    waiting = iter(bodies)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Authorization": aiohttp.encode_basic_auth("AC" + "a" * 32, "token"),
    }
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def post_some() -> int:
            accepted = 0
            for body in waiting:
                async with session.post(url, data=body) as answer:
                    accepted += bool((await answer.json())["sid"])
            return accepted

        return sum(await asyncio.gather(*(post_some() for _ in range(in_flight))))


def main() -> None:
    """The process."""
    url, count, in_flight = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    given = [text.encode() for text in json.load(sys.stdin)]
    print(asyncio.run(flood(url, list(islice(cycle(given), count)), in_flight)))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
