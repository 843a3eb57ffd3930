"""What was observed and what was learnt of it: from these two tables every process's features are made.

Rows are added, never changed: only age takes them away (privacy/retention.py). Keys are keyed hashes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Observation(models.Model):
    """One thing that happened, under its opaque keys."""

    id = models.UUIDField(primary_key=True)
    kind = models.SmallIntegerField()
    at = models.DateTimeField(db_index=True)
    account = models.UUIDField(null=True)
    card = models.UUIDField(null=True)
    device = models.UUIDField(null=True)
    address = models.UUIDField(null=True)
    addressee = models.UUIDField(null=True)
    network = models.UUIDField(null=True)
    printer = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    writer = models.BigIntegerField(
        db_index=True
    )  # the database's number of the transaction that wrote it (follows.py)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="observation_of_something"),
        ]


class Outcome(models.Model):
    """What somebody found out about an observation, and when."""

    id = models.UUIDField(primary_key=True)
    observation = models.ForeignKey(Observation, on_delete=models.CASCADE)
    at = models.DateTimeField()
    fraud = models.BooleanField()
    writer = models.BigIntegerField(db_index=True)


class Decision(models.Model):
    """One answer about an order, as it was given. `body` says all of it, in one form (stored.py)."""

    id = models.UUIDField(primary_key=True)
    order = models.UUIDField()
    round = models.SmallIntegerField()
    owner = models.UUIDField()  # an organisation, or a person who acts for nobody else
    answer = models.CharField(max_length=8)
    at = models.DateTimeField(db_index=True)
    body = models.TextField()
    salt = models.BinaryField()  # so that what the log says of the body cannot be guessed from it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "round"], name="decision_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-at"], name="decision_of_owner"),
        ]
