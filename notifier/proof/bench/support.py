"""`support`: how fast a chat is answered, from the signed webhook to the reply at the provider; and, where the room for
it has a bench of its own, how fast the cause of a missing certificate is found."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

from notifier.proof.bench import Options, Row, chatters, people
from notifier.proof.bench.dispatch import ANSWER_S, start_workers
from notifier.proof.bench.processes import CPU_STEP_S, Process, cpu_seconds, tree, wait_until
from notifier.proof.bench.workshop import ACCOUNT_SID, AUTH_TOKEN, HOST, Workshop, listens, open_workshop
from notifier.proof.ports import free_port
from notifier.store import bench_chat, bench_rows, persons
from notifier.support.chat.dialogue import Dialogue
from notifier.support.proof_of_person import proof_of

_SIZE = 6_000  # steps of each case
_FEW, _MANY = 50, 150  # conversations at once
#: what somebody says who has proved who they are; every fifth step reads certificates
_TEXTS = ("hai", "1", "0", "3", "batal")
_ROUNDS = 4  # of these a person: more in a minute would be a flood
#: conversations of the day before, and what was said in each: nobody chats on empty tables
_BEFORE, _SAID_BEFORE = 5_000, 4
_CAUSES = "causes"
_PATIENCE_S = 300.0


def run(options: Options) -> list[Row]:
    """Chat steps; then what `causes` measures, where it is there."""
    size = options.size or _SIZE
    with _shop(options) as (shop, port):
        web, workers = shop.web(), start_workers(shop, options.workers)
        running = [web, *workers]
        proved = max(1, size // (len(_TEXTS) * _ROUNDS))
        whole = min(_FEW, proved)
        options.say(f"{whole + 2 * proved} made-up people")
        numbers = _people(shop, whole, 2 * proved)
        rows = _whole_way(shop, port, running, whole)
        rows += _steps(shop, port, running, numbers[:proved], _FEW, options)
        rows += _steps(shop, port, running, numbers[proved:], _MANY, options)
    return rows + _causes(options)


def _causes(options: Options) -> list[Row]:
    """The case of the room that knows why a certificate did not come."""
    if importlib.util.find_spec(f"{__package__}.{_CAUSES}") is None:
        return []
    found: Sequence[Row] = import_module(f"{__package__}.{_CAUSES}").rows(options)
    return list(found)


@contextmanager
def _shop(options: Options) -> Iterator[tuple[Workshop, int]]:
    port = free_port()
    with open_workshop(
        options,
        gateway="twilio",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_from="+6285100000000",
        twilio_api_base=f"http://{HOST}:{port}",
        whatsapp_from="+6281110500567",
        doors="link,verify,whatsapp",
    ) as shop:
        yield shop, port


def _people(shop: Workshop, whole: int, proved: int) -> list[str]:
    """Persons with a certificate: the first `whole` prove who they are in the chat, the others have; their numbers."""
    services = shop.services
    people.waiting(services, whole + proved)
    at = services.clock.now()
    until = (at + timedelta(hours=1)).timestamp()
    numbers = [people.subject("bench", place).phone for place in range(whole + proved)]
    talks = []
    with services.db.read() as conn:
        for number in numbers[whole:]:
            [person_id] = persons.ids_with_phone(conn, persons.phone_index(services.sealer, number))
            proof = proof_of(services, persons.get(conn, services.sealer, person_id))
            state = Dialogue(
                phone=number, phone_until=until, person_id=person_id, person_until=until, person_proof=proof
            )
            talks.append((number, replace(state, said_at=at.timestamp()).to_text()))
    with services.db.write() as conn:
        bench_chat.add_conversations(conn, services.sealer, talks, at=at)
        strangers = [f"+62899{place:08d}" for place in range(min(_BEFORE, 10 * len(numbers)))]
        bench_chat.add_history(conn, services.sealer, strangers, _SAID_BEFORE, at=at - timedelta(hours=12))
    with services.db.read() as conn:
        bench_rows.settle_statistics(conn)
    return numbers[whole:]


def _whole_way(shop: Workshop, port: int, running: list[Process], whole: int) -> list[Row]:
    """From hai to the certificate, with the code by SMS; the wait for that SMS is not a step's."""
    said = []
    for place in range(whole):
        who = people.subject("bench", place)
        said.append((who.phone, ["hai", "1", "1", chatters.CODE, who.name, who.nik, "1"]))
    told = _chat(shop, port, running, said, at_once=min(10, whole))
    return [
        Row("a step on the way from hai to the certificate: median", told["median_ms"], "ms"),
        Row("a step on the way from hai to the certificate: p95", told["p95_ms"], "ms"),
    ]


def _steps(
    shop: Workshop, port: int, running: list[Process], numbers: list[str], at_once: int, options: Options
) -> list[Row]:
    options.say(f"{at_once} conversations at once")
    said = [(number, list(_TEXTS) * _ROUNDS) for number in numbers]
    pids = [pid for process in running for pid in tree(process.pid)]
    used = cpu_seconds(pids)
    told = _chat(shop, port, running, said, at_once=at_once)
    used = max(cpu_seconds(pids) - used, CPU_STEP_S)
    return [
        Row(f"{at_once} conversations at once: a step, median", told["median_ms"], "ms"),
        Row(f"{at_once} conversations at once: a step, p95", told["p95_ms"], "ms"),
        Row(f"{at_once} conversations at once: the webhook alone, p95", told["webhook_p95_ms"], "ms"),
        Row(f"{at_once} conversations at once: steps", told["rate"], "steps/s"),
        Row(
            f"{at_once} conversations at once: web and workers, a step", used / told["steps"] * 1000, "ms of processor"
        ),
    ]


def _chat(
    shop: Workshop, port: int, running: list[Process], said: list[tuple[str, list[str]]], *, at_once: int
) -> dict[str, Any]:
    """Lets people chat in a process of their own; what it tells."""
    plan = {
        "port": port,
        "web_port": shop.web_port,
        "public_url": shop.settings.public_url,
        "auth_token": AUTH_TOKEN,
        "delay_s": ANSWER_S,
        "at_once": min(at_once, len(said)),
        "people": said,
    }
    name = f"chatters-{len(list(shop.folder.glob('chatters-*.json')))}"
    path = shop.folder / f"{name}.json"
    path.write_text(json.dumps(plan), "utf-8")
    process = shop.module(name, "chatters", str(path))
    wait_until(lambda: listens(port), _PATIENCE_S, "the provider", [process, *running])
    process.wait(_PATIENCE_S)
    told: dict[str, Any] = json.loads(process.said().strip().splitlines()[-1])
    return told
