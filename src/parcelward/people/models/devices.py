"""Scanners, sorters and gateways that sign what they send."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source
from parcelward.people.models.organisations import Organisation


class Device(models.Model):
    """A scanner, sorter or sensor gateway with its own Ed25519 key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    key_id = models.CharField(max_length=40, unique=True)
    public_key = models.BinaryField(max_length=32)
    facility = models.CharField(max_length=20, blank=True)  # code of the place it belongs to; empty: anywhere
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)  # null: the operator's
    enrolled_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)
