"""The one table of a notification's states, their moves, its kinds and the reasons we give.

Every move in the database is a compare-and-set UPDATE that names a pair from MOVES; no other module knows the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a notification stands. Words as in the API; what people read is in the catalogue."""

    SCHEDULED = "scheduled"  #: waits for its due time
    CLAIMED = "claimed"  #: a worker holds its lease; certainly not sent
    SENDING = "sending"  #: the attempt is committed; bytes may have left
    ACCEPTED = "accepted"  #: the provider has it
    SENT = "sent"  #: the provider handed it to the carrier
    DELIVERED = "delivered"  #: the phone has it
    UNDELIVERED = "undelivered"  #: the carrier gave up
    FAILED = "failed"  #: refused for good, with a code
    UNKNOWN = "unknown"  #: nobody can say yet whether it was accepted
    HELD = "held"  #: waits for an operator
    CANCELLED = "cancelled"  #: taken back before it left
    SUPPRESSED = "suppressed"  #: must not be sent, with a reason
    EXPIRED = "expired"  #: no longer worth sending


_AFTER_ACCEPTANCE = frozenset({State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED})
_BEFORE_SENDING = frozenset({State.HELD, State.CANCELLED, State.SUPPRESSED, State.EXPIRED})

MOVES: dict[State, frozenset[State]] = {
    # to `unknown` only after an older copy of the database was restored: it may have left since the copy was made
    State.SCHEDULED: _BEFORE_SENDING | {State.CLAIMED, State.UNKNOWN},
    State.CLAIMED: _BEFORE_SENDING | {State.SENDING, State.SCHEDULED, State.UNKNOWN},
    # `sent` and the rest may overtake our own record of the 201
    State.SENDING: _AFTER_ACCEPTANCE | {State.ACCEPTED, State.SCHEDULED, State.UNKNOWN},
    # out of `unknown` only evidence leads; `scheduled`: that it certainly was not sent. An operator, or the policy
    # resend_after, adds a generation and leaves this one as it is
    State.UNKNOWN: _AFTER_ACCEPTANCE | {State.ACCEPTED, State.SCHEDULED},
    State.ACCEPTED: _AFTER_ACCEPTANCE,
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED}),
    State.HELD: frozenset({State.SCHEDULED, State.CANCELLED, State.EXPIRED, State.UNKNOWN}),
    State.DELIVERED: frozenset(),
    State.UNDELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.SUPPRESSED: frozenset(),
    State.EXPIRED: frozenset(),
}

FINAL = frozenset(state for state, moves in MOVES.items() if not moves)
#: certainly not at the provider, so it may still be taken back
NOT_LEFT = frozenset({State.SCHEDULED, State.CLAIMED, State.HELD})
#: the provider has it, or may have it
LEFT = frozenset({State.SENDING, State.UNKNOWN, State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED})


def may_move(old: State, new: State) -> bool:
    """Whether the table allows `old -> new`."""
    return new in MOVES[old]


def sources_of(new: State) -> frozenset[State]:
    """The states from which `new` can be reached; the WHERE of a compare-and-set."""
    return frozenset(old for old, moves in MOVES.items() if new in moves)


class Kind(StrEnum):
    """What a notification is about."""

    CERTIFICATE = "certificate"
    CORRECTION = "correction"
    RENEWAL = "renewal"
    LOCK = "lock"
    OTP = "otp"
    CASE = "case"
    REQUEST = "request"  #: there is news about a correction that the person asked for
    NUMBER = "number"  #: to the number that was on file: another one took its place
    REMINDER = "reminder"


class Channel(StrEnum):
    SMS = "sms"
    WHATSAPP = "whatsapp"


class Said(StrEnum):
    """What somebody sent us in a chat."""

    TEXT = "text"  #: or a button, whose number it is then
    VOICE = "voice"
    STICKER = "sticker"
    PICTURE = "picture"  #: or a video
    FILE = "file"
    PLACE = "place"
    FLOOD = "flood"  #: the first message beyond the limit; what follows in its window is not kept


