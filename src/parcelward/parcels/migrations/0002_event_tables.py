"""The event table, partitioned by event time, and the statuses beside it."""

from django.db import migrations

FORWARD = """
CREATE TABLE parcels_scan_event (
    item uuid NOT NULL,
    event_time timestamptz NOT NULL,
    event_id uuid NOT NULL,
    batch bigint NOT NULL,
    sequence bigint NOT NULL,
    facility integer NOT NULL,
    source integer NOT NULL,
    item_seq integer NOT NULL,
    leaf smallint NOT NULL,
    step smallint NOT NULL,
    position smallint NOT NULL,
    flags smallint NOT NULL,
    receptacle uuid,
    corrects uuid,
    body bytea NOT NULL,
    PRIMARY KEY (item, event_time, event_id)
) PARTITION BY RANGE (event_time);
ALTER TABLE parcels_scan_event ALTER body SET STORAGE EXTERNAL;  -- sealed, so it does not compress
-- Rows arrive in the order of batches: every insert goes to the last page, and equal batches share one entry. A BRIN
-- index is smaller still, but its newest ranges are unsummarised for up to a minute, and followers read just those.
CREATE INDEX scan_event_batch ON parcels_scan_event (batch);
CREATE INDEX scan_event_receptacle ON parcels_scan_event (receptacle, event_time) WHERE receptacle IS NOT NULL;

CREATE TABLE parcels_item_status (
    item uuid PRIMARY KEY,
    step_time timestamptz,
    last_time timestamptz,
    last_sequence bigint NOT NULL DEFAULT 0,
    first_time timestamptz,
    step_facility integer NOT NULL DEFAULT 0,
    last_source integer NOT NULL DEFAULT 0,
    facility integer NOT NULL DEFAULT 0,
    flags integer NOT NULL DEFAULT 0,
    item_seq integer NOT NULL DEFAULT 0,
    kind smallint NOT NULL,
    step smallint NOT NULL DEFAULT 0,
    last_position smallint NOT NULL DEFAULT 0,
    last_event uuid,
    receptacle uuid,
    seal varchar(40) NOT NULL DEFAULT '',
    head bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 70);  -- room for the next status beside the last one, so that no index changes (HOT)
"""
BACKWARD = "DROP TABLE parcels_scan_event; DROP TABLE parcels_item_status;"


class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
