"""What one person asked for and waits until another one agrees."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source


class TwoPeople(models.Model):
    """One request of a task in `TWO_PEOPLE`. It is closed once, and its row stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=30)
    subject = models.CharField(max_length=60)  # what it is about: one open request of a task for each
    about = models.JSONField()  # what agreeing will do; no personal data
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, blank=True, default="")  # agreed, refused, withdrawn, lapsed; "": open
    closed_by = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["task", "subject"], condition=models.Q(closed_at=None), name="asked_once_at_a_time"
            ),
        ]