#: of a reply in a chat: written in one transaction with the step that it answers, sent soon after, or never
REPLY_MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.SENDING, State.HELD, State.SUPPRESSED, State.EXPIRED}),
    State.SENDING: _AFTER_ACCEPTANCE | {State.ACCEPTED, State.SCHEDULED, State.UNKNOWN},
    State.UNKNOWN: _AFTER_ACCEPTANCE | {State.ACCEPTED},  # by a receipt alone: nobody sends it again
    State.ACCEPTED: _AFTER_ACCEPTANCE,
    State.SENT: frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED}),
    State.HELD: frozenset({State.SCHEDULED, State.EXPIRED}),  # until the person writes again
}


class Lane(StrEnum):
    """Which queue a notification waits in; a bulk never starves a fresh dose."""

    ASKED = "asked"  #: somebody waits in front of the screen
    FRESH = "fresh"
    NORMAL = "normal"
    BULK = "bulk"


#: the order in which lanes are claimed
LANES = (Lane.ASKED, Lane.FRESH, Lane.NORMAL, Lane.BULK)


@dataclass(frozen=True, slots=True)
class KindRules:
    """What holds for a kind: see DESIGN, "Notifications: kinds and states"."""

    quiet_hours: bool  #: waits for an allowed hour
    expires_after: timedelta | None  #: past this after `due_at` it is not worth sending; None: an operator decides
    lane: Lane
    daily_cap: bool  #: counts towards, and obeys, PERSON_DAILY_CAP
    opt_out: bool  #: is not sent to a number that opted out
    link: bool = True  #: bears a link of its own to a certificate


KIND_RULES: dict[Kind, KindRules] = {
    Kind.CERTIFICATE: KindRules(True, None, Lane.NORMAL, True, True),
    Kind.CORRECTION: KindRules(True, None, Lane.NORMAL, True, True),
    Kind.RENEWAL: KindRules(False, timedelta(hours=1), Lane.ASKED, False, True),
    Kind.LOCK: KindRules(True, timedelta(hours=48), Lane.FRESH, True, True, link=False),
    Kind.OTP: KindRules(False, timedelta(minutes=5), Lane.ASKED, False, False, link=False),
    Kind.CASE: KindRules(True, timedelta(hours=48), Lane.NORMAL, True, True, link=False),
    Kind.REQUEST: KindRules(True, timedelta(hours=48), Lane.NORMAL, True, True, link=False),
    # a warning: somebody else may have done it, at any hour, and may have stopped SMS to the number before
    Kind.NUMBER: KindRules(False, timedelta(hours=24), Lane.ASKED, False, False, link=False),
    # no link: it says nothing that needs one, and a link to a certificate would have to be taken back with it
    Kind.REMINDER: KindRules(True, timedelta(days=7), Lane.BULK, True, True, link=False),
}


