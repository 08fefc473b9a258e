"""One-time codes: five tries in five minutes, good once, and the same for every number, whether we know it or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import BadInput
from notifier.core.states import Kind, OtpAnswer, OtpPurpose, State
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, persons
from notifier.store.tables import audit as audit_rows
from notifier.store.tables import counter, follow_up, notification, otp_challenge
from notifier.support import follow_ups, otp
from notifier.support.otp import Asked, Checked
from tests.builders import SITI, a_certificate
from tests.conftest import Build
from tests.databases import new_sqlite
from tests.fakes import FakeClock, FakeGateway
from tests.support.account.phones import KNOWN, NOBODYS, asked, code_of, paused, sms_of

ME, CHAT = OtpPurpose.ACCOUNT, OtpPurpose.CHAT


def check(services: Services, challenge: str, typed: str, purpose: OtpPurpose = ME) -> Checked:
    return otp.check(services, challenge, typed, purpose=purpose)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_in_the_sms_proves_the_number_once(services: Services, gateway: FakeGateway) -> None:
    a_certificate(services)
    challenge = asked(services).challenge
    [sms] = sms_of(services)
    code = code_of(services, challenge)
    assert sms.to == KNOWN
    assert code in sms.text
    assert check(services, challenge, f" {code[:3]}-{code[3:]} ") == Checked(OtpAnswer.RIGHT, KNOWN, 4)
    assert check(services, challenge, code).answer is OtpAnswer.OVER


def test_nothing_of_a_code_is_kept(services: Services) -> None:
    challenge = asked(services).challenge
    with services.db.read() as conn:
        kept = repr(conn.execute(sa.select(otp_challenge)).one())
    assert code_of(services, challenge) not in kept
    assert KNOWN not in kept


def test_five_wrong_tries_and_the_right_code_opens_nothing(services: Services) -> None:
    challenge = asked(services).challenge
    code = code_of(services, challenge)
    answers = [check(services, challenge, wrong(code)) for _ in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    assert answers[-1].answer is OtpAnswer.OVER
    assert check(services, challenge, code) == Checked(OtpAnswer.OVER)


def test_a_right_fifth_try_counts(services: Services) -> None:
    challenge = asked(services).challenge
    code = code_of(services, challenge)
    for _ in range(4):
        check(services, challenge, wrong(code))
    assert check(services, challenge, code).answer is OtpAnswer.RIGHT


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12 34", "<script>"])
def test_what_is_no_code_is_not_counted(services: Services, typed: str) -> None:
    challenge = asked(services).challenge
    assert check(services, challenge, typed).answer is OtpAnswer.UNREADABLE
    assert check(services, challenge, code_of(services, challenge)).tries_left == 4


def test_a_code_is_good_for_five_minutes_and_for_what_it_was_asked(services: Services, clock: FakeClock) -> None:
    challenge = asked(services).challenge
    code = code_of(services, challenge)
    assert check(services, challenge, code, CHAT) == Checked(OtpAnswer.OVER)
    clock.tick(minutes=5)
    assert check(services, challenge, code) == Checked(OtpAnswer.OVER)


@pytest.mark.parametrize("challenge", ["", "x", "0" * 36, "00000000-0000-7000-8000-000000000000", "'--"])
def test_a_challenge_that_never_was_is_over(services: Services, challenge: str) -> None:
    assert check(services, challenge, "123456") == Checked(OtpAnswer.OVER)
    assert otp.request_again(services, challenge, purpose=ME, language="id", address="") == Asked("", 60)


def test_fifty_guesses_at_once_are_five(each_services: Services) -> None:
    challenge = asked(each_services).challenge
    code = code_of(each_services, challenge)
    guesses = [f"{(int(code) + step) % 1_000_000:06}" for step in range(1, 51)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda guess: check(each_services, challenge, guess), guesses))
    assert sorted(each.tries_left for each in answers if each.answer is OtpAnswer.WRONG) == [1, 2, 3, 4]
    assert sum(each.answer is OtpAnswer.OVER for each in answers) == 46
    assert check(each_services, challenge, code).answer is OtpAnswer.OVER


def test_a_right_code_at_once_from_everywhere_is_good_once(each_services: Services) -> None:
    challenge = asked(each_services).challenge
    code = code_of(each_services, challenge)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: check(each_services, challenge, code).answer, range(20)))
    assert answers.count(OtpAnswer.RIGHT) == 1


def rows(services: Services) -> list[tuple[str, int]]:
    with services.db.read() as conn:
        tables = (otp_challenge, follow_up, notification)
        return [(t.name, conn.scalar(sa.select(sa.func.count()).select_from(t)) or 0) for t in tables]


def strangers(services: Services) -> list[str]:
    """A known number, nobody's, one said to be a stranger's, one that cannot be reached."""
    a_certificate(services)
    others = ["+6281298765432", "+6281211112222"]
    paused(services, a_certificate(services, person=replace(SITI, nik=None, phone=others[0])).person_id)
    a_certificate(services, person=replace(SITI, nik=None, phone=others[1], phone_problem="phone-not-mobile"))
    return [KNOWN, NOBODYS, *others]


def test_asking_does_the_same_for_every_number(services: Services, clock: FakeClock) -> None:
    """The same statements, rows and answer; what differs a worker does later."""
    said: list[str] = []
    sa.event.listen(services.db.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    seen = set()
    for phone in strangers(services):
        clock.tick(minutes=2)
        before = rows(services)
        said.clear()
        answer = asked(services, phone, sends=False)
        statements = tuple(said)
        grown = tuple((name, now - then) for (name, now), (_, then) in zip(rows(services), before, strict=True))
        said.clear()
        tried = check(services, answer.challenge, wrong(code_of(services, answer.challenge)))
        seen.add((statements, grown, len(answer.challenge), answer.wait_s, tried, tuple(said)))
    [(statements, grown, length, wait_s, _tried, _said)] = seen
    assert grown == (("otp_challenge", 1), ("follow_up", 1), ("notification", 0))
    assert (length, wait_s) == (36, 0)
    assert not any(" person" in statement for statement in statements)


def test_an_sms_goes_to_a_persons_number_alone(services: Services) -> None:
    for phone in strangers(services):
        assert asked(services, phone).challenge
    assert [sms.to for sms in sms_of(services)] == [KNOWN]


def test_a_code_that_comes_too_late_is_not_sent(services: Services, clock: FakeClock) -> None:
    a_certificate(services)
    asked(services, sends=False)
    clock.tick(minutes=6)
    follow_ups.run(services)
    assert sms_of(services) == []


def test_one_number_is_rung_once_a_minute_and_ten_times_a_day(services: Services, clock: FakeClock) -> None:
    got = 0
    for _ in range(24 * 6):  # once in ten minutes, the whole day
        clock.tick(minutes=10)
        got += bool(asked(services, sends=False).challenge)
    assert got in range(10, 21)  # the day's window turns once
    assert asked(services, NOBODYS, sends=False).challenge
    assert asked(services, NOBODYS, sends=False) == Asked("", 60 - int(clock.now().timestamp()) % 60)


def test_another_code_goes_to_the_same_number(services: Services, clock: FakeClock) -> None:
    a_certificate(services)
    first = asked(services).challenge
    clock.tick(minutes=1)
    again = otp.request_again(services, first, purpose=ME, language="en", address="198.51.100.9").challenge
    follow_ups.run(services)
    assert [sms.to for sms in sms_of(services)] == [KNOWN, KNOWN]
    assert "your code is" in sms_of(services)[1].text
    assert check(services, again, code_of(services, again)).phone == KNOWN
    assert check(services, first, code_of(services, first)).phone == KNOWN  # whichever SMS came


@pytest.mark.parametrize(
    ("typed", "rule"),
    [("", "phone-unreadable"), ("021-5551234", "phone-not-mobile"), ("+12025550123", "phone-country")],
)
def test_a_number_that_we_never_write_to_is_refused_at_once(services: Services, typed: str, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        otp.request(services, typed, purpose=ME, language="id", address="")
    assert [(each.field, each.rule) for each in refused.value.problems] == [("phone", rule)]
    assert rows(services)[0] == ("otp_challenge", 0)


def numbers(services: Services, count: int) -> list[str]:
    """Persons' numbers."""
    made = [f"+62812{number:08}" for number in range(30_000_000, 30_000_000 + count)]
    for phone in made:
        a_certificate(services, person=replace(SITI, nik=None, phone=phone))
    return made


