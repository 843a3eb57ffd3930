"""The batch table, partitioned by day: Django does not make partitioned tables."""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE custody_batch_id;
CREATE TABLE custody_batch (
    record_time timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('custody_batch_id'),
    kind varchar(20) NOT NULL,
    n integer NOT NULL,
    commitments bytea NOT NULL,
    PRIMARY KEY (record_time, id)
) PARTITION BY RANGE (record_time);
ALTER TABLE custody_batch ALTER commitments SET STORAGE EXTERNAL;
-- A row of the waiting list lives a tenth of a second: clean up after it often.
ALTER TABLE custody_pendingbatch SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
"""
BACKWARD = "DROP TABLE custody_batch; DROP SEQUENCE custody_batch_id;"


class Migration(migrations.Migration):
    dependencies = [("custody", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
