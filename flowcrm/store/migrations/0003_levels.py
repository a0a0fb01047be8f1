"""Who sees what: private emails and threads."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0003_levels.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0002_marks")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
