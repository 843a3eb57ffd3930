"""Addresses that a sender keeps to use again. Who it is lies in the vault: here are tokens alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AddressEntry(models.Model):
    """One entry of an address book. Its id is the caller's."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField()  # as of an order
    token = models.UUIDField(unique=True)
    own = models.BooleanField()  # an address that parcels are sent from
    made_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["owner", "-made_at"], name="address_newest")]
