"""Idempotency-Key: sent twice, done once, answered alike; and what is refused about it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from linkserver import create_staff_app
from notifier.access import api_keys
from notifier.access.api_keys import ApiKey, Scope
from notifier.services import Services
from notifier.store import idempotency as rows
from notifier.store.tables import idempotency as table
from notifier.support import idempotency
from notifier.support.idempotency import Begun, Busy, Differs, Kept
from tests.builders import event_json, fhir_bundle
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.web.api.conftest import Post

DOSES, LIST = "/api/v1/vaccinations", "/api/v1/notifications"
KEY = {"Idempotency-Key": '"6d1f2a0e-6a51-4d7e-9f4c-1c7c4d2f6f0a"'}


def _rule(answer: TestResponse) -> str:
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    return str(answer.json["errors"][0]["rule"])


def test_the_second_request_gets_the_answer_of_the_first(post: Post, desk: Desk) -> None:
    first, second = (post(DOSES, event_json(), headers=KEY) for _ in range(2))
    assert (first.status_code, first.data, first.headers["Location"]) == (
        second.status_code,
        second.data,
        second.headers["Location"],
    )
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(desk.rows()) == 1


def test_a_resend_that_is_sent_twice_makes_one_message(post: Post, desk: Desk) -> None:
    reference = desk.record().reference
    desk.send()
    answers = [post(f"{LIST}/{reference}/resend", {"reason": "asked"}, headers=KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.data for answer in answers}) == 1
    assert len(desk.rows()) == 2


def test_the_key_bare_or_quoted_is_the_same(post: Post) -> None:
    post(DOSES, event_json(), headers=KEY)
    bare = {"Idempotency-Key": KEY["Idempotency-Key"].strip('"')}
    assert post(DOSES, event_json(), headers=bare).headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("what", ["body", "path", "media type"])
def test_the_same_key_with_another_request_is_422(post: Post, desk: Desk, what: str) -> None:
    post(DOSES, event_json(), headers=KEY)
    path, body, more = DOSES, event_json(), {}
    if what == "body":
        body = event_json(event_id="e2", dose={"id": "d2"})
    elif what == "path":
        path = "/fhir/R4"
    else:
        more = {"content_type": "application/fhir+json"}
    answer = post(path, body, headers=KEY, **more)
    assert answer.status_code == 422
    assert "reused" in answer.text
    assert len(desk.rows()) == 1


def test_an_error_of_the_callers_is_replayed_too(post: Post, clock: FakeClock) -> None:
    first, second = (post(DOSES, event_json(person={"nik": "1"}), headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (422, 422)
    assert second.data == first.data
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("header", ["", '""', "x" * 256, '"a"b"', "\u00e9"])
def test_a_key_that_cannot_be_read_is_400(post: Post, desk: Desk, header: str) -> None:
    answer = post(DOSES, event_json(), headers={"Idempotency-Key": header})
    assert (answer.status_code, _rule(answer)) == (400, "idempotency-key")
    assert desk.rows() == []


def test_two_systems_may_use_the_same_key(post: Post, client: FlaskClient, services: Services, desk: Desk) -> None:
    post(DOSES, event_json(), headers=KEY)
    other = api_keys.add(services, name="other", scopes=list(Scope), actor="system").text
    body = event_json(event_id="e2", dose={"id": "d2"})
    answer = client.post(DOSES, json=body, headers=KEY | {"Authorization": f"Bearer {other}"})
    assert answer.status_code == 202
    assert len(desk.rows()) == 2


def test_after_a_day_the_key_is_free_and_upkeep_drops_it(post: Post, services: Services, clock: FakeClock) -> None:
    post(DOSES, event_json(), headers=KEY)
    clock.tick(hours=24)
    again = post(DOSES, event_json(), headers=KEY)
    assert "Idempotency-Replayed" not in again.headers
    assert again.status_code == 200  # the event id still knows it
    clock.tick(hours=24, seconds=1)
    with services.db.write() as conn:
        assert rows.forget(conn, clock.now()) == 1
        assert rows.forget(conn, clock.now()) == 0


def test_the_answer_is_sealed_and_the_key_and_body_are_not_kept(post: Post, services: Services) -> None:
    answer = post(DOSES, event_json(), headers=KEY)
    assert answer.json is not None
    with services.db.read() as conn:
        kept = str(conn.execute(sa.select(table)).all())
    for word in (answer.json["reference"], "Siti", "6d1f2a0e", "event-1"):
        assert word not in kept


def test_a_bundle_is_replayed_as_fhir(post: Post, desk: Desk) -> None:
    first, second = (post("/fhir/R4", fhir_bundle(), headers=KEY) for _ in range(2))
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.data, second.mimetype) == (first.data, "application/fhir+json")


def _key(services: Services) -> ApiKey:
    text = api_keys.add(services, name="SIMRS", scopes=list(Scope), actor="system").text
    found = api_keys.check(services, text)
    assert found is not None
    return found


def test_of_many_at_once_one_works_and_the_others_are_told_to_wait(each_services: Services) -> None:
    key = _key(each_services)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: idempotency.begin(each_services, key, "k", b"request"), range(8)))
    assert [type(one) for one in found].count(Begun) == 1
    assert {type(one) for one in found} == {Begun, Busy}
    assert all(one.retry_in_s == 60 for one in found if isinstance(one, Busy))


def test_a_request_that_is_not_answered_yet_is_409_with_retry_after(
    post: Post, services: Services, key: str, desk: Desk
) -> None:
    bearer = api_keys.check(services, key)
    assert bearer is not None
    post(DOSES, event_json(), headers=KEY)
    with services.db.write() as conn:  # as it stood while the first was at work
        conn.execute(table.update().values(answer_sealed=None))
    answer = post(DOSES, event_json(), headers=KEY)
    assert (answer.status_code, _rule(answer), answer.headers["Retry-After"]) == (409, "in-progress", "60")


def test_the_work_of_a_process_that_died_is_done_by_the_next(each_services: Services, clock: FakeClock) -> None:
    key = _key(each_services)
    dead = idempotency.begin(each_services, key, "k", b"request")
    assert isinstance(dead, Begun)
    clock.tick(seconds=61)
    heir = idempotency.begin(each_services, key, "k", b"request")
    assert isinstance(heir, Begun)
    idempotency.finish(each_services, dead, Kept(202, {}, b"too late"))  # it was not dead after all
    assert isinstance(idempotency.begin(each_services, key, "k", b"request"), Busy)
    idempotency.finish(each_services, heir, Kept(200, {"Content-Type": "text/plain"}, b"line\nline"))
    found = idempotency.begin(each_services, key, "k", b"request")
    assert found == Kept(200, {"Content-Type": "text/plain"}, b"line\nline")
    assert isinstance(idempotency.begin(each_services, key, "k", b"other"), Differs)


def test_a_fault_of_ours_is_not_replayed(services: Services, key: str, desk: Desk) -> None:
    class Broken:
        def __init__(self, real: Any) -> None:
            self.real, self.broken = real, True

        def index(self, purpose: str, value: Any) -> bytes:
            if self.broken and purpose == "event.content":
                raise RuntimeError("a fault of ours")
            return bytes(self.real.index(purpose, value))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    sealer = Broken(services.sealer)
    client = create_staff_app(replace(services, sealer=sealer)).test_client()  # type: ignore[arg-type]
    headers = KEY | {"Authorization": f"Bearer {key}"}
    broken = client.post(DOSES, json=event_json(), headers=headers)
    assert (broken.status_code, broken.mimetype) == (500, "application/problem+json")
    sealer.broken = False
    assert client.post(DOSES, json=event_json(), headers=headers).status_code == 202
    assert len(desk.rows()) == 1
