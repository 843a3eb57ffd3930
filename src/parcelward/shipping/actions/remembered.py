"""Remember what a shop that speaks EasyPost's API refers to later, and buy the shipment that was put together so.

What is of people, or in a parcel, lies in the vault until REMEMBERED_FOR is over: an order has its
own copy (`orders.place_within`), which is kept by its own class.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.base.vault import Personal
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind, Purpose
from parcelward.shipping import party_text
from parcelward.shipping.actions import orders, printing
from parcelward.shipping.errors import NotNow
from parcelward.shipping.labels.wire import LabelFacts
from parcelward.shipping.models import Remembered
from parcelward.shipping.queries.remembered import memories_by_mark, seen
from parcelward.shipping.wire import Memory, MemoryKind, OrderWanted, Recalled, ToRemember, Whence

REMEMBERED_FOR: Final = dt.timedelta(days=90)
"""How long an address that somebody may buy with is kept; then it is forgotten, bought with or not."""


def remember(wanted: Sequence[ToRemember], *, by: Person) -> list[Memory]:
    """Remember things for whoever asks, under new ids. The vault is written once for all of them."""
    require(by, Task.ORDER)
    now = timezone.now()
    texts = [_kept(one) for one in wanted]
    kept = [one for one in texts if one]
    with transaction.atomic():
        tokens = iter(privacy.put_many(kept, kind=Kind.PENDING, by=by, expires_at=now + REMEMBERED_FOR) if kept else ())
        rows = [
            Remembered(
                id=uuid.uuid4(),
                owner=owner_of(by),
                source=by.source,
                kind=one.kind.value,
                token=next(tokens) if text else None,
                mark=one.mark,
                facts=dict(one.facts),
                made_at=now,
                changed_at=now,
            )
            for one, text in zip(wanted, texts, strict=True)
        ]
        Remembered.objects.bulk_create(rows)
    return [seen(row) for row in rows]


def remember_once(wanted: ToRemember, *, by: Person) -> Memory:
    """Remember what there is one of, or return it as it is remembered."""
    require(by, Task.ORDER)
    mark = wanted.mark or ""
    found = memories_by_mark(wanted.kind, [mark], by=by).get(mark)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return remember([wanted], by=by)[0]
    except IntegrityError:  # somebody else was quicker
        return memories_by_mark(wanted.kind, [mark], by=by)[mark]


def revise(memory: Memory, facts: Mapping[str, Any], *, by: Person) -> Memory:
    """Write what is known of a shipment anew. Raises NotFound, and NotNow where it was changed or bought meanwhile."""
    require(by, Task.ORDER)
    with transaction.atomic():
        row = _locked(memory.id, by=by)
        if row.changed_at != memory.changed_at:
            raise NotNow("This shipment was changed meanwhile: retrieve it, and ask again")
        row.facts, row.changed_at = dict(facts), timezone.now()
        row.save(update_fields=["facts", "changed_at"])
    return seen(row)


def opened(memories: Collection[Memory], *, by: Person) -> Mapping[UUID, Recalled]:
    """Open what its owner gave us to remember, by the things' ids; what was forgotten meanwhile is left out.

    The house opens it, as it does to print: a shop's own people open a person for an item's sake, and there is none
    yet. Whose key asked stands in the trail. Outside any transaction.
    """
    require(by, Task.ORDER)
    asked = {one.id: one.token for one in memories if one.token is not None}
    if not asked:
        return {}
    own = Remembered.objects.filter(owner=owner_of(by), pk__in=list(asked)).values_list("pk", flat=True)
    tokens = {memory_id: asked[memory_id] for memory_id in own}
    about = f"source/{by.source}"
    with privacy.reveal_many(
        tokens.values(), party_text.KEPT, purpose=Purpose.LABEL, by=people.machinery(), about=about
    ) as found:
        return {memory_id: _recalled(found[token]) for memory_id, token in tokens.items() if token in found}


def _kept(one: ToRemember) -> dict[Field, str]:
    if one.party is not None:
        return party_text.kept(one.party, one.party.address)
    return {Field.BODY: json.dumps(one.inside, ensure_ascii=False)} if one.inside else {}


def _recalled(found: Mapping[Field, Personal]) -> Recalled:
    if Field.COUNTRY in found:
        return Recalled(party_text.party_of(found))
    return Recalled(None, json.loads(found[Field.BODY].text))


def buy_remembered(
    memory: Memory, chosen: Mapping[str, Any], wanted: OrderWanted, *, by: Person, whence: Whence
) -> UUID:
    """Buy a shipment, once: the order has its id, whoever asks again and however many at once.

    `chosen` is written to what is remembered of it. Raises NotFound, and what `place_within` raises.
    """
    require(by, Task.ORDER)
    with transaction.atomic():
        row = _locked(memory.id, by=by)
        if not any(name in row.facts for name in chosen):
            row.facts, row.changed_at = {**row.facts, **chosen}, timezone.now()
            row.save(update_fields=["facts", "changed_at"])
        return orders.place_within(memory.id, wanted, by=by, whence=whence)


def label_of_owner(order_id: UUID, owner: UUID) -> LabelFacts:
    """Return the one label of a bought shipment, for whoever holds a link that was made for its owner."""
    house = dataclasses.replace(people.machinery(), organisation=owner)
    require(house, Task.ORDER)
    return printing.labels(order_id, (0,), by=house)[0]


def _locked(memory_id: UUID, *, by: Person) -> Remembered:
    row = (
        Remembered.objects.select_for_update()
        .filter(pk=memory_id, owner=owner_of(by), kind=MemoryKind.SHIPMENT.value)
        .first()
    )
    if row is None:
        raise NotFound("No such shipment")
    return row
