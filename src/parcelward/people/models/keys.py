"""API keys: shown once, stored as a hash; what each may spend; and addresses from which nobody is heard for a while."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from parcelward.people.models.accounts import Source
from parcelward.people.models.organisations import Organisation


class ApiKey(models.Model):
    """A key of an organisation's system: shown once, stored as a hash.

    A rotated key stays the same key, with its source and its grants, and has two tokens until the old one ends.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    prefix = models.CharField(max_length=20)  # pw_test_abcdef: enough to recognise it in a list
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 256 random bits needs no salt
    role = models.CharField(max_length=20)
    scopes = ArrayField(models.CharField(max_length=30), null=True)  # tasks; null: all that the role may do
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)  # null: the operator's
    maker = models.ForeignKey("self", on_delete=models.PROTECT, null=True)  # a key that made it, and takes it along
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    previous_prefix = models.CharField(max_length=20, blank=True, db_default="")  # of the token it had before
    previous_digest = models.BinaryField(max_length=32, unique=True, null=True)
    previous_ends_at = models.DateTimeField(null=True)


class SpendGrant(models.Model):
    """What a key may spend, in one currency: a cap for each payment, and one for each day or month or both (UTC)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    cap_payment_minor = models.BigIntegerField()
    cap_day_minor = models.BigIntegerField(null=True)
    cap_month_minor = models.BigIntegerField(null=True)
    granted_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["key", "currency"], condition=models.Q(withdrawn_at=None), name="one_grant_a_currency"
            ),
            models.CheckConstraint(
                condition=models.Q(cap_day_minor__isnull=False) | models.Q(cap_month_minor__isnull=False),
                name="grant_is_capped",
            ),
        ]


class Spending(models.Model):
    """One payment under a grant: reserved, then settled or cancelled. Its id is the caller's: a retry is harmless."""

    id = models.UUIDField(primary_key=True, editable=False)
    grant = models.ForeignKey(SpendGrant, on_delete=models.PROTECT)
    day = models.DateField()  # in UTC, of the reservation: the day that it counts for
    amount_minor = models.BigIntegerField()  # what counts against the caps: what was reserved, then what was settled
    reserved_minor = models.BigIntegerField()
    state = models.CharField(max_length=9)  # reserved, settled, cancelled
    reserved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["grant", "day"], name="spending_by_day")]  # noqa: RUF012 -- Django's own form


class SpentDay(models.Model):
    """What counts against a grant's caps of one day: the sum of its payments, so that no purchase adds them all up."""

    grant = models.ForeignKey(SpendGrant, on_delete=models.PROTECT)
    day = models.DateField()
    pk = models.CompositePrimaryKey("grant", "day")
    amount_minor = models.BigIntegerField()


class BannedAddress(models.Model):
    """An address from which nobody is heard until a moment: a keyed hash of it, for addresses are personal data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    until = models.DateTimeField(db_index=True)
    banned_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    banned_at = models.DateTimeField()
