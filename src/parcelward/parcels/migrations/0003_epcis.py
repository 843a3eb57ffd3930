"""Captured EPCIS events, partitioned by event time, with what keeps their names, jobs and questions."""

import django.contrib.postgres.fields
from django.db import migrations, models

FORWARD = """
CREATE TABLE parcels_epcis_event (
    event_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    batch bigint NOT NULL,
    id uuid NOT NULL,
    name uuid NOT NULL,
    leaf integer NOT NULL,
    source integer NOT NULL,
    declares boolean NOT NULL,
    type varchar(30) NOT NULL,
    action varchar(10) NOT NULL,
    biz_step text NOT NULL,
    disposition text NOT NULL,
    read_point text NOT NULL,
    biz_location text NOT NULL,
    epcs text[] NOT NULL,
    classes text[] NOT NULL,
    scans uuid[] NOT NULL,
    salt bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (event_time, id)
) PARTITION BY RANGE (event_time);
CREATE INDEX epcis_event_epcs ON parcels_epcis_event USING gin (epcs);
CREATE INDEX epcis_event_classes ON parcels_epcis_event USING gin (classes);
CREATE INDEX epcis_event_scans ON parcels_epcis_event USING gin (scans);
CREATE INDEX epcis_event_name ON parcels_epcis_event (name);
CREATE INDEX epcis_event_source ON parcels_epcis_event (source, event_time, id);
CREATE INDEX epcis_event_batch ON parcels_epcis_event USING brin (batch) WITH (autosummarize = on);
CREATE INDEX epcis_event_recorded ON parcels_epcis_event (record_time);
-- Whatever time an event claims, at most a partition a month of this century comes to be.
CREATE TABLE parcels_epcis_event_before PARTITION OF parcels_epcis_event
    FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00:00+00');
"""
BACKWARD = "DROP TABLE parcels_epcis_event;"


class Migration(migrations.Migration):
    dependencies = [("parcels", "0002_event_tables")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.CreateModel(
            name="EpcisEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_time", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_time", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("name", models.UUIDField()),
                ("record_time", models.DateTimeField()),
                ("batch", models.BigIntegerField()),
                ("leaf", models.IntegerField()),
                ("source", models.IntegerField()),
                ("type", models.CharField(max_length=30)),
                ("action", models.CharField(max_length=10)),
                ("biz_step", models.TextField()),
                ("disposition", models.TextField()),
                ("read_point", models.TextField()),
                ("biz_location", models.TextField()),
                ("declares", models.BooleanField()),
                ("epcs", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("classes", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("scans", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                ("salt", models.BinaryField(max_length=32)),
                ("body", models.BinaryField()),
            ],
            options={"db_table": "parcels_epcis_event", "managed": False},
        ),
        migrations.CreateModel(
            name="EpcisName",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("event_time", models.DateTimeField()),
                ("fingerprint", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="EpcisValue",
            fields=[
                ("source", models.IntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("value", models.TextField(db_collation="C")),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind", "value", "source", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NamedQuery",
            fields=[
                ("source", models.IntegerField()),
                ("name", models.CharField(max_length=100)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("query", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CaptureJob",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("source", models.IntegerField()),
                ("by", models.UUIDField()),
                ("role", models.CharField(max_length=20)),
                ("simulated", models.BooleanField()),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("behaviour", models.CharField(max_length=10)),
                ("success", models.BooleanField(default=True)),
                ("tries", models.SmallIntegerField(default=0)),
                ("next_event", models.IntegerField(default=0)),
                ("captured", models.IntegerField(default=0)),
                ("duplicates", models.IntegerField(default=0)),
                ("errors", models.JSONField(default=list)),
                ("document", models.BinaryField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)), fields=["created_at"], name="capture_waiting"
                    ),
                    models.Index(fields=["source", "created_at"], name="capture_of_source"),
                ],
            },
        ),
    ]
