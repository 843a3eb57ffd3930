"""Messages that wait to be sent to a person, or were."""

from __future__ import annotations

from django.db import models


class Message(models.Model):
    """One message to one person; what it says is sealed under the person's key and removed once it was sent."""

    ref = models.UUIDField(unique=True)  # bound into the sealed values, and the message's own id
    person = models.UUIDField(db_index=True)
    template = models.CharField(max_length=60)
    sealed = models.BinaryField(null=True)
    key_version = models.SmallIntegerField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # the next try; null: sent or parked
    tries = models.SmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=30, default="")  # why it was parked: a code, never what a server said

    class Meta:
        db_table = "privacy_message"
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="message_due"),
        ]
