"""The keys of quarantined bodies and of captured documents; what is stored already is sealed by the worker (bodies.py)."""

from django.db import migrations, models

_NAMED = models.Q(("body_key__isnull", False))
_EVENTS = """
ALTER TABLE parcels_epcis_event ADD COLUMN body_key uuid;
CREATE INDEX epcis_event_body_key ON parcels_epcis_event (body_key) WHERE body_key IS NOT NULL;
CREATE INDEX epcis_event_unsealed ON parcels_epcis_event (id) WHERE body_key IS NULL AND body <> '';
"""
_UNSEALED = models.Q(("body_key", None), models.Q(("raw", b""), _negated=True))


class Migration(migrations.Migration):
    dependencies = [("parcels", "0008_capture_not_before")]
    operations = [
        migrations.RunSQL(_EVENTS, "ALTER TABLE parcels_epcis_event DROP COLUMN body_key;"),
        migrations.AddField("capturejob", "document_key", models.UUIDField(null=True)),
        migrations.AddField("quarantine", "body_key", models.UUIDField(null=True)),
        migrations.AlterField("namedquery", "query", models.JSONField(default=dict)),
        migrations.AddField("namedquery", "sealed", models.BinaryField(default=b"")),
        migrations.AddField("namedquery", "query_key", models.UUIDField(null=True)),
        migrations.AddIndex(
            "capturejob",
            models.Index(
                condition=models.Q(("document_key__isnull", False)), fields=["document_key"], name="capture_body_key"
            ),
        ),
        migrations.AddIndex("quarantine", models.Index(condition=_NAMED, fields=["body_key"], name="quarantine_body_key")),
        migrations.AddIndex(
            "quarantine", models.Index(condition=_UNSEALED, fields=["id"], name="quarantine_unsealed")
        ),
    ]
