"""The trail: who looked at whose data, for what purpose."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Disclosure(models.Model):
    """One look at one person; all rows of one `act` have one entry in the log. It outlives the person's data."""

    act = models.UUIDField(db_index=True)
    person = models.UUIDField()
    at = models.DateTimeField()
    by = models.IntegerField()  # source
    role = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20)
    fields = ArrayField(models.CharField(max_length=10))
    about = models.CharField(max_length=80)
    searched = models.BooleanField()  # found by a value that was typed in, and not opened

    class Meta:
        db_table = "privacy_disclosure"
        indexes = [models.Index(fields=["person", "at"], name="disclosure_person")]  # noqa: RUF012 -- Django's own form
