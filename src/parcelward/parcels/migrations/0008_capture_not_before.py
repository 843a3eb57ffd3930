"""When a capture job that waits is looked at next, so that one that fails does not keep the others waiting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parcels", "0007_no_clock_ahead_ms")]
    operations = [migrations.AddField("capturejob", "not_before", models.DateTimeField(null=True))]
