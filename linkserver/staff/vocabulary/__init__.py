"""The words for our codes: states, reasons, broken rules, deeds. One table each, the same words on every page.

The texts are Indonesian keys of the catalogue; a code without words is shown as it is, never hidden.

    states.py     States and kinds of messages, and what a provider answered
    reasons.py    Why something is where it is, or was refused
    rules.py      What to say beside a field that breaks a rule
    deeds.py      What was done, in timelines and in the audit, by whom and to what
    doses.py      Doses, their facility's list, and how they are corrected
    desk.py       The operators' desk: cases, calls, work lists, dead letters
    registry.py   What the registry is told, and why it could not be
    bulks.py      Bulk resends and their schedules
    uploads.py    Uploaded lists: their states, columns and rows
    corrections.py  Corrections that people ask for of their own data
    access.py     Staff, their devices, and the keys of machines
    sms_texts.py  What is wrong with an SMS text that somebody wrote
"""

from __future__ import annotations

from linkserver.staff.vocabulary.access import DEVICES, KEY_STATES, ROLES, SCOPES
from linkserver.staff.vocabulary.bulks import (
    BULK_DEEDS,
    BULK_PARTS,
    BULK_STATES,
    EXCLUSIONS,
    FILTER_REASONS,
    SCHEDULE_STATES,
    SPANS,
    WANTED,
)
from linkserver.staff.vocabulary.corrections import CHANGES, HOWS, PROOFS, REFUSED_WHYS, REQUEST_STATES
from linkserver.staff.vocabulary.deeds import ACTORS, DEEDS, SUBJECTS
from linkserver.staff.vocabulary.desk import CALLS, CASE_OUTCOMES, CASES, DEAD_LETTERS, PILES, STOP_SOURCES
from linkserver.staff.vocabulary.doses import CHECKED, CONSEQUENCES, FIELDS, STAGES, WARNINGS
from linkserver.staff.vocabulary.reasons import REASONS
from linkserver.staff.vocabulary.registry import REFUSED, REGISTRY, REGISTRY_PROBLEMS
from linkserver.staff.vocabulary.rules import OTHER_RULE, RULES, has_words, problems_of, rule_words
from linkserver.staff.vocabulary.sms_texts import SMS_FAULTS
from linkserver.staff.vocabulary.states import KINDS, OUTCOMES, STATES, WHICH, StateWords
from linkserver.staff.vocabulary.uploads import COLUMNS, RECORDED, ROW_RULES, UPLOADS, place_words, row_rule_words

__all__ = [
    "ACTORS",
    "BULK_DEEDS",
    "BULK_PARTS",
    "BULK_STATES",
    "CALLS",
    "CASES",
    "CASE_OUTCOMES",
    "CHANGES",
    "CHECKED",
    "COLUMNS",
    "CONSEQUENCES",
    "DEAD_LETTERS",
    "DEEDS",
    "DEVICES",
    "EXCLUSIONS",
    "FIELDS",
    "FILTER_REASONS",
    "HOWS",
    "KEY_STATES",
    "KINDS",
    "OTHER_RULE",
    "OUTCOMES",
    "PILES",
    "PROOFS",
    "REASONS",
    "RECORDED",
    "REFUSED",
    "REFUSED_WHYS",
    "REGISTRY",
    "REGISTRY_PROBLEMS",
    "REQUEST_STATES",
    "ROLES",
    "ROW_RULES",
    "RULES",
    "SCHEDULE_STATES",
    "SCOPES",
    "SMS_FAULTS",
    "SPANS",
    "STAGES",
    "STATES",
    "STOP_SOURCES",
    "SUBJECTS",
    "UPLOADS",
    "WANTED",
    "WARNINGS",
    "WHICH",
    "StateWords",
    "has_words",
    "place_words",
    "problems_of",
    "row_rule_words",
    "rule_words",
]
