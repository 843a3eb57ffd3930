"""Stations' keys, which open sealed labels, and what was lent of them to whom."""

from __future__ import annotations

import uuid

from django.db import models


class StationKey(models.Model):
    """The key pair of one facility for one week; in the keys database. What was destroyed leaves an empty box."""

    id = models.BigAutoField(primary_key=True)
    facility = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField()
    public_key = models.BinaryField(max_length=32)
    kek_version = models.IntegerField()  # of the vault's key-encryption key
    wrapped = models.BinaryField()  # the private half, encrypted; empty once destroyed
    made_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["facility", "epoch"], name="station_key_once")]  # noqa: RUF012 -- Django's own form


class Loan(models.Model):
    """A facility's key of one week, lent to a device for a round. The key itself is not here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.UUIDField()
    facility = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField()
    round_name = models.CharField(max_length=20)
    lent_by = models.IntegerField()  # number of the source
    lent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["device", "expires_at"], name="loan_by_device")]  # noqa: RUF012 -- Django's own form