def test_pumping_is_capped_for_everybody_alike_and_alarms_once(build_services: Build, clock: FakeClock) -> None:
    services = build_services(codes_a_day=8)  # two an hour
    family = numbers(services, 5)
    for phone in family:
        asked(services, phone)
    assert len(sms_of(services)) == 2
    with services.db.read() as conn:
        alarms = conn.execute(sa.select(audit_rows).where(audit_rows.c.action == otp.CAPPED)).all()
    assert [(row.actor, row.subject, row.subject_id) for row in alarms] == [
        (audit.SYSTEM, "code-cap", "code:asked-hour")
    ]
    known, unknown = asked(services, KNOWN), asked(services, NOBODYS)
    assert known == unknown == Asked("", 3600 - int(clock.now().timestamp()) % 3600)
    clock.tick(hours=1)
    assert asked(services, family[4]).challenge
    assert len(sms_of(services)) == 3


def counted(services: Services) -> list[tuple[str, int]]:
    """Every counter but those of one number, which bear its index."""
    with services.db.read() as conn:
        kept = conn.execute(sa.select(counter.c.name, counter.c.window_start, counter.c.count)).all()
    return sorted((f"{name} {start}", count) for name, start, count in kept if not name.startswith("code:number"))


def test_up_to_the_cap_and_over_it_known_and_unknown_numbers_are_the_same(
    build_services: Build, clock: FakeClock, tmp_path: Path
) -> None:
    """Whoever asks about numbers, one after the other, sees nothing by which the one that is ours differs: neither when
    the cap is reached, nor by what is counted, nor by an answer. The counters are looked at too once the workers are
    done: what leaves is counted nowhere."""
    asks = [f"+62813{number:08}" for number in range(6)]
    stories = {}
    for known in (*range(5), None):  # which of them is somebody's
        services = build_services(codes_a_day=12, database_url=new_sqlite(tmp_path / f"{known}.db"))  # three an hour
        if known is not None:
            a_certificate(services, person=replace(SITI, phone=asks[known]))
        said: list[str] = []
        sa.event.listen(services.db.engine, "before_cursor_execute", lambda *told, said=said: said.append(told[2]))
        story: list[object] = []
        for phone in asks:
            said.clear()
            answer = asked(services, phone, sends=False)
            story.append((len(answer.challenge), answer.wait_s, tuple(said)))
            follow_ups.run(services)
            Sender(services).send_batch(100)
            story.append(counted(services))
        stories[known] = story
    assert [step[:2] for step in stories[None][::2]] == [(36, 0)] * 3 + [(0, 3600)] * 3  # type: ignore[index]
    assert all(story == stories[None] for story in stories.values())


