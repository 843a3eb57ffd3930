"""Short codes that were sent to somebody, as keyed hashes."""

from __future__ import annotations

from django.db import models


class Code(models.Model):
    """One code that was sent, or one request that has to wait. Nothing here says to whom, and the code is not here."""

    id = models.BigAutoField(primary_key=True)
    slot = models.BinaryField(max_length=32)  # keyed hash of purpose, recipient and browser: what the code is for
    recipient = models.BinaryField(max_length=32)  # keyed hash of purpose and recipient: limits count by it
    network = models.BinaryField(max_length=32)  # keyed hash of where it was asked from; empty: not known
    digest = models.BinaryField(max_length=32, null=True)  # keyed hash of the code; null: asked for, and has to wait
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.SmallIntegerField(default=0)
    spent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["slot", "issued_at"], name="code_slot"),
            models.Index(fields=["recipient", "issued_at"], name="code_recipient"),
            models.Index(fields=["network", "issued_at"], name="code_network"),
            models.Index(fields=["issued_at"], name="code_issued"),
        ]
