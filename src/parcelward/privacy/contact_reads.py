"""Reads about masked contacts, for whoever is one of the two or acts for the organisation of both."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Q

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy.models import Contact, ContactEnd, KeptPerson
from parcelward.privacy.wire import ContactShown, Kind, Sender

SHOWN_MAX: Final = 100


def relay_on() -> bool:
    """Return whether this installation passes mail on at all."""
    return bool(config.get().relay_domain)


def contacts_of(*, by: Person) -> tuple[ContactShown, ...]:
    """Return the contacts of one's own and of one's organisation, newest first; closed ones, too."""
    require(by, Task.CONTACT)
    mine = KeptPerson.objects.filter(account=by.id).values("token")
    theirs = Q(first__in=mine) | Q(second__in=mine)
    if by.organisation is not None:
        theirs |= Q(tenant=by.organisation)
    return _shown(list(Contact.objects.filter(theirs).order_by("-opened_at", "ref")[:SHOWN_MAX]), by)


def contact(ref: UUID, *, by: Person) -> ContactShown:
    """Return one contact. Raises NotFound; somebody else's looks like none."""
    require(by, Task.CONTACT)
    found = _shown(list(Contact.objects.filter(ref=ref)), by)
    if not found:
        raise NotFound("No such contact")
    return found[0]


def _shown(rows: list[Contact], by: Person) -> tuple[ContactShown, ...]:
    """Return the contacts from the side of whoever looks; of which they have none, are left out."""
    tokens = {token for row in rows for token in (row.first, row.second)}
    people = {one.token: one for one in KeptPerson.objects.filter(token__in=tokens)}
    ends = ContactEnd.objects.filter(contact__in=[row.ref for row in rows])
    reached = {(end.contact, end.person): end.local for end in ends}
    shown = []
    for row in rows:
        two = [people[token] for token in (row.first, row.second) if token in people]
        own = next((one for one in two if one.account == by.id), None)
        if own is None and by.organisation is not None and row.tenant == by.organisation:
            own = next((one for one in two if one.kind == Kind.SENDER), None)
        if own is None:
            continue
        other = row.second if own.token == row.first else row.first
        shown.append(
            ContactShown(
                ref=row.ref,
                item=row.item,
                side=Kind(own.kind),
                mine=VaultToken(own.token),
                other=VaultToken(other),
                write_to=f"{reached[row.ref, other]}@{config.get().relay_domain}",
                opened_at=row.opened_at,
                until=row.until,
                closed_at=row.closed_at,
            )
        )
    return tuple(shown)


def senders_to_write_for(*, by: Person) -> tuple[Sender, ...]:
    """Return who can be a contact's sender when `by` opens one, with `by`'s own side where that is the addressee.

    For a sender's people: the senders that their organisation keeps. For an addressee: the senders of each organisation
    that keeps an entry which leads to their account.
    """
    require(by, Task.CONTACT)
    found = KeptPerson.objects.filter(kind=Kind.SENDER, email_sealed__isnull=False).order_by("made_at", "token")
    if by.organisation is not None:
        of_ours = found.filter(tenant=by.organisation)[:SHOWN_MAX]
        return tuple(Sender(VaultToken(one.token), by.organisation, None) for one in of_ours)
    own = KeptPerson.objects.filter(account=by.id, kind=Kind.ADDRESSEE, tenant__isnull=False).order_by("made_at")
    sides = {one.tenant: one.token for one in own}  # the newest entry of each organisation
    of_theirs = found.filter(tenant__in=list(sides))[:SHOWN_MAX]
    return tuple(
        Sender(VaultToken(one.token), one.tenant, VaultToken(sides[one.tenant]))
        for one in of_theirs
        if one.tenant is not None
    )
