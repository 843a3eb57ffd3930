"""What two people agreed to opens with two things: the link, and a code that whoever agreed was shown."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0009_session_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='invitation',
            name='second_digest',
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='invitation',
            name='second_tries',
            field=models.SmallIntegerField(default=0),
        ),
    ]
