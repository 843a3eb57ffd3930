import uuid

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
        migrations.CreateModel(
            name='FacilityGrant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('facility', models.CharField(max_length=20)),
                ('granted_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('granted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='people.source')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='people.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('organisation', 'facility'), name='facility_given_once')],
            },
        ),
    ]
