"""One wrapped key a body that somebody sent: a table of the keys database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0004_contact")]
    operations = [
        migrations.CreateModel(
            name="BodyKey",
            fields=[
                ("body", models.UUIDField(primary_key=True, serialize=False)),
                ("kek_version", models.IntegerField()),
                ("wrapped", models.BinaryField(max_length=200)),
                ("made_at", models.DateTimeField()),
            ],
            options={"db_table": "privacy_bodykey"},
        ),
    ]
