"""Items and receptacles, what was seen of them, and what needs a person.

The distribution column is the item's UUID: it stands in every key of a table that will be spread over machines.
`ItemAlias` is the one exception, spread by number, because every look-up starts from a number.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ItemKind(models.IntegerChoices):
    """What a UUID stands for."""

    ITEM = 1
    RECEPTACLE = 2


class Item(models.Model):
    """One postal item or receptacle: a UUID, outside any of its numbers."""

    item = models.UUIDField(primary_key=True)
    kind = models.SmallIntegerField(choices=ItemKind.choices)
    simulated = models.BooleanField()
    announced_at = models.DateTimeField(null=True)  # null: unannounced, we saw it before anybody told us
    made_at = models.DateTimeField()


class ItemAlias(models.Model):
    """A number of an item while it is valid; numbers recycle, so a number has had several items."""

    number = models.CharField(max_length=200)
    valid_from = models.DateTimeField()
    pk = models.CompositePrimaryKey("number", "valid_from")
    valid_to = models.DateTimeField(null=True)
    item = models.UUIDField(db_index=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["number"], condition=models.Q(valid_to=None), name="alias_current"),
        ]


class SoldItem(models.Model):
    """An item that was made because somebody ordered it: announced, although no manifest names it."""

    item = models.UUIDField(primary_key=True)
    sold_at = models.DateTimeField()
    source = models.IntegerField()
    facility = models.IntegerField()  # where it is expected to be handed in; 0: nobody knows
    waits_for_customs = models.BooleanField(default=False, db_default=False)  # its sender has yet to say what is in it


class ScanEvent(models.Model):
    """One observation. Partitioned by `event_time`; no foreign keys; never updated."""

    pk = models.CompositePrimaryKey("item", "event_time", "event_id")
    item = models.UUIDField()
    event_time = models.DateTimeField()
    event_id = models.UUIDField()
    batch = models.BigIntegerField()  # custody batch: followers and verify-log read by it
    leaf = models.SmallIntegerField()  # place in the batch
    step = models.SmallIntegerField()
    facility = models.IntegerField()  # 0: none given
    source = models.IntegerField()
    sequence = models.BigIntegerField()
    position = models.SmallIntegerField()
    item_seq = models.IntegerField()  # the item's own event sequence: 1, 2, 3 ... as recorded
    flags = models.SmallIntegerField()  # rules.Mark
    receptacle = models.UUIDField(null=True)  # loaded into or unloaded from
    corrects = models.UUIDField(null=True)  # event_id of this item that is declared wrong
    body = models.BinaryField()  # the four groups' exact bytes, encrypted

    class Meta:
        managed = False
        db_table = "parcels_scan_event"


class ItemStatus(models.Model):
    """What the events of one item add up to; derived, rebuildable, written in the transaction of the event."""

    item = models.UUIDField(primary_key=True)
    kind = models.SmallIntegerField(choices=ItemKind.choices)
    step = models.SmallIntegerField()  # the headline: the newest step that moves
    step_time = models.DateTimeField(null=True)
    step_facility = models.IntegerField()
    last_time = models.DateTimeField(null=True)  # order key of the newest event of any step
    last_source = models.IntegerField()
    last_sequence = models.BigIntegerField()
    last_position = models.SmallIntegerField()
    last_event = models.UUIDField(null=True)
    first_time = models.DateTimeField(null=True)
    facility = models.IntegerField()  # where it was last seen
    flags = models.IntegerField()  # rules.State
    receptacle = models.UUIDField(null=True)  # what it is inside
    seal = models.CharField(max_length=40)  # number of the seal on it; empty: none known
    item_seq = models.IntegerField()  # how many events are recorded
    head = models.BinaryField(max_length=32)  # commitment of the last recorded event

    class Meta:
        managed = False
        db_table = "parcels_item_status"


class Submission(models.Model):
    """A batch as a source sent it: the same again gets the same answer."""

    source = models.IntegerField()
    sequence = models.BigIntegerField()
    pk = models.CompositePrimaryKey("source", "sequence")
    digest = models.BinaryField(max_length=32)
    answer = models.BinaryField()
    record_time = models.DateTimeField()


class SourceMark(models.Model):
    """How far a source's sequence numbers have come, and when it was last heard of."""

    source = models.IntegerField(primary_key=True)
    high_sequence = models.BigIntegerField()
    last_seen = models.DateTimeField()


