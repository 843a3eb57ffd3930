"""Masked contacts: two people who write to each other about one item, and learn no address of each other."""

from __future__ import annotations

from django.db import models


class Contact(models.Model):
    """One relay between two people about one item."""

    ref = models.UUIDField(primary_key=True)
    item = models.UUIDField(db_index=True)
    tenant = models.UUIDField()  # whose people both are
    first = models.UUIDField()  # the two people, in the order of their tokens
    second = models.UUIDField()
    opened_by = models.IntegerField()  # source
    opened_at = models.DateTimeField()
    until = models.DateTimeField()  # nothing is passed on from here on
    closed_by = models.IntegerField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_contact"
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["item", "first", "second"], condition=models.Q(closed_at=None), name="contact_once"
            ),
        ]


class ContactEnd(models.Model):
    """The address at which one of the two is reached, by the other alone."""

    local = models.CharField(max_length=20, primary_key=True)
    contact = models.UUIDField(db_index=True)
    person = models.UUIDField()
    told_at = models.DateTimeField(null=True)  # when whoever writes here was last told that it is too much

    class Meta:
        db_table = "privacy_contact_end"


class ContactMail(models.Model):
    """One message that came for an end: a keyed hash, so that a mail server that repeats itself changes nothing."""

    local = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        db_table = "privacy_contact_mail"
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["local", "digest"], name="contact_mail_once"),
        ]
        indexes = [models.Index(fields=["local", "at"], name="contact_mail_at")]  # noqa: RUF012 -- Django's own form
