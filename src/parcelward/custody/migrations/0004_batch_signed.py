"""What devices signed, kept in the row of the batch that their requests' events are in."""

from django.db import migrations, models

FORWARD = """
ALTER TABLE custody_batch ADD COLUMN signed bytea NOT NULL DEFAULT ''::bytea;
ALTER TABLE custody_batch ALTER signed SET STORAGE EXTERNAL;  -- signatures do not compress
"""
BACKWARD = "ALTER TABLE custody_batch DROP COLUMN signed;"


class Migration(migrations.Migration):
    dependencies = [("custody", "0003_erasure")]
    operations = [
        migrations.RunSQL(
            FORWARD,
            BACKWARD,
            state_operations=[
                migrations.AddField(
                    model_name="batch", name="signed", field=models.BinaryField(db_default=b"", default=b"")
                ),
            ],
        ),
    ]
