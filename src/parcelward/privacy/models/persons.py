"""One row a person: a sealed column a field. And the blind index that finds a person by a value."""

from __future__ import annotations

from django.db import models


class KeptPerson(models.Model):
    """Somebody whose data is kept. Each column ends in `_sealed` and opens only with the person's own key."""

    token = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=10)
    tenant = models.UUIDField(null=True)  # the organisation that put it here; null: the house itself
    account = models.UUIDField(null=True, db_index=True)  # the user who sees it as their own
    made_at = models.DateTimeField()
    made_by = models.IntegerField()  # source
    expires_at = models.DateTimeField(null=True)  # of a pending one: when it is forgotten
    key_version = models.SmallIntegerField()
    name_sealed = models.BinaryField(null=True)
    email_sealed = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    address_sealed = models.BinaryField(null=True)
    postcode_sealed = models.BinaryField(null=True)
    locality_sealed = models.BinaryField(null=True)
    country_sealed = models.BinaryField(null=True)
    document_sealed = models.BinaryField(null=True)
    where_sealed = models.BinaryField(null=True)
    agent_sealed = models.BinaryField(null=True)
    body_sealed = models.BinaryField(null=True)

    class Meta:
        db_table = "privacy_person"
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="person_expires"),
        ]


class BlindIndex(models.Model):
    """A truncated keyed hash of one value of a person: it finds a few, of whom one is opened and compared."""

    pk = models.CompositePrimaryKey("field", "mark", "person", "version")
    field = models.SmallIntegerField()
    mark = models.IntegerField()
    person = models.UUIDField(db_index=True)
    version = models.SmallIntegerField()  # of the secret that the hash is keyed by

    class Meta:
        db_table = "privacy_blind_index"
