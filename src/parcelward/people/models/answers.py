"""Answers kept for who asks again."""

from __future__ import annotations

from django.db import models


class GivenAnswer(models.Model):
    """An answer that was given under an Idempotency-Key: the same key and request get it again, for 30 days.

    Only of addresses whose answers hold no personal data; of the request a keyed hash is kept, never the request.
    """

    source = models.IntegerField()
    key = models.CharField(max_length=255)
    pk = models.CompositePrimaryKey("source", "key")
    digest = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True)  # null only inside the transaction that does the work
    answer = models.BinaryField(null=True)
    given_at = models.DateTimeField(db_index=True)
