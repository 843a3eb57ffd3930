"""How far ahead a source's clock is: nobody measured it, it was always 0."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("parcels", "0006_numbers_let_go")]
    operations = [migrations.RemoveField("sourcemark", "clock_ahead_ms")]
