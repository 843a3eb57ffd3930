"""The open rows that close by themselves are found without reading all others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parcels", "0004_ids_of_each_sender")]

    operations = [
        migrations.AddIndex(
            model_name="quarantine",
            index=models.Index(
                fields=["id"], condition=models.Q(code="clock_ahead", state="open"), name="quarantine_clock_ahead"
            ),
        ),
    ]
