"""Who sees what of somebody's personal data, for what purpose: one table, closed by default.

No framework, no clock, no database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from parcelward.base.errors import Invalid, NotAllowed
from parcelward.people.wire import Person, Role
from parcelward.privacy.wire import Field, Purpose, Shown

ABOUT = re.compile(r"[A-Za-z0-9._:/-]{0,80}")
"""What a look may be about: the number of an item, a case, a request. Never a sentence, which could hold a name."""

_PLACE: Final = (Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY)
_LISTED: Final = frozenset({Field.NAME, Field.EMAIL, Field.PHONE, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY})


def _full(*fields: Field) -> dict[Field, Shown]:
    return dict.fromkeys(fields, Shown.FULL)


def _masked(*fields: Field) -> dict[Field, Shown]:
    return dict.fromkeys(fields, Shown.MASKED)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one role sees."""

    lists: frozenset[Field]  # masked, in lists, without a purpose
    reveals: Mapping[Purpose, Mapping[Field, Shown]]
    own_tenant: bool = False  # only people whom their own organisation put here


_NOTHING: Final = Sight(frozenset(), {})
_EVERYTHING: Final = _full(*Field)
_OF_SENDERS: Final = Sight(
    _LISTED,
    {
        Purpose.LABEL: _full(Field.NAME, *_PLACE, Field.PHONE, Field.EMAIL),
        Purpose.LETTER: _full(Field.NAME, *_PLACE),
        Purpose.CONTACT: _full(Field.NAME, Field.EMAIL, Field.PHONE),
    },
    own_tenant=True,
)

SEES: Mapping[Role, Sight] = {
    Role.ADDRESSEE: _NOTHING,  # their own data alone, as everybody: OWN
    Role.SENDER_MEMBER: _OF_SENDERS,
    Role.SENDER_ADMIN: _OF_SENDERS,
    Role.CLERK: Sight(
        _LISTED,
        {
            Purpose.COUNTER: _full(Field.NAME, *_PLACE) | _masked(Field.EMAIL, Field.PHONE, Field.DOCUMENT),
            Purpose.LABEL: _full(Field.NAME, *_PLACE),
            Purpose.LETTER: _full(Field.NAME, *_PLACE),
        },
    ),
    Role.SORTER: _NOTHING,
    Role.COURIER: Sight(
        frozenset({Field.NAME, Field.POSTCODE}),
        {Purpose.DELIVERY: _full(Field.NAME, *_PLACE) | _masked(Field.PHONE)},
    ),
    Role.HUB_AGENT: _NOTHING,
    Role.INSPECTOR: Sight(
        _LISTED,
        {
            Purpose.INVESTIGATION: _full(Field.NAME, *_PLACE, Field.EMAIL, Field.PHONE, Field.WHERE, Field.AGENT)
            | _masked(Field.DOCUMENT),
            Purpose.SECURITY: _full(Field.WHERE, Field.AGENT) | _masked(Field.NAME, Field.EMAIL, Field.PHONE),
            Purpose.OWN_DATA: _EVERYTHING,  # in answer to what the person asked for
        },
    ),
    Role.PLANNER: _NOTHING,
    Role.AUDITOR: _NOTHING,  # sees who looked, not what they saw
    Role.ADMINISTRATOR: Sight(
        _LISTED,
        {Purpose.OWN_DATA: _masked(Field.NAME, *_PLACE, Field.EMAIL, Field.PHONE, Field.WHERE)},  # to answer requests
    ),
    Role.PARTNER: _NOTHING,
    Role.OFFICER: _NOTHING,
    Role.DEVICE: _NOTHING,
    Role.MACHINERY: Sight(
        _LISTED,
        {
            Purpose.SIGN_IN: _full(Field.NAME, Field.EMAIL, Field.PHONE),
            Purpose.NOTICE: _full(Field.NAME, Field.EMAIL, Field.PHONE),
            Purpose.LETTER: _full(Field.NAME, *_PLACE),
            Purpose.LABEL: _full(Field.NAME, *_PLACE, Field.EMAIL, Field.PHONE, Field.BODY),
            Purpose.COUNTER: _full(Field.NAME, *_PLACE, Field.DOCUMENT),
            Purpose.CONTACT: _full(Field.NAME, Field.EMAIL, Field.PHONE),
            Purpose.OWN_DATA: _EVERYTHING,
            Purpose.HOUSEKEEPING: _full(Field.BODY, Field.COUNTRY, Field.POSTCODE),
            Purpose.SECURITY: _full(Field.WHERE, Field.AGENT, Field.EMAIL, Field.BODY),
        },
    ),
}
"""Role -> what it sees in lists, and for which purpose it may open what. What is not here is not seen."""
assert SEES.keys() == set(Role), "every role is in the table"  # noqa: S101 -- a hole in the table must stop the start

OWN: Mapping[Field, Shown] = _EVERYTHING
"""What everybody sees of what is kept of themselves."""


def shown(role: Role, purpose: Purpose, fields: Collection[Field], *, own: bool = False) -> Mapping[Field, Shown]:
    """Return how much of each field the role sees for the purpose; `own`: it is the asker's own data.

    Raises NotAllowed when the table has not this purpose for this role, or not one of the fields, and Invalid when
    none is asked for.
    """
    if not fields:
        raise Invalid("Say which fields to open", code="no_fields")
    table = OWN if own and purpose is Purpose.OWN_DATA else SEES[role].reveals.get(purpose, {})
    if not table:
        raise NotAllowed(
            f"Your role, {_words(role)}, opens nobody's data for the purpose {_words(purpose)}.", code="purpose"
        )
    missing = sorted(set(fields) - table.keys())
    if missing:
        raise NotAllowed(
            f"Your role, {_words(role)}, does not see the {_words(missing[0])} for the purpose {_words(purpose)}.",
            code="field",
        )
    return {field: table[field] for field in Field if field in fields}


def require_listed(role: Role, fields: Collection[Field]) -> None:
    """Raise NotAllowed unless lists show the role these fields, masked."""
    missing = sorted(set(fields) - SEES[role].lists)
    if missing:
        raise NotAllowed(f"Lists do not show the {_words(missing[0])} to your role, {_words(role)}.", code="field")


def scoped_to(person: Person) -> UUID | None:
    """Return the tenant whose people alone `person` sees, or None when the role sees everybody's.

    Raises NotAllowed when the role is of a tenant and the person acts for none.
    """
    if not SEES[person.role].own_tenant:
        return None
    if person.organisation is None:
        raise NotAllowed("You act for no organisation", code="no_organisation")
    return person.organisation


def require_about(about: str) -> None:
    """Raise Invalid unless `about` is a number or a code."""
    if not ABOUT.fullmatch(about):
        raise Invalid("Say what it is about by a number or a code of at most 80 characters", code="bad_about")


def _words(name: str) -> str:
    return name.replace("_", " ")
