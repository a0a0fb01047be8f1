"""The first shape of everything. Only `person` is made by the ORM; all else is SQL (0001_schema.sql)."""

from pathlib import Path

from django.db import migrations, models

import flowcrm.store.models.person

SCHEMA = (Path(__file__).parent / "0001_schema.sql").read_text()


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "person"},
            managers=[("objects", flowcrm.store.models.person.PersonManager())],
        ),
        migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop),
    ]
