"""Notices, and members who left."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0010_notices.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0009_people")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
