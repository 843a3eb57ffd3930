"""An item one of whose numbers is another item's now says so in its status."""

from django.db import migrations

FORWARD = """
UPDATE parcels_item_status s SET flags = flags | 2048 FROM parcels_itemalias a
WHERE a.item = s.item AND a.valid_to IS NOT NULL;
"""
BACKWARD = "UPDATE parcels_item_status SET flags = flags & ~2048 WHERE flags & 2048 <> 0;"


class Migration(migrations.Migration):
    dependencies = [("parcels", "0005_clock_ahead")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
