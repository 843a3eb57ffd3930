"""What counts against a grant is summed once, when it is spent, and not with every purchase anew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0010_second_code"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpentDay",
            fields=[
                ("pk", models.CompositePrimaryKey("grant", "day", blank=True, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("amount_minor", models.BigIntegerField()),
                ("grant", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="people.spendgrant")),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO people_spentday (grant_id, day, amount_minor) "
            "SELECT grant_id, day, sum(amount_minor) FROM people_spending GROUP BY grant_id, day",
            migrations.RunSQL.noop,
        ),
    ]
