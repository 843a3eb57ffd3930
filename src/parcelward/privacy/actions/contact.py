"""Open and close a masked contact: two people write to each other about an item, each by an address of ours.

The people's rows are locked in the order of their tokens before a contact's, everywhere.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
import uuid
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, TooMany
from parcelward.base.standards import identify
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import facts, rows
from parcelward.privacy.actions.messages import queue
from parcelward.privacy.models import Contact, ContactEnd
from parcelward.privacy.wire import Kind, MaskedContact

OPEN_MAX: Final = dt.timedelta(days=180)  # of an item that nobody ever delivers
OPENED_A_DAY_MAX: Final = 10  # of two people
LOCAL_BYTES: Final = 8  # 12 characters of base32 are 60 bits: nobody guesses one, and one guessed is of no use


@transaction.atomic
def open_contact(item: UUID, one: VaultToken, other: VaultToken, *, by: Person, now: dt.datetime) -> MaskedContact:
    """Let two people write to each other about an item; both are told how. An open contact of theirs is returned.

    One is a sender and the other an addressee of the same organisation's; `by` is one of them, or acts for that
    organisation. Whoever is neither is answered as if nobody were there. Raises NotInVault, Invalid, Conflict.
    """
    require(by, Task.CONTACT)
    domain = config.get().relay_domain
    if not domain:
        raise Conflict("This installation passes no mail on: set PARCELWARD_RELAY_DOMAIN", code="no_relay")
    here = rows.read([one, other], (), lock="FOR NO KEY UPDATE")
    tenant = _tenant_of([one, other], here, by)
    first, second = sorted([one, other])
    known = Contact.objects.select_for_update().filter(item=item, first=first, second=second, closed_at=None).first()
    if known is not None:
        if now < known.until:
            return _shown(known)
        _close(known, by, now)
    lately = Contact.objects.filter(first=first, second=second, opened_at__gt=now - dt.timedelta(days=1)).count()
    if lately >= OPENED_A_DAY_MAX:  # each opening tells both: nobody is to be pestered with it
        raise TooMany("These two opened too many contacts today: try again tomorrow", retry_after_s=86_400)
    made = Contact.objects.create(
        ref=uuid.uuid4(),
        item=item,
        tenant=tenant,
        first=first,
        second=second,
        opened_by=by.source,
        opened_at=now,
        until=now + OPEN_MAX,
    )
    ends = ContactEnd.objects.bulk_create(
        [ContactEnd(local=_new_local(), contact=made.ref, person=person) for person in (first, second)]
    )
    custody.record_fact(
        facts.CONTACT_OPENED,
        {
            "by": by.source,
            "contact": made.ref.hex,
            "item": str(item),
            "locals": [local_hash(end.local) for end in ends],
            "opened_at": now.isoformat(),
            "persons": [first.hex, second.hex],
            "tenant": str(made.tenant),
            "until": made.until.isoformat(),
        },
    )
    for to, end in ((second, ends[0]), (first, ends[1])):
        values = {"item": identify.item_id(item), "from": f"{end.local}@{domain}"}
        queue(VaultToken(to), "contact_opened", values, by=by, now=now)
    return _shown(made)


def _tenant_of(tokens: list[VaultToken], here: dict[VaultToken, rows.PersonRow], by: Person) -> UUID:
    """Return the organisation of a sender and an addressee, or raise unless `by` may speak for one of them."""
    if tokens[0] == tokens[1]:
        raise Invalid("A contact is between two people", code="same_person")
    for token in tokens:
        if token not in here:
            raise rows.absent(token)
    one, other = (here[token] for token in tokens)
    own = by.id in {one.account, other.account}
    if one.tenant is None or one.tenant != other.tenant or not (own or by.organisation == one.tenant):
        raise rows.absent(tokens[0])
    if {one.kind, other.kind} != {Kind.SENDER, Kind.ADDRESSEE}:
        raise Invalid("A contact is between a sender and an addressee", code="bad_contact")
    return one.tenant


def _new_local() -> str:
    return "r-" + base64.b32encode(secrets.token_bytes(LOCAL_BYTES)).decode().lower()[:12]


def local_hash(local: str) -> str:
    """Return what the log says of an address."""
    return hashlib.sha256(b"parcelward/v1/contact\x00" + local.encode()).hexdigest()


def _shown(row: Contact) -> MaskedContact:
    domain = config.get().relay_domain
    ends = ContactEnd.objects.filter(contact=row.ref)
    return MaskedContact(row.ref, {VaultToken(end.person): f"{end.local}@{domain}" for end in ends}, row.until)


@transaction.atomic
def close_contact(ref: UUID, *, by: Person, now: dt.datetime) -> None:
    """End a contact at once: by one of the two, or their organisation. Doing it twice changes nothing."""
    require(by, Task.CONTACT)
    known = Contact.objects.filter(ref=ref).first()
    if known is None:
        raise rows.absent(ref)
    here = rows.read([known.first, known.second], (), lock="FOR NO KEY UPDATE")
    if by.organisation != known.tenant and by.id not in {row.account for row in here.values()}:
        raise rows.absent(ref)
    row = Contact.objects.select_for_update().get(ref=ref)
    if row.closed_at is None:
        _close(row, by, now)


def _close(row: Contact, by: Person, now: dt.datetime) -> None:
    row.closed_at, row.closed_by = now, by.source
    row.save(update_fields=["closed_at", "closed_by"])
    said = {"by": by.source, "closed_at": now.isoformat(), "contact": row.ref.hex}
    custody.record_fact(facts.CONTACT_CLOSED, said)


@transaction.atomic
def end_contacts(item: UUID, until: dt.datetime, *, by: Person) -> int:
    """Let an item's contacts end at that time, where they would have ended later; return how many. Safe to repeat."""
    require(by, Task.KEEP_RETENTION)
    open_ones = Contact.objects.select_for_update().filter(item=item, closed_at=None, until__gt=until).order_by("ref")
    found = list(open_ones)
    for row in found:
        row.until = until
        row.save(update_fields=["until"])
        said = {"by": by.source, "contact": row.ref.hex, "until": until.isoformat()}
        custody.record_fact(facts.CONTACT_ENDS, said)
    return len(found)
