"""The address book, masked: whoever sends sees enough of an entry to choose it, and no more."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Purpose
from parcelward.shipping.models import AddressEntry
from parcelward.shipping.wire import AddressSeen

PAGE_MAX = 100
SHOWN = (Field.NAME, Field.EMAIL, Field.PHONE, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY)


def addresses(
    *, by: Person, limit: int = PAGE_MAX, after: UUID | None = None, own: bool | None = None
) -> tuple[AddressSeen, ...]:
    """Return one's own entries, the newest first; `after` is the last one of the page before."""
    require(by, Task.READ_ORDERS)
    rows = AddressEntry.objects.filter(owner=owner_of(by))
    if own is not None:
        rows = rows.filter(own=own)
    if after is not None:
        last = rows.filter(pk=after).values_list("made_at", flat=True).first()
        if last is None:
            raise NotFound("No such address")
        rows = rows.filter(Q(made_at__lt=last) | Q(made_at=last, pk__lt=after))
    return _seen(list(rows.order_by("-made_at", "-pk")[:limit]), by=by)


def address(entry_id: UUID, *, by: Person) -> AddressSeen:
    """Return one entry. Raises NotFound: unknown and somebody else's look alike."""
    require(by, Task.READ_ORDERS)
    rows = list(AddressEntry.objects.filter(pk=entry_id, owner=owner_of(by)))
    if not rows:
        raise NotFound("No such address")
    return _seen(rows, by=by)[0]


def find_addresses(field: Field, value: str, *, by: Person) -> tuple[AddressSeen, ...]:
    """Return entries by a name, an e-mail or a telephone number. It leaves a trace; outside any transaction."""
    require(by, Task.READ_ORDERS)
    tokens = privacy.find(field, value, purpose=Purpose.LABEL, by=by)
    rows = AddressEntry.objects.filter(owner=owner_of(by), token__in=tokens).order_by("-made_at", "-pk")
    return _seen(list(rows[:PAGE_MAX]), by=by)


def _seen(rows: list[AddressEntry], *, by: Person) -> tuple[AddressSeen, ...]:
    """Return entries as lists show them; of what the vault has forgotten nothing is shown."""
    found = privacy.masked_many([VaultToken(row.token) for row in rows], SHOWN, by=by)
    return tuple(
        AddressSeen(row.id, VaultToken(row.token), row.own, row.made_at, dict(found.get(VaultToken(row.token), {})))
        for row in rows
    )
