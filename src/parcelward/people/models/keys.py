"""API keys: shown once, stored as a hash."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source
from parcelward.people.models.organisations import Organisation


class ApiKey(models.Model):
    """A key of a partner's system or of staff tooling: shown once, stored as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    prefix = models.CharField(max_length=20)  # pw_test_abcd: enough to recognise it in a list
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 256 random bits needs no salt
    role = models.CharField(max_length=20)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)  # null: the operator's
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
