"""Scanners, sorters and gateways that sign what they send, and the codes by which a device enrols itself."""

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


class Enrolment(models.Model):
    """A code that lets one device enrol itself, once, within minutes. Only a hash of the code is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 128 random bits needs no salt
    name = models.CharField(max_length=80)
    facility = models.CharField(max_length=20, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)
    made_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    device = models.OneToOneField(Device, on_delete=models.PROTECT, null=True)  # who took it
    withdrawn_at = models.DateTimeField(null=True)


class LastSeen(models.Model):
    """When a device or a key was last heard, to the minute; apart from their rows, whose columns give rights."""

    source = models.OneToOneField(Source, on_delete=models.PROTECT, primary_key=True)
    seen_at = models.DateTimeField()
    clock_ahead_s = models.IntegerField(null=True)  # a device's clock minus ours; null: keys have none
