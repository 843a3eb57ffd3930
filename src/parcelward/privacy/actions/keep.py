"""Put somebody's data into the vault, change it, and note that a pending person became known."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotAllowed
from parcelward.base.standards import postcodes
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import proofing
from parcelward.people.queries import may, require
from parcelward.people.wire import Level, Person, Task
from parcelward.privacy import facts, keys, normal, rows, rules
from parcelward.privacy.models import KeptPerson
from parcelward.privacy.wire import Field, Kind

PUT_AT_ONCE_MAX = 1_000
PROVES: Mapping[Field, Collection[Level]] = {
    **dict.fromkeys((Field.EMAIL, Field.PHONE), (Level.MESSAGE,)),
    **dict.fromkeys(
        (Field.NAME, Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY), (Level.ADDRESS, Level.IDENTITY)
    ),
}
"""Field -> what was proven of it; whoever writes it anew proves it anew."""


def put(
    fields: Mapping[Field, str],
    *,
    kind: Kind,
    by: Person,
    tenant: UUID | None = None,
    expires_at: dt.datetime | None = None,
    account: UUID | None = None,
) -> VaultToken:
    """Keep somebody's data under a new token. Empty values are left out.

    `tenant`: the organisation whose customer it is; a sender's people put for their own alone. `expires_at`: when a
    pending person is forgotten; they need one, and nobody else has one. `account`: the user whose own data it is.
    """
    return put_many([fields], kind=kind, by=by, tenant=tenant, expires_at=expires_at, account=account)[0]


def put_many(
    people: Sequence[Mapping[Field, str]],
    *,
    kind: Kind,
    by: Person,
    tenant: UUID | None = None,
    expires_at: dt.datetime | None = None,
    account: UUID | None = None,
) -> tuple[VaultToken, ...]:
    """Keep the data of several people, with two transactions and one entry in the log for all of them."""
    if not 1 <= len(people) <= PUT_AT_ONCE_MAX:
        raise Invalid(f"Put 1 to {PUT_AT_ONCE_MAX} people at once", code="bad_number")
    if (kind is Kind.PENDING) != (expires_at is not None):
        raise Invalid("Who is not known yet, and nobody else, needs a time at which they are forgotten", code="expiry")
    wanted = _new(people, kind, by, tenant=tenant, expires_at=expires_at, account=account)
    _insert([wanted], expires_at=expires_at)
    return tuple(each.token for each in wanted)


def put_for_many(
    groups: Sequence[tuple[Person, Sequence[Mapping[Field, str]]]], *, kind: Kind
) -> list[tuple[VaultToken, ...]]:
    """Keep people for several askers, each of whom knows of its own alone; as `put_many`, and one entry for each."""
    if not 1 <= sum(len(people) for _, people in groups) <= PUT_AT_ONCE_MAX:
        raise Invalid(f"Put 1 to {PUT_AT_ONCE_MAX} people at once", code="bad_number")
    wanted = [_new(people, kind, by) for by, people in groups]
    _insert([each for each in wanted if each], expires_at=None)
    return [tuple(each.token for each in some) for some in wanted]


def _new(
    people: Sequence[Mapping[Field, str]],
    kind: Kind,
    by: Person,
    *,
    tenant: UUID | None = None,
    expires_at: dt.datetime | None = None,
    account: UUID | None = None,
) -> list[rows.NewPerson]:
    """Return people as they are to be kept. Raises MayNot and NotAllowed unless `by` may keep them."""
    require(by, Task.KEEP_PERSONAL)
    scope = rules.scoped_to(by)
    if scope is not None and tenant not in {None, scope}:
        raise NotAllowed("You keep people for your own organisation alone", code="tenant")
    return [
        rows.NewPerson(
            VaultToken(uuid.uuid4()), kind, tenant or scope, account, expires_at, normal.checked(fields), by.source
        )
        for fields in people
    ]


def _insert(groups: Sequence[Sequence[rows.NewPerson]], *, expires_at: dt.datetime | None) -> None:
    """Store people, with an entry for each group: those of one asker."""
    wanted = [each for some in groups for each in some]
    made = keys.make([each.token for each in wanted], expires_at=expires_at)
    with transaction.atomic(savepoint=False):
        sealed = iter(rows.insert(wanted, made, now=timezone.now()))
        custody.record_facts(facts.KEPT, [_said(some, [next(sealed) for _ in some]) for some in groups])


def _said(some: Sequence[rows.NewPerson], sealed: list[str]) -> dict[str, Any]:
    """Return what the log is told of people who are kept for one asker."""
    first = some[0]
    return {
        "account": None if first.account is None else str(first.account),
        "by": first.made_by,
        "expires_at": None if first.expires_at is None else first.expires_at.isoformat(),
        "fields": sorted({field for each in some for field, text in each.fields.items() if text}),
        "person_kind": first.kind.value,
        "persons": [each.token.hex for each in some],
        "sealed": sealed,
        "tenant": None if first.tenant is None else str(first.tenant),
    }


def _require_change(row: rows.PersonRow, by: Person) -> None:
    """Raise NotAllowed or NotInVault unless `by` may change this person's data: their own, or their tenant's."""
    if row.account == by.id and may(by, Task.OWN_DATA):
        return
    require(by, Task.KEEP_PERSONAL)
    scope = rules.scoped_to(by)
    if scope is not None and row.tenant != scope:
        raise rows.absent(row.token)


@transaction.atomic
def change(token: VaultToken, fields: Mapping[Field, str], *, by: Person) -> None:
    """Write new values over old ones; an empty value takes the field away. Doing it twice changes nothing more."""
    if not may(by, Task.OWN_DATA):
        require(by, Task.KEEP_PERSONAL)
    values = normal.checked(fields)
    if not values:
        return
    row = rows.read([token], tuple(Field), lock="FOR NO KEY UPDATE").get(token)
    if row is None:
        raise rows.absent(token)
    _require_change(row, by)
    key = keys.held([token]).get(token)
    if key is None:  # the tombstone comes first, so its row is gone: this is a keys database without it
        raise Conflict("This person's key is not here", code="no_key")
    sealed = rows.seal_fields(token, key, values)
    rows.update(token, sealed)
    rows.drop_marks(token, values)
    rows.add_marks([(token, row.tenant, values)])
    proofing.end_proofs([token], {level for f in values for level in PROVES.get(f, ())}, by=by, now=timezone.now())
    said = {"by": by.source, "person": token.hex, "fields": sorted(values)}
    custody.record_fact(facts.CHANGED, said | {"sealed": rows.digest({**row.sealed, **sealed})})


def require_fitting(token: VaultToken, fields: Mapping[Field, str]) -> None:
    """Raise Invalid where, after this change, the postcode would not have the form of its country's."""
    pair = (Field.COUNTRY, Field.POSTCODE)
    if not set(pair) & set(fields):
        return
    row, key = rows.read([token], pair).get(token), keys.held([token]).get(token)
    kept = {f: rows.unseal(row, key, f) for f in pair if f in row.sealed} if row and key else {}
    country, postcode = ({**kept, **fields}.get(field, "").strip() for field in pair)
    form = postcodes.form_of(country.upper())
    if country and form is None:
        raise Invalid("Enter the country's two letters, such as US.", code="bad_country")
    if postcode and form is not None and not form.fits(postcode):
        raise Invalid(
            "Postcodes of this country look different. Check the postcode and the country.", code="bad_postcode"
        )


def settle(token: VaultToken, *, kind: Kind, by: Person) -> None:
    """Note that a pending person became known: nothing of theirs expires. Doing it twice changes nothing."""
    require(by, Task.KEEP_PERSONAL)
    if kind is Kind.PENDING:
        raise Invalid("Say what the person turned out to be", code="bad_kind")
    row = rows.read([token], ()).get(token)
    if row is None:
        raise rows.absent(token)
    _require_change(row, by)
    # The key first: a crash in between leaves somebody who is forgotten in time, not one whose key vanishes alone.
    keys.keep_without_end(token)
    with transaction.atomic():
        row = rows.read([token], (), lock="FOR UPDATE").get(token)
        if row is None:
            raise rows.absent(token)
        _require_change(row, by)
        if row.kind is kind and row.expires_at is None:
            return
        if row.kind is not Kind.PENDING:
            raise Conflict("This person is known already, as somebody else", code="settled")
        KeptPerson.objects.filter(token=token).update(kind=kind.value, expires_at=None)
        custody.record_fact(facts.SETTLED, {"by": by.source, "person": token.hex, "person_kind": kind.value})
