"""What is remembered for a shop between its calls, for that shop alone. Nothing of people is opened here."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.models import Remembered
from parcelward.shipping.wire import Memory, MemoryKind


def memory(kind: MemoryKind, memory_id: UUID, *, by: Person) -> Memory:
    """Return one thing of one's own. Raises NotFound: unknown and somebody else's look alike."""
    found = memories_by_id([memory_id], by=by).get(memory_id)
    if found is None or found.kind is not kind:
        raise NotFound("The requested resource could not be found")
    return found


def memories_by_id(ids: Collection[UUID], *, by: Person) -> dict[UUID, Memory]:
    """Return those of these things that are one's own."""
    require(by, Task.READ_ORDERS)
    return {row.pk: seen(row) for row in Remembered.objects.filter(pk__in=list(ids), owner=owner_of(by))}


def memories(kind: MemoryKind, *, by: Person, limit: int, before: UUID | None = None) -> tuple[Memory, ...]:
    """Return one's own things of a kind, newest first; `before` is the last one of the page before."""
    require(by, Task.READ_ORDERS)
    rows = Remembered.objects.filter(owner=owner_of(by), kind=kind.value)
    if before is not None:
        last = rows.filter(pk=before).values_list("made_at", flat=True).first()
        if last is None:
            raise NotFound("There is nothing with the id that this page would follow")
        rows = rows.filter(Q(made_at__lt=last) | Q(made_at=last, pk__lt=before))
    return tuple(seen(row) for row in rows.order_by("-made_at", "-pk")[:limit])


def memories_by_mark(kind: MemoryKind, marks: Collection[str], *, by: Person) -> dict[str, Memory]:
    """Return one's own things that there is one of each of, by what they are of."""
    require(by, Task.READ_ORDERS)
    rows = Remembered.objects.filter(owner=owner_of(by), kind=kind.value, mark__in=list(marks))
    return {str(row.mark): seen(row) for row in rows}


def seen(row: Remembered) -> Memory:
    """Return a row as others see it."""
    token = None if row.token is None else VaultToken(row.token)
    return Memory(row.pk, MemoryKind(row.kind), token, row.mark or "", row.facts, row.made_at, row.changed_at)