class Reason(StrEnum):
    """Why a notification is where it is, or a link or certificate no longer holds. Spelled here and nowhere else."""

    NO_PHONE = "no-phone"
    BAD_PHONE = "bad-phone"
    OPTED_OUT = "opted-out"
    WITHDRAWN = "withdrawn"  #: the dose was entered in error or not done
    CORRECTED = "corrected"
    SUPERSEDED = "superseded"
    LINK_REVOKED = "link-revoked"
    NUMBER_CHANGED = "number-changed"
    DECEASED = "deceased"
    HISTORICAL = "historical"  #: copied from a card or an older record; nobody waits for an SMS about it
    QUIET_HOURS = "quiet-hours"
    PAST_DUE = "past-due"
    DAILY_CAP = "daily-cap"
    OPERATOR = "operator"
    LEASE_RAN_OUT = "lease-ran-out"
    NOT_SENT = "not-sent"  #: the provider was not reached, or did not take it; tried again
    RATE_LIMITED = "rate-limited"
    SENDER_MISCONFIGURED = "sender-misconfigured"
    OUTCOME_UNKNOWN = "outcome-unknown"
    DB_RESTORED = "db-restored"  #: it may have left after the copy was made that was restored
    SENT_AGAIN = "sent-again"  #: unknown for good, and a new generation was sent
    LEFT_ALONE = "left-alone"  #: unknown for good, and decided not to send again
    UNREACHABLE = "unreachable"  #: the phone did not answer; tried again on days 1, 3 and 7
    HAS_ARRIVED = "has-arrived"  #: the one before it turned out to have been accepted
    REFUSED = "refused"  #: the provider refused for good; the code says why
    NOT_ME = "not-me"  #: whoever has the number said that it is not the person's
    WRONG_NUMBER = "wrong-number"  #: staff made sure that the number is a stranger's
    DOSES_CHANGED = "doses-changed"  #: a dose came, or was corrected, since the reminder was planned
    UNLOCKED = "unlocked"  #: the lock that it would tell of is gone
    UNREADABLE = "unreadable"  #: a sealed column cannot be opened; an operator must look
    ERASED = "erased"  #: the person asked that nothing of them is kept


class RegistryEvent(StrEnum):
    """What the registry is told that it did not tell us (store.registry_outbox)."""

    PERSON_CORRECTED = "person.corrected"  #: subject: the person
    DOSE_CORRECTED = "dose.corrected"  #: subject: the dose
    DOSE_WITHDRAWN = "dose.withdrawn"  #: subject: the dose