def test_no_more_sms_leave_than_codes_may_be_asked_for(each_services: Services) -> None:
    services = replace(each_services, settings=each_services.settings.model_copy(update={"codes_a_day": 8}))
    family = numbers(services, 8)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda phone: asked(services, phone, sends=False), family))
    assert [bool(answer.challenge) for answer in answers].count(True) == 2
    assert len(sms_of(services)) == 2


def test_one_address_asks_thirty_times_in_ten_minutes(services: Services) -> None:
    got = [bool(asked(services, f"+62813{number:08}", sends=False).challenge) for number in range(50, 85)]
    assert got == [True] * 30 + [False] * 5
    assert asked(services, NOBODYS, sends=False, address="203.0.113.50").challenge


def test_a_code_ignores_the_refusal_of_sms_and_expires(services: Services, clock: FakeClock) -> None:
    a_certificate(services)
    asked(services)
    with services.db.read() as conn:
        row = conn.execute(sa.select(notification).where(notification.c.kind == Kind.OTP.value)).one()
    assert (row.person_id, row.status, row.phone_index) == (
        None,
        State.ACCEPTED,
        persons.phone_index(services.sealer, KNOWN),
    )


_GROUPED = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", " ", "-"])), min_size=6, max_size=6)


@given(_GROUPED, st.sampled_from(["0", "\u0660", "\uff10", "\u06f0"]))
def test_a_code_is_read_in_whatever_digits_and_groups(typed: list[tuple[int, str]], zero: str) -> None:
    own = "".join(chr(ord(zero) + digit) + gap for digit, gap in typed)
    assert otp._digits(own) == "".join(str(digit) for digit, _gap in typed)
