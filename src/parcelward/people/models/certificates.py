"""Who passed which training, and until when that counts."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source, User


class Certificate(models.Model):
    """A training that somebody passed. What was noted wrongly is revoked, and noted anew."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    training = models.CharField(max_length=40)
    valid_from = models.DateField()
    valid_until = models.DateField()  # the last day
    noted_by = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    noted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["user", "training"], name="certificates_of")]  # noqa: RUF012 -- Django's own form
