import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0007_two_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='maker',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='people.apikey'),
        ),
    ]
