"""Who may open a link: birth dates, tries for life, locks, limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.certificates import issue
from notifier.certificates.limits import TRIES, TryLimits, address_index
from notifier.certificates.opening import Answer, LinkState, look, look_at, press_button, try_birth_date
from notifier.core.link_tokens import LinkSigner, new_public_id
from notifier.core.states import Reason
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import audit, certificates, persons
from notifier.store.tables import counter, link, opening
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.fakes import FakeClock

RIGHT, WRONG = date(1989, 2, 10), date(1980, 5, 1)


class NoDatabase:
    """Whoever touches it is found out."""

    def read(self) -> Any:
        raise AssertionError("the database was read")

    @property
    def hot_dialect(self) -> Any:
        raise AssertionError("the database was read")

    def write(self) -> Any:
        raise AssertionError("the database was written")


def tried(
    services: Services,
    made: MadeCertificate,
    born: date,
    address: str = "203.0.113.9",
    limits: TryLimits = TRIES,
) -> Any:
    return try_birth_date(services, made.token, born, device="phone", address=address, limits=limits)


def kinds(services: Services, made: MadeCertificate) -> list[str]:
    with services.db.read() as conn:
        return list(conn.scalars(sa.select(opening.c.kind).where(opening.c.person_id == made.person_id)))


def test_the_right_date_opens_and_is_noted(each_services: Services) -> None:
    made = a_certificate(each_services)
    result = tried(each_services, made, RIGHT)
    assert (result.answer, result.look.certificate_id) == (Answer.OPENED, made.certificate_id)
    assert kinds(each_services, made) == ["opened"]
    with each_services.db.read() as conn:
        assert certificates.load_links(conn, [made.link_id])[made.link_id].opened_at == each_services.clock.now()
        assert [row.action for row in audit.of_subjects(conn, [made.link_id])] == ["certificate-opened"]


def test_wrong_dates_count_down_and_the_fifth_locks_for_life(each_services: Services, clock: FakeClock) -> None:
    made = a_certificate(each_services)
    left = [tried(each_services, made, WRONG).look.tries_left for _ in range(4)]
    assert left == [4, 3, 2, 1]
    assert tried(each_services, made, WRONG).look.state is LinkState.LOCKED
    clock.tick(days=80)
    after = tried(each_services, made, RIGHT)
    assert (after.answer, after.look.state) == (Answer.CLOSED, LinkState.LOCKED)
    with each_services.db.read() as conn:
        assert [row.action for row in audit.of_subjects(conn, [made.person_id])] == ["person-locked"]


def test_the_tries_are_the_person_s_over_all_links(each_services: Services) -> None:
    first = a_certificate(each_services)
    second = a_certificate(each_services, person_id=first.person_id, number=2)
    for made in (first, second, first, second):
        tried(each_services, made, WRONG)
    assert tried(each_services, second, WRONG).look.state is LinkState.LOCKED
    assert look(each_services, first.token).state is LinkState.LOCKED


def test_a_right_date_does_not_give_tries_back(each_services: Services) -> None:
    made = a_certificate(each_services)
    tried(each_services, made, WRONG)
    assert tried(each_services, made, RIGHT).answer is Answer.OPENED
    assert tried(each_services, made, WRONG).look.tries_left == 3


def test_fifty_parallel_wrong_posts_lock_at_exactly_five(each_services: Services) -> None:
    lax = replace(TRIES, link=replace(TRIES.link, most=1_000))  # the lock alone is tested
    made = a_certificate(each_services)
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda _: tried(each_services, made, WRONG, limits=lax), range(50)))
    answers = [result.answer for result in results]
    assert sorted(result.look.tries_left for result in results if result.answer is Answer.WRONG) == [1, 2, 3, 4]
    assert answers.count(Answer.CLOSED) == 46
    assert kinds(each_services, made) == ["wrong-date"] * 5
    with each_services.db.read() as conn:
        assert persons.get(conn, each_services.sealer, made.person_id).wrong_tries == 5
        assert [row.action for row in audit.of_subjects(conn, [made.person_id])] == ["person-locked"]


def test_a_right_date_among_parallel_wrong_ones_never_opens_after_the_lock(each_services: Services) -> None:
    made = a_certificate(each_services)
    for _ in range(5):
        tried(each_services, made, WRONG)
    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(lambda _: tried(each_services, made, RIGHT).answer, range(6)))
    assert answers == {Answer.CLOSED}


@pytest.mark.parametrize("change", ["mac", "short", "long", "blank", "alias"])
def test_a_forged_token_dies_before_any_read_of_the_database(services: Services, change: str) -> None:
    made = a_certificate(services)
    other = "0" if made.token[-1] != "0" else "1"
    forged = {
        "mac": made.token[:-1] + other,
        "short": made.token[:-1],
        "long": made.token + "0",
        "blank": "",
        "alias": made.token[:-1] + "Ａ",
    }[change]
    blind = replace(services, db=NoDatabase())  # type: ignore[arg-type]  # a fake that only raises
    assert look(blind, forged).state is LinkState.UNKNOWN
    result = try_birth_date(blind, forged, RIGHT, device="phone", address="203.0.113.9")
    assert (result.answer, result.look.state) == (Answer.CLOSED, LinkState.UNKNOWN)


def test_a_token_of_another_purpose_or_key_is_unknown(services: Services) -> None:
    made = a_certificate(services)
    for signer in (LinkSigner([b"k" * 32]), LinkSigner([b"link_keys".ljust(32, b"-")], salt="another purpose")):
        assert look(services, signer.sign(made.public_id)).state is LinkState.UNKNOWN
    assert look(services, services.links.sign(made.public_id)).state is LinkState.LIVE


def test_a_well_signed_id_without_a_row_is_unknown(each_services: Services) -> None:
    token = each_services.links.sign(new_public_id())
    assert look(each_services, token).state is LinkState.UNKNOWN
    result = try_birth_date(each_services, token, RIGHT, device="phone", address="203.0.113.9")
    assert (result.answer, result.look.state) == (Answer.CLOSED, LinkState.UNKNOWN)


def test_each_end_of_a_link_has_its_state(each_services: Services, clock: FakeClock) -> None:
    now = clock.now()
    withdrawn, corrected, revoked, expiring = (a_certificate(each_services) for _ in range(4))
    with each_services.db.write() as conn:
        issue.revoke(conn, withdrawn.dose_id, reason=Reason.WITHDRAWN, at=now)
        issue.replace(conn, person_id=corrected.person_id, dose_id=corrected.dose_id, reason=Reason.CORRECTED, at=now)
        certificates.revoke_links(conn, revoked.dose_id, reason=Reason.NUMBER_CHANGED, at=now)
    clock.tick(days=90)
    seen = [look(each_services, made.token) for made in (withdrawn, corrected, revoked, expiring)]
    assert [(each.state, each.reason) for each in seen] == [
        (LinkState.REVOKED, Reason.WITHDRAWN),
        (LinkState.REVOKED, Reason.CORRECTED),
        (LinkState.REVOKED, Reason.NUMBER_CHANGED),
        (LinkState.EXPIRED, None),
    ]


def test_a_dead_link_takes_no_tries(each_services: Services, clock: FakeClock) -> None:
    made = a_certificate(each_services)
    clock.tick(days=91)
    assert tried(each_services, made, WRONG).look.state is LinkState.EXPIRED
    assert kinds(each_services, made) == []
    with each_services.db.read() as conn:
        assert persons.get(conn, each_services.sealer, made.person_id).wrong_tries == 0


def test_a_revocation_closes_an_opened_link_at_once(each_services: Services) -> None:
    made = a_certificate(each_services)
    tried(each_services, made, RIGHT)
    assert look_at(each_services, made.public_id).state is LinkState.LIVE
    with each_services.db.write() as conn:
        issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=each_services.clock.now())
    assert look_at(each_services, made.public_id).state is LinkState.REVOKED


def test_the_limits_say_how_long_to_wait_and_count_nothing_against_the_person(each_services: Services) -> None:
    twice = replace(TRIES, address=replace(TRIES.address, most=2))
    mine, other = a_certificate(each_services), a_certificate(each_services)
    for _ in range(2):
        tried(each_services, mine, WRONG, limits=twice)
    limited = tried(each_services, mine, WRONG, limits=twice)
    assert limited.answer is Answer.LIMITED
    assert 0 < limited.retry_after_s <= 600
    assert tried(each_services, other, RIGHT, address="198.51.100.7", limits=twice).answer is Answer.OPENED
    assert kinds(each_services, mine) == ["wrong-date"] * 2


@pytest.mark.parametrize("name", ["overall", "address", "link"])
def test_each_limit_ends_with_its_window(services: Services, clock: FakeClock, name: str) -> None:
    once = replace(TRIES, **{name: replace(getattr(TRIES, name), most=1, window=timedelta(minutes=1))})
    made = a_certificate(services)
    assert [tried(services, made, RIGHT, limits=once).answer for _ in range(2)] == [Answer.OPENED, Answer.LIMITED]
    clock.tick(minutes=1)
    assert tried(services, made, RIGHT, limits=once).answer is Answer.OPENED


def test_a_flood_at_one_link_uses_up_nothing_that_others_share(each_services: Services) -> None:
    few = replace(TRIES, overall=replace(TRIES.overall, most=4), link=replace(TRIES.link, most=2))
    flooded, other = a_certificate(each_services), a_certificate(each_services)
    answers = [tried(each_services, flooded, RIGHT, limits=few).answer for _ in range(20)]
    assert answers == [Answer.OPENED] * 2 + [Answer.LIMITED] * 18
    assert tried(each_services, other, RIGHT, address="198.51.100.7", limits=few).answer is Answer.OPENED


def test_where_the_limiter_cannot_count_nobody_gets_in(services: Services) -> None:
    made = a_certificate(services)
    with services.db.write() as conn:
        counter.drop(conn)
    with pytest.raises(sa.exc.OperationalError):
        tried(services, made, RIGHT)
    assert kinds(services, made) == []


def test_no_counter_names_an_address(services: Services) -> None:
    made = a_certificate(services)
    tried(services, made, RIGHT, address="203.0.113.9")
    with services.db.read() as conn:
        names = list(conn.scalars(sa.select(counter.c.name)))
    assert len(names) == 3
    assert not any("203.0" in name for name in names)


def test_one_customer_s_ipv6_network_is_one_address(services: Services) -> None:
    def index(address: str) -> str:
        return address_index(services.sealer, address)

    assert index("2001:db8:1:2::1") == index("2001:db8:1:2:ffff::9")
    assert index("2001:db8:1:3::1") != index("2001:db8:1:2::1")
    assert index("not an address") == index("")


def test_a_person_without_a_birth_date_is_opened_by_none(services: Services) -> None:
    made = a_certificate(services, person=replace(SITI, birth_date=None))
    assert tried(services, made, RIGHT).answer is Answer.WRONG


def test_a_button_opens_only_where_the_settings_ask_for_no_date(services: Services) -> None:
    made = a_certificate(services)
    with pytest.raises(ValueError, match="LINK_CHECK"):
        press_button(services, made.token, device="phone", address="")
    lax = replace(services, settings=services.settings.model_copy(update={"link_check": LinkCheck.NONE}))
    assert press_button(lax, made.token, device="phone", address="").answer is Answer.OPENED


def test_a_sealed_date_moved_from_another_person_opens_nothing(services: Services) -> None:
    mine, other = a_certificate(services), a_certificate(services, person=replace(SITI, birth_date=WRONG))
    with services.db.write() as conn:
        conn.execute(link.update().where(link.c.id == mine.link_id).values(person_id=other.person_id))
    assert tried(services, mine, RIGHT).answer is Answer.WRONG
