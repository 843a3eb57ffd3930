"""Who may do what: one table, closed by default, asked in every action."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from parcelward.base.errors import Invalid
from parcelward.people import certificates
from parcelward.people.errors import MayNot
from parcelward.people.wire import CERTIFIED, TWO_PEOPLE, OrganisationKind, Person, Role, Task

MAY: Mapping[Role, frozenset[Task]] = {
    Role.ADDRESSEE: frozenset({Task.PROVE_SELF, Task.OWN_DATA, Task.CONTACT, Task.APPEAL}),
    Role.SENDER_MEMBER: frozenset(
        {
            *(Task.PROVE_SELF, Task.OWN_DATA, Task.KEEP_PERSONAL, Task.REVEAL, Task.FIND_PERSON, Task.CONTACT),
            *(Task.READ_BALANCE, Task.ORDER, Task.READ_ORDERS, Task.APPEAL),
        },
    ),
    Role.SENDER_ADMIN: frozenset(
        {
            *(Task.PROVE_SELF, Task.OWN_DATA, Task.KEEP_PERSONAL, Task.REVEAL, Task.FIND_PERSON, Task.CONTACT),
            *(Task.MANAGE_KEYS, Task.GRANT_SPENDING, Task.MANAGE_MEMBERS, Task.READ_BALANCE, Task.PAY_IN),
            *(Task.ORDER, Task.READ_ORDERS, Task.APPEAL),
            Task.MANAGE_WEBHOOKS,
        },
    ),
    Role.CLERK: frozenset(
        {
            *(Task.OWN_DATA, Task.ACCEPT_HAZMAT, Task.PROVE_OTHERS, Task.KEEP_PERSONAL, Task.REVEAL, Task.FIND_PERSON),
            *(Task.SEAL_LABEL, Task.RE_ENROL, Task.MAKE_LINK, Task.REVIEW_ORDER, Task.PHOTOGRAPH),
        },
    ),
    Role.SORTER: frozenset({Task.OWN_DATA, Task.OPEN_LABEL, Task.SEAL_LABEL}),
    Role.COURIER: frozenset({Task.OWN_DATA, Task.OPEN_LABEL, Task.REVEAL}),
    Role.HUB_AGENT: frozenset({Task.OWN_DATA, Task.OPEN_LABEL, Task.LEND_KEYS, Task.ENROL_DEVICE}),
    Role.INSPECTOR: frozenset(
        {
            *(Task.OWN_DATA, Task.HOLD, Task.RELEASE, Task.RELEASE_SECURITY, Task.CORRECT, Task.READ_DESK, Task.REPAIR),
            *(Task.READ_EVENTS, Task.SHRED, Task.REVIEW_PROOFS, Task.REVEAL, Task.FIND_PERSON, Task.DISCLOSE),
            *(Task.SHRED_PERSON, Task.ANSWER_RIGHTS, Task.READ_DECISIONS, Task.REVIEW_DECISION, Task.WRITE_RULES),
            *(Task.ACTIVATE_RULE, Task.SNOOZE_RULE, Task.LEARN_OUTCOME, Task.REVIEW_ORDER, Task.WRITE_HAZMAT_RULES),
            *(Task.PHOTOGRAPH, Task.ACCEPT_HAZMAT),
            Task.CHOOSE_MODEL,
        },
    ),
    Role.PLANNER: frozenset({Task.OWN_DATA, Task.EDIT_NETWORK, Task.READ_EVENTS}),
    Role.AUDITOR: frozenset({Task.OWN_DATA, Task.READ_EVENTS, Task.READ_TRAIL, Task.READ_MONEY, Task.READ_DECISIONS}),
    Role.ADMINISTRATOR: frozenset(
        {
            *(Task.OWN_DATA, Task.CAPTURE, Task.READ_EVENTS, Task.HOLD, Task.RELEASE, Task.CORRECT, Task.READ_DESK),
            *(Task.REPAIR, Task.EDIT_NETWORK, Task.ENROL_DEVICE, Task.MANAGE_KEYS, Task.GRANT_SPENDING),
            *(Task.MANAGE_PEOPLE, Task.MANAGE_MEMBERS, Task.MANAGE_ORGANISATIONS, Task.CHANGE_ROLES, Task.RE_ENROL),
            *(Task.CERTIFY, Task.REPLACE_LOG_KEY, Task.SHRED, Task.IMPORT, Task.MAKE_BUNDLE, Task.MAKE_LINK),
            *(Task.READ_TRAIL, Task.ANSWER_RIGHTS, Task.SHRED_PERSON, Task.KEEP_RETENTION, Task.TURN_KEYS),
            *(Task.KEEP_PERSONAL, Task.SEAL_LABEL, Task.RELABEL, Task.LEND_KEYS, Task.RELEASE_SECURITY),
            *(Task.BACK_UP, Task.TURN_SECRETS, Task.READ_MONEY, Task.GIVE_BACK, Task.ANSWER_DISPUTE, Task.RECONCILE),
            *(Task.READ_DECISIONS, Task.REVIEW_DECISION, Task.WRITE_RULES, Task.ACTIVATE_RULE, Task.SNOOZE_RULE),
            *(Task.LEARN_OUTCOME, Task.EDIT_TARIFF, Task.WRITE_HAZMAT_RULES),
            Task.CHOOSE_MODEL,
        },
    ),
    Role.PARTNER: frozenset({Task.OWN_DATA, Task.SCAN, Task.CAPTURE, Task.READ_EVENTS}),
    Role.OFFICER: frozenset({Task.OWN_DATA}),
    Role.DEVICE: frozenset({Task.SCAN, Task.OPEN_LABEL}),
    Role.MACHINERY: frozenset(
        {
            *(Task.KEEP_PERSONAL, Task.REVEAL, Task.FIND_PERSON, Task.SHRED_PERSON, Task.KEEP_RETENTION),
            *(Task.TURN_KEYS, Task.SEAL_LABEL, Task.ORDER),  # what was ordered and paid is made, whoever asks by then
            Task.LEARN_OUTCOME,
            Task.CAPTURE,  # that a shop handed in what it had bought here: assumed, as any manifest
        },
    ),
}
assert MAY.keys() == set(Role), "every role is in the table"  # noqa: S101 -- a hole in the table must stop the start

ROLES_OF: Mapping[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.OPERATOR: frozenset(
        {
            *(Role.CLERK, Role.SORTER, Role.COURIER, Role.HUB_AGENT, Role.INSPECTOR, Role.PLANNER, Role.AUDITOR),
            Role.ADMINISTRATOR,
        },
    ),
    OrganisationKind.SENDER: frozenset({Role.SENDER_MEMBER, Role.SENDER_ADMIN}),
    OrganisationKind.PARTNER: frozenset({Role.PARTNER}),
    OrganisationKind.CONTRACTOR: frozenset({Role.COURIER, Role.HUB_AGENT, Role.SORTER}),
    OrganisationKind.LAW_ENFORCEMENT: frozenset({Role.OFFICER}),
}
"""Which roles the people of an organisation may have."""
assert ROLES_OF.keys() == set(OrganisationKind), "every kind is in the table"  # noqa: S101 -- as above

STAFF = frozenset(
    {
        *ROLES_OF[OrganisationKind.OPERATOR],
        *ROLES_OF[OrganisationKind.CONTRACTOR],
        *(Role.PARTNER, Role.OFFICER),
    }
)
"""Who needs a passkey with user verification to act."""


GUARDED = frozenset({Role.INSPECTOR, Role.AUDITOR, Role.ADMINISTRATOR})
"""Roles that look into others' affairs or give rights away: an administrator is one of the two who replace a passkey
of one."""
NEED_SECOND = GUARDED | {role for role in ROLES_OF[OrganisationKind.OPERATOR] if MAY[role] & TWO_PEOPLE}
"""Roles that a second person agrees to an invitation to: those, and all that can be one of two people. Who could invite
one alone would be both of the two."""
KEY_ROLES = frozenset(Role) - {Role.DEVICE, Role.MACHINERY, Role.ADDRESSEE}
"""Roles that an API key can have: devices sign, the house needs no key, and addressees act for themselves."""
TENANTS = frozenset({Role.SENDER_MEMBER, Role.SENDER_ADMIN, Role.OFFICER})
"""Roles that mean nothing without an organisation."""


def may(person: Person, task: Task) -> bool:
    """Return whether the table lets `person` do `task`, and their key is not limited to other tasks."""
    return task in MAY[person.role] and (person.scopes is None or task in person.scopes)


def rights_of(role: Role, scopes: Iterable[str] | None) -> frozenset[Task]:
    """Return the tasks of a key: those of its scopes that its role may do."""
    return MAY[role] if scopes is None else MAY[role] & scopes_of(scopes)


def scopes_of(names: Iterable[str]) -> frozenset[Task]:
    """Return the tasks that are named; a name that we do not know gives no right."""
    return frozenset(Task(name) for name in names if name in _TASKS)


def key_role(name: str) -> Role:
    """Return the role that is named, if a key can have it. Raises Invalid."""
    if name not in {role.value for role in KEY_ROLES}:
        raise bad_role()
    return Role(name)


def key_scope(name: str) -> Task:
    """Return the task that is named. Raises Invalid."""
    if name not in _TASKS:
        raise bad_scope()
    return Task(name)


def bad_role() -> Invalid:
    """Return the refusal of a role that no key has: a device, for one, signs with a key pair."""
    return Invalid("No API key has this role", code="bad_role")


def bad_scope() -> Invalid:
    """Return the refusal of a scope that the role does not have."""
    return Invalid("A scope is a task that the key's role may do", code="bad_scope")


_TASKS = frozenset(Task)


def require(person: Person, task: Task, *, on: dt.date | None = None) -> None:
    """Raise MayNot unless `person` may do `task`: their role, the scopes of their key, their training on that day.

    Raises ValueError where a task that needs a training is asked for without a day: it is nobody's then.
    """
    if not may(person, task):
        words = task.replace("_", " ")
        if task in MAY[person.role]:
            raise MayNot(f"This key's scopes do not let it {words}. Make one that may, if it should.", code="scope")
        raise MayNot(f"Your role, {person.role.replace('_', ' ')}, may not {words}. Ask an administrator if it should.")
    if task in CERTIFIED:
        if on is None:
            raise ValueError(f"{task} needs a certificate: say of which day")  # a caller's bug, not input
        _require_certified(person, task, on=on)


def _require_certified(person: Person, task: Task, *, on: dt.date) -> None:
    if not certificates.holds(person.id, CERTIFIED[task], on=on):
        training = CERTIFIED[task].replace("_", " ")
        words = f"This needs a certificate of training in {training} that is valid on the day. Ask an administrator."
        raise MayNot(words, code="not_certified")
