"""Open what is kept of somebody, for a purpose and with a trace; find a person by a value; mask for lists."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import Invalid, NotAllowed
from parcelward.base.vault import Personal, VaultToken
from parcelward.custody import actions as custody
from parcelward.people.queries import may, require
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import about as matters
from parcelward.privacy import asked, facts, keys, normal, rows, rules
from parcelward.privacy.errors import Restricted
from parcelward.privacy.masking import STARS, mask
from parcelward.privacy.wire import Field, Purpose, Shown

AT_ONCE_MAX = 1_000
FOUND_MAX = 200


@contextlib.contextmanager
def reveal(
    token: VaultToken, fields: Collection[Field], *, purpose: Purpose, by: Person, about: str = ""
) -> Iterator[Mapping[Field, Personal]]:
    """Give what is kept of one person, those fields that have a value. The trace is durable before anything is given.

    `about` names what it is for: who is not the machinery, and opens not their own, names what `privacy.about` asks
    for. Raises Invalid (`about_needed`) without.

    Outside any transaction: whatever becomes of the caller's work, what was looked at stays on record (RuntimeError
    within one). Raises NotAllowed, Restricted where the person closed this purpose, NotInVault, and NotAuthentic when
    something was changed or moved.
    """
    found, left_alone = _open([token], fields, purpose=purpose, by=by, about=about)
    if token in left_alone:
        raise Restricted("This person asked that their data be left alone: it is not opened for this purpose")
    if token not in found:
        raise rows.absent(token)
    yield found[token]


@contextlib.contextmanager
def reveal_many(
    tokens: Collection[VaultToken], fields: Collection[Field], *, purpose: Purpose, by: Person, about: str = ""
) -> Iterator[Mapping[VaultToken, Mapping[Field, Personal]]]:
    """Give what is kept of many people, with one entry in the log for all.

    Who is not here, or closed this purpose, is left out.
    """
    yield _open(tokens, fields, purpose=purpose, by=by, about=about)[0]


def _open(
    tokens: Collection[VaultToken], fields: Collection[Field], *, purpose: Purpose, by: Person, about: str
) -> tuple[dict[VaultToken, Mapping[Field, Personal]], frozenset[VaultToken]]:
    _require(by, purpose, fields)
    rules.require_about(about)
    if len(tokens) > AT_ONCE_MAX:
        raise Invalid(f"Open at most {AT_ONCE_MAX} people at once", code="too_many")
    # Durable: an outer transaction that rolls back must not take the trace with it. The lock makes a shredding wait, so
    # that nobody is shown after their tombstone.
    with transaction.atomic(durable=True):
        here = rows.read(set(tokens), fields, lock="FOR KEY SHARE")
        seen = [row for row in here.values() if _sees(row, by, purpose)]
        others = [row for row in seen if not _own(row, by) or purpose is not Purpose.OWN_DATA]
        if by.role is not Role.MACHINERY and (others or purpose is not Purpose.OWN_DATA):
            matters.require(about, others, purpose)  # also where nobody is found: it tells nothing of who is here
        left_alone = asked.left_alone(seen, purpose)
        shown = {
            row.token: rules.shown(by.role, purpose, fields, own=_own(row, by))
            for row in seen
            if row.token not in left_alone
        }
        held = keys.held(shown.keys())
        found = {token: _opened(here[token], held[token], how) for token, how in shown.items() if token in held}
        if found:
            # What was opened, not what might have been: the person reads it.
            opened = {field for one in found.values() for field in one} or set(fields)
            leave_trace(list(found), opened, purpose=purpose, by=by, about=about, searched=False, now=timezone.now())
    return found, left_alone


def _require(by: Person, purpose: Purpose, fields: Collection[Field]) -> None:
    """Raise NotAllowed unless there is anybody whom `by` may open for this purpose."""
    own = purpose is Purpose.OWN_DATA and may(by, Task.OWN_DATA)
    if not own and not (purpose is Purpose.OWN_DATA and may(by, Task.ANSWER_RIGHTS)):
        require(by, Task.REVEAL)
    rules.shown(by.role, purpose, fields, own=own)


def _own(row: rows.PersonRow, by: Person) -> bool:
    return row.account is not None and row.account == by.id


def _sees(row: rows.PersonRow, by: Person, purpose: Purpose) -> bool:
    """Return whether this person is among those whom `by` sees; who is not looks like nobody."""
    if _own(row, by):
        return True
    scope = rules.scoped_to(by)
    if scope is not None and row.tenant != scope:
        return False
    return purpose is not Purpose.OWN_DATA or by.role is Role.MACHINERY or may(by, Task.ANSWER_RIGHTS)


def _opened(row: rows.PersonRow, key: keys.DataKey, shown: Mapping[Field, Shown]) -> Mapping[Field, Personal]:
    opened = {}
    for field, how in shown.items():
        if field in row.sealed:
            text = rows.unseal(row, key, field)
            opened[field] = Personal(text if how is Shown.FULL else mask(field, text))
    return opened


def leave_trace(
    persons: Sequence[UUID],
    fields: Collection[Field],
    *,
    purpose: Purpose,
    by: Person,
    about: str,
    searched: bool,
    now: dt.datetime,
) -> None:
    """Write who looks at whom, in the caller's transaction: a row a person, and one entry in the log for all."""
    act, names = uuid.uuid4(), sorted(set(fields))
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO privacy_disclosure (act, person, at, by, role, purpose, fields, about, searched) "
            "SELECT %s, p, %s, %s, %s, %s, %s, %s, %s FROM unnest(%s::uuid[]) AS u(p)",
            (
                *(act, now, by.source, by.role.value, purpose.value, [str(name) for name in names], about, searched),
                db.uuid_array([person.bytes for person in persons]),
            ),
        )
    custody.record_fact(
        facts.LOOKED,
        {
            "about": about,
            "act": act.hex,
            "by": by.source,
            "fields": names,
            "looked_at": now.isoformat(),
            "n": len(persons),
            "persons": facts.digest_of(persons),
            "purpose": purpose.value,
            "role": by.role.value,
            "searched": searched,
        },
    )


