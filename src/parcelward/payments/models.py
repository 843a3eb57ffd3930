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


class Intent(models.Model):
    """One payment through a provider. Its id is the caller's; what is done to it is an entry in the log each time."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField(db_index=True)  # an organisation, or a person who acts for nobody else
    purpose = models.CharField(max_length=12)
    about = models.UUIDField(null=True, db_index=True)  # the order that is paid
    amount_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    provider = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    verb = models.CharField(max_length=8)  # what the provider is being asked; empty: nothing
    verb_minor = models.BigIntegerField(default=0)
    page = models.CharField(max_length=100, db_index=True)  # the provider's id of the page, where there is one
    reference = models.CharField(max_length=100, db_index=True)  # and of the payment, once there is one
    charge = models.CharField(max_length=100, db_index=True)
    url = models.CharField(max_length=2000)  # where the payer goes on
    method = models.CharField(max_length=100)  # the token of a saved card; empty: the payer chooses on the page
    back_url = models.CharField(max_length=500)
    decline_code = models.CharField(max_length=60)
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    card = models.CharField(max_length=64)  # the fingerprint that the provider gives a card: nothing that pays
    card_country = models.CharField(max_length=2)
    authenticated = models.BooleanField(default=False)
    source = models.IntegerField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)  # when its payer last made us look
    try_at = models.DateTimeField(null=True)  # when the worker asks, or looks, next; None: nothing is to come
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="intent_due"),
            models.Index(fields=["owner", "-created_at"], name="intent_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount_minor__gte=F("captured_minor"), captured_minor__gte=F("refunded_minor")),
                name="intent_no_more_than_was_paid",
            ),
        ]


class Refund(models.Model):
    """A part of a captured payment that goes back. Its id is the caller's."""

    id = models.UUIDField(primary_key=True)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=12)
    reason = models.CharField(max_length=20)
    reference = models.CharField(max_length=100, db_index=True)
    source = models.IntegerField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    try_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="refund_due"),
        ]


class Dispute(models.Model):
    """A payment that its payer disputes at their bank, as the provider tells it."""

    reference = models.CharField(max_length=100, primary_key=True)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=40)
    evidence_by = models.DateTimeField(null=True)
    held_minor = models.BigIntegerField(default=0)  # of the balance that it was paid into, until the bank decides
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    try_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="dispute_due"),
        ]


class Notice(models.Model):
    """That a provider told us of something; once it is looked at, there is nothing left to do."""

    id = models.CharField(max_length=100, primary_key=True)
    provider = models.CharField(max_length=12)
    payment = models.CharField(max_length=100)
    dispute = models.CharField(max_length=100)
    mark = models.CharField(max_length=100)  # our own id of it, as the provider tells it
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    try_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="notice_due"),
        ]


class Movement(models.Model):
    """One line of a provider's report, and what it was found to be of."""

    reference = models.CharField(max_length=100, primary_key=True)
    provider = models.CharField(max_length=12)
    why = models.CharField(max_length=12)
    of = models.CharField(max_length=100)  # the provider's id of what moved
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    moved_at = models.DateTimeField(db_index=True)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, null=True)


class Finding(models.Model):
    """Where our ledger and a provider's report differ, until somebody has looked."""

    kind = models.CharField(max_length=20)
    about = models.CharField(max_length=100)  # the provider's id, or ours
    ours_minor = models.BigIntegerField()
    theirs_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.IntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "about"], name="finding_once"),
        ]
