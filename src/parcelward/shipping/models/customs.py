"""How the customs data of a parcel stand that leaves. What is inside lies with its addressee in the vault."""

from __future__ import annotations

from django.db import models

from parcelward.shipping.models.orders import OrderItem


class CustomsData(models.Model):
    """One parcel that is declared to customs: whether all of it is there, and what is not."""

    item = models.OneToOneField(OrderItem, primary_key=True, on_delete=models.PROTECT, related_name="customs_data")
    standing = models.CharField(max_length=8)  # customs.wire.Completeness
    form = models.CharField(max_length=5)  # CN 22, CN 23
    missing = models.JSONField(default=list)  # [where, code] each: nothing that was typed
    held = models.BooleanField(default=False)  # its item is held for this
    changed_at = models.DateTimeField()
