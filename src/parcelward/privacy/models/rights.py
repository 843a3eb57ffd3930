"""What people ask about their own data, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models


class RightsRequest(models.Model):
    """One request of one person about their own data. It holds no word of theirs: what, why and how are codes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.UUIDField()  # the user who asks
    right = models.CharField(max_length=10)  # privacy.wire.Right
    state = models.CharField(max_length=10)  # privacy.wire.RequestState
    subject = models.CharField(max_length=20, default="")  # privacy.wire.Subject: what an objection is to
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()  # when an answer has to be given
    extended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=30, default="")  # privacy.wire.Reason, of the last decision
    first_by = models.IntegerField(null=True)  # source: of an erasure, the first of the two people
    first_at = models.DateTimeField(null=True)
    decided_by = models.IntegerField(null=True)  # source
    decided_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)  # of an erasure: the end of its wait
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_rights_request"
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["account", "right", "subject"],
                condition=models.Q(state__in=["open", "waiting", "in_force"]),
                name="rights_once",
            ),
        ]
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["account", "-asked_at"], name="rights_of_account"),
            models.Index(fields=["due_at"], condition=models.Q(state="open"), name="rights_open"),
        ]
