"""Lists of orders that came as files. What is in them is sealed, a key for each row, and goes once it is an order."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class ColumnsKnown(models.Model):
    """What somebody said the columns of a file mean, for the next one with the same header."""

    id = models.BigAutoField(primary_key=True)
    owner = models.UUIDField()
    mark = models.BinaryField(max_length=16)  # a keyed hash of the header
    columns = ArrayField(models.CharField(max_length=40, blank=True))

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "mark"], name="columns_known_once")]


class Upload(models.Model):
    """One file. Its id is the caller's."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField()  # as of an order
    source = models.IntegerField()  # who uploaded it, and then who had it placed
    organisation = models.UUIDField(null=True)  # whom they acted for
    state = models.CharField(max_length=10)  # uploads.wire.State
    reason = models.CharField(max_length=40)  # why placing stands still: a code
    columns = ArrayField(models.CharField(max_length=40, blank=True))
    sealed = models.BinaryField()  # the header, and what was said for all rows
    sealed_key = models.UUIDField(null=True)
    mark = models.BinaryField(max_length=16)  # a keyed hash of the header
    sender = models.UUIDField(null=True)  # token of whom the parcels are from
    tariff = models.IntegerField(null=True)  # by which its rows were looked at
    repeats_ok = models.BooleanField(default=False)  # references may have been ordered before
    strict = models.BooleanField(default=False)
    remembered = models.BooleanField(default=False)  # its columns were taken from a file like it
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    try_at = models.DateTimeField(null=True)  # when the worker looks next; None: nothing is to come
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="upload_due"),
            models.Index(fields=["owner", "-created_at"], name="upload_newest"),
        ]


class UploadRow(models.Model):
    """One row of a file."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="rows")
    place = models.IntegerField()  # 0, 1, 2 ... below the header
    state = models.CharField(max_length=8)  # uploads.wire.RowState
    order = models.UUIDField(null=True)
    total_minor = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list)  # [field, code] each: nothing that was typed
    mark = models.BinaryField(max_length=16, null=True)  # a keyed hash of its owner and reference
    content = models.BinaryField()  # its cells and what was mended, sealed
    content_key = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "place"], name="upload_row_once")]
        indexes: ClassVar = [
            models.Index(fields=["upload", "state", "place"], name="upload_row_states"),
            models.Index(fields=["mark"], condition=Q(mark__isnull=False), name="upload_row_reference"),
        ]
