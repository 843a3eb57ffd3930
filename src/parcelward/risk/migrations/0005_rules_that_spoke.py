"""Which rules spoke stands beside each decision, so that a screen counts them without reading the bodies."""

from django.db import migrations, models

BACKFILL = """
UPDATE risk_decision AS d SET spoke = found.spoke FROM (
    SELECT id, string_agg((one.value ->> 'code') || '/' || (one.value ->> 'version'), ' '
                          ORDER BY groups.nth, one.nth) AS spoke
    FROM risk_decision
    CROSS JOIN unnest(ARRAY['reasons', 'proven', 'shadow', 'snoozed']) WITH ORDINALITY AS groups(name, nth)
    CROSS JOIN jsonb_array_elements(body::jsonb -> groups.name) WITH ORDINALITY AS one(value, nth)
    GROUP BY id
) AS found WHERE found.id = d.id
"""


class Migration(migrations.Migration):

    dependencies = [("risk", "0004_rules_and_reviews")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="spoke",
            field=models.TextField(default="", db_default=""),
        ),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(("spoke", ""), _negated=True), fields=["at"], name="decision_where_rules_spoke"
            ),
        ),
    ]
