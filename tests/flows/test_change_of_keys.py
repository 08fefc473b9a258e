"""The drill of docs/install.md, "Changing keys", performed as it stands there: link, data and signing keys, and an API
key. What was sealed, sent, signed or handed out before goes on to work until its key is taken away on purpose."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretBytes

from linkserver import create_public_app, create_staff_app
from notifier.access import api_keys, second_factor, sessions, totp
from notifier.access.api_keys import Scope
from notifier.certificates.codes.ahead import make_ahead
from notifier.certificates.codes.keys import keyring_of
from notifier.core.errors import SealBroken
from notifier.gateways.catcher import Catcher
from notifier.messages import receipts
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import caught, contacts, events, persons, reseal
from notifier.store.tables import code
from notifier.support import person_deeds
from tests.builders import event_json
from tests.chatting import a_chat_under_way
from tests.commands.conftest import Run, run, sleeps  # noqa: F401  # fixtures
from tests.conftest import TEST_KEYS, Build
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.sealed_rows import fill_the_rest
from tests.uploads import a_list, an_uploader, checked, row

RIGHT = {"day": "10", "month": "2", "year": "1989"}
KEY = {"Idempotency-Key": "drill"}
_SEALED = {reseal.place_of(column) for column in reseal.sealed_columns()}


@dataclass
class Drill:
    """One database under keys that change."""

    build: Build
    clock: FakeClock
    run: Run
    keys: dict[str, Any]

    def services(self, **keys: Any) -> Services:
        """A process started anew with these keys besides those it has."""
        self.keys |= keys
        built = self.build(**self.keys)
        return replace(built, gateway=Catcher(built.db, built.sealer, self.clock))

    def rotated(self, name: str) -> tuple[SecretBytes, ...]:
        """The setting's new line, as the command prints it."""
        texts = [base64.urlsafe_b64encode(key.get_secret_value()).decode() for key in self.keys[name]]
        environ = {f"SERTILINK_{name.upper()}": ",".join(texts)}
        line = self.run("keys", "rotate", name.upper(), environ=environ).stdout.strip().partition("=")[2]
        return tuple(SecretBytes(base64.urlsafe_b64decode(text + "==")) for text in line.split(","))


@pytest.fixture
def drill(build_services: Build, clock: FakeClock, run: Run) -> Drill:  # noqa: F811
    return Drill(build_services, clock, run, dict(TEST_KEYS))


def _sent(services: Services, event_id: str) -> str:
    """The path of the link in a dose's SMS."""
    Desk(services).record(event_id=event_id, dose={"id": event_id})
    Sender(services).send_batch(10)
    receipts.collect(services)
    with services.db.read() as conn:
        sms = caught.newest(conn, services.sealer, 1)[0]
    return "/" + sms.text.split("/", 3)[3].split(" ")[0]


def _opens(services: Services, path: str) -> bool:
    client = create_public_app(services).test_client()
    answer = client.post(path, data=RIGHT)
    return answer.status_code == 303 and "Siti Aminah" in client.get(answer.location).text


def test_old_links_open_after_the_link_keys_were_rotated_until_the_old_key_goes(drill: Drill) -> None:
    before = _sent(drill.services(), "e1")
    both = drill.services(link_keys=drill.rotated("link_keys"))
    after = _sent(both, "e2")
    assert _opens(both, before)
    assert _opens(both, after)
    newest = drill.services(link_keys=drill.keys["link_keys"][-1:])
    assert not _opens(newest, before)
    assert _opens(newest, after)


