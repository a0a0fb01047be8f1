"""The bin, and what goes there."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0005_bin.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0004_viewing")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