class Quarantine(models.Model):
    """A bad event, kept as it came until somebody repairs or dismisses it."""

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField(db_index=True)
    source = models.IntegerField()
    sequence = models.BigIntegerField()
    position = models.IntegerField()
    code = models.CharField(max_length=40)
    message = models.TextField()
    raw = models.BinaryField()  # sealed with the key that `body_key` names; as it came where it names none (bodies.py)
    body_key = models.UUIDField(null=True)
    digest = models.BinaryField(max_length=32)
    state = models.CharField(max_length=12, default="open")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.IntegerField(null=True)  # source number of the person
    closing_note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["source", "digest"], name="quarantined_once"),
        ]
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(
                fields=["id"], condition=models.Q(code="clock_ahead", state="open"), name="quarantine_clock_ahead"
            ),
            models.Index(fields=["body_key"], condition=models.Q(body_key__isnull=False), name="quarantine_body_key"),
            models.Index(
                fields=["id"], condition=models.Q(body_key=None) & ~models.Q(raw=b""), name="quarantine_unsealed"
            ),
        ]


class Alert(models.Model):
    """One thing that needs a person."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=30)
    item = models.UUIDField(null=True)
    about = models.CharField(max_length=80)  # event id, handover id: makes the alert the same when seen twice
    facility = models.IntegerField(default=0)
    details = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.IntegerField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["kind", "item", "about"], name="alert_once", nulls_distinct=False),
        ]
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["kind", "opened_at"], condition=models.Q(closed_at=None), name="alert_open"),
        ]


class HandoverScan(models.Model):
    """One sight of one item (or receptacle) in a handover: by one source, for one side."""

    handover = models.CharField(max_length=64)
    side = models.CharField(max_length=8)  # giver or receiver
    item = models.UUIDField()
    source = models.IntegerField()
    pk = models.CompositePrimaryKey("item", "handover", "side", "source")  # nobody overwrites another's sight
    event_id = models.UUIDField()
    event_time = models.DateTimeField()
    record_time = models.DateTimeField()  # patience counts from when we learnt of it: devices may send late
    facility = models.IntegerField()
    count = models.IntegerField()  # how many this side says there are; 0: not said
    party = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["handover", "side"], name="handover_side")]  # noqa: RUF012 -- Django's own form


class Manifest(models.Model):
    """A list of items that a sender says were handed in; accepted as assumed, not observed."""

    id = models.CharField(max_length=64)  # the sender's own: two senders may use the same
    item = models.UUIDField()
    source = models.IntegerField()
    pk = models.CompositePrimaryKey("item", "source", "id")
    facility = models.IntegerField()
    event_time = models.DateTimeField()
    record_time = models.DateTimeField()


LABEL_SOUND = models.Q(serial__gte=1, serial__lte=99, weight_class__gte=0, weight_class__lte=9) & (
    models.Q(voided_at=None, voided_by=None, void_reason="")
    | models.Q(voided_at__isnull=False, voided_by__isnull=False, void_reason__in=("reprinted", "voided"))
)


class Label(models.Model):
    """One label that was issued for an item. What is printed of it is made by `shipping`; nothing personal is here."""

    item = models.UUIDField()
    serial = models.SmallIntegerField()  # 1, 2, 3 ... of the item
    pk = models.CompositePrimaryKey("item", "serial")
    printing = models.SmallIntegerField()  # 1, and one more for each reprint
    label = models.BinaryField(max_length=16)  # digest of all that is sealed on it (privacy.sealing)
    destination = models.CharField(max_length=20)  # facility code of the delivery office
    weight_class = models.SmallIntegerField()
    key_version = models.IntegerField()  # of the key that made its code
    issued_at = models.DateTimeField()
    issued_by = models.IntegerField()
    voided_at = models.DateTimeField(null=True)
    voided_by = models.IntegerField(null=True)
    void_reason = models.CharField(max_length=12, blank=True)  # reprinted or voided

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["item"], condition=models.Q(voided_at=None), name="label_standing"),
            models.CheckConstraint(condition=models.Q(printing__gte=1, printing__lte=4), name="label_printings"),
            models.CheckConstraint(condition=LABEL_SOUND, name="label_sound"),
        ]
        indexes = [models.Index(fields=["label"], name="label_digest")]  # noqa: RUF012 -- Django's own form


# EPCIS: what was captured, by whom, and the questions that are kept ---------------------------------------------------


class EpcisEvent(models.Model):
    """One captured EPCIS event, exactly as it came. Partitioned by `event_time`; updated only by an erasure.

    `body` holds the committed bytes (epcis.rows.body): the JSON object, its context, its hash id, who sent it and when.
    The other columns repeat what queries ask for. Of one that named an erased item hardly more than its place is left.
    """

    pk = models.CompositePrimaryKey("event_time", "id")
    event_time = models.DateTimeField()
    id = models.UUIDField()
    name = models.UUIDField()  # of the event id, whoever sent it: an error declaration has the name of what it declares
    record_time = models.DateTimeField()
    batch = models.BigIntegerField()  # custody batch of kind parcels.epcis
    leaf = models.IntegerField()
    source = models.IntegerField()
    type = models.CharField(max_length=30)
    action = models.CharField(max_length=10)
    biz_step = models.TextField()
    disposition = models.TextField()
    read_point = models.TextField()  # canonical
    biz_location = models.TextField()  # canonical
    declares = models.BooleanField()  # it carries an errorDeclaration
    epcs = ArrayField(models.TextField())  # canonical, in whatever role, and `nr:` with our number where we know one
    classes = ArrayField(models.TextField())
    scans = ArrayField(models.UUIDField())  # event ids of the scans that were made from it
    salt = models.BinaryField(max_length=32)
    body = models.BinaryField()  # sealed with the key that `body_key` names; as it was committed to where it names none
    body_key = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "parcels_epcis_event"


class EpcisName(models.Model):
    """That a source has sent an event under this name, and what it said: the same again changes nothing."""

    key = models.UUIDField(primary_key=True)  # of source and event id; of a declaration also of its content
    event_time = models.DateTimeField()
    fingerprint = models.BinaryField(max_length=32)


class EpcisValue(models.Model):
    """A value that some captured event of a source carries: what the browsable lists show."""

    source = models.IntegerField()
    kind = models.CharField(max_length=20)  # epcs, bizSteps, bizLocations, readPoints, dispositions
    value = models.TextField(db_collation="C")  # pages go by bytes, whatever the server's language
    pk = models.CompositePrimaryKey("kind", "value", "source")


class CaptureJob(models.Model):
    """A document that was received and is, or will be, captured."""

    id = models.UUIDField(primary_key=True)
    source = models.IntegerField()
    by = models.UUIDField()  # who sent it, as a Person
    role = models.CharField(max_length=20)
    simulated = models.BooleanField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    behaviour = models.CharField(max_length=10)  # rollback or proceed
    success = models.BooleanField(default=True)
    tries = models.SmallIntegerField(default=0)  # that broke off, and not because the moment was wrong
    not_before = models.DateTimeField(null=True)  # when the worker looks at it next
    next_event = models.IntegerField(default=0)  # how far it has come; commits with the work
    captured = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)
    errors = models.JSONField(default=list)
    document = models.BinaryField()  # as received, sealed; emptied when the job is done, and kept when it is given up
    document_key = models.UUIDField(null=True)

    class Meta:
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["created_at"], condition=models.Q(finished_at=None), name="capture_waiting"),
            models.Index(fields=["source", "created_at"], name="capture_of_source"),
            models.Index(
                fields=["document_key"], condition=models.Q(document_key__isnull=False), name="capture_body_key"
            ),
        ]


class NamedQuery(models.Model):
    """A question kept under a name by whoever asks it."""

    source = models.IntegerField()
    name = models.CharField(max_length=100)
    pk = models.CompositePrimaryKey("source", "name")
    query = models.JSONField(default=dict)  # of one from before questions were sealed
    sealed = models.BinaryField(default=b"")
    query_key = models.UUIDField(null=True)
    created_at = models.DateTimeField()


class HazmatRule(models.Model):
    """What an operator decided for an id that the table of dangerous goods does not have. It never changes.

    It counts from its day on, once a second person agreed; the newest of an id stands.
    """

    id = models.UUIDField(primary_key=True)
    un = models.CharField(max_length=6)
    answer = models.SmallIntegerField()
    clause = models.CharField(max_length=80)
    source = models.CharField(max_length=400)  # the words of the law or the approval
    valid_from = models.DateField()
    written_by = models.IntegerField()
    written_at = models.DateTimeField()
    agreed_by = models.IntegerField(null=True)
    agreed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(agreed_by__isnull=True, agreed_at__isnull=True)
                | models.Q(agreed_by__isnull=False, agreed_at__isnull=False),
                name="hazmat_rule_agreed_whole",
            ),
        ]
