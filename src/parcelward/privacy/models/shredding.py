"""Requests to shred a person's key, the holds that forbid it, and what stays when it is gone."""

from __future__ import annotations

from django.db import models


class ShredRequest(models.Model):
    """Asked for by one person, agreed to by another."""

    person = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=200)
    requested_by = models.IntegerField()  # source
    requested_at = models.DateTimeField()
    agreed_by = models.IntegerField(null=True)
    agreed_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)  # the end of the wait; set with the agreement
    withdrawn_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)  # tombstone and entry are committed

    class Meta:
        db_table = "privacy_shred_request"
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(done_at=None, withdrawn_at=None), name="shred_once"
            ),
        ]


class PersonHold(models.Model):
    """A person whose data must be kept: while it stands, nothing of it is shredded or forgotten."""

    person = models.UUIDField()
    reason = models.CharField(max_length=200)
    placed_by = models.IntegerField()
    placed_at = models.DateTimeField()
    lifted_by = models.IntegerField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_hold"
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["person"], condition=models.Q(lifted_at=None), name="person_hold_once"),
        ]


class PersonTombstone(models.Model):
    """A person whose data is gone for good. While `key_gone_at` is empty the key may still be there."""

    person = models.UUIDField(primary_key=True)
    shredded_at = models.DateTimeField()
    why = models.CharField(max_length=10)  # asked, expired
    request = models.BigIntegerField(null=True)
    key_gone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_tombstone"
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["person"], condition=models.Q(key_gone_at=None), name="tombstone_key_left"),
        ]
