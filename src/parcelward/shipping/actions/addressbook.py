"""Keep addresses to use again: put into the vault, written anew, and taken out of it with the entry."""

from __future__ import annotations

import contextlib
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.base.standards.addresses import checking
from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.wire import Field, Kind
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.errors import BadOrder, NotNow
from parcelward.shipping.models import AddressEntry
from parcelward.shipping.wire import Party

ADDRESSES_MAX: Final = 10_000  # of one owner


def add_address(entry_id: UUID, party: Party, *, own: bool, by: Person) -> UUID:
    """Keep an address; `own`: parcels are sent from there. The same entry again changes nothing. Raises BadOrder."""
    require(by, Task.ORDER)
    owner = owner_of(by)
    if AddressEntry.objects.filter(pk=entry_id, owner=owner).exists():
        return entry_id
    if AddressEntry.objects.filter(owner=owner).count() >= ADDRESSES_MAX:
        raise NotNow("The address book is full: take something out first", code="too_many")
    fields = _kept(party)
    with transaction.atomic():
        token = privacy.put(fields, kind=Kind.SENDER if own else Kind.ADDRESSEE, by=by)
        AddressEntry.objects.create(id=entry_id, owner=owner, token=token, own=own, made_at=timezone.now())
    return entry_id


def change_address(entry_id: UUID, party: Party, *, by: Person) -> None:
    """Write an address anew, whole. What was ordered to the old one stays as it was. Raises BadOrder, NotInVault."""
    require(by, Task.ORDER)
    row = _theirs(entry_id, by=by)
    privacy.change(VaultToken(row.token), _kept(party), by=by)


@transaction.atomic
def remove_address(entry_id: UUID, *, by: Person) -> None:
    """Take an address out of the book, and all that is kept of it out of the vault."""
    require(by, Task.ORDER)
    row = _theirs(entry_id, by=by)
    with contextlib.suppress(NotInVault):  # the vault may have forgotten it first
        privacy.change(VaultToken(row.token), dict.fromkeys(party_text.KEPT, ""), by=by)
    row.delete()


def _theirs(entry_id: UUID, *, by: Person) -> AddressEntry:
    row = AddressEntry.objects.filter(pk=entry_id, owner=owner_of(by)).first()
    if row is None:
        raise NotFound("No such address")
    return row


def _kept(party: Party) -> dict[Field, str]:
    problems = order_rules.party_problems(party, "")
    if problems:
        raise BadOrder("This address cannot be kept as it is; nothing was changed", problems=tuple(problems))
    return party_text.kept(party, checking.check(party.address).address)
