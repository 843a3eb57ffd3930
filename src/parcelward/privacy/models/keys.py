"""The wrapped data keys: a table of the keys database."""

from __future__ import annotations

from django.db import models


class PersonKey(models.Model):
    """One random key a person, wrapped by the key-encryption key. Deleting the row makes all of them unreadable."""

    pk = models.CompositePrimaryKey("person", "version")
    person = models.UUIDField()
    version = models.SmallIntegerField()
    kek_version = models.IntegerField()  # without an index: rewrapping stays a heap-only update
    wrapped = models.BinaryField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_personkey"
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="personkey_expires"),
        ]


class BodyKey(models.Model):
    """One random key a body that somebody sent us, wrapped likewise; it goes with the body that it opens."""

    body = models.UUIDField(primary_key=True)
    kek_version = models.IntegerField()  # without an index, as above
    wrapped = models.BinaryField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "privacy_bodykey"