def find(
    field: Field, value: str, *, purpose: Purpose, by: Person, tenant: UUID | None = None, lasting: bool = False
) -> tuple[VaultToken, ...]:
    """Return who has this value, in one tenant or (None) among the house's own people; people find at most FOUND_MAX.

    What people find leaves a trace as what they open does, and must be outside any transaction; what the house's own
    machinery finds leaves none, for it learns no more than it was told. It finds all: what it looks for must not hide
    behind what strangers typed. `lasting` passes over what is only kept until it is proven.
    """
    require(by, Task.FIND_PERSON)
    rules.shown(by.role, purpose, [field])
    scope = rules.scoped_to(by)
    if scope is not None and tenant not in {None, scope}:
        raise NotAllowed("You find people of your own organisation alone", code="tenant")
    form = normal.normal(field, value)
    most = None if by.role is Role.MACHINERY else FOUND_MAX
    near = rows.candidates(field, form, tenant or scope, lasting=lasting)[: most and most * 2]
    left_alone = asked.left_alone(near, purpose)
    held = keys.held([row.token for row in near])
    found = tuple(
        row.token
        for row in near
        if row.token in held
        and row.token not in left_alone
        and field in row.sealed
        and _is(field, rows.unseal(row, held[row.token], field), form)
    )[:most]
    if found and by.role is not Role.MACHINERY:
        with transaction.atomic(durable=True):
            leave_trace(found, [field], purpose=purpose, by=by, about="", searched=True, now=timezone.now())
    return found


def _is(field: Field, text: str, form: str) -> bool:
    return normal.FINDABLE[field](text) == form


def masked(token: VaultToken, fields: Collection[Field], *, by: Person) -> Mapping[Field, str]:
    """Return what a list shows of one person: no purpose is needed, and no trace is left. Raises NotInVault."""
    found = masked_many([token], fields, by=by)
    if token not in found:
        raise rows.absent(token)
    return found[token]


def masked_many(
    tokens: Collection[VaultToken], fields: Collection[Field], *, by: Person
) -> dict[VaultToken, Mapping[Field, str]]:
    """Return what a list shows of many people; who is not here, or another tenant's, is left out.

    Of who asked that their data be left alone others see stars.
    """
    if len(tokens) > AT_ONCE_MAX:
        raise Invalid(f"A list shows at most {AT_ONCE_MAX} people", code="too_many")
    here = rows.read(set(tokens), fields)
    if not here or not all(_own(row, by) and may(by, Task.OWN_DATA) for row in here.values()):
        rules.require_listed(by.role, fields)
    scope = rules.scoped_to(by)
    mine = [row for row in here.values() if scope is None or row.tenant == scope or _own(row, by)]
    held = keys.held([row.token for row in mine])
    left_alone = asked.left_alone([row for row in mine if not _own(row, by)], Purpose.HOUSEKEEPING)
    return {
        row.token: {
            f: STARS if row.token in left_alone else mask(f, rows.unseal(row, held[row.token], f))
            for f in Field
            if f in row.sealed
        }
        for row in mine
        if row.token in held
    }
