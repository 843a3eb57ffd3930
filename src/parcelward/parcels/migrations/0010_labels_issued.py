"""Labels that were issued for items; what a scan's label code is compared with."""

from django.db import migrations, models

_STANDS = models.Q(("voided_at", None))
_PRINTINGS = models.Q(("printing__gte", 1), ("printing__lte", 4))


class Migration(migrations.Migration):
    dependencies = [("parcels", "0009_sealed_bodies")]
    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                ("item", models.UUIDField()),
                ("serial", models.SmallIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "item", "serial", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("printing", models.SmallIntegerField()),
                ("label", models.BinaryField(max_length=16)),
                ("destination", models.CharField(max_length=20)),
                ("weight_class", models.SmallIntegerField()),
                ("key_version", models.IntegerField()),
                ("issued_at", models.DateTimeField()),
                ("issued_by", models.IntegerField()),
                ("voided_at", models.DateTimeField(null=True)),
                ("voided_by", models.IntegerField(null=True)),
                ("void_reason", models.CharField(blank=True, max_length=12)),
            ],
            options={
                "indexes": [models.Index(fields=["label"], name="label_digest")],
                "constraints": [
                    models.UniqueConstraint(condition=_STANDS, fields=("item",), name="label_standing"),
                    models.CheckConstraint(condition=_PRINTINGS, name="label_printings"),
                ],
            },
        ),
    ]
