"""The ledger: accounts, postings and their lines, which nobody changes, and what is left in bounded accounts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from parcelward.payments.wire import State


class Account(models.Model):
    """One account of the chart (wire.py). A row is made when it is first posted to."""

    number = models.AutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    owner = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "owner", "currency"], name="account_once", nulls_distinct=False),
        ]


class Balance(models.Model):
    """What is in a bounded account, on its own side. Derived: it can be recomputed from the lines, and is compared."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True)
    posted_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(held_minor__gte=0), name="balance_holds"),
            models.CheckConstraint(condition=Q(posted_minor__gte=F("held_minor")), name="balance_not_overdrawn"),
        ]


class Posting(models.Model):
    """One balanced change. Its id is the caller's, so that sending it twice posts it once."""

    id = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=8)
    ends = models.OneToOneField("self", on_delete=models.PROTECT, null=True)  # the pending one: ended once
    reason = models.CharField(max_length=40)
    about = models.UUIDField(null=True, db_index=True)  # what it was posted for: a payment, an order, a claim
    source = models.IntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state=State.VOIDED) | Q(ends__isnull=False), name="posting_voids_something"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.PENDING) | Q(ends__isnull=True), name="posting_pending_ends_nothing"
            ),
        ]


class Line(models.Model):
    """One account's part of a posting. The currency is the account's: the database holds both together."""

    id = models.BigAutoField(primary_key=True)
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["posting", "account"], name="line_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="line_of_something"),
        ]
