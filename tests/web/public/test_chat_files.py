"""/m/<token>: a file for a chat. A salt of its own, five minutes, three fetches, and it falls with its link."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from linkserver import create_public_app
from notifier.certificates.opening import look
from notifier.core.states import CertificateStatus, Reason
from notifier.services import Services
from notifier.store import certificates, chat_files, openings, persons
from notifier.store.tables import chat_file
from notifier.support.chat import files
from tests.builders import MadeCertificate
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.web.public.conftest import Visitor, told
from tests.web.public.test_link import everything


@pytest.fixture
def path(services: Services, made: MadeCertificate) -> str:
    """Of a file that was offered just now."""
    return offered(services, made)


def offered(services: Services, made: MadeCertificate) -> str:
    with services.db.write() as conn:
        _link, file = files.offer(conn, services, made.certificate_id, made.person_id, services.clock.now())
    return files.address_of(services, file).removeprefix(services.settings.public_url)


def test_three_fetches_and_no_more(visitor: Visitor, path: str, services: Services, made: MadeCertificate) -> None:
    for _ in range(3):
        answer = visitor.get(path)
        assert (answer.status_code, answer.content_type) == (200, "application/pdf")
        assert answer.data.startswith(b"%PDF")
        assert answer.headers["Cache-Control"] == "no-store"
    assert visitor.get(path).status_code == 404
    with services.db.read() as conn:
        seen = openings.of_certificate(conn, made.person_id, made.certificate_id, 10, by_robots=False)
    assert len(seen) == 3  # whoever looked is in the history


def test_at_once_there_are_three_too(services: Services, path: str) -> None:
    app = create_public_app(services)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: app.test_client().get(path).status_code, range(12)))
    assert sorted(codes) == [200] * 3 + [404] * 9


def test_asking_for_the_type_uses_nothing_up(visitor: Visitor, path: str, services: Services) -> None:
    before = everything(services)
    answer = visitor.client.head(path)
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert everything(services) == before


def test_after_five_minutes_it_is_gone(visitor: Visitor, path: str, clock: FakeClock) -> None:
    clock.tick(minutes=4, seconds=59)
    assert visitor.get(path).status_code == 200
    clock.tick(seconds=1)
    assert visitor.get(path).status_code == 404
    assert visitor.client.head(path).status_code == 404


def test_what_does_not_work_looks_alike(visitor: Visitor, path: str, clock: FakeClock, made: MadeCertificate) -> None:
    clock.tick(minutes=6)
    gone = told(visitor.get(path))
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert told(visitor.get(forged)) == gone
    assert told(visitor.get(f"/m/{'a' * 33}")) == gone
    assert told(visitor.get(f"/m/{made.token}")) == gone


def test_no_link_opens_a_file_and_no_file_a_link(visitor: Visitor, path: str, services: Services) -> None:
    token = path.removeprefix("/m/")
    before = everything(services)
    assert visitor.get(f"/c/{token}").status_code == 404
    assert look(services, token).public_id is None
    assert everything(services) == before


def test_it_falls_with_its_link_certificate_and_person(
    visitor: Visitor, services: Services, made: MadeCertificate, clock: FakeClock
) -> None:
    at = clock.now()
    revoked, ended, locked = (offered(services, made) for _ in range(3))
    with services.db.write() as conn:
        public_id = conn.scalars(sa.select(chat_file.c.public_id).order_by(chat_file.c.id)).first()
        assert chat_files.revoke(conn, public_id, at)
        assert not chat_files.revoke(conn, public_id, at)
    assert visitor.get(files.address_of(services, public_id).split("8000")[1]).status_code == 404
    assert visitor.get(ended).status_code == 200
    with services.db.write() as conn:
        for _ in range(5):
            persons.count_wrong_try(conn, made.person_id, at)
    assert visitor.get(locked).status_code == 404
    with services.db.write() as conn:
        persons.unlock(conn, made.person_id)
        certificates.end(
            conn, made.dose_id, status=CertificateStatus.REPLACED, reason=Reason.CORRECTED, at=at, replaced_by=None
        )
    assert visitor.get(ended).status_code == 404
    assert revoked != ended


def test_revoking_the_links_of_a_dose_takes_the_file(
    visitor: Visitor, services: Services, made: MadeCertificate, path: str
) -> None:
    with services.db.write() as conn:
        certificates.revoke_links(conn, made.dose_id, reason=Reason.LINK_REVOKED, at=services.clock.now())
    assert visitor.get(path).status_code == 404


def test_a_shut_door_has_no_files(build_services: Build) -> None:
    app = create_public_app(build_services(doors=("link", "verify")))
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/m/")]
