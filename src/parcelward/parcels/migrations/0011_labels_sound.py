"""A label's row that cannot be is refused; those that are there are left to `verify-log`."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

_STANDS = models.Q(("void_reason", ""), ("voided_at", None), ("voided_by", None))
_VOID = models.Q(
    ("void_reason__in", ("reprinted", "voided")), ("voided_at__isnull", False), ("voided_by__isnull", False)
)
_SOUND = models.Q(
    *(("serial__gte", 1), ("serial__lte", 99), ("weight_class__gte", 0), ("weight_class__lte", 9)), _STANDS | _VOID
)


class Migration(migrations.Migration):
    dependencies = [("parcels", "0010_labels_issued")]
    operations = [
        AddConstraintNotValid(
            model_name="label",
            constraint=models.CheckConstraint(condition=_SOUND, name="label_sound"),
        ),
    ]