def _filled(services: Services, key: str) -> tuple[str, bytes]:
    """Something in every sealed column; the SMS' path, and an answer that is replayed."""
    client = create_staff_app(services).test_client()
    answer = client.post(
        "/api/v1/vaccinations",
        json=event_json(event_id="api", dose={"id": "api"}, person={"id": "p2", "nik": None}),
        headers=KEY | {"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 202
    path = _sent(services, "e1")
    services.clock.tick(minutes=10)  # type: ignore[attr-defined]
    receipts.collect(services)
    make_ahead(services)
    with services.db.write() as conn:
        at = services.clock.now()
        events.add_dead_letter(conn, services.sealer, door="api", body=b"{}", problems=[], at=at)
        contacts.find_or_add(conn, services.sealer, phone="+6281234567899", language="id", at=at)
    a_chat_under_way(services)
    _staff_at_work(services)
    fill_the_rest(services)
    return path, answer.data


def _staff_at_work(services: Services) -> None:
    """A call, a list with a refused row, a second factor, and one that is being set up."""
    sari, at = an_uploader(services), services.clock.now()
    reference = Desk(services).record(event_id="e9", dose={"id": "e9"}).reference or ""
    person_deeds.note_call(
        services, reference, kind="other", note="menelepon", only_facility=None, staff_id=sari.staff_id
    )
    checked(services, sari, a_list([row(1), row(2, birth_date="kapan")]))
    with services.db.write() as conn:
        entered = sessions.start(conn, sari.staff_id, at)
        second_factor.begin(conn, services, entered.token)
    secret = second_factor.being_set_up(services, entered.token)
    assert secret is not None
    with services.db.write() as conn:
        code = totp.code_of(secret, totp.step_of(at))
        second_factor.confirm(conn, services, entered.token, sari.staff_id, code, at)


def _places(services: Services) -> set[str]:
    """The sealed columns that hold something."""
    with services.db.read() as conn:
        return {
            reseal.place_of(column)
            for column in reseal.sealed_columns()
            if conn.scalar(sa.select(sa.func.count()).select_from(column.table).where(column.is_not(None)))
        }


def test_after_resealing_the_old_data_key_may_go_and_nothing_is_lost(drill: Drill) -> None:
    old = drill.services()
    key = api_keys.add(old, name="SIMPUS", scopes=list(Scope), actor="test").text
    path, answer = _filled(old, key)
    assert _places(old) == _SEALED

    both = drill.services(data_keys=drill.rotated("data_keys"))
    assert drill.run("keys", "reseal", "--check", using=both).exit_code == 1
    told = json.loads(drill.run("keys", "reseal", "--json", using=both).stdout)
    assert {place for place, count in told["resealed"].items() if count} >= _SEALED
    assert (told["broken"], told["left"]) == ({}, 0)
    again = drill.run("keys", "reseal", using=both)
    assert again.stdout.startswith("0 sealed anew; 0 left")

    newest = drill.services(data_keys=drill.keys["data_keys"][-1:])
    assert _opens(newest, path)
    replayed = (
        create_staff_app(newest)
        .test_client()
        .post(
            "/api/v1/vaccinations",
            json=event_json(event_id="api", dose={"id": "api"}, person={"id": "p2", "nik": None}),
            headers=KEY | {"Authorization": f"Bearer {key}"},
        )
    )
    assert (replayed.data, replayed.headers["Idempotency-Replayed"]) == (answer, "true")
    with newest.db.read() as conn:
        assert caught.newest(conn, newest.sealer, 1)[0].to == "+6281234567890"


def test_what_no_key_opens_is_counted_and_left_as_it_is(drill: Drill) -> None:
    _sent(drill.services(), "e1")
    stranger = drill.services(data_keys=(SecretBytes(b"s" * 32),))
    told = drill.run("keys", "reseal", "--json", using=stranger)
    assert told.exit_code == 1
    assert json.loads(told.stdout)["broken"]["person:name"] == 1
    real = drill.services(data_keys=TEST_KEYS["data_keys"])
    assert reseal.count_stale(real.db, real.sealer) == 0


def test_who_changes_a_row_while_it_is_resealed_keeps_the_change(drill: Drill) -> None:
    old = drill.services()
    row = Desk(old).row(Desk(old).record().reference)
    both = drill.services(data_keys=drill.rotated("data_keys"))

    class Meddling:
        """Changes the name just after it was read."""

        def __init__(self, change: Callable[[], None]) -> None:
            self.change, self.done = change, False

        def __getattr__(self, name: str) -> Any:
            return getattr(both.sealer, name)

        def open_bytes(self, place: str, row_id: str, sealed: bytes) -> bytes:
            if place == "person:name" and not self.done:
                self.done = True
                self.change()
            return both.sealer.open_bytes(place, row_id, sealed)

    def change() -> None:
        with both.db.write() as conn:
            person = persons.get(conn, both.sealer, row.person_id)
            persons.update(conn, both.sealer, replace(person, name="Siti Baru"), at=both.clock.now())

    list(reseal.reseal(both.db, Meddling(change)))  # type: ignore[arg-type]
    with both.db.read() as conn:
        assert persons.get(conn, both.sealer, row.person_id).name == "Siti Baru"
    assert reseal.count_stale(both.db, both.sealer) == 0


def test_without_resealing_the_old_key_cannot_go(drill: Drill) -> None:
    old = drill.services()
    row = Desk(old).row(Desk(old).record().reference)
    newest = drill.services(data_keys=drill.rotated("data_keys")[-1:])
    with newest.db.read() as conn, pytest.raises(SealBroken):
        persons.get(conn, newest.sealer, row.person_id)


def test_codes_of_an_old_signing_key_hold_when_it_is_retired(drill: Drill) -> None:
    old = drill.services()
    _sent(old, "e1")
    drill.clock.tick(minutes=10)
    make_ahead(old)
    with old.db.read() as conn:
        signed = {row.key_id for row in conn.execute(sa.select(code.c.key_id)) if row.key_id}
    assert signed
    texts = [base64.urlsafe_b64encode(key.get_secret_value()).decode() for key in drill.keys["signing_keys"]]
    environ = {"SERTILINK_SIGNING_KEYS": ",".join(texts)}
    printed = drill.run("keys", "public", "--json", environ=environ)
    (line,) = [one["certificate"] for one in json.loads(printed.stdout)["keys"]]
    both = drill.services(signing_keys=drill.rotated("signing_keys"))
    retired = drill.services(signing_keys=drill.keys["signing_keys"][-1:], retired_keys=(line,))
    for services in (both, retired):
        assert signed <= {key.kid for key in keyring_of(services.settings).public.all}


def test_an_api_key_is_handed_over_without_a_gap(drill: Drill) -> None:
    services = drill.services()
    old = drill.run("apikey", "add", "SIMPUS", using=services).stdout.strip()
    new = drill.run("apikey", "rotate", old.split("_")[2], "--days", "7", using=services).stdout.strip()
    client = create_staff_app(services).test_client()

    def answers(key: str) -> int:
        return client.get("/api/v1/notifications", headers={"Authorization": f"Bearer {key}"}).status_code

    assert (answers(old), answers(new)) == (200, 200)
    drill.clock.tick(days=7)
    assert (answers(old), answers(new)) == (401, 200)
