"""What somebody has proven, and how: evidence, letters with a code, checks at the counter. No addresses: tokens."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source, User


class Evidence(models.Model):
    """One thing that one person has proven. It counts from `since` to `until`, unless it was ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    level = models.SmallIntegerField()  # people.wire.Level
    method = models.CharField(max_length=20)  # people.wire.Method
    token = models.UUIDField(db_index=True)  # whose data in the vault it is about
    source = models.ForeignKey(Source, on_delete=models.PROTECT)  # who noted it; the person, where no clerk did
    proof = models.UUIDField(null=True)  # the letter or the check that it comes from
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Letter(models.Model):
    """A letter to an address: with a code for who asked, or a notice to another address of theirs, without one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    token = models.UUIDField(db_index=True)  # whose address in the vault it goes to
    kind = models.CharField(max_length=10)  # people.wire.LetterKind
    state = models.CharField(max_length=10)  # people.wire.LetterState
    digest = models.BinaryField(max_length=32, null=True)  # keyed hash of the code; null before it is printed
    tries = models.SmallIntegerField(default=0)  # wrong ones; no part of the record
    printed = models.SmallIntegerField(default=0)  # how often
    printed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(kind="code", state__in=["requested", "printed"]),
                name="one_letter_under_way",
            ),
        ]
        indexes = [models.Index(fields=["state", "asked_at"], name="letter_queue")]  # noqa: RUF012 -- as above


class CounterProof(models.Model):
    """Somebody who comes to the counter with a document: what was decided, and from when they are told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    token = models.UUIDField(db_index=True)  # whose name and address in the vault are to be proven
    reference = models.CharField(max_length=12, unique=True)  # on the barcode; opens nothing by itself
    state = models.CharField(max_length=20)  # people.wire.CounterState, as it is decided
    document = models.CharField(max_length=20, blank=True)  # people.wire.Document: which kind, never its number
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True)  # the clerk
    reviewer = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")  # the inspector
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    told_from = models.DateTimeField(null=True)  # until then the person reads `pending`
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(state__in=["pending", "in_fraud_review"]),
                name="one_check_under_way",
            ),
        ]


class ProofNotice(models.Model):
    """Tells who has proven an address that somebody else asked for it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
