"""People whom a mailbox's owner has written to."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0009_people.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0008_exclusions")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
