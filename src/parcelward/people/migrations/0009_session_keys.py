"""Sessions that are open go on: their rows get the hash of the key that they had in clear."""

from django.db import migrations

HASHED = "UPDATE {} SET session_key = left(encode(sha256(convert_to(session_key, 'UTF8')), 'hex'), 40) WHERE length(session_key) < 40"


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0008_places_given'),
        ('sessions', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(HASHED.format(table), migrations.RunSQL.noop) for table in ("django_session", "people_signedin")
    ]
