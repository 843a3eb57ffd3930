"""What was sold by, and since when."""

from __future__ import annotations

from django.db import models


class TariffVersion(models.Model):
    """One tariff as a document. It is never changed: what was sold by it keeps its price."""

    number = models.AutoField(primary_key=True)
    body = models.BinaryField()  # canonical JSON, as `shipping.tariff.written` gives it
    source = models.IntegerField()
    made_at = models.DateTimeField()
    sold_from = models.DateTimeField(db_index=True)
