"""Roles and what each may do: one table, read by the staff face's gate and by its tests."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for."""

    HEALTH_WORKER = "health_worker"
    FACILITY_LEAD = "facility_lead"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One thing that somebody may do. Whose rows it reaches is the role's scope, not the permission's."""

    HOME = "home"
    DOSES_READ = "doses:read"
    DOSES_WRITE = "doses:write"
    MESSAGES_READ = "messages:read"
    MESSAGES_ACT = "messages:act"  #: resend, cancel
    CASES_READ = "cases:read"
    CASES_ACT = "cases:act"  #: unlock, undo, confirm, close
    CASES_ANSWER = "cases:answer"  #: what a facility knows about a dose that was reported as missing
    CASES_ASSIGN = "cases:assign"  #: give a case to a facility
    PERSONS_READ = "persons:read"  #: names and masked numbers
    PERSONS_REVEAL = "persons:reveal"  #: the whole number, with a reason, audited
    SWITCH = "switch"  #: hold and release everything
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"  #: programme settings and SMS texts
    CATCHER_READ = "catcher:read"  #: the local catcher; does not exist in production
    STAFF_MANAGE = "staff:manage"  #: accounts of others
    DOSES_CORRECT = "doses:correct"  #: another number, other data, withdrawn
    LINKS_REVOKE = "links:revoke"  #: turn off the links to a certificate
    UPLOADS = "uploads"  #: bring a list, have it recorded, take back what was refused
    DEAD_LETTERS_READ = "dead-letters:read"  #: that there are some, and what is wrong with them
    DEAD_LETTERS_ACT = "dead-letters:act"  #: open one with a reason, correct and replay, discard
    BULK_READ = "bulk:read"
    BULK_WRITE = "bulk:write"  #: make, pause, resume, cancel bulk resends
    BULK_APPROVE = "bulk:approve"  #: let another person's bulk resend go
    AUDIT_READ = "audit:read"
    DESK = "desk"  #: calls and letters: claim, check a caller, answer, merge
    API_KEYS_MANAGE = "api-keys:manage"


_READ = frozenset(
    {
        Permission.HOME,
        Permission.MESSAGES_READ,
        Permission.CASES_READ,
        Permission.PERSONS_READ,
        Permission.CATCHER_READ,
    }
)
_DESK = _READ | {
    Permission.DOSES_READ,
    Permission.DOSES_WRITE,
    Permission.DOSES_CORRECT,
    Permission.MESSAGES_ACT,
    Permission.CASES_ANSWER,
    Permission.UPLOADS,
}
_OPERATE = _READ | {
    Permission.MESSAGES_ACT,
    Permission.CASES_ACT,
    Permission.CASES_ANSWER,
    Permission.CASES_ASSIGN,
    Permission.PERSONS_REVEAL,
    Permission.SETTINGS_READ,
    Permission.DOSES_READ,
    Permission.DOSES_CORRECT,
    Permission.LINKS_REVOKE,
    Permission.UPLOADS,
    Permission.DEAD_LETTERS_READ,
    Permission.DEAD_LETTERS_ACT,
    Permission.BULK_READ,
    Permission.BULK_WRITE,
    Permission.DESK,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.HEALTH_WORKER: _DESK,
    Role.FACILITY_LEAD: _DESK | {Permission.CASES_ACT, Permission.PERSONS_REVEAL, Permission.LINKS_REVOKE},
    Role.OPERATOR: _OPERATE,
    Role.SUPERVISOR: _OPERATE | {Permission.SWITCH, Permission.BULK_APPROVE, Permission.AUDIT_READ},
    # sees what was done, never to whom
    Role.AUDITOR: frozenset(
        {
            Permission.HOME,
            Permission.MESSAGES_READ,
            Permission.CASES_READ,
            Permission.SETTINGS_READ,
            Permission.DEAD_LETTERS_READ,
            Permission.BULK_READ,
            Permission.AUDIT_READ,
        }
    ),
    # a small programme has one person for everything
    Role.ADMINISTRATOR: frozenset(Permission),
}

#: these see the rows of their own facility alone, and cannot be without one
FACILITY_ROLES = frozenset({Role.HEALTH_WORKER, Role.FACILITY_LEAD})


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in PERMISSIONS[role]
