"""Batches of commitments, their places in the log, and the item secrets in a database of their own."""

from __future__ import annotations

from django.db import models


class Batch(models.Model):
    """Commitments that became durable together with what they commit to; partitioned by day of `record_time`."""

    pk = models.CompositePrimaryKey("record_time", "id")
    id = models.BigIntegerField(db_default=models.F("id"))
    record_time = models.DateTimeField()
    kind = models.CharField(max_length=20)  # whose entries: parcels.scan, parcels.epcis, fact
    n = models.IntegerField()
    commitments = models.BinaryField()  # n * 32 bytes, in leaf order
    signed = models.BinaryField(default=b"", db_default=b"")  # devices' signatures (wire.Signed); empty: nobody signed

    class Meta:
        managed = False
        db_table = "custody_batch"


class PendingBatch(models.Model):
    """A committed batch that has no place in the log yet; a row lives about a tenth of a second."""

    batch = models.BigIntegerField(primary_key=True)
    record_time = models.DateTimeField()
    n = models.IntegerField()
    kind = models.CharField(max_length=20)


class LogBatch(models.Model):
    """Where a batch stands in the log: its entries are `first_index` to `first_index + n - 1`."""

    first_index = models.BigIntegerField(primary_key=True)
    batch = models.BigIntegerField(unique=True)
    record_time = models.DateTimeField(db_index=True)
    n = models.IntegerField()
    kind = models.CharField(max_length=20)


class LogState(models.Model):
    """The one row that says how far the log has grown; compare-and-swap on `size` is the fence."""

    id = models.SmallIntegerField(primary_key=True)
    origin = models.CharField(max_length=200)
    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)


class Cursor(models.Model):
    """How far a follower has read: every entry below `index` is done, committed with its work."""

    name = models.CharField(max_length=40, primary_key=True)
    index = models.BigIntegerField(default=0)


class Fact(models.Model):
    """An entry that is not a scan: an enrolment, a revocation, a place's description, a tombstone."""

    batch = models.BigIntegerField()
    leaf = models.IntegerField()
    pk = models.CompositePrimaryKey("batch", "leaf")
    record_time = models.DateTimeField()
    kind = models.CharField(max_length=40)  # people.device_enrolled, custody.tombstone ...
    body = models.BinaryField()  # canonical JSON, the exact bytes committed to
    salt = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["kind", "batch"], name="fact_kind")]  # noqa: RUF012 -- Django's own form


class Tombstone(models.Model):
    """An item whose secret was destroyed; its entries stay in the log and mean nothing any more."""

    item = models.UUIDField(primary_key=True)
    shredded_at = models.DateTimeField()
    events = models.IntegerField()  # how many of its events can no longer be opened


class ItemSecret(models.Model):
    """32 random bytes per item, in the keys database. Deleting the row makes the item's entries unopenable."""

    item = models.UUIDField(primary_key=True)
    secret = models.BinaryField(max_length=32)
    made_at = models.DateTimeField(auto_now_add=True)


class Erasure(models.Model):
    """A request to destroy an item's secret: asked for by one person, approved by another, done after a wait."""

    item = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=200)
    requested_by = models.IntegerField()  # source number of the person
    requested_at = models.DateTimeField()
    approved_by = models.IntegerField(null=True)
    approved_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)  # the end of the wait; set with the approval
    begun_at = models.DateTimeField(null=True)  # tombstone and entry are committed; the secret may still be there
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["item"], condition=models.Q(done_at=None), name="erasure_once"),
        ]


class LegalHold(models.Model):
    """An item whose record must be kept: while it stands, nothing of it is erased."""

    item = models.UUIDField()
    reason = models.CharField(max_length=200)
    placed_by = models.IntegerField()
    placed_at = models.DateTimeField()
    lifted_by = models.IntegerField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["item"], condition=models.Q(lifted_at=None), name="legal_hold_once"),
        ]
