"""The ids of manifests count per sender, and nobody's sight of a handover overwrites another's."""

from django.db import migrations, models

FORWARD = """
ALTER TABLE parcels_manifest DROP CONSTRAINT parcels_manifest_pkey;
ALTER TABLE parcels_manifest ADD PRIMARY KEY (item, source, id);
DROP INDEX manifest_id;
ALTER TABLE parcels_handoverscan DROP CONSTRAINT parcels_handoverscan_pkey;
ALTER TABLE parcels_handoverscan ADD PRIMARY KEY (item, handover, side, source);
"""


class Migration(migrations.Migration):
    """Forward only: what two senders have said under one id cannot be put under one key again."""

    dependencies = [("parcels", "0003_epcis")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD)],
            state_operations=[
                migrations.RemoveIndex("manifest", "manifest_id"),
                migrations.AlterField(
                    "manifest",
                    "pk",
                    models.CompositePrimaryKey("item", "source", "id", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                migrations.AlterField(
                    "handoverscan",
                    "pk",
                    models.CompositePrimaryKey("item", "handover", "side", "source", blank=True, editable=False, primary_key=True, serialize=False),
                ),
            ],
        )
    ]
