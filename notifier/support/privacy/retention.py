"""How long what is kept: a table of rules, and the nightly sweep that does what it says.

A sweep can be killed anywhere and run anywhere, any number at once: each chunk is a transaction, and what is left is
found again. Nothing is opened on the way, and nothing that still waits for somebody is old.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.services import Services
from notifier.settings import Settings
from notifier.store import audit, persons, retention
from notifier.support.privacy.erase import wipe

CHUNK = 500
_PERSONS_PAGE = 2000
#: of one run as a task; the next task goes on where this one stopped
NIGHTLY_BUDGET = timedelta(seconds=120)

_log = logging.getLogger(__name__)


class Period(StrEnum):
    """Which setting says how long: RETENTION_TRACES_DAYS, and so on. EXPIRY: as long as the row itself says."""

    TRACES = "retention_traces_days"
    MESSAGES = "retention_messages_days"
    OPENINGS = "retention_openings_days"
    CASES = "retention_cases_days"
    PERSONS = "retention_persons_days"
    EXPIRY = "expiry"
    EVER = "ever"


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes, when, and why. `name` of a sweep of the store, or of what is kept."""

    name: str
    period: Period
    what: str
    why: str


PERSONS = "persons-without-dose"

#: in this order; docs/privacy.md shows the same table, and a test holds the two together
RULES: tuple[Rule, ...] = (
    Rule("caught-sms", Period.TRACES, "SMS in the local catcher", "they hold number and text; nobody reads old ones"),
    Rule("caught-chats", Period.TRACES, "chats on the local catcher's phones", "as the SMS there"),
    Rule("receipt-bodies", Period.TRACES, "bodies of delivery receipts", "they hold the number; what they say is kept"),
    Rule("dead-letters", Period.TRACES, "dead letters that were settled", "they hold a whole person"),
    Rule("follow-ups", Period.TRACES, "follow-ups that were done", "they name persons; the deed is in the audit"),
    Rule("registry-told", Period.TRACES, "what the registry was told", "it has it; the deed is in the audit"),
    Rule("message-numbers", Period.MESSAGES, "whom an ended message went to", "needed as long as its link opens"),
    Rule("reminders", Period.MESSAGES, "reminders of a next dose", "nobody is reminded so late"),
    Rule("openings", Period.OPENINGS, "who looked at a certificate", "the basis of a breach's answer, for a year"),
    Rule("ended-codes", Period.CASES, "texts of codes that ended", "they hold a name; the list of ended ids stays"),
    Rule("call-notes", Period.CASES, "what was typed about a call", "it is about a person; that they called stays"),
    Rule("number-pauses", Period.CASES, "pauses of a number that were lifted", "nothing obeys them any more"),
    Rule("cases", Period.CASES, "closed cases", "statistics and the audit have what was decided"),
    Rule("corrections", Period.CASES, "wishes to correct data", "on file or refused by then; that they asked stays"),
    Rule("unproven-corrections", Period.TRACES, "corrections nobody proved", "a stranger may have typed them"),
    Rule("lifted-refusals", Period.CASES, "refusals of SMS that were taken back", "those in force are obeyed and stay"),
    Rule("letters", Period.TRACES, "e-mails that made no case", "programs and lists wrote them; they name senders"),
    Rule("caller-checks", Period.CASES, "checks of callers", "the audit has who was asked, and how it ended"),
    Rule("uploads", Period.CASES, "uploaded lists that were emptied", "a file's name may name somebody"),
    Rule("contacts", Period.CASES, "numbers of whom we know no person", "nobody is told anything there any more"),
    Rule("account-opens", Period.TRACES, "whom an account's session opened", "the deed is in the audit"),
    Rule("account-sessions", Period.TRACES, "sessions of own accounts", "they open nothing after their end"),
    Rule("one-time-codes", Period.EXPIRY, "one-time codes that were asked for", "they hold a number, maybe nobody's"),
    Rule("sessions", Period.EXPIRY, "sessions of staff", "they open nothing after their end"),
    Rule("api-answers", Period.EXPIRY, "answers to be replayed", "nobody repeats a request a day later"),
    Rule("chat-files", Period.EXPIRY, "addresses of files for chats", "they open nothing after some minutes"),
    Rule("sandbox", Period.EXPIRY, "messages of test keys", "they are nobody's"),
    Rule("counters", Period.EXPIRY, "counters of limits", "their window is past"),
    Rule(PERSONS, Period.PERSONS, "persons without any dose left", "there is no certificate to keep them for; wiped"),
    Rule("audit", Period.EVER, "who did what", "its chain proves that nothing is missing; it holds no personal data"),
    Rule("inbound-sms", Period.EVER, "ids of what people wrote to us", "a copy of a webhook is known by them"),
    Rule("mail-taken", Period.EVER, "numbers of e-mails that we have", "one that still lies there is known by them"),
    Rule("certificates", Period.EVER, "doses, certificates, messages", "the certificate's basis; erasure ends it"),
    Rule("events", Period.EVER, "ids of events", "the same event is never taken twice"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of a report. `rows`: how many went, or would; `before` None: kept for ever."""

    rule: Rule
    before: datetime | None
    rows: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, or would do. `is_whole`: it came to its end within its time; `failed`: rules that could not."""

    lines: list[Line]
    is_whole: bool = True
    failed: tuple[str, ...] = ()


def before(settings: Settings, rule: Rule, now: datetime) -> datetime | None:
    """The moment up to which rows are old; None: never. A number stays at least as long as a link may open."""
    if rule.period is Period.EVER:
        return None
    if rule.period is Period.EXPIRY:
        return now
    days: int = getattr(settings, rule.period.value)
    if days == 0:
        return None
    return now - timedelta(days=max(days, settings.link_days) if rule.period is Period.MESSAGES else days)


def dry_run(services: Services) -> Report:
    """Counts what a sweep would let go; writes nothing."""
    now, lines = services.clock.now(), []
    with services.db.read() as conn:
        for rule in RULES:
            moment = before(services.settings, rule, now)
            lines.append(Line(rule, moment, 0 if moment is None else _counted(conn, rule, moment)))
    return Report(lines)


def run(
    services: Services,
    *,
    actor: str = audit.SYSTEM,
    budget: timedelta | None = None,
    after_chunk: Callable[[str], None] = lambda _name: None,
) -> Report:
    """Lets go of what is old, rule by rule and chunk by chunk, and keeps the counts in the audit. `budget`: it stops
    after the chunk with which that time is over. One rule that fails keeps no other waiting."""
    now, lines, failed = services.clock.now(), list[Line](), list[str]()
    sweeper = _Sweeper(services, None if budget is None else now + budget, after_chunk)
    for rule in RULES:
        moment, done = before(services.settings, rule, now), 0
        if moment is not None and not sweeper.is_late():
            try:
                done = sweeper.sweep(rule, moment)
            except Exception as error:
                _log.error("a retention rule failed", extra={"rule": rule.name, "error": type(error).__name__})
                failed.append(rule.name)
        lines.append(Line(rule, moment, done))
    _audit(services, lines, failed, actor)
    return Report(lines, not sweeper.is_late(), tuple(failed))


def nightly(services: Services) -> bool:
    """`run` as the task does it; whether it has to go on."""
    return not run(services, budget=NIGHTLY_BUDGET).is_whole


def _counted(conn: Connection, rule: Rule, moment: datetime) -> int:
    if rule.name == PERSONS:
        return retention.count_persons_without_dose(conn, moment)
    return retention.count(conn, retention.SWEEPS[rule.name], moment)


class _Sweeper:
    def __init__(self, services: Services, until: datetime | None, after_chunk: Callable[[str], None]) -> None:
        self._services = services
        self._until = until
        self._after_chunk = after_chunk

    def is_late(self) -> bool:
        return self._until is not None and self._services.clock.now() >= self._until

    def sweep(self, rule: Rule, moment: datetime) -> int:
        return self._persons(moment) if rule.name == PERSONS else self._rows(rule.name, moment)

    def _rows(self, name: str, moment: datetime) -> int:
        sweep, after, done = retention.SWEEPS[name], None, 0
        while not self.is_late():
            with self._services.db.write() as conn:
                went, after = retention.take(conn, self._services.sealer, sweep, moment, after=after, limit=CHUNK)
            if after is None:
                break
            done += went
            self._after_chunk(name)
        return done

    def _persons(self, moment: datetime) -> int:
        after, done = None, 0
        while not self.is_late():
            with self._services.db.read() as conn:
                ids, after = retention.persons_without_dose(conn, moment, after=after, limit=_PERSONS_PAGE)
            if after is None:
                break
            for person_id in ids:
                done += self._wipe(person_id, moment)
            self._after_chunk(PERSONS)
        return done

    def _wipe(self, person_id: str, moment: datetime) -> bool:
        with self._services.db.write() as conn:
            persons.hold(conn, person_id)
            if not retention.is_left_over(conn, person_id, moment):
                return False
            wipe(conn, self._services, person_id, keep_certificates=False, by=audit.SYSTEM)
        return True


def _audit(services: Services, lines: list[Line], failed: list[str], actor: str) -> None:
    counts = {line.rule.name.replace("-", "_"): line.rows for line in lines if line.rows}
    with services.db.write() as conn:
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action="retention.run",
            subject="retention",
            subject_id="rules",
            failed=" ".join(failed) or None,
            **counts,
        )