class DoseStatus(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class CertificateStatus(StrEnum):
    VALID = "valid"
    REPLACED = "replaced"
    REVOKED = "revoked"


class FollowUp(StrEnum):
    """What a lower room leaves for a higher one to do, in a row of its own transaction (support.follow_ups)."""

    PERSON_LOCKED = "person-locked"  #: subject: the person; the owner is told by SMS
    BIRTH_DATE_CORRECTED = "birth-date-corrected"  #: subject: the person; a lock on them falls, they get a link
    NUMBER_CORRECTED = "number-corrected"  #: subject: the person; what was said of the old number is settled
    DOSE_ARRIVED = "dose-arrived"  #: subject: the dose; somebody may have reported it as missing
    CASE_REPORTED = "case-reported"  #: subject: the case; a dose that we hold may be the one
    CODE_ASKED = "code-asked"  #: subject: the challenge; its code goes out, where its number is on file
    CORRECTION_DUE = "correction-due"  #: subject: a request of theirs; whom it waits for has not come in time


class CaseKind(StrEnum):
    """Why somebody's case is on a list."""

    NOT_ME = "not-me"  #: a number is said to be a stranger's
    BIRTH_DATE_REJECTED = "birth-date-rejected"  #: somebody says that the recorded birth date is wrong
    MISSING = "missing"  #: somebody says that a dose's certificate has not come, and we hold no such dose
    ASKED = "asked"  #: somebody wrote or called; what about stands in their words


class CaseStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class CaseOutcome(StrEnum):
    """How a case ended."""

    UNDONE = "undone"  #: the number is the person's after all
    CONFIRMED = "confirmed"  #: the number is a stranger's
    CORRECTED = "corrected"  #: by an event that brought other data
    CLOSED = "closed"  #: by staff, with a reason
    ARRIVED = "arrived"  #: the missing dose came
    NOT_FOUND = "not-found"  #: nobody has a record of the dose
    WITHDRAWN = "withdrawn"  #: by whoever reported it
    MERGED = "merged"  #: another case goes on in its place


class CaseSource(StrEnum):
    """By which door a case came."""

    LINK = "link"  #: the pages behind a link
    WEB = "web"
    CHAT = "chat"
    CALL = "call"
    EMAIL = "email"


class CaseParty(StrEnum):
    """Who has to act next."""

    FACILITY = "facility"
    OPERATORS = "operators"
    REPORTER = "reporter"


class StepKind(StrEnum):
    """What happened to a case; the words that people read are in the catalogue."""

    REPORTED = "reported"
    JOINED = "joined"  #: the same was reported once more
    CONFIRMED = "confirmed"  #: the reporter's number was proven
    TO_FACILITY = "to-facility"
    TO_OPERATORS = "to-operators"
    REMINDED = "reminded"
    OVERDUE = "overdue"  #: the promise is broken
    ENTERED = "entered"  #: the facility says that it has entered the dose
    NOT_OURS = "not-ours"
    NOT_FOUND = "not-found"
    PERHAPS_ARRIVED = "perhaps-arrived"  #: a dose came that may be the one; staff compare
    ARRIVED = "arrived"
    WORD = "word"  #: the reporter added something
    NOTE = "note"  #: staff wrote something for staff
    REPLY = "reply"  #: staff wrote to the reporter
    RETURNED = "returned"  #: what we wrote by e-mail came back
    CALLER_CHECKED = "caller-checked"  #: the caller knew three facts
    UNMERGED = "unmerged"
    CLAIMED = "claimed"
    HANDED_OVER = "handed-over"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a report of a missing certificate ends without a dose."""

    NO_RECORD = "no-record"  #: the facility has no record of the dose
    NO_DETAILS = "no-details"  #: too little to find anything by, and no answer
    SENT_ELSEWHERE = "sent-elsewhere"  #: it was there, and was sent or handed over
    NOT_GIVEN = "not-given"  #: the dose was not given
    ABUSE = "abuse"


class LetterKind(StrEnum):
    """What is done with a letter that came by e-mail."""

    WRITTEN = "written"  #: by somebody: a case
    BULK = "bulk"  #: a list's or an advertisement's: kept, no case
    AUTOMATIC = "automatic"  #: by a program: kept, no case, never answered (RFC 3834)
    RETURNED = "returned"  #: a letter of ours that did not arrive


class LetterState(StrEnum):
    """Where a letter of ours stands (support.mail.outbox)."""

    WAITING = "waiting"
    SENDING = "sending"  #: committed before the first byte leaves
    SENT = "sent"  #: the mail server has it
    FAILED = "failed"  #: refused for good, or never taken for days
    UNKNOWN = "unknown"  #: nobody can say whether it was taken: a colleague decides
    LEFT_ALONE = "left-alone"  #: decided not to send it again


class DeadLetterStatus(StrEnum):
    """What became of an event that could not be taken."""

    OPEN = "open"  #: waits for somebody
    ACCEPTED = "accepted"  #: corrected and taken
    DISCARDED = "discarded"  #: by staff, with a reason


class CallKind(StrEnum):
    """What a call with a person, or about them, was about."""

    ASKED_WHERE = "asked-where"  #: where the SMS or the certificate is
    NUMBER = "number"  #: the number is another one, or wrong
    PERSONAL_DATA = "personal-data"  #: name, birth date or NIK are said to be wrong
    CANNOT_OPEN = "cannot-open"  #: the link does not open
    STOP = "stop"  #: no more SMS, or SMS again
    NOT_ANSWERED = "not-answered"  #: we called, nobody answered
    OTHER = "other"


class OtpPurpose(StrEnum):
    """What a one-time code is for; one that was asked for here is good for nothing there."""

    ACCOUNT = "account"
    CHAT = "chat"
    CORRECTION = "correction"
    CASE = "case"


class OtpAnswer(StrEnum):
    """What a typed one-time code came to."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"  #: not six digits; not counted
    OVER = "over"  #: used, too old, tried too often, or never asked for: a new one is needed


class ProofAnswer(StrEnum):
    """What somebody's birth date, NIK or name, tried as a proof of who they are, came to."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"  #: five wrong tries for life, over all doors; a right one opens nothing now
