"""Who has opened which email."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0004_viewing.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0003_levels")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
