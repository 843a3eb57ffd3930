"""What is remembered between the calls of a shop that speaks EasyPost's API: an address, a parcel, a shipment's rates.

Of people, and of what is in a parcel, there are tokens alone.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Remembered(models.Model):
    """One object of theirs. A shipment that was bought is an order of the same id."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField()
    source = models.IntegerField()  # who made it
    kind = models.CharField(max_length=16)  # shipping.wire.MemoryKind
    token = models.UUIDField(null=True)  # of what is kept in the vault, for so long as it is kept there
    mark = models.CharField(max_length=96, null=True)  # noqa: DJ001 -- NULL: there may be many; else what there is one of
    facts = models.JSONField(default=dict)  # measures, prices, codes and ids
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["owner", "kind", "-made_at", "-id"], name="remembered_newest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "kind", "mark"], condition=Q(mark__isnull=False), name="remembered_once"
            )
        ]
